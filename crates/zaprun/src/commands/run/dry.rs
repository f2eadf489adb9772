//! A dry run: the requests as data on stdout.

use std::sync::Arc;

use serde::Serialize;
use zaprun_engine::report::{Event, Observer, RunRef, WouldSend};

use crate::output::{Paint, Printer, RequestEntry, clean, request_text};
use crate::watch::Watch;

/// Shows what would be sent, and hands every other event on.
pub(super) struct Shown {
    rest: Arc<dyn Observer>,
    watch: Watch,
    printer: Printer,
    json: bool,
}

impl Shown {
    /// An observer over the one that watches. With `json`, one object a line.
    pub(super) fn over(watch: &Watch, printer: Printer, json: bool) -> Arc<dyn Observer> {
        Arc::new(Shown { rest: watch.observer(), watch: watch.clone(), printer, json })
    }
}

impl Observer for Shown {
    fn see(&self, event: Event) {
        let Event::WouldSend { run, steps } = &event else {
            self.rest.see(event);
            return;
        };
        let text = if self.json { json(run, steps) } else { text(run, steps, self.printer.out()) };
        let text = self.watch.mask(&text);
        // When nobody reads on, the copy is worked off all the same and ends; there is nothing to tell.
        self.watch.aside(|| drop(self.printer.data(&text)));
    }
}

fn text(run: &RunRef, steps: &[WouldSend], paint: Paint) -> String {
    let mut out = format!("{} {}\n", paint.bold(&clean(&run.zap)), clean(&run.event.to_string()));
    for step in steps {
        let note =
            step.note.as_ref().map(|note| format!("  {}", paint.yellow(&clean(note)))).unwrap_or_default();
        out.push_str(&format!("  {}{note}\n", step.step));
        step.requests.iter().for_each(|request| out.push_str(&request_text(request, paint)));
    }
    if steps.is_empty() {
        out.push_str(&format!("  {}\n", paint.dim("every step is skipped")));
    }
    out
}

#[derive(Serialize)]
struct Run<'a> {
    zap: &'a str,
    event: String,
    steps: Vec<Step<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    step: &'a str,
    note: Option<&'a str>,
    requests: Vec<RequestEntry>,
}

fn json(run: &RunRef, steps: &[WouldSend]) -> String {
    let requests = |step: &WouldSend| step.requests.iter().map(RequestEntry::from).collect();
    let steps = steps
        .iter()
        .map(|one| Step { step: &one.step, note: one.note.as_deref(), requests: requests(one) })
        .collect();
    let line = Run { zap: &run.zap, event: run.event.to_string(), steps };
    // Texts and lists always serialise.
    serde_json::to_string(&line).unwrap_or_default()
}
