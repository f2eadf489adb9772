//! The whole program from outside: the binary, a project in a temporary folder, and a stand-in CRM and sink that listen
//! in this process.
//!
//! Nothing here waits for time to pass. A test waits for what the stand-in sees, for what the program says, or for the
//! program's end; a generous limit turns a hang into a failure.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a failed step fails the test, and tests stand outside of the ports"
)]

mod harness;

mod backfills;
mod backups;
mod bad_input;
mod chaos;
mod crashes;
mod demo;
mod edits;
mod endings;
mod examples;
mod fairness;
mod findings;
mod held;
mod history;
mod kinds;
mod main_job;
mod money;
mod new_zaps;
mod oauth2;
mod plans;
mod polling;
mod private_ca;
mod quick_start;
mod ready_made;
mod reloads;
mod renders;
mod repair;
mod replies;
mod resolve;
mod runs;
mod secrets;
mod sinks;
mod starting;
mod watched;
mod webhooks;
mod zap_cases;
mod zap_tests;
