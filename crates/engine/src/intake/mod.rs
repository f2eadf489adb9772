//! What arrives from outside: from an accepted request to events and runs, durably, before the caller is answered.
//!
//! A server that listens hands each request whose caller is known to [`Intake::accept`]. A request is an event of the
//! zaps whose trigger is a webhook at its path; and it tells zaps that poll the CRM, and say `also:` with that path, of
//! a row, which then is read by its id and taken by the rules of polling.

mod door;
mod event;
#[cfg(test)]
mod tests;
mod told;

pub use door::{Arrived, Intake, NotTaken, Route, Taken, routes};
pub(crate) use door::{House, Loss, OpenZap};
