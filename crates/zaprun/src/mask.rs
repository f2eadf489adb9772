//! Secrets, hidden by their value wherever text leaves the program.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::bytes::{Regex, RegexBuilder};

/// What stands for a secret.
const STARS: &[u8] = b"***";
/// A shorter secret is hidden only where it stands alone, since it also occurs within words.
const SHORT: usize = 4;
/// Of a shorter secret too few characters are left in base64 at an unknown offset to tell it from chance.
const ENCODED: usize = 6;

/// Of the secrets that a connection gets while the program runs, so many are hidden: the newest. What was written of an
/// older one was hidden then.
const LEARNT: usize = 8;

/// Hides secrets: as they are, in base64 at any offset, percent-encoded, and escaped as in JSON.
#[derive(Debug, Clone, Default)]
pub(crate) struct Masker {
    patterns: Option<Regex>,
    /// What came up since the start, by connection; shared by all clones.
    learnt: Arc<RwLock<HashMap<String, VecDeque<Learnt>>>>,
}

/// A secret that came up while the program runs.
#[derive(Debug)]
struct Learnt {
    /// Tells it from another one without holding it.
    mark: blake3::Hash,
    patterns: Regex,
}

impl Masker {
    /// A masker of these secrets; empty ones are none.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Masker { patterns: patterns(secrets), learnt: Arc::default() }
    }

    /// Hides one more secret from now on.
    fn learn(&self, connection: &str, secret: &str) {
        let mark = blake3::hash(secret.as_bytes());
        let mut learnt = self.learnt.write().unwrap_or_else(PoisonError::into_inner);
        let known = learnt.entry(connection.to_owned()).or_default();
        if known.iter().any(|known| known.mark == mark) {
            return;
        }
        if let Some(patterns) = patterns([secret]) {
            known.push_back(Learnt { mark, patterns });
        }
        if known.len() > LEARNT {
            known.pop_front();
        }
    }

    /// The same bytes without secrets.
    pub(crate) fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut masked = match &self.patterns {
            Some(patterns) => patterns.replace_all(bytes, STARS),
            None => Cow::Borrowed(bytes),
        };
        let learnt = self.learnt.read().unwrap_or_else(PoisonError::into_inner);
        for secret in learnt.values().flatten() {
            if let Cow::Owned(hidden) = secret.patterns.replace_all(&masked, STARS) {
                masked = Cow::Owned(hidden);
            }
        }
        masked
    }

    /// The same text without secrets.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(masked) => Cow::Owned(String::from_utf8_lossy(&masked).into_owned()),
        }
    }
}

impl zaprun_engine::delivery::Mask for Masker {
    fn mask<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        self.bytes(bytes)
    }
}

impl zaprun_http::Hide for Masker {
    fn hide(&self, connection: &str, secret: &str) {
        self.learn(connection, secret);
    }
}

/// What finds these secrets in whatever form they are written; nothing where there are none.
fn patterns<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Option<Regex> {
    let mut forms = BTreeSet::new();
    for secret in secrets {
        forms.extend(written_forms(secret.trim()));
    }
    let mut forms: Vec<String> = forms.into_iter().collect();
    // The longest first: a part of a secret may be another secret.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    if forms.is_empty() {
        return None;
    }
    let alternatives: Vec<String> = forms.iter().map(|form| pattern(form)).collect();
    RegexBuilder::new(&alternatives.join("|")).size_limit(64 << 20).build().ok()
}

fn pattern(form: &str) -> String {
    let escaped = regex::escape(form);
    if form.len() >= SHORT {
        return escaped;
    }
    let edge = |at_word: bool| if at_word { r"\b" } else { "" };
    let word = |character: Option<char>| character.is_some_and(|character| character.is_alphanumeric());
    format!("{}{escaped}{}", edge(word(form.chars().next())), edge(word(form.chars().next_back())))
}

fn written_forms(secret: &str) -> Vec<String> {
    if secret.is_empty() {
        return Vec::new();
    }
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    // The characters that almost everybody leaves as they are.
    let lenient = percent.replace("%2D", "-").replace("%2E", ".").replace("%5F", "_").replace("%7E", "~");
    let json = serde_json::to_string(secret).unwrap_or_default();
    let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned();
    let mut forms = vec![
        secret.to_owned(),
        lenient.replace("%20", "+"),
        lower_escapes(&lenient),
        lower_escapes(&percent),
        json.replace('/', r"\/"),
        json,
        lenient,
        percent,
    ];
    if secret.len() >= ENCODED {
        forms.extend((0..3).flat_map(|offset| {
            let standard = base64_inner(secret.as_bytes(), offset);
            let for_urls = standard.replace('+', "-").replace('/', "_");
            [standard, for_urls]
        }));
    }
    forms.retain(|form| !form.is_empty());
    forms
}

/// The same percent-encoding with small hexadecimal digits.
fn lower_escapes(text: &str) -> String {
    let mut digits = 0;
    let lowered = text.chars().map(|character| match (character, digits) {
        ('%', _) => {
            digits = 2;
            character
        }
        (_, 0) => character,
        _ => {
            digits -= 1;
            character.to_ascii_lowercase()
        }
    });
    lowered.collect()
}

/// The characters of base64 that depend on `bytes` alone when they stand `offset` bytes into a group of three. So a
/// password is found in `user:password` too, whatever the user.
fn base64_inner(bytes: &[u8], offset: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| {
        let byte = (at / 8).checked_sub(offset).and_then(|index| bytes.get(index)).copied().unwrap_or(0);
        usize::from(byte >> (7 - at % 8) & 1)
    };
    let first = (offset * 8).div_ceil(6);
    let past = (offset + bytes.len()) * 8 / 6;
    // Six bits are always below 64.
    (first..past)
        .map(|group| (0..6).fold(0, |value, at| value << 1 | bit(group * 6 + at)))
        .map(|value| char::from(ALPHABET[value]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_in_every_form() {
        let masker = Masker::new(["p@ss w/rd\"9", "tok_123456", ""]);
        let cases = [
            ("password=p@ss w/rd\"9!", "password=***!"),
            ("password=p%40ss+w%2Frd%229", "password=***"),
            ("password=p%40ss%20w%2frd%229", "password=***"),
            (r#"{"password":"p@ss w/rd\"9"}"#, r#"{"password":"***"}"#),
            (r#"{"password":"p@ss w\/rd\"9"}"#, r#"{"password":"***"}"#),
            ("Bearer tok_123456", "Bearer ***"),
            ("nothing to hide", "nothing to hide"),
        ];
        for (text, masked) in cases {
            assert_eq!(masker.text(text), masked);
        }
        assert!(matches!(masker.text("nothing"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_password_is_found_in_basic_authentication() {
        // base64 of a:tok_123456, ab:tok_123456 and abc:tok_123456
        for header in ["YTp0b2tfMTIzNDU2", "YWI6dG9rXzEyMzQ1Ng==", "YWJjOnRva18xMjM0NTY="] {
            let masked = Masker::new(["tok_123456"]).text(header).into_owned();
            assert!(masked.contains("***") && masked.len() < 12, "{header} -> {masked}");
        }
    }

    #[test]
    fn a_short_secret_is_hidden_where_it_stands_alone() {
        let masker = Masker::new(["abc"]);
        assert_eq!(masker.text("abc, abcd, pin=abc"), "***, abcd, pin=***");
    }

    #[test]
    fn what_comes_up_later_is_hidden_in_all_clones() {
        let masker = Masker::new(["hunter22"]);
        let clone = masker.clone();
        for number in 0..LEARNT {
            masker.learn("books", &format!("token-number-{number}"));
            masker.learn("books", &format!("token-number-{number}"));
        }
        masker.learn("sheets", "other-token");
        let said = "hunter22 token-number-0 token-number-7 other-token";
        assert_eq!(clone.text(said), "*** *** *** ***");
        masker.learn("books", "token-number-8");
        assert_eq!(clone.text(said), "*** token-number-0 *** ***", "of one connection the oldest is let go");
    }

    #[test]
    fn the_longest_secret_wins() {
        assert_eq!(Masker::new(["secret", "secret-tail"]).text("secret-tail"), "***");
    }

    #[test]
    fn bytes_that_are_no_text_are_searched_too() {
        assert_eq!(&*Masker::new(["hunter22"]).bytes(b"\xffhunter22\xfe"), b"\xff***\xfe");
    }
}
