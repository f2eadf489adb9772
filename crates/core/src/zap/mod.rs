//! What a zap means: everything is parsed, nothing is left to look up but the record.

mod trigger;

pub use trigger::{Start, Trigger, Where};
