//! The line that moves on a terminal, with what matters above it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zaprun_engine::ports::Clock;
use zaprun_engine::report::{Event, Observer};

use super::tell::{Told, Weight, tell};
use crate::clock::SystemClock;
use crate::mask::Masker;
use crate::output::{Paint, Printer, clean, thousands};

/// An observer that counts in one line and says above it what a person should know.
pub(crate) struct Live {
    bar: ProgressBar,
    paint: Paint,
    /// What is lighter is not said.
    least: Weight,
    masker: Arc<Masker>,
    tally: Tally,
    /// What the engine was last seen doing.
    doing: Mutex<String>,
}

#[derive(Default)]
struct Tally {
    delivered: AtomicU64,
    filtered: AtomicU64,
    retries: AtomicU64,
    dead: AtomicU64,
    held: AtomicU64,
}

impl Live {
    /// Starts the line. `least` is the lightest that is said above it.
    pub(crate) fn start(printer: &Printer, least: Weight, masker: Arc<Masker>) -> Live {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        let template = if printer.err().0 { "{spinner:.cyan} {wide_msg}" } else { "{spinner} {wide_msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        let live = Live {
            bar,
            paint: printer.err(),
            least,
            masker,
            tally: Tally::default(),
            doing: Mutex::default(),
        };
        live.count(None);
        live
    }

    /// Says something above the line.
    pub(crate) fn say(&self, text: &str) {
        let text = self.masker.text(text);
        self.aside(|| {
            use std::io::Write;
            // Nobody is left to be told when stderr is gone.
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        });
    }

    /// Writes something while the line is out of the way.
    pub(crate) fn aside(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn count(&self, phase: Option<&str>) {
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let tally = &self.tally;
        let mut parts = vec![format!("{} delivered", self.paint.green(&thousands(number(&tally.delivered))))];
        let others = [
            (&tally.filtered, "filtered", false),
            (&tally.retries, "retries", false),
            (&tally.held, "held", true),
            (&tally.dead, "dead", true),
        ];
        for (counter, word, bad) in others {
            let number = number(counter);
            if number > 0 {
                let shown = thousands(number);
                parts.push(format!("{} {word}", if bad { self.paint.red(&shown) } else { shown }));
            }
        }
        {
            let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(phase) = phase {
                phase.clone_into(&mut doing);
            }
            if !doing.is_empty() {
                parts.push(self.paint.dim(&doing));
            }
        }
        self.bar.set_message(parts.join(" · "));
    }

    fn line(&self, told: &Told) -> String {
        let sign = match told.weight {
            Weight::Detail => self.paint.dim("·"),
            Weight::Note => self.paint.green("✓"),
            Weight::Warning => self.paint.yellow("!"),
            Weight::Trouble => self.paint.red("✗"),
        };
        let about = self.paint.bold(&clean(&told.about()));
        let hint = told.hint.as_ref().map(|hint| format!("\n  {}: {}", self.paint.cyan("hint"), clean(hint)));
        format!("{sign} {about} {}{}", clean(&told.text), hint.unwrap_or_default())
    }
}

impl Observer for Live {
    fn see(&self, event: Event) {
        let counter = match &event {
            Event::Delivered { .. } => Some(&self.tally.delivered),
            Event::Filtered { .. } => Some(&self.tally.filtered),
            Event::Retrying { .. } => Some(&self.tally.retries),
            Event::Dead { .. } => Some(&self.tally.dead),
            Event::Held { .. } => Some(&self.tally.held),
            _ => None,
        };
        if let Some(counter) = counter {
            counter.fetch_add(1, Ordering::Relaxed);
            self.count(None);
        }
        if let Event::Page { connection, page, rows, total, .. } = &event
            && *page > 1
        {
            self.count(Some(&format!(
                "reading {connection}: {} of {} rows",
                thousands(*rows),
                thousands(*total)
            )));
        }
        if let Event::WalkDone { connection, .. } = &event {
            self.count(Some(&format!("{connection} read at {}", SystemClock.now().strftime("%H:%M:%SZ"))));
        }
        // Each delivery is in the count; a line for each would hide what matters.
        let counted = matches!(event, Event::Delivered { .. }) && self.least > Weight::Detail;
        if let Some(told) = tell(&event).filter(|told| told.weight >= self.least && !counted) {
            self.say(&self.line(&told));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.finish();
    }
}
