//! Many who use one connection, whatever becomes of each.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::{Entry, Knock, Login, Rest};
use crate::delivery::Wakers;
use crate::ports::{Clock, ReadError};
use crate::report::Event;
use crate::testing::{FakeClock, Recorded};
use jiff::SignedDuration;
use proptest::prelude::*;
use std::sync::Arc;

fn rest(clock: &FakeClock, seen: &Recorded) -> Rest {
    Rest::new("crm", Arc::new(clock.clone()), Arc::new(seen.clone()), Wakers::default())
}

fn credentials() -> ReadError {
    ReadError::Credentials { text: "Could not authenticate".to_owned() }
}

#[test]
fn what_was_asked_before_the_refusal_does_not_end_it() {
    let (clock, seen) = (FakeClock::at("2026-09-16T12:00:00Z"), Recorded::default());
    let rest = rest(&clock, &seen);
    let (early, late) = (rest.knock().unwrap(), rest.knock().unwrap());
    let error = credentials();
    early.learn(Login::Refused(&error));
    late.learn(Login::Good);
    assert!(rest.is_refused());
    assert_eq!(rest.knock().err(), Some(error));
    clock.advance(SignedDuration::from_mins(15));
    assert_eq!(rest.entry(clock.now()), Entry::Due);
    rest.knock().unwrap().learn(Login::Good);
    assert_eq!(rest.entry(clock.now()), Entry::Open);
    assert_eq!(seen.count(|event| matches!(event, Event::Stopped { .. })), 1);
    assert_eq!(seen.count(|event| matches!(event, Event::Recovered { .. })), 1);
}

#[test]
fn who_tries_and_is_dropped_leaves_the_place_to_another() {
    let (clock, seen) = (FakeClock::at("2026-09-16T12:00:00Z"), Recorded::default());
    let rest = rest(&clock, &seen);
    let error = credentials();
    rest.knock().unwrap().learn(Login::Refused(&error));
    clock.advance(SignedDuration::from_mins(15));
    let first = rest.knock().unwrap();
    assert_eq!(rest.entry(clock.now()), Entry::Trying);
    assert!(rest.knock().is_err(), "one at a time");
    drop(first);
    assert!(rest.knock().is_ok());
}

#[derive(Debug, Clone)]
enum Step {
    Knock,
    /// The knock of this number, of those under way, is answered: good, refused, a fault, or dropped.
    Answer(usize, u8),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Knock),
        3 => (0_usize..8, 0_u8..5).prop_map(|(which, how)| Step::Answer(which, how)),
        1 => (1_i64..3_000).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn nobody_hammers(steps in prop::collection::vec(step(), 1..200)) {
        let (clock, seen) = (FakeClock::at("2026-09-16T12:00:00Z"), Recorded::default());
        let rest = rest(&clock, &seen);
        let error = credentials();
        let mut under_way: Vec<(Knock<'_>, bool)> = Vec::new();
        // Since the refusal: how many answers in a row refused a try, and when the last one did.
        let mut refused: Option<(u32, jiff::Timestamp)> = None;
        let mut faults = 0;
        for step in steps {
            match step {
                Step::Knock => {
                    let Ok(knock) = rest.knock() else {
                        prop_assert!(refused.is_some(), "nobody is kept out without a reason");
                        continue;
                    };
                    if let Some((times, at)) = refused {
                        prop_assert!(!under_way.iter().any(|(_, tries)| *tries), "one at a time");
                        let least = SignedDuration::from_mins(15 << times.min(4));
                        let least = least.min(SignedDuration::from_hours(6));
                        prop_assert!(clock.now().duration_since(at) >= least, "{times}");
                    }
                    under_way.push((knock, refused.is_some()));
                }
                Step::Answer(which, how) => {
                    if under_way.is_empty() {
                        continue;
                    }
                    let (knock, tries) = under_way.swap_remove(which % under_way.len());
                    match how {
                        0 => {
                            knock.learn(Login::Good);
                            if tries {
                                refused = None;
                            }
                        }
                        1 | 2 => {
                            knock.learn(Login::Refused(&error));
                            match &mut refused {
                                None => refused = Some((0, clock.now())),
                                Some((times, at)) if tries => (*times, *at) = (*times + 1, clock.now()),
                                Some(_) => {}
                            }
                            faults = if tries { 0 } else { faults };
                        }
                        3 => {
                            knock.learn(Login::Fault);
                            faults += u32::from(tries);
                            if let Some((times, at)) = refused.as_mut().filter(|_| faults == 4) {
                                (*times, *at) = (*times + 1, clock.now());
                                faults = 0;
                            }
                        }
                        _ => drop(knock),
                    }
                    if refused.is_none() {
                        faults = 0;
                        under_way.iter_mut().for_each(|(_, tries)| *tries = false);
                    }
                }
                Step::Wait(seconds) => clock.advance(SignedDuration::from_secs(seconds)),
            }
            prop_assert_eq!(rest.is_refused(), refused.is_some());
        }
        let (mut stopped, mut recovered) = (0, 0);
        for event in seen.take() {
            match event {
                Event::Stopped { .. } => stopped += 1,
                Event::Recovered { .. } => recovered += 1,
                _ => {}
            }
            prop_assert!(stopped == recovered || stopped == recovered + 1, "each refusal is told once");
        }
    }
}
