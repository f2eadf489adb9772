//! Faults at random, and kill -9 again and again: nothing is lost, nobody is charged twice, and whatever is repeated
//! carries the same key. The seed chooses what goes wrong and when; `just chaos` runs it for long.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use zaprun_sandbox::{CrmFault, Fault, SinkFault};

use crate::harness::{CANARIES, Lab, SALES};
use crate::money;
use crate::webhooks::{post_to, when_open};

/// Kills, unless `ZAPRUN_CHAOS_KILLS` says otherwise.
const KILLS: u64 = 6;
/// So often what waits is taken up again at the end: a look that may count comes some seconds after the one before.
const TRIES: u32 = 400;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Something goes wrong with one of the next requests.
fn trouble(lab: &Lab, rng: &mut fastrand::Rng) {
    let crm = |fault| Fault::Crm(fault);
    let (on, fault) = match rng.u8(0..13) {
        0 => (Some("order/import"), crm(CrmFault::LostAnswer)),
        1 => (Some("order/import"), crm(CrmFault::LostAnswer504)),
        2 => (Some("order/import"), crm(CrmFault::LostAnswerBare)),
        3 => (Some("order/import"), crm(CrmFault::Html504)),
        4 => (Some("order/query"), crm(CrmFault::Html504)),
        5 => (Some("order/query"), crm(CrmFault::Truncated)),
        6 => (Some("order/query"), crm(CrmFault::BareError)),
        7 => (Some("order/query"), crm(CrmFault::Cut)),
        8 => (None, Fault::Sink(SinkFault::Status(500))),
        9 => (None, Fault::Sink(SinkFault::TooMany(Duration::from_secs(1)))),
        10 => (None, Fault::Sink(SinkFault::Cut)),
        11 => (None, Fault::Sink(SinkFault::Garbage)),
        _ => (None, Fault::Sink(SinkFault::Slow(Duration::from_millis(30)))),
    };
    lab.crm().fault_next(on, fault);
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures of a long run are told")]
fn whatever_goes_wrong_nothing_is_lost_and_nobody_is_charged_twice() {
    let seed = setting("ZAPRUN_CHAOS_SEED", 1);
    let kills = setting("ZAPRUN_CHAOS_KILLS", KILLS);
    let mut rng = fastrand::Rng::with_seed(seed);
    let lab = money::lab();
    lab.zap(SALES);
    let soon = "settle_after: 2s\n    retry: { first: 10ms, max_delay: 50ms }";
    lab.zap(&money::ORDERS.replace("settle_after: 10s", soon));
    let mut happened = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for kill in 0..kills {
        for number in 0..rng.u64(0..12) {
            happened.insert(lab.crm().sale(&format!("buyer{kill}-{number}@example.test")).unwrap());
        }
        let (engine, address) = money::start(&lab);
        for number in 0..rng.u64(0..3) {
            let id = format!("{kill}-{number}");
            let body = json!({ "id": id, "email": format!("caller{id}@example.test") }).to_string();
            // What was not answered 202 may have been taken all the same: whoever sent it sends it again.
            if when_open(|| post_to(&address, "/hooks/order", CANARIES[2], &body)) == Some(202) {
                taken.insert(id);
            }
        }
        (0..rng.u8(0..4)).for_each(|_| trouble(&lab, &mut rng));
        lab.wait_for_crm(lab.crm().crm_count() + rng.u64(1..5));
        lab.ended(engine.kill());
    }
    lab.crm().clear_faults();
    // What was sold at last is seen by the poll after that.
    let mut before = BTreeMap::new();
    for _ in 0..TRIES {
        lab.zaprun(&["run", "--once"]);
        let now = lab.counts();
        if !now.contains_key("pending") && now == before {
            break;
        }
        before = now;
    }

    let told = format!("seed {seed}, {kills} kills: {:?}, {:?}", lab.counts(), lab.crm().sink_summary());
    assert!(!lab.counts().contains_key("pending"), "{told}");
    let callers: Vec<String> = taken.iter().map(|id| format!("caller{id}@example.test")).collect();
    // What is sold on the telephone is a sale like any other.
    happened.extend(callers.iter().flat_map(|email| lab.crm().sales_of(email)));
    let mut arrived = BTreeSet::new();
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in lab.received().iter().filter(|one| one.path.contains("sales")) {
        let order = one.json().unwrap()["order"].as_str().unwrap().to_owned();
        keys.entry(order.clone()).or_default().insert(one.key().unwrap().to_owned());
        if one.status == Some(200) {
            arrived.insert(order);
        }
    }
    assert_eq!(arrived, happened, "every sale arrived, and no other\n{told}");
    assert!(keys.values().all(|keys| keys.len() == 1), "a repeat carries the same key\n{told}");
    for email in &callers {
        assert!(lab.crm().sales_of(email).len() <= 1, "{email} was sold to twice\n{told}");
        assert!(lab.crm().charges_of(email).len() <= 1, "{email} was charged twice\n{told}");
    }
    let runs = lab.runs();
    let orders = runs.iter().filter(|run| run["zap"] == "orders");
    let known: BTreeSet<&str> = orders.filter_map(|run| run["event"].as_str()?.rsplit(':').next()).collect();
    assert!(taken.iter().all(|id| known.contains(id.as_str())), "{known:?} {taken:?}\n{told}");
    let status = lab.zaprun(&["status", "--json"]).json();
    let zaps = status["zaps"].as_array().unwrap();
    assert!(zaps.iter().all(|zap| zap["adds_up"] == true), "{status:#}");
    eprintln!("{told}");
}
