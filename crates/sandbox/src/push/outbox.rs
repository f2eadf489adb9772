//! What waits to be sent, and what was.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::ExportProfile;
use crate::state::{News, Route};

/// Most pushes that wait, and most of the latest that are kept.
const MOST: usize = 100_000;

/// The wait before the second try of what goes out at once; each further one doubles it, up to a batch's time.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(15 * 60);

/// One try to tell a receiver.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Push {
    /// Counts from 1.
    pub number: u64,
    /// When it was sent, by the sandbox's clock.
    pub at: Timestamp,
    /// What it was about.
    pub route: Route,
    /// The order.
    pub order_id: String,
    /// Where it went.
    pub url: String,
    /// The method.
    pub method: String,
    /// The fields, with the values at the time of sending.
    pub fields: Map<String, Value>,
    /// Which try it was, from 1.
    pub attempt: u32,
    /// The answer's status; none if there was no answer.
    pub status: Option<u16>,
}

impl Push {
    /// Whether it need not be sent again.
    pub fn taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// A push that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) profile: Arc<ExportProfile>,
    pub(crate) news: News,
    pub(crate) due: Timestamp,
    /// Tries so far.
    pub(crate) tries: u32,
    sequence: u64,
}

/// All pushes of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    profiles: Vec<Arc<ExportProfile>>,
    /// By when it is due, then in the order in which things happened.
    waiting: BTreeMap<(Timestamp, u64), Waiting>,
    sent: VecDeque<Push>,
    count: u64,
    sequence: u64,
}

impl Outbox {
    pub(crate) fn add_profile(&mut self, profile: ExportProfile) {
        self.profiles.push(Arc::new(profile));
    }

    /// Takes in what happened at `at`, for the profiles that want it.
    pub(crate) fn tell(&mut self, news: &[News], at: Timestamp) {
        for one in news {
            let told: Vec<Arc<ExportProfile>> =
                self.profiles.iter().filter(|profile| profile.wants(one.route)).map(Arc::clone).collect();
            for profile in told {
                let due = batch(later(at, profile.delay), profile.every);
                self.sequence += 1;
                self.put_back(Waiting { profile, news: one.clone(), due, tries: 0, sequence: self.sequence });
            }
        }
    }

    /// Takes the first push that is due.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<Waiting> {
        let first = self.waiting.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// When the next push is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.waiting.keys().next().map(|(due, _)| *due)
    }

    /// Puts a push to where it waits. The first ones are forgotten once there are too many.
    pub(crate) fn put_back(&mut self, waiting: Waiting) {
        self.waiting.insert((waiting.due, waiting.sequence), waiting);
        if self.waiting.len() > MOST {
            self.waiting.pop_first();
        }
    }

    /// Keeps a try, and the push for another one unless it was taken; the count of tries so far.
    pub(crate) fn tried(&mut self, mut waiting: Waiting, mut push: Push) -> u64 {
        self.count += 1;
        push.number = self.count;
        if !push.taken() {
            waiting.tries += 1;
            waiting.due = retry(push.at, waiting.profile.every, waiting.tries);
            self.put_back(waiting);
        }
        if self.sent.len() >= MOST {
            self.sent.pop_front();
        }
        self.sent.push_back(push);
        self.count
    }

    pub(crate) fn sent(&self) -> impl Iterator<Item = &Push> {
        self.sent.iter()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Forgets what waits.
    pub(crate) fn forget(&mut self) {
        self.waiting.clear();
    }
}

/// When a batch leaves that takes in what is ready at `ready`.
fn batch(ready: Timestamp, every: Duration) -> Timestamp {
    let Some(step) = i64::try_from(every.as_secs()).ok().filter(|step| *step > 0) else { return ready };
    let next = ready.as_second().div_euclid(step).saturating_add(1).saturating_mul(step);
    Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
}

/// When what failed at `at` is tried again.
fn retry(at: Timestamp, every: Duration, tries: u32) -> Timestamp {
    if !every.is_zero() {
        return batch(at, every);
    }
    let wait = FIRST_RETRY.saturating_mul(1 << tries.saturating_sub(1).min(16));
    later(at, wait.min(LONGEST_RETRY))
}

fn later(at: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn batches_leave_on_the_quarter_hour_and_retries_with_the_next() {
        let quarter = Duration::from_secs(900);
        assert_eq!(batch(at("2026-09-16T18:18:55Z"), quarter), at("2026-09-16T18:30:00Z"));
        assert_eq!(batch(at("2026-09-16T18:30:00Z"), quarter), at("2026-09-16T18:45:00Z"));
        assert_eq!(retry(at("2026-09-16T18:30:00Z"), quarter, 3), at("2026-09-16T18:45:00Z"));
        assert_eq!(batch(at("2026-09-16T18:18:55Z"), Duration::ZERO), at("2026-09-16T18:18:55Z"));
    }

    #[test]
    fn what_goes_out_at_once_is_retried_ever_later() {
        let start = at("2026-09-16T18:00:00Z");
        let wait = |tries| retry(start, Duration::ZERO, tries).duration_since(start).as_secs();
        assert_eq!((wait(1), wait(2), wait(3), wait(40)), (1, 2, 4, 900));
    }
}
