//! Times.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::Spanned;

/// Fires at the times of a cron expression.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ScheduleTrigger {
    /// The times: minute, hour, day of month, month, day of week, for example "0 8 * * 1-5". Each comes once: one that
    /// the clocks skip in spring comes right after the gap, one that they repeat in autumn comes the first time.
    pub cron: Spanned<String>,
    /// The zone in which they are meant, for example America/New_York.
    pub timezone: Spanned<String>,
    /// What becomes of times that passed while nothing ran, by more than a minute: skip, once (default: the latest of
    /// them fires) or all.
    pub missed: Option<Spanned<Missed>>,
}

/// What becomes of times that passed while nothing ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// They are left out.
    Skip,
    /// The latest of them fires.
    Once,
    /// Each of them fires.
    All,
}

crate::definition::formats_of_words!(
    Missed,
    "Missed",
    "What becomes of times that passed while nothing ran.",
    ["skip", "once", "all"]
);
