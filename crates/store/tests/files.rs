//! The file: what is made, what is refused, what a reader may see.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{at, cursor, event, identity, page, step, target, update, wait};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zaprun_engine::ports::{
    Fate, History, PageCommit, RunFilter, RunId, RunState, Store, StoreError, ZapIdentity,
};
use zaprun_store::{Options, SqliteStore};

fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    (folder, path)
}

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open_engine(path, &Options::default())
}

/// A state with one delivered run, one pending, one primed row, and a cursor.
fn filled(path: &Path) -> SqliteStore {
    let store = open(path).unwrap();
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let events = vec![
            event("1", vec![target(&a, Fate::Fire)]),
            event("2", vec![target(&a, Fate::Fire)]),
            event("3", vec![target(&a, Fate::Prime)]),
        ];
        store.commit_page(PageCommit { events, cursors: vec![cursor(a.id, "q", 500)] }).await.unwrap();
        let mut done = update(RunId(1), RunState::Delivered);
        done.steps = vec![step("s")];
        store.update_run(done).await.unwrap();
    });
    store
}

/// Every file of the folder with its bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap()))
        .collect()
}

fn reason(result: Result<SqliteStore, StoreError>) -> String {
    match result.unwrap_err() {
        StoreError::Unusable { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_engine_is_refused_until_the_first_is_gone() {
    let (_folder, path) = folder();
    let first = open(&path).unwrap();
    let error = open(&path).unwrap_err();
    let words = error.to_string();
    assert!(words.starts_with("another zaprun is running on "), "{words}");
    assert!(words.ends_with(&format!("state.db (process {})", std::process::id())), "{words}");
    wait(first.close()).unwrap();
    // Closed, though not dropped.
    let second = open(&path).unwrap();
    drop(second);
    let third = open(&path).unwrap();
    drop((first, third));
}

#[cfg(unix)]
#[test]
fn a_link_to_the_state_is_the_same_state() {
    let (folder, path) = folder();
    let _first = open(&path).unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(open(&link), Err(StoreError::Busy { .. })));
}

#[cfg(unix)]
#[test]
fn files_are_the_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let outer = TempDir::new().unwrap();
    let path = outer.path().join("deep/er/state.db");
    let store = filled(&path);
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let file = PathBuf::from(format!("{}{suffix}", path.display()));
        assert_eq!(mode(&file), 0o600, "{suffix}");
    }
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    drop(store);
    // A restored copy that others may read is tightened.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let _store = open(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn closing_leaves_one_whole_file() {
    let (folder, path) = folder();
    wait(filled(&path).close()).unwrap();
    let names: Vec<String> = contents(folder.path()).into_keys().collect();
    assert_eq!(names, ["state.db", "state.db.lock"]);
    assert!(contents(folder.path())["state.db.lock"].is_empty());
}

#[test]
fn an_empty_file_is_ours_to_initialise() {
    let (_folder, path) = folder();
    fs::write(&path, "").unwrap();
    assert!(matches!(SqliteStore::open_reader(&path), Err(StoreError::Missing { .. })));
    drop(filled(&path));
    assert!(SqliteStore::open_reader(&path).is_ok());
}

#[test]
fn what_is_not_a_state_is_left_alone() {
    let (folder, path) = folder();
    for junk in ["name: not a database\n".repeat(999), "x".to_owned(), "SQLite format 3\0".to_owned()] {
        fs::write(&path, &junk).unwrap();
        let before = contents(folder.path());
        let words = reason(open(&path));
        assert!(words.contains("not a state of zaprun") || words.contains("damaged"), "{words}");
        assert!(matches!(SqliteStore::open_reader(&path), Err(StoreError::Unusable { .. })));
        assert!(matches!(SqliteStore::copy_in_memory(&path), Err(StoreError::Unusable { .. })));
        assert_eq!(contents(folder.path()), before, "nothing is written or made");
    }
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    for stamp in ["PRAGMA application_id = 77;", ""] {
        let (folder, path) = folder();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch(&format!("{stamp} CREATE TABLE cats (name TEXT);")).unwrap();
        drop(other);
        let before = fs::read(&path).unwrap();
        assert_eq!(reason(open(&path)), "it is a database of another program");
        assert!(matches!(SqliteStore::open_reader(&path), Err(StoreError::Unusable { .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
        assert!(!folder.path().join("state.db-wal").exists());
    }
}

#[test]
fn a_newer_state_is_left_alone() {
    let (_folder, path) = folder();
    drop(filled(&path));
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA user_version = 4711;").unwrap();
    drop(newer);
    let before = fs::read(&path).unwrap();
    assert!(matches!(open(&path), Err(StoreError::Newer { version: 4711, .. })));
    assert!(matches!(SqliteStore::open_reader(&path), Err(StoreError::Newer { .. })));
    assert!(matches!(SqliteStore::copy_in_memory(&path), Err(StoreError::Newer { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_truncated_file_is_left_alone() {
    let (_folder, path) = folder();
    drop(filled(&path));
    let whole = fs::read(&path).unwrap();
    for length in [1, 50, 100, 4_096, 8_192, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let words = reason(open(&path));
        assert!(words.contains("damaged") || words.contains("not a state"), "{length}: {words}");
        assert_eq!(fs::read(&path).unwrap(), &whole[..length], "{length}");
    }
}

/// Whatever bytes are damaged: an error or an answer, never a panic, and no damage is called anything else.
#[test]
fn a_damaged_file_is_told() {
    let (_folder, path) = folder();
    drop(filled(&path));
    let whole = fs::read(&path).unwrap();
    let mut told = 0;
    for start in (0..whole.len()).step_by(4_096) {
        let mut broken = whole.clone();
        broken[start..(start + 512).min(whole.len())].fill(0xa5);
        fs::write(&path, &broken).unwrap();
        let outcome = open(&path).and_then(|store| {
            wait(async {
                store.open_zap(identity("a")).await?;
                store.recount().await?;
                store.runs(RunFilter { limit: 9, ..RunFilter::default() }).await?;
                store.run(RunId(1)).await
            })
        });
        match outcome {
            Ok(_) => {}
            Err(StoreError::Unusable { .. }) => told += 1,
            Err(other) => panic!("at {start}: {other:?}"),
        }
    }
    assert!(told > 5, "{told}");
}

#[test]
fn a_log_without_its_database_is_not_thrown_away() {
    let (folder, path) = folder();
    let log = folder.path().join("state.db-wal");
    for make in [None, Some("")] {
        fs::write(&log, "committed work").unwrap();
        if let Some(text) = make {
            fs::write(&path, text).unwrap();
        }
        assert!(reason(open(&path)).starts_with("it is empty, yet its log"));
        assert_eq!(fs::read(&log).unwrap(), b"committed work");
    }
}

#[test]
fn a_directory_or_a_bad_path_is_refused() {
    let (folder, path) = folder();
    fs::create_dir(&path).unwrap();
    assert_eq!(reason(open(&path)), "it is a directory");
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = open(&file.join("state.db")).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
    assert!(matches!(open(Path::new("/")), Err(StoreError::Unusable { .. })));
}

#[cfg(unix)]
#[test]
fn a_read_only_file_or_folder_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    drop(filled(&path));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    // Rights do not bind root, which then simply succeeds.
    let bound = fs::write(folder.path().join("probe"), "").is_err();
    let opened = open(&path);
    let looked = SqliteStore::open_reader(&path).and_then(|reader| wait(reader.counts()));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(looked.unwrap().primed, [("a".to_owned(), 1)]);
    if bound {
        assert!(matches!(opened.unwrap_err(), StoreError::Io { .. }));
    }
}

#[test]
fn a_full_disk_keeps_what_was_kept() {
    let (_folder, path) = folder();
    drop(filled(&path));
    let small = Options { max_pages: Some(56), ..Options::default() };
    let store = SqliteStore::open_engine(&path, &small).unwrap();
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let big = |n: u32| {
            let mut event = event(&format!("big{n}"), vec![target(&a, Fate::Fire)]);
            event.record = vec![b'x'; 60_000].into();
            page(vec![event])
        };
        let mut kept = 0;
        let error = loop {
            match store.commit_page(big(kept)).await {
                Ok(_) => kept += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.to_string(), "the state cannot be written: the disk is full");
        assert!(kept > 0);
        // Small changes beside the one that does not fit are kept.
        let (full, fits) = tokio::join!(
            store.commit_page(big(kept)),
            store.update_run(update(RunId(2), RunState::Delivered))
        );
        assert!(full.is_err() && fits.is_ok(), "{full:?} {fits:?}");
        let unknown =
            store.unknown(a.id, "new_sale", vec![format!("big{kept}"), "big0".to_owned()]).await.unwrap();
        assert_eq!(unknown, [format!("big{kept}")]);
        assert_eq!(store.recount().await.unwrap(), store.counts().await.unwrap());
    });
    drop(store);
    assert!(open(&path).is_ok());
}

#[test]
fn a_reader_sees_what_is_committed_beside_a_running_engine() {
    let (folder, path) = folder();
    assert!(matches!(SqliteStore::open_reader(&path), Err(StoreError::Missing { .. })));
    assert!(contents(folder.path()).is_empty());
    let store = filled(&path);
    let reader = SqliteStore::open_reader(&path).unwrap();
    wait(async {
        let runs = reader.runs(RunFilter { limit: 9, ..RunFilter::default() }).await.unwrap();
        assert_eq!(runs.iter().map(|run| run.id.0).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(&reader.run(RunId(1)).await.unwrap().unwrap().steps[0].reply.as_ref().unwrap()[..], b"ok");
        // It follows what comes.
        store.update_run(update(RunId(2), RunState::Dead)).await.unwrap();
        assert_eq!(reader.run(RunId(2)).await.unwrap().unwrap().summary.state, RunState::Dead);
        assert_eq!(reader.counts().await.unwrap(), store.counts().await.unwrap());
        // And goes on when the engine has gone.
        store.close().await.unwrap();
        assert_eq!(reader.run(RunId(2)).await.unwrap().unwrap().summary.state, RunState::Dead);
    });
}

#[test]
fn looking_changes_nothing() {
    let (folder, path) = folder();
    drop(filled(&path));
    let before = contents(folder.path());
    let reader = SqliteStore::open_reader(&path).unwrap();
    wait(async {
        reader.counts().await.unwrap();
        reader.run(RunId(1)).await.unwrap();
    });
    drop(SqliteStore::copy_in_memory(&path).unwrap());
    assert_eq!(contents(folder.path()), before);
}

/// A page of 200 rows is committed again and again; whoever looks sees whole pages.
#[test]
fn no_half_page_is_ever_visible() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    let a = wait(store.open_zap(identity("a"))).unwrap();
    let reader = SqliteStore::open_reader(&path).unwrap();
    let writing = std::thread::spawn(move || {
        wait(async {
            for page_number in 0..20 {
                let events =
                    (0..200).map(|n| event(&format!("{page_number}-{n}"), vec![target(&a, Fate::Fire)]));
                store.commit_page(page(events.collect())).await.unwrap();
            }
        });
    });
    let mut looks = 0;
    while !writing.is_finished() || looks == 0 {
        let seen: u64 = wait(reader.counts()).unwrap().runs.iter().map(|(_, _, n)| n).sum();
        assert_eq!(seen % 200, 0);
        looks += 1;
    }
    writing.join().unwrap();
}

#[test]
fn a_copy_knows_what_decides_and_leaves_the_file_as_it_is() {
    let (_folder, path) = folder();
    let missing = SqliteStore::copy_in_memory(&path).unwrap();
    wait(async { assert!(missing.open_zap(identity("a")).await.unwrap().first_run) });
    let store = filled(&path);
    let copy = SqliteStore::copy_in_memory(&path).unwrap();
    wait(async {
        let a = copy.open_zap(identity("a")).await.unwrap();
        assert_eq!((a.first_run, a.cursors.as_slice()), (false, &[("q".to_owned(), at(500))][..]));
        let ids = ["1", "2", "3", "4"].map(str::to_owned).to_vec();
        assert_eq!(copy.unknown(a.id, "new_sale", ids).await.unwrap(), ["4"]);
        let claimed = copy.claim(a.id, at(999), 9, Vec::new()).await.unwrap();
        assert_eq!(claimed.iter().map(|run| run.id).collect::<Vec<_>>(), [RunId(2)]);
        copy.update_run(update(RunId(2), RunState::Delivered)).await.unwrap();
        let done = copy.commit_page(page(vec![event("4", vec![target(&a, Fate::Fire)])])).await.unwrap();
        assert_eq!(done.fired, 1);
        assert_eq!(copy.recount().await.unwrap().runs.len(), 2);
        assert_eq!(store.run(RunId(2)).await.unwrap().unwrap().summary.state, RunState::Pending);
        assert!(store.run(RunId(3)).await.unwrap().is_none());
    });
}

#[test]
fn a_rename_survives_opening_again() {
    let (_folder, path) = folder();
    drop(filled(&path));
    let store = open(&path).unwrap();
    let renamed = ZapIdentity { formerly: Some("a".to_owned()), ..identity("b") };
    assert_eq!(wait(store.open_zap(renamed)).unwrap().first_name, "a");
    drop(store);
    let store = open(&path).unwrap();
    assert_eq!(wait(store.open_zap(identity("b"))).unwrap().first_name, "a");
}
