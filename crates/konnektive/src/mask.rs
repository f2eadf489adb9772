//! Taking the credentials out of what the vendor says.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zaprun_http::Secret;

/// Texts of the vendor are shown up to this length: a page of HTML is not a reason.
const LONGEST_TEXT: usize = 500;

/// What is put in a credential's place.
const MASK: &str = "***";

/// Shorter credentials are not looked for: they would be found in the middle of words.
const SHORTEST: usize = 4;

/// The credentials of a connection, in the forms in which a reply may echo them.
pub(crate) struct Mask(Vec<String>);

impl Mask {
    pub(crate) fn new(secrets: &[&Secret]) -> Self {
        let mut forms = Vec::new();
        for secret in
            secrets.iter().map(|secret| secret.expose()).filter(|secret| secret.chars().count() >= SHORTEST)
        {
            forms.push(secret.to_owned());
            forms.push(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string());
            forms.extend(
                form_urlencoded::byte_serialize(secret.as_bytes())
                    .map(str::to_owned)
                    .reduce(|all, part| all + &part),
            );
        }
        // The longest first: one may be part of another.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Mask(forms)
    }

    /// The text with every credential replaced; `None` where it holds none.
    pub(crate) fn hidden(&self, text: &str) -> Option<String> {
        if !self.0.iter().any(|form| text.contains(form.as_str())) {
            return None;
        }
        Some(self.0.iter().fold(text.to_owned(), |text, form| text.replace(form.as_str(), MASK)))
    }

    /// One line of the vendor's words: without credentials, control characters and excess.
    pub(crate) fn words(&self, text: &str) -> String {
        let text = self.hidden(text).unwrap_or_else(|| text.to_owned());
        let mut line: String = text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        if let Some((cut, _)) = line.char_indices().nth(LONGEST_TEXT) {
            line.truncate(cut);
            line.push('…');
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_vanish_in_every_form() {
        let mask = Mask::new(&[&Secret::new("user-canary"), &Secret::new("pa ss&canary"), &Secret::new("x")]);
        let echoed = "user-canary / pa ss&canary / pa+ss%26canary / pa%20ss%26canary x";
        assert_eq!(mask.words(echoed), "*** / *** / *** / *** x");
    }

    #[test]
    fn texts_are_one_line_of_bounded_length() {
        let mask = Mask::new(&[]);
        assert_eq!(mask.words(" a\n\tb\u{0}c \u{1b}[31m"), "a b c [31m");
        assert_eq!(mask.words(&"ä".repeat(2000)).chars().count(), LONGEST_TEXT + 1);
    }
}
