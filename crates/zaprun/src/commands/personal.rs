//! What looks personal in a free text, by its form alone.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What a part of a text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// An e-mail address.
    Email,
    /// An address on a network.
    Address,
    /// A telephone number.
    Phone,
}

static EMAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+").ok());
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b(?:\d{1,3}\.){3}\d{1,3}\b").ok());
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:\+\d[\d ().-]{7,}\d|\(\d{3}\) ?\d{3}[ .-]?\d{4}\b|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b)").ok()
});

fn patterns() -> impl Iterator<Item = (&'static Regex, Look)> {
    let all = [(&EMAIL, Look::Email), (&ADDRESS, Look::Address), (&PHONE, Look::Phone)];
    all.into_iter().filter_map(|(pattern, look)| Some((LazyLock::force(pattern).as_ref()?, look)))
}

/// The text with all that looks personal replaced.
pub(super) fn replaced(text: &str, by: &dyn Fn(Look, &str) -> String) -> String {
    let one = |text: String, (pattern, look): (&Regex, Look)| {
        pattern.replace_all(&text, |found: &Captures<'_>| by(look, &found[0])).into_owned()
    };
    patterns().fold(text.to_owned(), one)
}

/// What the whole text looks like, where it is nothing else.
pub(super) fn look(text: &str) -> Option<Look> {
    let whole = |pattern: &Regex| pattern.find(text).is_some_and(|found| found.as_str() == text);
    patterns().find(|(pattern, _)| whole(pattern)).map(|(_, look)| look)
}

/// Whether something in the text looks personal.
pub(super) fn is_in(text: &str) -> bool {
    patterns().any(|(pattern, _)| pattern.is_match(text))
}
