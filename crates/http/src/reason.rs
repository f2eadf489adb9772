//! What went wrong on the line, in words that hold no secret.
//!
//! The texts of the client's errors are not passed on: they print the URL, and a base URL may end in a secret. What is
//! said is chosen here by the kind of the error; only the TLS library speaks for itself, and it knows no more than the
//! host's name and certificate.

use crate::guard::Refused;
use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

/// A duration as a person writes it: `30s`, `4m`, `1h`, `250ms`.
pub fn duration_text(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
    match (seconds, millis) {
        (_, 1..) => format!("{}ms", duration.as_millis()),
        (0, 0) => "0s".to_owned(),
        (s, 0) if s % 3600 == 0 => format!("{}h", s / 3600),
        (s, 0) if s % 60 == 0 => format!("{}m", s / 60),
        (s, 0) => format!("{s}s"),
    }
}

/// Why no connection came about. The flag says whether another try may help.
pub(crate) fn no_connection(error: &reqwest::Error, connect_timeout: Duration) -> (String, bool) {
    if let Some(refused) = causes(error).find_map(|cause| cause.downcast_ref::<Refused>()) {
        return (refused.to_string(), false);
    }
    if error.is_timeout() {
        return (format!("no connection within {}", duration_text(connect_timeout)), true);
    }
    if error.is_dns() {
        return ("the host's name cannot be resolved".to_owned(), true);
    }
    if let Some(text) = tls(error) {
        return (format!("TLS failed: {text}"), true);
    }
    match io_kind(error) {
        Some(kind) => (format!("no connection: {kind}"), true),
        None => ("no connection".to_owned(), true),
    }
}

/// Why there is no answer, or no end of one, though the request may have left.
pub(crate) fn no_answer(error: &reqwest::Error) -> String {
    if let Some(text) = tls(error) {
        return format!("TLS failed: {text}");
    }
    let deepest = causes(error).last().map(ToString::to_string).unwrap_or_default();
    // Only to choose between our own words; the text itself is not shown.
    if deepest.contains("parse") || deepest.contains("invalid HTTP") {
        return "the answer is not HTTP".to_owned();
    }
    match io_kind(error) {
        Some(kind) => format!("the connection was cut: {kind}"),
        None => "the connection was cut".to_owned(),
    }
}

/// The errors below one, the nearest first. An I/O error hides the one it carries from `source`, so that one is asked
/// for as well.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match carried {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn tls(error: &(dyn Error + 'static)) -> Option<String> {
    causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()).map(ToString::to_string)
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind)
        .find(|kind| *kind != ErrorKind::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_they_are_written() {
        for (millis, text) in [
            (0, "0s"),
            (250, "250ms"),
            (1500, "1500ms"),
            (30_000, "30s"),
            (90_000, "90s"),
            (240_000, "4m"),
            (7_200_000, "2h"),
        ] {
            assert_eq!(duration_text(Duration::from_millis(millis)), text);
        }
    }
}
