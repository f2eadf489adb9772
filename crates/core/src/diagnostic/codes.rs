//! The table of codes. A code is never re-used; what it explains is shown by `validate --explain`.

use super::Severity;

/// One kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `ZR` and four digits.
    pub id: &'static str,
    /// A name of a few words.
    pub title: &'static str,
    /// The severity a finding has unless it is only probable.
    pub severity: Severity,
    /// Why it is a finding.
    pub why: &'static str,
    /// An example that has it.
    pub bad: &'static str,
    /// The example put right.
    pub good: &'static str,
}

macro_rules! codes {
    ($($name:ident = $id:literal, $severity:ident, $title:literal, $why:literal, bad: $bad:literal, good: $good:literal;)*) => {
        /// The codes by name, for the places that report them.
        pub mod code {
            use super::{Code, Severity};
            $(
                #[doc = $title]
                pub static $name: Code = Code {
                    id: $id, title: $title, severity: Severity::$severity, why: $why, bad: $bad, good: $good,
                };
            )*
        }
        /// Every code, in the order of their numbers.
        pub static CODES: &[&Code] = &[$(&code::$name),*];
    };
}

codes! {
    // 01xx: files and YAML.
    UNREADABLE = "ZR0101", Error, "file cannot be read",
        "A zap that cannot be read is a zap that does not run.",
        bad: "zaps/a.yaml is a directory or holds bytes that are not UTF-8",
        good: "zaps/a.yaml is a text file in UTF-8";
    // 02xx: structure. 03xx: names. 04xx: templates and expressions. 05xx: JSONPath. 06xx: variables and secrets.
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_ordered_and_explained() {
        for pair in CODES.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} before {}", pair[0].id, pair[1].id);
        }
        for code in CODES {
            assert!(code.id.len() == 6 && code.id.starts_with("ZR"), "{}", code.id);
            assert!(!code.title.is_empty() && !code.why.is_empty() && !code.bad.is_empty() && !code.good.is_empty());
        }
    }
}
