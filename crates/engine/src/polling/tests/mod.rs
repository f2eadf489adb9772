//! The cases polling must survive, against a CRM, a clock and a state in memory.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod backfills;
mod catching_up;
mod clocks;
mod crashes;
mod history;
mod kinds;
mod looking;
mod looks;
mod replies;
mod rows;
mod schedule;
mod selection;
mod support;
mod sweeps;
mod switched_off;
mod walks;
