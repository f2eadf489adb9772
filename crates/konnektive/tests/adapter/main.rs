//! The adapter against a server on this machine that says what a test tells it to.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(missing_docs, reason = "tests")]

mod fair;
mod look_ups;
mod looks;
mod reads;
mod stand_in;
mod support;
mod trials;
mod world;
mod writes;
