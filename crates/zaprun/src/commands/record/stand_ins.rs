//! What stands in for personal data: drawn by a keyed hash of what it stands for, so that the same gives the same, and in
//! the same form, so that mappings do with it what they would do with the real.

use super::walk::of_look;
use crate::commands::personal;

/// Stand-ins under one key.
pub(super) struct StandIns {
    key: [u8; 32],
}

/// What a text is, as far as its stand-in differs; the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Email,
    Phone,
    FirstName,
    LastName,
    FullName,
    Company,
    Street,
    City,
    Address,
    Birthday,
    /// Letters by letters, digits by digits.
    Other,
}

/// Some are first names and others last ones: a name is one name wherever it stands.
const NAMES: [&str; 64] = [
    "Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jana", "Karl", "Lena", "Milo",
    "Nora", "Otto", "Pia", "Quinn", "Rosa", "Sven", "Tara", "Udo", "Vera", "Walt", "Xenia", "Yuri", "Zoe",
    "Abel", "Bea", "Cyrus", "Dina", "Ezra", "Flora", "Ames", "Birch", "Cole", "Drew", "Elder", "Frost",
    "Grove", "Hart", "Ingram", "Jarvis", "Kemp", "Lowell", "Marsh", "Nash", "Oakley", "Pike", "Quill",
    "Reed", "Stone", "Thorne", "Usher", "Vale", "Ward", "Yates", "Zell", "Alder", "Brook", "Cross", "Dale",
    "Eaton", "Field", "Glenn",
];
const CITIES: [&str; 8] =
    ["Springfield", "Riverton", "Fairview", "Lakewood", "Milford", "Ashland", "Georgetown", "Clayton"];

impl StandIns {
    pub(super) fn new(key: [u8; 32]) -> StandIns {
        StandIns { key }
    }

    /// What stands in for a text. Nothing stands in for nothing.
    pub(super) fn of(&self, kind: Kind, text: &str) -> String {
        let bare = text.trim();
        if bare.is_empty() {
            return text.to_owned();
        }
        // What is an e-mail address by its form is one, whatever the field is called; and so on.
        match personal::look(bare).map_or(kind, of_look) {
            Kind::Email => format!("buyer-{}@example.test", self.hex("email", &bare.to_lowercase())),
            Kind::Phone => self.phone(bare),
            Kind::FirstName | Kind::LastName => cased(bare, self.one_of("name", bare, &NAMES)),
            Kind::FullName => match bare.split_once(char::is_whitespace) {
                None => self.of(Kind::FirstName, bare),
                Some((first, rest)) => {
                    format!("{} {}", self.of(Kind::FirstName, first), self.of(Kind::LastName, rest))
                }
            },
            Kind::Company => cased(bare, &format!("{} & Sons", self.one_of("company", bare, &NAMES))),
            Kind::Street => {
                format!("{} Example Street", self.number("street", &bare.to_lowercase()) % 900 + 1)
            }
            Kind::City => cased(bare, self.one_of("city", bare, &CITIES)),
            Kind::Address => self.address(bare),
            // The year may matter to a mapping, and tells little.
            Kind::Birthday => {
                match bare.get(..4).filter(|year| year.bytes().all(|digit| digit.is_ascii_digit())) {
                    Some(year) if bare.get(4..5) == Some("-") => format!("{year}-01-01"),
                    _ => self.scrambled("birthday", bare),
                }
            }
            Kind::Other => self.scrambled("other", bare),
        }
    }

    fn hash(&self, kind: &str, text: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(kind.as_bytes()).update(b"\n").update(text.as_bytes());
        *hasher.finalize().as_bytes()
    }

    fn number(&self, kind: &str, text: &str) -> u32 {
        let [a, b, c, d, ..] = self.hash(kind, text);
        u32::from_le_bytes([a, b, c, d])
    }

    fn hex(&self, kind: &str, text: &str) -> String {
        format!("{:08x}", self.number(kind, text))
    }

    fn one_of<'l>(&self, kind: &str, text: &str, list: &[&'l str]) -> &'l str {
        let at = self.number(kind, &text.to_lowercase()) as usize % list.len();
        list.get(at).copied().unwrap_or("Ada")
    }

    /// The same number has the same stand-in however it is written: one of those that are nobody's, where it is long
    /// enough to be told apart from a country's code.
    fn phone(&self, text: &str) -> String {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let tail = digits.get(digits.len().saturating_sub(10)..).unwrap_or(&digits);
        let drawn = self.number("phone", tail);
        let mut stand_in = match tail.len() {
            10 => format!("{:03}55501{:02}", 200 + drawn % 700, drawn / 700 % 100),
            length => format!("{drawn:010}").chars().rev().take(length).collect(),
        }
        .into_bytes()
        .into_iter()
        .rev();
        // From the end, so that a country's code stays in front.
        let signs = text.chars().rev().map(|sign| match sign.is_ascii_digit() {
            true => stand_in.next().map_or(sign, char::from),
            false => sign,
        });
        signs.collect::<Vec<char>>().into_iter().rev().collect()
    }

    /// An address on a network, of those that are kept for documents.
    fn address(&self, text: &str) -> String {
        let drawn = self.number("address", text);
        match text.contains(':') {
            true => format!("2001:db8::{:x}", drawn % 0xffff),
            false => format!("203.0.113.{}", drawn % 254 + 1),
        }
    }

    /// Letters by letters, digits by digits, all else as it is.
    fn scrambled(&self, kind: &str, text: &str) -> String {
        let mut stream = blake3::Hasher::new_keyed(&self.key);
        stream.update(kind.as_bytes()).update(b"\n").update(text.to_lowercase().as_bytes());
        let mut stream = stream.finalize_xof();
        let mut draw = || {
            let mut byte = [0];
            stream.fill(&mut byte);
            byte[0]
        };
        text.chars()
            .map(|sign| match sign {
                sign if sign.is_numeric() => char::from(b'0' + draw() % 10),
                sign if sign.is_uppercase() => char::from(b'A' + draw() % 26),
                sign if sign.is_alphabetic() => char::from(b'a' + draw() % 26),
                sign => sign,
            })
            .collect()
    }
}

/// In capitals or small letters, where the original was.
fn cased(original: &str, stand_in: &str) -> String {
    let letters = || original.chars().filter(|sign| sign.is_alphabetic());
    if letters().count() > 1 && letters().all(char::is_uppercase) {
        stand_in.to_uppercase()
    } else if letters().next().is_some() && letters().all(char::is_lowercase) {
        stand_in.to_lowercase()
    } else {
        stand_in.to_owned()
    }
}
