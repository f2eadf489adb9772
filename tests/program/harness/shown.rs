//! What differs from run to run, made equal, so that output can be compared as a whole.

use regex::Regex;

/// Output without ports, times, durations, keys and hashes.
pub(crate) fn shown(text: &str) -> String {
    let rules = [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "TIME"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "LOCAL"),
        (r"\d{4}-\d\d-\d\d", "DAY"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "KEY"),
        (r"[0-9a-f]{64}", "HASH"),
        (r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-01\b", "SPAN"),
        (r"\b[0-9a-f]{32}\b", "TRACE"),
        (r"\([0-9a-f]{12}\)", "(HASH)"),
        (r"\b(\d+ms|\d+\.\d+s|\d+m \d+s) after", "LAG after"),
        (r"\(process \d+\)", "(process ID)"),
        (r"/[^\s:]*/\.tmp[A-Za-z0-9]+", "PROJECT"),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    })
}
