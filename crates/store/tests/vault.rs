//! What is kept sealed: through restarts, failures and other engines.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{at, wait};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;
use zaprun_engine::memory::{Calls, MemoryStore};
use zaprun_engine::ports::{StoreError, Vault};
use zaprun_store::{Options, Sealed, SqliteStore};

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open_engine(path, &Options::default()).unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    Keep(u8, Vec<u8>),
    Reseal(Vec<(u8, Option<Vec<u8>>)>),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || vec(any::<u8>(), 0..20);
    prop_oneof![
        5 => (0..3_u8, bytes()).prop_map(|(name, sealed)| Step::Keep(name, sealed)),
        2 => vec((0..3_u8, proptest::option::of(bytes())), 0..4).prop_map(Step::Reseal),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What is kept is what was kept last, through restarts; the store in memory says the same.
    #[test]
    fn what_was_kept_last_is_there(steps in vec(step(), 0..20)) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("state.db");
        let memory = MemoryStore::new(Calls::default());
        let (mut store, mut model) = (open(&path), BTreeMap::<String, (Vec<u8>, i64)>::new());
        for (second, step) in (1_000_i64..).zip(steps) {
            match step {
                Step::Keep(name, sealed) => {
                    let name = name.to_string();
                    wait(store.keep(&name, sealed.clone(), at(second))).unwrap();
                    wait(memory.keep(&name, sealed.clone(), at(second))).unwrap();
                    prop_assert_eq!(wait(memory.sealed(&name)), Ok(Some(sealed.clone())));
                    model.insert(name, (sealed, second));
                }
                Step::Reseal(all) => {
                    let all: Vec<_> = all.into_iter().map(|(name, sealed)| (name.to_string(), sealed)).collect();
                    wait(store.reseal(all.clone())).unwrap();
                    for (name, sealed) in all {
                        match sealed {
                            None => drop(model.remove(&name)),
                            Some(sealed) => if let Some(kept) = model.get_mut(&name) { kept.0 = sealed },
                        }
                    }
                }
                Step::Restart => {
                    drop(store);
                    store = open(&path);
                }
            }
            let expected: Vec<Sealed> = model.iter()
                .map(|(name, (sealed, second))| Sealed { name: name.clone(), sealed: sealed.clone(), at: at(*second) })
                .collect();
            prop_assert_eq!(wait(store.all_sealed()), Ok(expected.clone()));
            let reader = SqliteStore::open_reader(&path).unwrap();
            prop_assert_eq!(wait(reader.all_sealed()), Ok(expected));
            for name in ["0", "1", "2"] {
                let kept = model.get(name).map(|(sealed, _)| sealed.clone());
                prop_assert_eq!(wait(store.sealed(name)), Ok(kept));
            }
        }
    }
}

#[test]
fn a_dry_run_has_no_copy_of_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    wait(open(&path).keep("a", vec![1], at(1))).unwrap();
    let copy = SqliteStore::copy_in_memory(&path).unwrap();
    assert_eq!(wait(copy.sealed("a")), Ok(None));
}

#[test]
fn an_engine_that_lost_its_lease_keeps_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    let first = open(&path);
    std::fs::remove_file(folder.path().join("state.db.lock")).unwrap();
    let second = open(&path);
    assert_eq!(wait(first.keep("a", vec![1], at(1))), Err(StoreError::Fenced));
    assert_eq!(wait(second.sealed("a")), Ok(None));
}

/// A disk that is full in the middle leaves every seal as it was.
#[test]
fn all_is_sealed_anew_or_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path);
    for name in ["a", "b", "c"] {
        wait(store.keep(name, vec![1; 10], at(1))).unwrap();
    }
    let before = wait(store.all_sealed()).unwrap();
    drop(store);
    let full = Options { max_pages: Some(80), ..Options::default() };
    let store = SqliteStore::open_engine(&path, &full).unwrap();
    let anew = |name: &str, bytes: usize| (name.to_owned(), Some(vec![2; bytes]));
    let failed = wait(store.reseal(vec![anew("a", 10), ("b".to_owned(), None), anew("c", 4_000_000)]));
    assert!(matches!(failed, Err(StoreError::Io { .. })), "{failed:?}");
    assert_eq!(wait(store.all_sealed()).unwrap(), before);
    drop(store);
    assert_eq!(wait(open(&path).all_sealed()).unwrap(), before);
}
