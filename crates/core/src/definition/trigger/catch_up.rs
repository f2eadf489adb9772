//! What becomes of what happened while a zap was switched off.

use serde::Deserialize;

/// What becomes of what happened while a zap was switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// It is held for a person, as one group.
    #[default]
    Hold,
    /// It is sent.
    Send,
    /// It is dropped, and listed as such.
    Drop,
}

crate::definition::formats_of_words!(
    CatchUp,
    "CatchUp",
    "What becomes of what happened while the zap was switched off.",
    ["hold", "send", "drop"]
);
