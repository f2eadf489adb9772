//! What the audience of the demo sees while it runs.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use zaprun_engine::ports::Clock;
use zaprun_engine::report::{Event, Observer};

use super::score::Score;
use crate::clock::SystemClock;
use crate::output::{Paint, Printer, clean, count};
use crate::watch::{Watch, lag_text};

/// More lines in a second than a person reads are only counted.
const LINES_A_SECOND: u64 = 25;

/// Shows each delivery on stdout, as it happens, and hands everything on to the watch.
pub(super) struct Stage {
    pub(super) score: Arc<Score>,
    watch: Watch,
    rest: Arc<dyn Observer>,
    printer: Printer,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    second: i64,
    lines: u64,
    hidden: u64,
    /// Queries whose walk ended since the curtain fell, and how often.
    walks: Vec<String>,
    /// Every query that was ever walked.
    queries: HashSet<String>,
    curtain: bool,
}

impl Stage {
    pub(super) fn new(score: Arc<Score>, watch: Watch, printer: Printer) -> Self {
        let rest = watch.observer();
        Stage { score, watch, rest, printer, shown: Mutex::default() }
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more happens in the CRM: from now on walks are counted.
    pub(super) fn curtain(&self) {
        self.shown().curtain = true;
    }

    /// Whether every query was walked twice since: the first walk may have begun before.
    pub(super) fn all_read(&self) -> bool {
        let shown = self.shown();
        let twice = |query: &String| shown.walks.iter().filter(|walked| *walked == query).count() >= 2;
        !shown.queries.is_empty() && shown.queries.iter().all(twice)
    }

    fn line(&self, text: &str, now: Timestamp) {
        let hidden = {
            let mut shown = self.shown();
            if shown.second != now.as_second() {
                shown.second = now.as_second();
                shown.lines = 0;
            }
            shown.lines += 1;
            if shown.lines > LINES_A_SECOND {
                shown.hidden += 1;
                return;
            }
            std::mem::take(&mut shown.hidden)
        };
        let more = match hidden {
            0 => String::new(),
            hidden => format!("  … and {}\n", count(hidden, "more", "more")),
        };
        // The demo goes on when nobody reads; there is nothing to tell.
        self.watch.aside(|| drop(self.printer.data(&format!("{more}{text}"))));
    }
}

impl Observer for Stage {
    fn see(&self, event: Event) {
        let now = SystemClock.now();
        match &event {
            Event::Delivered { run, lag, .. } => {
                let lag = self.score.delivered(run, *lag, now);
                let text =
                    delivered(self.printer.out(), &run.event.kind, &run.event.id, &run.zap, &lag_text(lag));
                self.line(&text, now);
            }
            Event::WalkDone { query, .. } => {
                let mut shown = self.shown();
                shown.queries.insert(query.clone());
                if shown.curtain {
                    shown.walks.push(query.clone());
                }
            }
            _ => {}
        }
        self.rest.see(event);
    }
}

fn delivered(paint: Paint, kind: &str, id: &str, zap: &str, lag: &str) -> String {
    let kind = format!("{:<9}", kind.replace('_', " "));
    format!(
        "{} {kind} {:<10} {} {:<22} {}",
        paint.green("✓"),
        clean(id),
        paint.dim("→"),
        clean(zap),
        paint.dim(lag)
    )
}
