//! The server over real HTTP, with an engine behind it whose clock stands still.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panic")]

mod burst;
mod hostile;
mod kept;
mod stopping;
mod support;
mod verified;
