//! When something of the project may have changed on the disk.
//!
//! Folders are watched, not files: an editor puts a new file in the old one's place, and Kubernetes turns a link to a whole
//! new folder. Whatever the system reports is only taken as a reason to look; what was there before and what is there
//! now is compared by the files' metadata. So nothing depends on which events a system sends, and where it sends none
//! the same look is made every few seconds.

mod folders;
mod stamp;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use folders::folders;
use stamp::{Stamp, stamp};

/// When is looked.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// Many changes are one when they follow each other within this.
    quiet: Duration,
    /// However long they go on, they are looked at after so long.
    patience: Duration,
    /// How often is looked where nothing reports.
    every: Duration,
    /// The same where something does: a disk of another machine reports nothing.
    anyway: Duration,
}

const TIMES: Times = Times {
    quiet: Duration::from_millis(200),
    patience: Duration::from_secs(2),
    every: Duration::from_secs(3),
    anyway: Duration::from_secs(30),
};

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    /// The project's folder.
    pub(super) root: PathBuf,
    /// Files that matter beside those that make the project.
    pub(super) files: BTreeSet<PathBuf>,
    /// The file of the state: what is written there is no change.
    pub(super) state: PathBuf,
}

/// Reports changes.
pub(super) trait Reporter: Send {
    /// Reports changes in this folder, but not in those that are in it.
    ///
    /// # Errors
    /// Why it cannot, in plain words.
    fn add(&mut self, folder: &Path) -> Result<(), String>;

    /// Reports no more of it.
    fn remove(&mut self, folder: &Path);
}

/// Tells of changes of a project.
pub(super) struct Changes {
    places: Places,
    times: Times,
    reporter: Option<Box<dyn Reporter>>,
    watched: BTreeSet<PathBuf>,
    nudge: Arc<Notify>,
    last: Option<Stamp>,
    /// Why nothing is reported, until that was said.
    trouble: Option<String>,
}

impl Changes {
    /// Watches these places.
    pub(super) fn of(places: Places) -> Changes {
        let nudge = Arc::new(Notify::new());
        let reporter = system(&places, &nudge);
        Changes::with(places, TIMES, reporter, nudge)
    }

    fn with(
        places: Places,
        times: Times,
        reporter: Result<Box<dyn Reporter>, String>,
        nudge: Arc<Notify>,
    ) -> Changes {
        let (reporter, trouble) = match reporter {
            Ok(reporter) => (Some(reporter), None),
            Err(why) => (None, Some(why)),
        };
        Changes { places, times, reporter, watched: BTreeSet::new(), nudge, last: None, trouble }
    }

    /// What is watched from now on, beside the project itself.
    pub(super) fn follow(&mut self, files: BTreeSet<PathBuf>) {
        if self.places.files != files {
            self.places.files = files;
            self.nudge.notify_one();
        }
    }

    /// Why the system reports no changes, so that they are looked for; once.
    pub(super) fn trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    /// Ready when something has changed since the last time; the first time at once, and also with each new trouble.
    pub(super) async fn next(&mut self) {
        loop {
            // Folders first: what changes after the look is reported then.
            self.watch();
            let places = self.places.clone();
            let now = tokio::task::spawn_blocking(move || stamp(&places)).await.ok();
            let changed = now.is_some() && now != self.last;
            self.last = now.or_else(|| self.last.take());
            if changed || self.trouble.is_some() {
                return;
            }
            self.nudged().await;
        }
    }

    /// Waits until it is time to look.
    async fn nudged(&self) {
        let Times { quiet, patience, every, anyway } = self.times;
        let longest = if self.reporter.is_some() { anyway } else { every };
        if timeout(longest, self.nudge.notified()).await.is_err() {
            return;
        }
        let end = Instant::now() + patience;
        while Instant::now() < end && timeout(quiet, self.nudge.notified()).await.is_ok() {}
    }

    /// Watches the folders that matter now.
    fn watch(&mut self) {
        let Some(reporter) = &mut self.reporter else { return };
        let wanted = folders(&self.places);
        for gone in self.watched.difference(&wanted) {
            reporter.remove(gone);
        }
        for folder in &wanted {
            // A folder that was replaced by another of its name is not watched any more, and nobody tells.
            if let Err(why) = reporter.add(folder)
                && folder.is_dir()
            {
                self.trouble = Some(why);
            }
        }
        self.watched = wanted;
        if self.trouble.is_some() {
            self.reporter = None;
        }
    }
}

/// What the operating system reports.
struct System(RecommendedWatcher);

fn system(places: &Places, nudge: &Arc<Notify>) -> Result<Box<dyn Reporter>, String> {
    let (state, nudge) = (places.state.clone(), Arc::clone(nudge));
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let matters = event.as_ref().map_or(true, |event| matters(event, &state));
        if matters {
            nudge.notify_one();
        }
    });
    watcher.map(|watcher| Box::new(System(watcher)) as _).map_err(|error| words(&error))
}

/// Whether an event is a reason to look: reading changes nothing, and the state is written all the time.
fn matters(event: &notify::Event, state: &Path) -> bool {
    use notify::event::{AccessKind, AccessMode, EventKind};
    let reads = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    };
    let of_state = |path: &PathBuf| {
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        path.parent() == state.parent()
            && name(state).is_some_and(|own| name(path).is_some_and(|name| name.starts_with(&own)))
    };
    !reads && (event.need_rescan() || event.paths.is_empty() || !event.paths.iter().all(of_state))
}

fn words(error: &notify::Error) -> String {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "the system's limit of watched folders is reached (`fs.inotify.max_user_watches`)".to_owned()
        }
        notify::ErrorKind::Io(error) => crate::error::io_words(error),
        _ => crate::error::io_words(&std::io::Error::other(error.to_string())),
    }
}

impl Reporter for System {
    fn add(&mut self, folder: &Path) -> Result<(), String> {
        self.0.watch(folder, RecursiveMode::NonRecursive).map_err(|error| words(&error))
    }

    fn remove(&mut self, folder: &Path) {
        // It may be gone, and then it is not watched either.
        let _ = self.0.unwatch(folder);
    }
}

#[cfg(test)]
mod tests;
