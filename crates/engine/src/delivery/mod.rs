//! Delivery: every run accounted for.
//!
//! A [`lane::Lane`] per zap claims due runs from the store, a few at a time, and takes each through its steps
//! ([`journey`]) until it rests in one of its states. What an outcome means and when to try again is [`policy`]; a
//! target that is at fault is left alone by its [`breaker`]. The backlog lives in the store: a lane holds no more
//! runs than it has in flight.

mod attempt;
mod book;
mod brake;
mod breaker;
mod dry;
mod facts;
mod find;
mod flights;
mod journey;
mod keep;
mod lane;
mod look;
mod pause;
mod policy;
mod recall;
mod shared;
#[cfg(test)]
mod tests;
mod wake;
mod write;

pub(crate) use breaker::after;
pub(crate) use flights::Flights;
pub(crate) use lane::Lane;
pub(crate) use policy::Verdict;
pub(crate) use shared::{Counters, Links, Phases, Present, Shared, Tap, Targets};
pub(crate) use wake::{Wakers, WakingStore};

pub use keep::{Mask, Unmasked};
pub use recall::{Oblivious, Recall};
