//! Card numbers by their digits.

/// The fewest digits of a card number.
const FEWEST: usize = 13;
/// The most digits of a card number.
const MOST: usize = 19;

/// How the digits of a card are grouped when people write them.
const GROUPS: &[&[usize]] =
    &[&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 4, 4, 1], &[4, 6, 5], &[4, 6, 4], &[4, 4, 5], &[4, 3, 3, 3]];

/// Whether a text holds a card number: alone or among other words, whole or in groups.
pub(super) fn card_number(text: &str) -> bool {
    if text.len() < FEWEST {
        return false;
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = end_of_digits(bytes, at);
        if stands_alone(bytes, at, end) {
            if is_card(&bytes[at..end]) {
                return true;
            }
            if matches!(end - at, 4) && grouped(bytes, at) {
                return true;
            }
        }
        at = end;
    }
    false
}

fn end_of_digits(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |length| from + length)
}

/// Whether the digits are a number of their own: not part of a word or a decimal, and no international telephone
/// number.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).map(|at| bytes[at]);
    let digit_before_point = before == Some(b'.') && start >= 2 && bytes[start - 2].is_ascii_digit();
    let after = bytes.get(end).copied();
    let point_and_digit = after == Some(b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    let letter = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic() || byte >= 0x80);
    !letter(before) && before != Some(b'+') && !letter(after) && !digit_before_point && !point_and_digit
}

/// Whether groups of digits that begin here, with one blank or hyphen between them, are a card number.
fn grouped(bytes: &[u8], start: usize) -> bool {
    let mut digits = Vec::with_capacity(MOST);
    let mut lengths = Vec::with_capacity(6);
    let mut at = start;
    loop {
        let end = end_of_digits(bytes, at);
        if !stands_alone(bytes, at, end) || digits.len() + (end - at) > MOST {
            break;
        }
        digits.extend_from_slice(&bytes[at..end]);
        lengths.push(end - at);
        if GROUPS.contains(&lengths.as_slice()) && is_card(&digits) {
            return true;
        }
        let separated = matches!(bytes.get(end), Some(b' ' | b'-'));
        if !separated || !bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            break;
        }
        at = end + 1;
    }
    false
}

fn is_card(digits: &[u8]) -> bool {
    (FEWEST..=MOST).contains(&digits.len()) && is_issued(digits) && passes_luhn(digits)
}

/// The prefixes and lengths of issuers: the beginning of a number lies between two bounds of equal length.
const ISSUERS: &[(u32, u32, usize, usize)] = &[
    // Visa
    (4, 4, 13, 13),
    (4, 4, 16, 16),
    (4, 4, 19, 19),
    // Mastercard
    (51, 55, 16, 16),
    (2221, 2720, 16, 16),
    // American Express
    (34, 34, 15, 15),
    (37, 37, 15, 15),
    // Discover
    (6011, 6011, 16, 19),
    (644, 649, 16, 19),
    (65, 65, 16, 19),
    // Diners Club
    (300, 305, 14, 19),
    (3095, 3095, 14, 19),
    (36, 36, 14, 19),
    (38, 39, 14, 19),
    // JCB
    (3528, 3589, 16, 19),
    // UnionPay, and RuPay
    (62, 62, 16, 19),
    (81, 82, 16, 19),
    (60, 60, 16, 16),
    (508, 508, 16, 16),
    // Maestro
    (5018, 5018, 13, 19),
    (5020, 5020, 13, 19),
    (5038, 5038, 13, 19),
    (5893, 5893, 13, 19),
    (6304, 6304, 13, 19),
    (6759, 6763, 13, 19),
];

fn is_issued(digits: &[u8]) -> bool {
    let starts = |length: usize| {
        digits.iter().take(length).fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    ISSUERS.iter().any(|(first, last, fewest, most)| {
        let length = first.to_string().len();
        (*fewest..=*most).contains(&digits.len()) && (*first..=*last).contains(&starts(length))
    })
}

/// The sum of the digits, each second one from the right doubled, is a multiple of ten.
fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0');
            match value * 2 {
                _ if place % 2 == 0 => value,
                doubled if doubled > 9 => doubled - 9,
                doubled => doubled,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Digits completed so that they pass.
    pub(crate) fn completed(digits: &str) -> String {
        let end = (0..10).map(|last| format!("{digits}{last}")).find(|all| passes_luhn(all.as_bytes()));
        end.unwrap_or_default()
    }

    #[test]
    fn numbers_that_issuers_publish_for_tests_are_found() {
        for number in [
            "4111111111111111",
            "4222222222222",
            "4000000000000002",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "6011111111111117",
            "30569309025904",
            "3530111333300000",
            "6200000000000005",
            "6759649826438453",
        ] {
            assert!(card_number(number), "{number}");
        }
        for text in [
            "my card is 4111 1111 1111 1111, thanks",
            "4111-1111-1111-1111",
            "3782 822463 10005",
            "card:4111111111111111;exp 12/30",
            "2026-09-16 4111111111111111",
            "(4111111111111111)",
            "card_4111111111111111",
        ] {
            assert!(card_number(text), "{text}");
        }
    }

    #[test]
    fn other_digits_are_none() {
        for text in [
            "",
            "4111111111111112",
            "0000000000000000",
            "1789583131000",
            "+4915112345678",
            "41111111111111110000",
            "0.4111111111111111",
            "4111111111111111.50",
            "a4111111111111111",
            "4111111111111111b",
            "2026-09-16 14:25:31",
            "1111 1111 1111 1111",
            "4111 1111 1111",
            "D6C8C390A7",
        ] {
            assert!(!card_number(text), "{text}");
        }
    }
}
