//! What a person asks of an engine that is given other zaps meanwhile.

use super::engine::House;
use super::kit::{Act, ONE, compile_one, path, reply};
use super::reloads::{OTHER, edited};
use crate::delivery::recall::Recall;
use crate::engine::Set;
use crate::ports::{Chosen, Command, Replay, RunId, RunState};
use std::sync::Arc;
use std::time::Duration;
use zaprun_core::zap::Zap;

/// Makes zaps again whose requests say who made them.
struct Again(&'static str);

impl Recall for Again {
    fn zap(&self, _: &str, source: &[u8]) -> Result<Zap, String> {
        let yaml = std::str::from_utf8(source).unwrap();
        Ok(compile_one(&yaml.replace("path: /", &format!("path: /{}/", self.0))))
    }
}

/// The set that has this one zap, and keeps its text.
fn kept(house: &House, yaml: &str, recall: &'static str) -> Set {
    let sources = [("one".to_owned(), yaml.to_owned().into())].into();
    Set { sources, recall: Arc::new(Again(recall)), ..house.set(&[yaml], &[]) }
}

fn replay(house: &House, run: i64) {
    house.store.ask(Command::Replay { runs: vec![Chosen::any(RunId(run))], how: Replay::default() });
}

fn last(house: &House) -> String {
    house.target.sent().last().map(path).unwrap()
}

#[test]
fn what_an_old_lane_has_in_flight_is_left_alone() {
    let house = House::new();
    house.target.script(|_| Act { outcome: reply(200), takes: Duration::from_secs(900) });
    house.runs(&[ONE, OTHER], async |house, reloads| {
        house.sells("A");
        house.seconds(65).await;
        assert_eq!(house.target.sent().len(), 2, "both are in flight");
        // One zap is another one now, one is gone.
        reloads.reload(house.set(&[&edited(ONE)], &[])).await.unwrap();
        let runs = || vec![Chosen::any(RunId(1)), Chosen::any(RunId(2))];
        house.store.ask(Command::Drop { runs: runs() });
        house.seconds(2).await;
        let refused = house.store.answers().remove(0).refused;
        assert_eq!(refused.len(), 2);
        assert!(refused.iter().all(|one| one.why == "it is being worked on just now"), "{refused:?}");
        house.seconds(900).await;
        let delivered = house.store.all_runs().iter().filter(|run| run.state == RunState::Delivered).count();
        assert_eq!(delivered, 2);
    });
    assert_eq!(house.target.sent().len(), 2, "once each");
}

#[test]
fn runs_are_mapped_as_recorded_with_what_the_present_set_knows() {
    let house = House::new();
    house.target.script(|_| reply(404));
    house.runs(&[OTHER], async |house, reloads| {
        reloads.reload(kept(house, ONE, "first")).await.unwrap();
        house.seconds(2).await;
        house.sells("A");
        house.seconds(65).await;
        assert_eq!(last(house), "/post");
        reloads.reload(kept(house, &edited(ONE), "second")).await.unwrap();
        replay(house, 1);
        house.seconds(2).await;
        assert_eq!(last(house), "/second/post", "its text was kept by the set it came with");
        // The zap is the very same, and what it was is made by another.
        reloads.reload(kept(house, &edited(ONE), "third")).await.unwrap();
        replay(house, 1);
        house.seconds(2).await;
        assert_eq!(last(house), "/third/post");
        house.sells("B");
        house.seconds(65).await;
        assert_eq!(last(house), "/new/post");
        reloads.reload(kept(house, ONE, "fourth")).await.unwrap();
        replay(house, 2);
        house.seconds(2).await;
        assert_eq!(last(house), "/fourth/new/post");
        replay(house, 1);
        house.seconds(2).await;
        assert_eq!(last(house), "/post", "it is as it was recorded again");
    });
}

#[test]
fn history_ends_as_the_present_set_says() {
    let house = House::new();
    house.runs(&[ONE], async |house, reloads| {
        house.sells("A");
        house.seconds(2 * 3_600).await;
        assert_eq!(house.state("A"), Some(RunState::Delivered));
        let keeps =
            |hours: u64| Set { history: Some(Duration::from_secs(hours * 3_600)), ..house.set(&[ONE], &[]) };
        reloads.reload(keeps(3)).await.unwrap();
        house.seconds(2).await;
        assert!(house.state("A").is_some());
        reloads.reload(keeps(1)).await.unwrap();
        house.seconds(2).await;
        assert_eq!(house.state("A"), None, "it is not waited for the next look");
        house.sells("B");
        house.seconds(65).await;
        reloads.reload(house.set(&[ONE], &[])).await.unwrap();
        house.seconds(3 * 3_600).await;
        assert_eq!(house.state("B"), Some(RunState::Delivered), "kept for ever");
    });
}
