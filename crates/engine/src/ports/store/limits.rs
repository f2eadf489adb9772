//! Brakes of a zap: what its writes use up.

use super::RunId;
use jiff::Timestamp;
use jiff::civil::Date;
use zaprun_core::value::Decimal;

/// The word of runs that are held since their zap has done as much as it may.
pub const LIMIT: &str = "limit";

/// A write that is about to leave, and what it may use up.
#[derive(Debug, Clone)]
pub struct Spend {
    /// The run.
    pub run: RunId,
    /// Step id. A step, or an element of it, counts once.
    pub step: String,
    /// Element key under `each`.
    pub element: Option<String>,
    /// The most writes of its zap in any hour.
    pub writes_per_hour: Option<u32>,
    /// What it costs, where money is limited.
    pub money: Option<Cost>,
    /// The present instant.
    pub at: Timestamp,
}

/// What a run costs; it counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// The present day in the account's zone.
    pub day: Date,
    /// The amount, not negative; `None`: the record does not say.
    pub amount: Option<Decimal>,
    /// The most of its zap on one day.
    pub max: Decimal,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spent {
    /// It is counted, or was before, or a person let the run through: it may leave.
    Yes,
    /// The zap has done as much as it may; nothing was counted.
    Over(Brake),
}

/// Which brake was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brake {
    /// Writes in the last hour.
    Writes,
    /// Money of the day.
    Money {
        /// What the day has cost so far.
        spent: String,
    },
    /// What it costs is not known.
    Unknown,
}

impl Cost {
    /// The day's sum with this one, where `spent` is the sum so far.
    ///
    /// # Errors
    /// The brake, where that is too much.
    pub fn added(&self, spent: Option<&str>) -> Result<String, Brake> {
        let so_far = spent.and_then(|spent| Decimal::parse(spent).ok()).unwrap_or(Decimal::ZERO);
        let amount = self.amount.as_ref().ok_or(Brake::Unknown)?;
        match so_far.checked_add(amount) {
            Ok(sum) if sum <= self.max => Ok(sum.to_string()),
            _ => Err(Brake::Money { spent: so_far.to_string() }),
        }
    }
}
