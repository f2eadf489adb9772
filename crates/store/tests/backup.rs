//! Copies of a state: beside an engine that writes, of a broken one, back in its place.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{at, cursor, event, identity, target, wait};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use zaprun_engine::ports::{Fate, History, PageCommit, Store, StoreError};
use zaprun_store::{Options, SqliteStore, back_up, check, restore};

fn folder() -> (TempDir, PathBuf, PathBuf) {
    let folder = TempDir::new().unwrap();
    let (state, copy) = (folder.path().join("state.db"), folder.path().join("copy.db"));
    (folder, state, copy)
}

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open_engine(path, &Options::default())
}

/// Commits `rows` runs as one page.
fn commit(store: &SqliteStore, number: i64, rows: usize) {
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let events =
            (0..rows).map(|row| event(&format!("{number}-{row}"), vec![target(&a, Fate::Fire)])).collect();
        store.commit_page(PageCommit { events, cursors: vec![cursor(a.id, "q", number)] }).await.unwrap();
    });
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The runs that a state holds.
fn runs(path: &Path) -> u64 {
    wait(open(path).unwrap().counts()).unwrap().runs.iter().map(|(_, _, many)| many).sum()
}

#[test]
fn a_copy_holds_all_that_was_committed_and_nothing_by_halves() {
    let (folder, state, _) = folder();
    let store = open(&state).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (1000..).take_while(|_| !done.load(Ordering::SeqCst)).fold(0, |pages, number| {
                commit(&store, number, 7);
                pages + 1
            })
        });
        for number in 0..5 {
            let copy = folder.path().join(format!("copy-{number}.db"));
            let before: u64 = wait(store.counts()).unwrap().runs.iter().map(|(_, _, many)| many).sum();
            let holds = back_up(&state, &copy).unwrap();
            let after: u64 = wait(store.counts()).unwrap().runs.iter().map(|(_, _, many)| many).sum();
            assert_eq!(holds.events % 7, 0, "a page is whole");
            assert!((before..=after).contains(&holds.events));
            assert!(holds.adds_up);
            assert_eq!(mode(&copy), 0o600);
            assert_eq!(check(&copy).unwrap(), holds);
            assert_eq!(runs(&copy), holds.events, "an engine takes it");
        }
        done.store(true, Ordering::SeqCst);
        assert!(writer.join().unwrap() > 0);
    });
    let parts = fs::read_dir(folder.path())
        .unwrap()
        .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains(".part"));
    assert_eq!(parts.count(), 0);
}

#[test]
fn nothing_is_overwritten() {
    let (_folder, state, copy) = folder();
    commit(&open(&state).unwrap(), 1000, 1);
    fs::write(&copy, "mine").unwrap();
    assert!(matches!(back_up(&state, &copy), Err(StoreError::Refused { .. })));
    assert_eq!(fs::read(&copy).unwrap(), b"mine");
    assert!(matches!(back_up(&state, &state), Err(StoreError::Refused { .. })));
}

#[test]
fn what_a_killed_backup_left_is_used_by_the_next_one() {
    let (folder, state, copy) = folder();
    commit(&open(&state).unwrap(), 1000, 1);
    fs::write(folder.path().join("copy.db.part"), vec![7; 100_000]).unwrap();
    assert_eq!(back_up(&state, &copy).unwrap().events, 1);
    assert_eq!(runs(&copy), 1);
}

#[test]
fn a_broken_state_is_not_copied_as_if_it_were_whole() {
    let (_folder, state, copy) = folder();
    let store = open(&state).unwrap();
    commit(&store, 1000, 500);
    wait(store.close()).unwrap();
    drop(store);
    let mut bytes = fs::read(&state).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192 * 3].fill(0xa5);
    fs::write(&state, &bytes).unwrap();
    assert!(matches!(check(&state), Err(StoreError::Unusable { .. })));
    assert!(matches!(back_up(&state, &copy), Err(StoreError::Unusable { .. })));
    assert!(!copy.exists());
}

#[test]
fn a_restored_state_is_what_was_copied_and_the_former_one_is_kept() {
    let (_folder, state, copy) = folder();
    let store = open(&state).unwrap();
    commit(&store, 1000, 3);
    back_up(&state, &copy).unwrap();
    commit(&store, 1001, 2);
    let busy = restore(&state, &copy, at(0));
    assert!(matches!(busy, Err(StoreError::Busy { .. })), "{busy:?}");
    drop(store);
    let restored = restore(&state, &copy, at(0)).unwrap();
    assert_eq!(restored.holds.events, 3);
    assert_eq!(runs(&state), 3);
    assert_eq!(mode(&state), 0o600);
    let former = restored.former.unwrap();
    assert!(former.ends_with("state.db.replaced-19700101T000000Z"));
    assert_eq!(runs(&former), 5);
    let again = restore(&state, &copy, at(0)).unwrap();
    assert!(again.former.unwrap().ends_with("state.db.replaced-19700101T000000Z-2"));
    assert_eq!(runs(&copy), 3, "the copy stays");
}

#[test]
fn a_broken_state_is_replaced_and_kept() {
    let (_folder, state, copy) = folder();
    commit(&open(&state).unwrap(), 1000, 3);
    back_up(&state, &copy).unwrap();
    fs::write(&state, "no state at all").unwrap();
    assert!(open(&state).is_err());
    let restored = restore(&state, &copy, at(0)).unwrap();
    assert_eq!(runs(&state), 3);
    assert_eq!(fs::read(restored.former.unwrap()).unwrap(), b"no state at all");
}

#[test]
fn what_is_no_copy_changes_nothing() {
    let (folder, state, copy) = folder();
    commit(&open(&state).unwrap(), 1000, 3);
    let before = fs::read(&state).unwrap();
    let refused = |copy: &Path| restore(&state, copy, at(0)).unwrap_err();
    assert!(matches!(refused(&copy), StoreError::Missing { .. }));
    fs::write(&copy, "hello").unwrap();
    assert!(matches!(refused(&copy), StoreError::Unusable { .. }));
    back_up(&state, &folder.path().join("newer.db")).unwrap();
    let newer = folder.path().join("newer.db");
    let mut bytes = fs::read(&newer).unwrap();
    bytes[63] = 250;
    fs::write(&newer, &bytes).unwrap();
    assert!(matches!(refused(&newer), StoreError::Newer { version: 250, .. }));
    assert_eq!(fs::read(&state).unwrap(), before);
    let asides = fs::read_dir(folder.path())
        .unwrap()
        .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains("replaced"));
    assert_eq!(asides.count(), 0);
}

#[test]
fn where_there_was_none_a_state_is_put() {
    let (folder, state, copy) = folder();
    commit(&open(&state).unwrap(), 1000, 3);
    back_up(&state, &copy).unwrap();
    let elsewhere = folder.path().join("new/state.db");
    let restored = restore(&elsewhere, &copy, at(0)).unwrap();
    assert_eq!((restored.former, runs(&elsewhere)), (None, 3));
}
