//! What a person sees of a running engine: a line that moves on a terminal, structured logs elsewhere.

mod live;
mod log;
mod tell;

use std::sync::Arc;

use zaprun_engine::report::{Event, Observer};

use crate::mask::Masker;
use crate::output::Printer;
use live::Live;
use log::Log;

pub(crate) use log::LogFormat;
use tell::Weight;
pub(crate) use tell::{lag_text, reason_text, remedy};

/// What a person should know of an event although it was not asked for; nothing where all is as it should be.
pub(crate) fn warning(event: &Event) -> Option<String> {
    let told = tell::tell(event, true).filter(|told| told.weight >= Weight::Warning)?;
    Some(match told.about().as_str() {
        "" => told.text,
        about => format!("{about}: {}", told.text),
    })
}

/// Watches an engine.
#[derive(Clone)]
pub(crate) struct Watch {
    way: Way,
    masker: Arc<Masker>,
}

#[derive(Clone)]
enum Way {
    Live(Arc<Live>),
    Log(Log),
}

impl Watch {
    /// Logs when asked to, or where nobody looks at a terminal; else a line that moves.
    /// With `once` nothing is tried again by this process.
    pub(crate) fn start(
        printer: Printer,
        format: Option<LogFormat>,
        masker: &Arc<Masker>,
        once: bool,
    ) -> Watch {
        let masker = Arc::clone(masker);
        let way = match format {
            None if printer.is_live() => {
                let least = if printer.is_verbose() { Weight::Detail } else { Weight::Note };
                Way::Live(Arc::new(Live::start(&printer, least, Arc::clone(&masker), once)))
            }
            format => Way::Log(Log::start(format.unwrap_or_default(), &printer, Arc::clone(&masker), once)),
        };
        Watch { way, masker }
    }

    /// For a program that shows deliveries in its own way: the line counts them, and only what went wrong is said.
    pub(crate) fn start_quiet(printer: Printer, masker: &Arc<Masker>) -> Watch {
        let masker = Arc::clone(masker);
        let way = if printer.is_live() {
            Way::Live(Arc::new(Live::start(&printer, Weight::Warning, Arc::clone(&masker), false)))
        } else {
            Way::Log(Log::start_quiet(&printer, Arc::clone(&masker)))
        };
        Watch { way, masker }
    }

    /// What the engine reports to.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        match &self.way {
            Way::Live(live) => Arc::clone(live) as _,
            Way::Log(log) => Arc::new(*log),
        }
    }

    /// Says something of our own.
    pub(crate) fn say(&self, text: &str) {
        match &self.way {
            Way::Live(live) => live.say(text),
            Way::Log(_) => tracing::info!("{}", self.masker.text(text)),
        }
    }

    /// Writes something while the line that moves is out of the way.
    pub(crate) fn aside(&self, write: impl FnOnce()) {
        match &self.way {
            Way::Live(live) => live.aside(write),
            Way::Log(_) => write(),
        }
    }

    /// A text without secrets.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.masker.text(text).into_owned()
    }

    /// Takes the line that moves away.
    pub(crate) fn finish(&self) {
        if let Way::Live(live) = &self.way {
            live.finish();
        }
    }
}
