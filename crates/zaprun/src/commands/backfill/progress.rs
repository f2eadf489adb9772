//! How far a backfill is: a bar on a terminal, lines elsewhere.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zaprun_engine::report::{Event, Observer};

use crate::mask::Masker;
use crate::output::{Printer, clean, count, thousands};
use crate::watch;

/// What is known of a backfill under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    /// Days read, over all queries.
    pub(super) done: u64,
    /// Days there are, over all queries; none where that is not known.
    pub(super) days: u64,
    pub(super) rows: u64,
    pub(super) fired: u64,
}

/// Shows how far it is, and what went wrong on the way.
pub(super) struct Shown {
    printer: Printer,
    masker: Arc<Masker>,
    bar: Option<ProgressBar>,
}

impl Shown {
    pub(super) fn start(printer: Printer, masker: &Arc<Masker>) -> Shown {
        let bar = printer.is_live().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            let template = if printer.err().0 {
                "{bar:30.cyan} {percent:>3}% {msg}"
            } else {
                "{bar:30} {percent:>3}% {msg}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Shown { printer, masker: Arc::clone(masker), bar }
    }

    /// It is so far.
    pub(super) fn at(&self, at: At) {
        let text = text(at);
        match &self.bar {
            Some(bar) => {
                bar.set_length(at.days.max(1));
                bar.set_position(at.done.min(at.days));
                bar.set_message(text);
            }
            None => self.printer.note(&format!("{}%: {text}", percent(at))),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, text: &str) {
        let text = self.masker.text(text);
        let say = || self.printer.warning(&clean(&text));
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}

fn percent(at: At) -> u64 {
    (at.done * 100).checked_div(at.days).unwrap_or(0).min(100)
}

fn text(at: At) -> String {
    format!("{}, {} new", count(at.rows, "record", "records"), thousands(at.fired))
}

impl Observer for Shown {
    fn see(&self, event: Event) {
        match event {
            Event::Backfilling { done, days, rows, fired, .. } => self.at(At { done, days, rows, fired }),
            event => {
                if let Some(text) = watch::warning(&event) {
                    self.say(&text);
                }
            }
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_days_is_a_part_of_a_hundred() {
        let at = |done, days| percent(At { done, days, rows: 0, fired: 0 });
        assert_eq!([at(0, 0), at(0, 9), at(3, 9), at(9, 9), at(10, 9)], [0, 0, 33, 100, 100]);
        let at = At { done: 1, days: 2, rows: 1_200, fired: 1 };
        assert_eq!(text(at), "1,200 records, 1 new");
    }
}
