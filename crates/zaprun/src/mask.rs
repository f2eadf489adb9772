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

/// Hides secrets: as they are, in base64 at any offset, percent-encoded, and escaped as in JSON. It may learn more of them
/// while it is in use, and forgets none that a project named: what was a secret once may still come back in an answer.
#[derive(Clone, Default)]
pub(crate) struct Masker {
    /// Shared by all clones.
    hidden: Arc<RwLock<Arc<Hidden>>>,
    /// What connections were given since the start; shared by all clones, and by what is made of this one.
    given: Arc<RwLock<Given>>,
}

/// By connection.
type Given = HashMap<String, VecDeque<Learnt>>;

#[derive(Default)]
struct Hidden {
    /// Every form in which a secret may be written.
    forms: BTreeSet<String>,
    patterns: Option<Regex>,
}

/// A secret that came up while the program runs.
#[derive(Clone)]
struct Learnt {
    /// Tells it from another one without holding it.
    mark: blake3::Hash,
    patterns: Regex,
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Masker")
    }
}

impl Masker {
    /// A masker of these secrets; empty ones are none.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let forms = secrets.into_iter().flat_map(|secret| written_forms(secret.trim())).collect();
        Masker { hidden: Arc::new(RwLock::new(Arc::new(Hidden::of(forms)))), given: Arc::default() }
    }

    /// Hides from now on what the other one hides too.
    pub(crate) fn learn(&self, other: &Masker) {
        let both = self.both(other);
        *self.hidden.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(both);
    }

    /// One that hides what either hides, and what connections will be given.
    pub(crate) fn with(&self, other: &Masker) -> Masker {
        Masker { hidden: Arc::new(RwLock::new(Arc::new(self.both(other)))), given: Arc::clone(&self.given) }
    }

    fn both(&self, other: &Masker) -> Hidden {
        if !Arc::ptr_eq(&self.given, &other.given) {
            let theirs = other.given.read().unwrap_or_else(PoisonError::into_inner).clone();
            let mut given = self.given.write().unwrap_or_else(PoisonError::into_inner);
            for (connection, secrets) in theirs {
                let known = given.entry(connection).or_default();
                secrets.into_iter().for_each(|secret| add(known, secret));
            }
        }
        Hidden::of(self.hidden().forms.union(&other.hidden().forms).cloned().collect())
    }

    /// Hides from now on a secret that a connection was given.
    fn learn_of(&self, connection: &str, secret: &str) {
        let mark = blake3::hash(secret.as_bytes());
        let mut given = self.given.write().unwrap_or_else(PoisonError::into_inner);
        let known = given.entry(connection.to_owned()).or_default();
        if known.iter().any(|known| known.mark == mark) {
            return;
        }
        if let Some(patterns) = Hidden::of(written_forms(secret.trim()).into_iter().collect()).patterns {
            add(known, Learnt { mark, patterns });
        }
    }

    fn hidden(&self) -> Arc<Hidden> {
        Arc::clone(&self.hidden.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same bytes without secrets.
    pub(crate) fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut masked = match &self.hidden().patterns {
            Some(patterns) => patterns.replace_all(bytes, STARS),
            None => Cow::Borrowed(bytes),
        };
        let given = self.given.read().unwrap_or_else(PoisonError::into_inner);
        for secret in given.values().flatten() {
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

impl Hidden {
    fn of(forms: BTreeSet<String>) -> Self {
        let mut longest: Vec<&String> = forms.iter().collect();
        // The longest first: a part of a secret may be another secret.
        longest.sort_by_key(|form| std::cmp::Reverse(form.len()));
        let alternatives: Vec<String> = longest.into_iter().map(|form| pattern(form)).collect();
        let build = || RegexBuilder::new(&alternatives.join("|")).size_limit(64 << 20).build().ok();
        Hidden { patterns: (!alternatives.is_empty()).then(build).flatten(), forms }
    }
}

impl zaprun_engine::delivery::Mask for Masker {
    fn mask<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        self.bytes(bytes)
    }
}

impl zaprun_http::Hide for Masker {
    fn hide(&self, connection: &str, secret: &str) {
        self.learn_of(connection, secret);
    }
}

/// The newest of a connection.
fn add(known: &mut VecDeque<Learnt>, secret: Learnt) {
    if known.iter().all(|known| known.mark != secret.mark) {
        known.push_back(secret);
    }
    if known.len() > LEARNT {
        known.pop_front();
    }
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
    fn what_was_a_secret_once_stays_hidden() {
        let masker = Masker::new(["old-secret"]);
        masker.learn(&Masker::new(["new-secret"]));
        assert_eq!(masker.text("old-secret new-secret"), "*** ***");
        assert_eq!(Masker::new(["a-third"]).with(&masker).text("a-third old-secret"), "*** ***");
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
            masker.learn_of("books", &format!("token-number-{number}"));
            masker.learn_of("books", &format!("token-number-{number}"));
        }
        masker.learn_of("sheets", "other-token");
        let said = "hunter22 token-number-0 token-number-7 other-token";
        assert_eq!(clone.text(said), "*** *** *** ***");
        let reloaded = masker.with(&Masker::new(["hunter33"]));
        assert_eq!(reloaded.text("hunter33 token-number-7"), "*** ***", "also by what is made of it");
        masker.learn(&Masker::new(["hunter33"]));
        assert_eq!(clone.text("hunter33 token-number-7"), "*** ***");
        masker.learn_of("books", "token-number-8");
        assert_eq!(reloaded.text("token-number-8"), "***");
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
