//! Whether every kind of change is seen: by what the system reports, and where it reports nothing.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Changes, Places, Reporter, TIMES, Times, matters};

/// A change is seen within this, or never.
const SOON: Duration = Duration::from_secs(20);

/// Where nothing reports, a test looks more often, so that it ends sooner.
const OFTEN: Times = Times { quiet: Duration::from_millis(20), every: Duration::from_millis(20), ..TIMES };

/// A project, and a secret elsewhere.
struct Site {
    root: TempDir,
    secrets: TempDir,
}

impl Site {
    fn new() -> Site {
        let site = Site { root: tempfile::tempdir().unwrap(), secrets: tempfile::tempdir().unwrap() };
        site.write("zaprun.yaml", "version: 1\n");
        site.write("zaps/a.yaml", "name: a\n");
        fs::write(site.secret(), "one").unwrap();
        site
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn secret(&self) -> PathBuf {
        self.secrets.path().join("password")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn places(&self) -> Places {
        Places {
            root: self.root.path().to_owned(),
            files: [self.secret()].into(),
            state: self.path("zaprun.db"),
        }
    }
}

/// Makes each change, and expects that it is seen.
async fn sees(changes: &mut Changes, site: &Site, what: &str, change: impl FnOnce(&Site)) {
    change(site);
    assert!(timeout(SOON, changes.next()).await.is_ok(), "{what} was not seen");
}

async fn sees_all(mut changes: Changes, site: &Site) {
    let changes = &mut changes;
    sees(changes, site, "the project as it is", |_| {}).await;
    sees(changes, site, "another content", |site| site.write("zaps/a.yaml", "name: a\n# more\n")).await;
    sees(changes, site, "an editor's rename", |site| {
        site.write("zaps/.a.yaml.swp", "name: b\n");
        fs::rename(site.path("zaps/.a.yaml.swp"), site.path("zaps/a.yaml")).unwrap();
    })
    .await;
    sees(changes, site, "a new folder with a file", |site| site.write("zaps/new/deep/b.yaml", "name: b\n"))
        .await;
    sees(changes, site, "a file in a folder that is new", |site| {
        site.write("zaps/new/deep/c.yaml", "name: c\n");
    })
    .await;
    sees(changes, site, "a file that is gone", |site| fs::remove_file(site.path("zaps/a.yaml")).unwrap())
        .await;
    sees(changes, site, "a file that is back", |site| site.write("zaps/a.yaml", "name: a\n")).await;
    sees(changes, site, "the folder of zaps is gone", |site| fs::remove_dir_all(site.path("zaps")).unwrap())
        .await;
    sees(changes, site, "it is back", |site| site.write("zaps/a.yaml", "name: a\n")).await;
    sees(changes, site, "and is watched", |site| site.write("zaps/a.yaml", "name: aa\n")).await;
    sees(changes, site, "a first table", |site| site.write("tables/t.csv", "key,value\n")).await;
    sees(changes, site, "an overlay", |site| site.write("zaprun.prod.yaml", "vars: {}\n")).await;
    sees(changes, site, "a secret elsewhere", |site| fs::write(site.secret(), "two!").unwrap()).await;
    sees(changes, site, "the secret is gone", |site| fs::remove_file(site.secret()).unwrap()).await;
    sees(changes, site, "the secret is back", |site| fs::write(site.secret(), "three").unwrap()).await;
}

/// The files of a ConfigMap: links to a link to a folder, which is turned at once.
async fn sees_turned_links(changes: impl FnOnce(Places) -> Changes) {
    let (mount, site) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let version = |name: &str, text: &str| {
        let folder = mount.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("zaprun.yaml"), text).unwrap();
    };
    let turn = |to: &str| {
        symlink(to, mount.path().join("..data_tmp")).unwrap();
        fs::rename(mount.path().join("..data_tmp"), mount.path().join("..data")).unwrap();
    };
    version("..one", "version: 1\n");
    turn("..one");
    symlink("..data/zaprun.yaml", mount.path().join("zaprun.yaml")).unwrap();
    let root = site.path().join("current");
    symlink(mount.path(), &root).unwrap();
    let mut changes = changes(Places { root: root.clone(), files: [].into(), state: "/nowhere".into() });
    changes.next().await;
    for (name, text) in [("..two", "version: 1\n"), ("..three", "version: 1\n")] {
        version(name, text);
        turn(name);
        assert!(timeout(SOON, changes.next()).await.is_ok(), "{name} was not seen");
    }
    // A whole project may be put in another's place too.
    let next = tempfile::tempdir().unwrap();
    fs::write(next.path().join("zaprun.yaml"), "version: 1\n").unwrap();
    symlink(next.path(), site.path().join("next")).unwrap();
    fs::rename(site.path().join("next"), &root).unwrap();
    assert!(timeout(SOON, changes.next()).await.is_ok(), "another project was not seen");
}

#[tokio::test]
async fn what_the_system_reports_is_seen() {
    let site = Site::new();
    sees_all(Changes::of(site.places()), &site).await;
}

#[tokio::test]
async fn turned_links_are_seen() {
    sees_turned_links(Changes::of).await;
}

/// A system whose limit is reached.
struct Full;

impl Reporter for Full {
    fn add(&mut self, _: &Path) -> Result<(), String> {
        Err("the limit is reached".to_owned())
    }

    fn remove(&mut self, _: &Path) {}
}

#[tokio::test]
async fn where_nothing_is_reported_changes_are_looked_for() {
    let site = Site::new();
    let mut changes = Changes::with(site.places(), OFTEN, Ok(Box::new(Full)), Arc::new(Notify::new()));
    changes.next().await;
    assert_eq!(changes.trouble().as_deref(), Some("the limit is reached"));
    assert_eq!(changes.trouble(), None, "once");
    changes.last = None;
    sees_all(changes, &site).await;
    sees_turned_links(|places| {
        let mut changes = Changes::with(places, OFTEN, Err("none".to_owned()), Arc::new(Notify::new()));
        assert!(changes.trouble().is_some());
        changes
    })
    .await;
}

/// Counts what is watched.
#[derive(Clone, Default)]
struct Noted(Arc<std::sync::Mutex<std::collections::BTreeSet<PathBuf>>>);

impl Reporter for Noted {
    fn add(&mut self, folder: &Path) -> Result<(), String> {
        self.0.lock().unwrap().insert(folder.to_owned());
        Ok(())
    }

    fn remove(&mut self, folder: &Path) {
        self.0.lock().unwrap().remove(folder);
    }
}

#[tokio::test]
async fn many_changes_are_one() {
    let site = Site::new();
    let nudge = Arc::new(Notify::new());
    let noted = Noted::default();
    let mut changes = Changes::with(site.places(), OFTEN, Ok(Box::new(noted.clone())), Arc::clone(&nudge));
    changes.next().await;
    for number in 0..100 {
        site.write("zaps/a.yaml", &format!("name: a{number}\n"));
        nudge.notify_one();
    }
    changes.next().await;
    nudge.notify_one();
    let more = timeout(OFTEN.quiet * 20, changes.next()).await;
    assert!(more.is_err(), "a report without a change is none");
    let watched = noted.0.lock().unwrap().clone();
    assert!(watched.contains(&site.path("zaps")) && watched.contains(site.secrets.path()), "{watched:?}");
    fs::remove_dir_all(site.path("zaps")).unwrap();
    nudge.notify_one();
    changes.next().await;
    assert!(!noted.0.lock().unwrap().contains(&site.path("zaps")));
}

#[test]
fn the_states_own_files_are_no_change() {
    use notify::event::{AccessKind, AccessMode, Event, EventKind, ModifyKind};
    let state = Path::new("/p/zaprun.db");
    let event = |kind: EventKind, path: &str| Event::new(kind).add_path(PathBuf::from(path));
    let written = EventKind::Modify(ModifyKind::Any);
    assert!(matters(&event(written, "/p/zaprun.yaml"), state));
    assert!(!matters(&event(written, "/p/zaprun.db-wal"), state));
    assert!(!matters(&event(EventKind::Access(AccessKind::Open(AccessMode::Any)), "/p/zaprun.yaml"), state));
    assert!(matters(
        &event(EventKind::Access(AccessKind::Close(AccessMode::Write)), "/p/zaprun.yaml"),
        state
    ));
}
