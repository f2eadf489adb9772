//! Rehearsals: one record through a compiled zap, offline. A dry run and the tests of zaps are made of it, so that they
//! cannot disagree.
//!
//! [`rehearse`] says what each step would send; [`read_tests`] reads the tests of a project, and [`Case::check`] compares
//! what one of them expects with its rehearsal; [`Occasion`] is anything else that happened. The language of tests is described in [`crate::definition::Test`]'s file.

mod answer;
mod case;
mod compare;
mod course;
mod occasion;
mod policy;
mod read;
mod records;
mod run;
mod update;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Fault, Seen, crm_response};
pub use case::Case;
pub(crate) use case::{Given, Replies};
pub use compare::{Difference, Fix};
pub use course::{Entry, Judged, News, Played, PlayedRun, Script, Turned};
pub(crate) use occasion::Attempt;
pub use occasion::{Came, KnownRun, Occasion};
pub use policy::check_policy;
pub use read::{Fixtures, read_tests};
pub use records::read_records;
pub use run::{
    Did, Element, End, Ended, Failure, Rehearsal, Sent, Stage, Step, rehearse, rehearse_failure,
    rehearse_steps,
};
pub use update::{Rewritten, rewrite};
