//! Tests of zaps that go through the engine: the ledger, delivery, retries, look-ups, on a state in memory and a clock
//! that jumps to whatever is due next.
//!
//! No network is possible here: what the engine sends goes to [`stubs`], which answer as the test says, and this crate
//! knows no adapter that could do anything else.

mod play;
mod stubs;
mod tell;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use zaprun_core::rehearsal::{Case, Difference, Played};
use zaprun_core::zap::Zap;

/// Runs a test and compares; nothing when all is as expected. A test that needs no engine is rehearsed: that tells which
/// answers it lacks, and takes a fraction of the time.
pub fn check(case: &Case, zap: &Arc<Zap>) -> Vec<Difference> {
    match case.script(zap) {
        None => case.check(zap),
        Some(script) => case.judge(zap, &play::play(zap, &Arc::new(script))),
    }
}

/// What comes of a test in the engine, whether it needs one or not.
pub fn play(case: &Case, zap: &Arc<Zap>) -> Vec<Played> {
    play::play(zap, &Arc::new(case.any_script(zap)))
}
