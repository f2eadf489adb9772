//! Property tests of a zap: records are made up, each is taken through the zap as a run would take it, and what comes of
//! it must keep the laws of [`LAWS`](laws::LAWS) and the zap's own `properties:`.
//!
//! **What is made up.** Rows of the CRM come from the table of their fields ([`rows`]), in the shapes that the CRM really
//! has: a field absent, null or `""`, a number or its digits, a flag in each of its five forms, `items` as a list, an
//! object by id or nothing, texts of every script, times in the hours that daylight saving skips and repeats. They are
//! such as the trigger takes. Where no table says what arrives (`webhook`, `http`), they come from what the trigger's
//! `schema` or `infer_from` says ([`outlined`]), and the records of the zap's own tests are varied ([`vary`]).
//!
//! **What is a failure.** Every part of a record is either usual or odd. Usual is what a merchant meets: a field that
//! may be missing and is ([`usual`] says which never are), a value in each form of its type. Odd is what happens once in
//! a blue moon: a type of another kind, an unknown word, control characters, a text of thousands of signs, a negative
//! amount. Records are made smaller as long as they fail the same way, from odd to usual first; one that fails and is
//! usual is a failure, one that fails only because it is odd is told in a line and fails nothing. For records without a
//! table, usual is what the tests themselves show: what one of them has, and another lacks.
//!
//! proptest makes the records: its strategies are weighted, and know how to shrink what they made.

mod check;
mod example;
mod judge;
mod laws;
mod members;
mod outlined;
mod replies;
mod rows;
mod sample;
mod save;
mod search;
mod texts;
mod usual;
mod values;
mod vary;

#[cfg(test)]
mod tests;

pub use laws::{LAWS, Law};
pub use save::Saved;
pub use search::{Failure, Oddity, Search, Source, agree, fails, search};

pub(crate) use check::{Property, compile};
pub(crate) use judge::{broken_by, broken_by_run};
pub(crate) use laws::own_words;
pub(crate) use usual::always_there;

/// The keys of a zap that a run knows nothing of.
pub(crate) const BESIDE: [&str; 2] = ["tests", "properties"];
