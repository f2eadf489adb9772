//! What the language will have and this version has not.
//!
//! Such a key or value is refused by name, so that nobody believes that it works. To build one of them, give it
//! a type and delete its row.

/// One such key or value.
#[derive(Debug, PartialEq, Eq)]
pub struct Later {
    /// Where it stands: `zap`, `trigger`, `action`.
    pub place: &'static str,
    /// The key, or the value of `type`.
    pub word: &'static str,
}

macro_rules! rows {
    ($($place:literal: $($word:literal)+;)*) => {
        &[$($(Later { place: $place, word: $word }),+),*]
    };
}

/// The table.
pub static LATER: &[Later] = rows! {
    "action": "batch";
};

/// The row of a word at a place.
pub fn later(place: &str, word: &str) -> Option<&'static Later> {
    LATER.iter().find(|row| row.place == place && row.word == word)
}
