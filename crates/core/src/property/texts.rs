//! Texts, from plain words to what no form should let through.

use std::ops::RangeInclusive;

use proptest::collection;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy, Union};

pub(super) type Texts = BoxedStrategy<String>;

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789ABCDEF";

/// Words and signs that people and programs really put into forms: every script, and what means something to somebody
/// further on.
const TRICKY: &[&str] = &[
    "Zoë O'Brien-Łęcki",
    "\"quoted\" & <b>bold</b>",
    "e\u{301}e\u{301}n", // combining marks
    "שלום עולם",
    "مرحبا\u{200f}",
    "日本語のなまえ",
    "👩‍👩‍👧 family 🇺🇸",
    "{{ record.orderId }}",
    "{% if x %}",
    "$.orderId",
    "$each",
    "${HOME}",
    "=1+1",
    "a/b?c=d&e#f%20",
    "../..",
    "  spaced  ",
    "back\\slash",
    "a,b;c",
    "0",
    "true",
    "NULL",
];

/// What hardly ever arrives, and may break what it goes through.
const BROKEN: &[&str] =
    &["line\r\nbreak", "nul\u{0}l", "\u{1b}[31mred", "tab\there", "\u{202e}reversed", "\u{feff}marked"];

fn drawn(from: &'static [u8], length: RangeInclusive<usize>) -> Texts {
    let letters = collection::vec(select(from), length);
    letters.prop_map(|letters| letters.into_iter().map(char::from).collect()).boxed()
}

/// A word or two, as names and streets are.
pub(super) fn plain() -> Texts {
    let word = || drawn(LOWER, 1..=9).prop_map(|word| word[..1].to_uppercase() + &word[1..]);
    Union::new([word().boxed(), (word(), word()).prop_map(|(a, b)| format!("{a} {b}")).boxed()]).boxed()
}

/// Text as it is usual: plain, or tricky.
pub(super) fn usual() -> Texts {
    Union::new_weighted(vec![(5, plain()), (2, select(TRICKY).prop_map(str::to_owned).boxed())]).boxed()
}

/// Control characters, and very long texts.
pub(super) fn odd() -> Texts {
    let long = (200_usize..4_000).prop_map(|length| "long ".repeat(length / 5));
    let signs = collection::vec(proptest::char::any(), 1..40).prop_map(String::from_iter);
    Union::new([select(BROKEN).prop_map(str::to_owned).boxed(), long.boxed(), signs.boxed()]).boxed()
}

pub(super) fn digits(length: RangeInclusive<usize>) -> Texts {
    drawn(DIGITS, length)
}

pub(super) fn hex(length: usize) -> Texts {
    drawn(HEX, length..=length)
}

fn one_of(words: &'static [&'static str]) -> Texts {
    select(words).prop_map(str::to_owned).boxed()
}

/// Text of a field whose name says what it holds; nothing where it does not.
pub(super) fn by_name(name: &str) -> Option<Texts> {
    let bare = name.strip_prefix("ship").map_or_else(|| name.to_owned(), lower_first);
    Some(match bare.as_str() {
        "emailAddress" => {
            let name = Union::new([drawn(LOWER, 1..=10), one_of(&["Ada.Example", "ada+shop", "o'brien"])]);
            (name, one_of(&["example.test", "Mail.Example.test"]))
                .prop_map(|(a, b)| format!("{a}@{b}"))
                .boxed()
        }
        "phoneNumber" => Union::new([digits(7..=11), one_of(&["+1 (555) 555-0100", "555-555-0100"])]).boxed(),
        "country" => one_of(&["US", "CA", "GB", "DE", "us"]),
        "state" => one_of(&["NY", "CA", "QC", "BC", "N/A"]),
        "postalCode" => one_of(&["10001", "02134", "K1A 0B1", "SW1A 1AA", "10001-1234"]),
        "currencyCode" => one_of(&["USD", "EUR", "JPY", "GBP"]),
        "currencySymbol" => one_of(&["$", "€", "¥"]),
        "ipAddress" => one_of(&["203.0.113.10", "2001:db8::1"]),
        "salesUrl" => one_of(&["https://shop.example.test/checkout?a=1&b=%20", "https://x.test/"]),
        "dob" => one_of(&["1980-02-29", "02/29/1980"]),
        "chargebackDate" => one_of(&["2026-09-16 00:00:00", "2026-09-16"]),
        "cardExpiryDate" => one_of(&["2030-12-31 23:59:59", "2030-12-31 00:00:00", "12/30"]),
        "cardBin" => digits(6..=6),
        "cardLast4" => digits(4..=4),
        // Those of other systems, and of gateways and carriers.
        "merchantTxnId" | "trackingNumber" | "rmaNumber" | "externalOrderId" | "externalProductId" => {
            Union::new([hex(8), digits(1..=12)]).boxed()
        }
        "sku" | "productSku" | "clientId" | "clientProductId" | "clientSourceId" | "voiceLogNumber" => {
            Union::new([one_of(&["KIT-1", "serum_30ml"]), hex(8), digits(1..=7)]).boxed()
        }
        "authCode" | "chargebackReasonCode" => Union::new([hex(6), digits(2..=6)]).boxed(),
        "orderId" | "clientOrderId" | "purchaseId" | "clientFulfillmentId" => hex(10),
        "clientTxnId" => hex(12),
        "avsResponse" | "cvvResponse" => one_of(&["Y", "N", "M"]),
        _ => return None,
    })
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
