//! The line that moves on a terminal, with what matters above it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
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
    tally: Arc<Tally>,
    once: bool,
}

/// What the line shows; read as often as it is drawn, not as often as something happens.
#[derive(Default)]
struct Tally {
    delivered: AtomicU64,
    filtered: AtomicU64,
    retries: AtomicU64,
    dead: AtomicU64,
    held: AtomicU64,
    /// What the engine was last seen doing.
    doing: Mutex<String>,
}

impl Live {
    /// Starts the line. `least` is the lightest that is said above it.
    pub(crate) fn start(printer: &Printer, least: Weight, masker: Arc<Masker>, once: bool) -> Live {
        let tally = Arc::new(Tally::default());
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        let (paint, shown, columns) = (printer.err(), Arc::clone(&tally), *printer);
        let template = if paint.0 { "{spinner:.cyan} {tally}" } else { "{spinner} {tally}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key(
                "tally",
                move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
                    // The bar draws what it gets; there is nobody to tell of an error.
                    let _ = out.write_str(&shown.line(paint, columns.columns().unwrap_or(80)));
                },
            ));
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Live { bar, paint, least, masker, tally, once }
    }

    /// Says something above the line.
    pub(crate) fn say(&self, text: &str) {
        let text = self.masker.text(text);
        self.aside(|| {
            // Nobody is left to be told when stderr is gone.
            let _ = std::io::stderr().lock().write_all(format!("{text}\n").as_bytes());
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

    fn line(&self, told: &Told) -> String {
        let sign = match told.weight {
            Weight::Detail => self.paint.dim("·"),
            Weight::Note => self.paint.green("✓"),
            Weight::Warning => self.paint.yellow("!"),
            Weight::Trouble => self.paint.red("✗"),
        };
        let about = match told.about().as_str() {
            "" => String::new(),
            about => format!("{} ", self.paint.bold(&clean(about))),
        };
        let hint = told.hint.as_ref().map(|hint| format!("\n  {}: {}", self.paint.cyan("hint"), clean(hint)));
        format!("{sign} {about}{}{}", clean(&told.text), hint.unwrap_or_default())
    }
}

impl Tally {
    fn count(&self, event: &Event) {
        let counter = match event {
            Event::Delivered { .. } => &self.delivered,
            Event::Filtered { .. } => &self.filtered,
            Event::Retrying { .. } => &self.retries,
            Event::Dead { .. } => &self.dead,
            Event::Held { .. } => &self.held,
            Event::Page { connection, page: 2.., rows, total, .. } => {
                self.doing(format!(
                    "reading {connection}: {} of {} rows",
                    thousands(*rows),
                    thousands(*total)
                ));
                return;
            }
            Event::WalkDone { connection, .. } | Event::Looked { connection, .. } => {
                self.doing(format!("{connection} read at {}", SystemClock.now().strftime("%H:%M:%SZ")));
                return;
            }
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn doing(&self, text: String) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    fn line(&self, paint: Paint, columns: usize) -> String {
        let painted = self.parts(paint).join(" · ");
        let plain = self.parts(Paint(false)).join(" · ");
        // The spinner and a blank stand before it.
        let room = columns.saturating_sub(3);
        if plain.chars().count() <= room { painted } else { plain.chars().take(room).collect() }
    }

    fn parts(&self, paint: Paint) -> Vec<String> {
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut parts = vec![format!("{} delivered", paint.green(&thousands(number(&self.delivered))))];
        let others = [
            (&self.filtered, "filtered", false),
            (&self.retries, "retries", false),
            (&self.held, "held", true),
            (&self.dead, "dead", true),
        ];
        for (counter, word, bad) in others.into_iter().filter(|(counter, ..)| number(counter) > 0) {
            let shown = thousands(number(counter));
            let mut part = if bad { paint.red(&shown) } else { shown };
            // Writing to a text cannot fail.
            let _ = write!(part, " {word}");
            parts.push(part);
        }
        let doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        if !doing.is_empty() {
            parts.push(paint.dim(&doing));
        }
        parts
    }
}

impl Observer for Live {
    fn see(&self, event: Event) {
        self.tally.count(&event);
        // Each delivery is in the count; a line for each would hide what matters.
        if matches!(event, Event::Delivered { .. }) && self.least > Weight::Detail {
            return;
        }
        if let Some(told) = tell(&event, self.once).filter(|told| told.weight >= self.least) {
            self.say(&self.line(&told));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_fits_the_terminal() {
        let tally = Tally::default();
        tally.delivered.store(1_234, Ordering::Relaxed);
        tally.dead.store(2, Ordering::Relaxed);
        tally.doing("crm read at 12:00:00Z".to_owned());
        assert_eq!(tally.line(Paint(false), 80), "1,234 delivered · 2 dead · crm read at 12:00:00Z");
        assert_eq!(tally.line(Paint(true), 20), "1,234 delivered ·");
        assert!(tally.line(Paint(true), 80).contains("\u{1b}[1;31m2\u{1b}[0m dead"));
    }
}
