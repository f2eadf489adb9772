//! A dry run: the requests as data on stdout.

use std::sync::Arc;

use zaprun_engine::report::{Event, Observer, RunRef, WouldSend};

use crate::output::{Paint, Printer, clean, request_text};
use crate::watch::Watch;

/// Shows what would be sent, and hands every other event on.
pub(super) struct Shown {
    rest: Arc<dyn Observer>,
    watch: Watch,
    printer: Printer,
}

impl Shown {
    /// An observer over the one that watches.
    pub(super) fn over(watch: &Watch, printer: Printer) -> Arc<dyn Observer> {
        Arc::new(Shown { rest: watch.observer(), watch: watch.clone(), printer })
    }
}

impl Observer for Shown {
    fn see(&self, event: Event) {
        let Event::WouldSend { run, steps } = &event else {
            self.rest.see(event);
            return;
        };
        let text = self.watch.mask(&text(run, steps, self.printer.out()));
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
