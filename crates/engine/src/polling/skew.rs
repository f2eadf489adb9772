//! How far the CRM's clock is from ours, as far as one exchange can tell.

use jiff::{SignedDuration, Timestamp};

/// The CRM's clock minus ours, told by the `Date` of a reply that was asked for at `sent` and had arrived at
/// `received`. The header has whole seconds and was written at some instant between the two, so a slow reply from a
/// good clock is no difference. Of the differences that explain a reply the lowest is taken: it lets a row of the
/// second in question fire rather than be primed.
pub(crate) fn skew(sent: Timestamp, received: Timestamp, server: Option<Timestamp>) -> SignedDuration {
    let Some(server) = server else { return SignedDuration::ZERO };
    let at_least = server.duration_since(received);
    let at_most = server.duration_since(sent).saturating_add(SignedDuration::from_secs(1));
    let agree = at_least <= SignedDuration::ZERO && SignedDuration::ZERO <= at_most;
    if agree { SignedDuration::ZERO } else { at_least }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panic")]
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-09-16T{text}Z").parse().unwrap()
    }

    #[test]
    fn a_header_cut_to_seconds_is_no_difference() {
        assert_eq!(skew(at("12:00:00.7"), at("12:00:00.9"), Some(at("12:00:00"))), SignedDuration::ZERO);
    }

    #[test]
    fn a_reply_of_90_seconds_is_no_difference() {
        for written in ["12:00:00", "12:00:45", "12:01:30"] {
            assert_eq!(skew(at("12:00:00"), at("12:01:30"), Some(at(written))), SignedDuration::ZERO);
        }
    }

    #[test]
    fn a_clock_that_is_off_shows() {
        let ahead = skew(at("12:00:00"), at("12:00:01"), Some(at("12:10:01")));
        assert_eq!(ahead, SignedDuration::from_mins(10));
        let behind = skew(at("12:00:00"), at("12:00:01"), Some(at("11:50:00")));
        assert_eq!(behind, SignedDuration::from_secs(-601));
    }

    #[test]
    fn no_header_tells_nothing() {
        assert_eq!(skew(at("12:00:00"), at("12:00:01"), None), SignedDuration::ZERO);
    }
}
