//! Structured logs on stderr.

use std::io::{self, Write};
use std::sync::Arc;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use zaprun_engine::report::{Event, Observer};

use super::tell::{Told, Weight, tell};
use crate::mask::Masker;
use crate::output::Printer;

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line of text for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Writes log lines to stderr, without secrets.
#[derive(Clone)]
struct MaskedStderr(Arc<Masker>);

impl Write for MaskedStderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(&self.0.bytes(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

impl<'a> MakeWriter<'a> for MaskedStderr {
    type Writer = MaskedStderr;

    fn make_writer(&'a self) -> MaskedStderr {
        self.clone()
    }
}

/// An observer that logs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    once: bool,
}

impl Log {
    /// Starts logging for the whole process.
    pub(crate) fn start(format: LogFormat, printer: &Printer, masker: Arc<Masker>, once: bool) -> Log {
        let directives = match (printer.is_quiet(), printer.is_verbose()) {
            (true, _) => "error,zaprun=warn",
            (_, true) => "info,zaprun=debug",
            _ => "warn,zaprun=info",
        };
        Self::with(directives, format, printer, masker);
        Log { once }
    }

    /// Starts logging what went wrong, and no more.
    pub(crate) fn start_quiet(printer: &Printer, masker: Arc<Masker>) -> Log {
        Self::with("error,zaprun=warn", LogFormat::Text, printer, masker);
        Log { once: false }
    }

    fn with(directives: &str, format: LogFormat, printer: &Printer, masker: Arc<Masker>) {
        let builder = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(directives))
            .with_target(false)
            .with_ansi(printer.err().0 && format == LogFormat::Text)
            .with_writer(MaskedStderr(masker));
        // A second start in one process would only be refused, and the first one logs on.
        let _ = match format {
            LogFormat::Text => builder.try_init(),
            LogFormat::Json => builder.json().flatten_event(true).try_init(),
        };
    }
}

impl Observer for Log {
    fn see(&self, event: Event) {
        // Deliveries are many: what nobody reads is not put into words.
        let frequent = matches!(event, Event::Delivered { .. } | Event::Filtered { .. });
        if frequent && !tracing::enabled!(tracing::Level::INFO) {
            return;
        }
        if let Some(told) = tell(&event, self.once) {
            log(&told);
        }
    }
}

/// Logs something told.
fn log(told: &Told) {
    macro_rules! emit {
        ($level:ident) => {
            tracing::$level!(
                zap = told.zap,
                event = told.event,
                run = told.run,
                trace = told.trace,
                connection = told.connection,
                query = told.query,
                reload = told.reload,
                hint = told.hint,
                "{}",
                told.text
            )
        };
    }
    match told.weight {
        Weight::Detail => emit!(debug),
        Weight::Note => emit!(info),
        Weight::Warning => emit!(warn),
        Weight::Trouble => emit!(error),
    }
}
