//! SIGKILL in mid-work: what was acknowledged is there, and nothing by halves.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::disallowed_methods,
    reason = "the killed process learns its state's path from its environment"
)]

mod common;

use common::{at, cursor, event, identity, page, resolve, step, target, update, wait, write_of};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use zaprun_engine::ports::{
    Begun, ClaimedRun, Fate, History, PageCommit, Resolution, RunId, RunState, Store, Touched,
};
use zaprun_store::{Asked, Options, SqliteStore};

const STATE: &str = "ZAPRUN_STORE_KILL_TEST";
const ROWS: i64 = 20;

/// Not a test of its own: the process that is killed. It commits pages, writes what it claims to the CRM, holds some of
/// it and has it resolved, and says each thing once it is acknowledged.
#[test]
fn victim() {
    let Ok(path) = std::env::var(STATE) else { return };
    let store = SqliteStore::open_engine(Path::new(&path), &Options::default()).unwrap();
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let first = a.cursors.first().map_or(1, |(_, at)| at.as_second() + 1);
        for number in first.. {
            let events =
                (0..ROWS).map(|n| event(&format!("{number}-{n}"), vec![target(&a, Fate::Fire)])).collect();
            let commit = PageCommit { events, cursors: vec![cursor(a.id, "q", number)] };
            store.commit_page(commit).await.unwrap();
            say(&format!("page {number}"));
            for run in store.claim(a.id, at(999), 3, Vec::new()).await.unwrap() {
                work(&store, Path::new(&path), run).await;
            }
        }
    });
}

async fn work(store: &SqliteStore, path: &Path, run: ClaimedRun) {
    let mut done = update(run.id, RunState::Delivered);
    if run.steps.is_empty() {
        let write = write_of("s", Some(&run.event.key.id));
        assert_eq!(store.begin_attempt(run.id, write.clone()).await, Ok(Begun::Yes));
        say(&format!("begun {}", run.id));
        if run.id.0 % 3 == 0 {
            let mut held = update(run.id, RunState::Held);
            held.begun = Some(write);
            store.update_run(held).await.unwrap();
            Asked::place(path, &[resolve(run.id, Resolution::Done)], at(450)).unwrap();
            say(&format!("asked {}", run.id));
            assert_eq!(store.obey(at(460), Vec::new()).await.unwrap().zaps, [run.zap]);
            say(&format!("resolved {}", run.id));
            return;
        }
        done.steps = vec![step("s")];
        done.fresh = Some(run.event.record);
    }
    done.touched = vec![Touched { order: run.id.to_string(), made: true, sold: true, depth: 1 }];
    store.update_run(done).await.unwrap();
    say(&format!("run {}", run.id));
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {line}").and_then(|()| out.flush()).unwrap();
}

/// Starts the victim, reads so many acknowledgements, kills it, and gives all that it said.
fn killed_after(path: &Path, acknowledgements: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--nocapture", "--test-threads=1"])
        .env(STATE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    let acknowledged = |line: std::io::Result<String>, said: &mut Vec<String>| {
        if let Some((_, ack)) = line.unwrap().split_once("ack ") {
            said.push(ack.to_owned());
        }
    };
    while said.len() < acknowledgements {
        acknowledged(lines.next().unwrap(), &mut said);
    }
    child.kill().unwrap();
    // What it managed to say before it died counts too.
    for line in lines {
        acknowledged(line, &mut said);
    }
    child.wait().unwrap();
    said
}

#[test]
fn what_was_acknowledged_survives_sigkill() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    let (mut pages, mut runs) = (Vec::new(), Vec::new());
    for acknowledgements in [1, 2, 9, 33, 120] {
        for ack in killed_after(&path, acknowledgements) {
            match ack.split_once(' ') {
                Some(("page", number)) => pages.push(number.parse::<i64>().unwrap()),
                Some((what, id)) => runs.push((what.to_owned(), id.parse::<i64>().unwrap())),
                None => panic!("{ack}"),
            }
        }
        wait(check(&path, &pages, &runs));
    }
}

async fn check(path: &Path, pages: &[i64], runs: &[(String, i64)]) {
    let store = SqliteStore::open_engine(path, &Options::default()).unwrap();
    let a = store.open_zap(identity("a")).await.unwrap();
    let reached = a.cursors[0].1.as_second();
    let last = *pages.last().unwrap();
    // The next page may have been committed though nobody heard of it.
    assert!(reached == last || reached == last + 1, "{reached} {last}");
    let ids = |number: i64| (0..ROWS).map(|n| format!("{number}-{n}")).collect::<Vec<_>>();
    for number in 1..=reached {
        assert!(store.unknown(a.id, "new_sale", ids(number)).await.unwrap().is_empty(), "page {number}");
    }
    let next = store.unknown(a.id, "new_sale", ids(reached + 1)).await.unwrap();
    assert_eq!(next.len(), ids(reached + 1).len(), "a page and its cursor come together");
    let counts = store.counts().await.unwrap();
    assert_eq!(store.recount().await.unwrap(), counts);
    assert_eq!(counts.runs.iter().map(|(_, _, n)| n).sum::<u64>(), u64::try_from(reached * ROWS).unwrap());
    // What nobody did any more is done now.
    while store.obey(at(470), Vec::new()).await.unwrap().more {}
    for (what, id) in runs {
        let run = store.run(RunId(*id)).await.unwrap().unwrap();
        let ended = run.steps.len() == 1;
        match what.as_str() {
            "begun" => assert!(ended || run.begun == Some(write_of("s", Some(&run.event.key.id))), "{id}"),
            "asked" | "resolved" => assert!(ended && run.begun.is_none(), "{what} {id}"),
            _ => {
                assert_eq!((run.summary.state, ended), (RunState::Delivered, true), "run {id}");
                assert_eq!(run.fresh.is_some(), id % 3 != 0, "run {id}");
                assert!(store.own(&id.to_string(), None).await.unwrap().made, "run {id}");
            }
        }
    }
    store.commit_page(page(Vec::new())).await.unwrap();
    store.close().await.unwrap();
}
