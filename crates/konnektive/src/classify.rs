//! What the vendor's texts mean.
//!
//! The API has no error codes, so a text is all there is to go by (contract §1.4). One table holds them all.

use std::net::IpAddr;

/// What a text of the vendor means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextClass {
    /// Nothing matches the query: an empty result, not an error.
    Empty,
    /// Login or password is wrong.
    Credentials,
    /// The caller's address is not on the API user's whitelist.
    Whitelist,
    /// The API user may not use the endpoint.
    Permission,
    /// The bank said no: the sale did not happen.
    Declined,
    /// Nothing that is known.
    Unknown,
}

enum Pattern {
    Ends(&'static str),
    Starts(&'static str),
    Contains(&'static str),
}

use Pattern::{Contains, Ends, Starts};

/// The first line that fits decides. Patterns are lower case.
const TEXTS: &[(Pattern, TextClass)] = &[
    // contract §1.4: `No orders matching those parameters could be found`, likewise purchases, customers, transactions.
    (Ends("matching those parameters could be found"), TextClass::Empty),
    // contract §1.4: `Transaction Declined: ` and the gateway's own words, which may say anything; so before the rest.
    (Starts("transaction declined"), TextClass::Declined),
    // contract §1.4: `IP must be whitelisted - 198.51.100.7`.
    (Contains("whitelisted"), TextClass::Whitelist),
    // contract §1.4: `Could not authenticate credentials`, perhaps among other words.
    (Contains("authenticate"), TextClass::Credentials),
    // contract §1.4 and §9: the text of a missing permission is not known. These words would hardly mean anything else;
    // the bare word "access" would.
    (Contains("permission"), TextClass::Permission),
    (Contains("not authorized"), TextClass::Permission),
    (Contains("not authorised"), TextClass::Permission),
    (Contains("unauthorized"), TextClass::Permission),
    (Contains("access denied"), TextClass::Permission),
    (Contains("access is denied"), TextClass::Permission),
    (Contains("not have access"), TextClass::Permission),
    (Contains("no access to"), TextClass::Permission),
];

/// Finds the class of a text.
pub fn classify(text: &str) -> TextClass {
    let text = text.trim().trim_end_matches('.').to_lowercase();
    TEXTS
        .iter()
        .find(|(pattern, _)| match pattern {
            Ends(end) => text.ends_with(end),
            Starts(start) => text.starts_with(start),
            Contains(part) => text.contains(part),
        })
        .map_or(TextClass::Unknown, |(_, class)| *class)
}

/// The address that the CRM saw, out of the text with which it refuses one (contract §1.4).
pub fn rejected_address(text: &str) -> Option<String> {
    let around: &[char] = &['(', ')', '[', ']', '<', '>', '"', '\'', '`', ',', ';', '.'];
    text.split_whitespace()
        .flat_map(|word| [word, word.trim_matches(around), word.trim_matches(around).trim_end_matches(':')])
        .find_map(|word| word.parse::<IpAddr>().ok())
        .map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_known_texts() {
        for (text, class) in [
            ("No orders matching those parameters could be found", TextClass::Empty),
            ("No transactions matching those parameters could be found.", TextClass::Empty),
            (" no CUSTOMERS matching those parameters could be found\n", TextClass::Empty),
            ("Could not authenticate credentials", TextClass::Credentials),
            ("Error: could not authenticate credentials for this user", TextClass::Credentials),
            ("IP must be whitelisted - 198.51.100.7", TextClass::Whitelist),
            ("Transaction Declined: Card Declined", TextClass::Declined),
            ("Transaction Declined: could not authenticate cardholder", TextClass::Declined),
            ("User does not have permission to use this endpoint", TextClass::Permission),
            ("Not authorized", TextClass::Permission),
            ("You do not have access to order/query", TextClass::Permission),
            ("No products exist in the order", TextClass::Unknown),
            ("Customer not found", TextClass::Unknown),
            ("accessory out of stock", TextClass::Unknown),
            ("matching those parameters could be found, but not shown", TextClass::Unknown),
            ("", TextClass::Unknown),
        ] {
            assert_eq!(classify(text), class, "{text}");
        }
    }

    #[test]
    fn the_rejected_address_is_found() {
        for (text, address) in [
            ("IP must be whitelisted - 198.51.100.7", Some("198.51.100.7")),
            ("IP (198.51.100.7) must be whitelisted.", Some("198.51.100.7")),
            ("198.51.100.7: IP must be whitelisted", Some("198.51.100.7")),
            ("IP must be whitelisted - 2001:DB8::1", Some("2001:db8::1")),
            ("IP must be whitelisted - ::1.", Some("::1")),
            ("IP must be whitelisted", None),
            ("IP must be whitelisted - 300.1.1.1", None),
        ] {
            assert_eq!(rejected_address(text).as_deref(), address, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            classify(&text);
            rejected_address(&text);
        }
    }
}
