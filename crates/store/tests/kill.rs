//! SIGKILL in mid-work: what was acknowledged is there, and nothing by halves.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::disallowed_methods,
    reason = "the killed process learns its state's path from its environment"
)]

mod common;

use common::{at, cursor, event, identity, page, step, target, update, wait};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use zaprun_engine::ports::{Fate, PageCommit, RunState, Store};
use zaprun_store::{Options, SqliteStore};

const STATE: &str = "ZAPRUN_STORE_KILL_TEST";
const ROWS: i64 = 20;

/// Not a test of its own: the process that is killed. It commits pages, delivers what it claims, and says each page
/// and run once it is acknowledged.
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
                let mut done = update(run.id, RunState::Delivered);
                done.steps = vec![step("s")];
                store.update_run(done).await.unwrap();
                say(&format!("run {}", run.id));
            }
        }
    });
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
                Some(("run", id)) => runs.push(id.parse::<i64>().unwrap()),
                _ => panic!("{ack}"),
            }
        }
        wait(check(&path, &pages, &runs));
    }
}

async fn check(path: &Path, pages: &[i64], runs: &[i64]) {
    use zaprun_engine::ports::{History, RunId};
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
    for id in runs {
        let run = store.run(RunId(*id)).await.unwrap().unwrap();
        assert_eq!((run.summary.state, run.steps.len()), (RunState::Delivered, 1), "run {id}");
    }
    store.commit_page(page(Vec::new())).await.unwrap();
    store.close().await.unwrap();
}
