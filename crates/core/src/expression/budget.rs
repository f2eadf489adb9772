//! What one evaluation may cost.

use std::cell::Cell;

use super::problem::Fault;
use crate::value::{MAX_DEPTH, Value};

/// Steps of one evaluation: a mapping of a thousand line items stays a hundred times below, and the bound is reached
/// within some milliseconds.
pub const FUEL: usize = 100_000;
/// Longest text or list of items one value may become; requests larger than this are refused by every API we know.
pub const MAX_TEXT: usize = 1024 * 1024;
/// Bytes of text that cost one step, so that many large texts are bounded together.
const BYTES_PER_STEP: usize = 64;

/// Fuel that is left.
#[derive(Debug)]
pub(crate) struct Budget {
    fuel: Cell<usize>,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Budget { fuel: Cell::new(FUEL) }
    }

    /// Takes so many steps.
    #[inline]
    pub(crate) fn spend(&self, steps: usize) -> Result<(), Fault> {
        match self.fuel.get().checked_sub(steps) {
            Some(left) => {
                self.fuel.set(left);
                Ok(())
            }
            None => {
                Err(Fault::new("expression takes too many steps")
                    .help("it may take 100,000; filter lists first"))
            }
        }
    }

    /// Whether a text of `held` bytes may grow by `more`.
    pub(crate) fn room(&self, held: usize, more: usize) -> Result<(), Fault> {
        self.spend(more / BYTES_PER_STEP)?;
        if held.saturating_add(more) > MAX_TEXT { Err(Fault::new("text grows beyond 1 MiB")) } else { Ok(()) }
    }

    /// Whether a computed value keeps within the limits.
    pub(crate) fn check(&self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::Text(text) => self.room(0, text.len())?,
            Value::List(items) => self.spend(items.len())?,
            Value::Object(object) => self.spend(object.len())?,
            _ => return Ok(()),
        }
        if value.depth() > MAX_DEPTH {
            Err(Fault::new("value is nested deeper than 64 levels"))
        } else {
            Ok(())
        }
    }
}
