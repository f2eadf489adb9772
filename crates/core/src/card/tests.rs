//! What counts as card data, and what does not.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use proptest::prelude::*;

use super::digits::tests::completed;
use super::*;
use crate::record::{ORDER, TRANSACTION};

const CARD: &str = "4111111111111111";

fn found(json: &str) -> Option<(String, CardData)> {
    in_value(&Value::from_json(json).unwrap()).map(|found| (found.field, found.what))
}

#[test]
fn fields_named_as_card_data_are_found_where_they_hold_some() {
    for (name, text) in [
        ("cardNumber", "0000000000000000"),
        ("card_number", "4111 1111 1111 1111"),
        ("ccNumber", "411111111112"),
        ("custom_card_number", "1234567890123"),
    ] {
        assert_eq!(in_field(name, text), Some(CardData::Number), "{name}");
    }
    for (name, text) in [("cvv", "123"), ("CVV2", "1234"), ("cardSecurityCode", "000"), ("card_cvc", " 123 ")]
    {
        assert_eq!(in_field(name, text), Some(CardData::SecurityCode), "{name}");
    }
    for (name, text) in [
        ("cardNumber", ""),
        ("cardNumber", "************1111"),
        ("cardNumber", "VISA 1111"),
        ("cardLast4", "1111"),
        ("cvv", ""),
        ("cvv", "***"),
        ("cvvResponse", "123"),
        ("creditCard", "VISA"),
        ("securityCode", "123456"),
        ("scan", "1234567890123"),
    ] {
        assert_eq!(in_field(name, text), None, "{name}");
    }
}

#[test]
fn names_tell_what_other_digits_are() {
    for name in [
        "id",
        "leadgen_id",
        "orderId",
        "phone",
        "phoneNumber",
        "mobile_number",
        "trackingNumber",
        "ean",
        "price",
    ] {
        assert_eq!(in_field(name, CARD), None, "{name}");
    }
    for name in ["note", "message", "custom1", "identity", "paid", "hidden", "lastName"] {
        assert_eq!(in_field(name, CARD), Some(CardData::Number), "{name}");
    }
}

#[test]
fn a_value_is_searched_through_and_the_place_named() {
    let number = CardData::Number;
    assert_eq!(found(&format!(r#"{{"a":[{{"note":"x {CARD}"}}]}}"#)), Some(("a[0].note".to_owned(), number)));
    assert_eq!(found(&format!(r#"{{"n":{CARD}}}"#)), Some(("n".to_owned(), number)));
    assert_eq!(found(r#"{"card":{"cvv":123}}"#), Some(("card.cvv".to_owned(), CardData::SecurityCode)));
    assert_eq!(found(&format!(r#"["{CARD}"]"#)), Some(("[0]".to_owned(), number)));
    assert_eq!(found(&format!(r#"{{"orderId":"{CARD}","ids":["1"]}}"#)), None);
    assert_eq!(found("{}"), None);
}

#[test]
fn a_schema_tells_ids_and_amounts_from_text() {
    let row = |json: &str| redact(json.as_bytes(), Some(&ORDER)).map(|redacted| redacted.fields.join(" "));
    assert_eq!(
        row(&format!(r#"{{"orderId":"{CARD}","totalAmount":"{CARD}","phoneNumber":"{CARD}"}}"#)),
        None
    );
    assert_eq!(row(&format!(r#"{{"items":{{"1":{{"productId":"{CARD}"}}}}}}"#)), None);
    assert_eq!(row(&format!(r#"{{"custom1":"{CARD}"}}"#)).as_deref(), Some("custom1"));
    assert_eq!(row(&format!(r#"{{"items":[{{"name":"{CARD}"}}]}}"#)).as_deref(), Some("name"));
    assert_eq!(row(&format!(r#"{{"unknown":"{CARD}"}}"#)).as_deref(), Some("unknown"));
}

#[test]
fn only_the_values_of_a_row_are_replaced() {
    let row = format!(
        r#"{{ "orderId":"{CARD}", "custom1" : "paid by {CARD}" ,"totalAmount":19.90,"items":{{"1":{{"name":"{CARD}","qty":1}}}},"cvv":123}}"#
    );
    let redacted = redact(row.as_bytes(), Some(&ORDER)).unwrap();
    assert_eq!(
        String::from_utf8(redacted.row).unwrap(),
        format!(
            r#"{{ "orderId":"{CARD}", "custom1" : "[card data removed]" ,"totalAmount":19.90,"items":{{"1":{{"name":"[card data removed]","qty":1}}}},"cvv":"[card data removed]"}}"#
        )
    );
    assert_eq!(redacted.fields, ["custom1", "name", "cvv"]);
    assert_eq!(redact(br#"{"custom1":"x"}"#, Some(&ORDER)), None);
    assert_eq!(redact(b"{", Some(&ORDER)), None);
    let transaction = format!(r#"{{"transactionId":{CARD},"chargebackNote":"{CARD}"}}"#);
    assert_eq!(redact(transaction.as_bytes(), Some(&TRANSACTION)).unwrap().fields, ["chargebackNote"]);
}

#[test]
fn values_without_names_are_cleaned_too() {
    let cleaned = |json: &str| {
        let Redacted { row, fields } = redact(json.as_bytes(), None)?;
        Some((String::from_utf8(row).unwrap(), fields.join(" ")))
    };
    let removed = |json: &str, field: &str| Some((json.to_owned(), field.to_owned()));
    assert_eq!(cleaned(&format!("\"{CARD}\"")), removed(r#""[card data removed]""#, "the value"));
    assert_eq!(cleaned(&format!("[1,{CARD}]")), removed(r#"[1,"[card data removed]"]"#, "the value"));
    assert_eq!(cleaned(r#"{"cvv":"123"}"#), removed(r#"{"cvv":"[card data removed]"}"#, "cvv"));
    assert_eq!(cleaned("[1,2]"), None);
    assert_eq!(field(&Value::text(CARD)).as_deref(), Some("the value"));
}

/// Most rows are not searched at all: what tells them apart overlooks nothing.
#[test]
fn every_way_to_write_card_data_is_seen() {
    let fields = |json: &str| redact(json.as_bytes(), None).map(|redacted| redacted.fields.join(" "));
    for name in CODES {
        let name = name.to_uppercase();
        assert_eq!(fields(&format!(r#"{{"{name}":"123"}}"#)).as_deref(), Some(&*name));
    }
    for number in [
        "4111-1111 1111 1111",
        r"4111\u00311111111111\u0031",
        r"4111\u002d1111\u00201111\u002d1111",
        r"\u0034\u0031\u0031\u0031\u0031\u0031\u0031\u0031\u0031\u0031\u0031\u0031\u0031\u0031\u0031\u0031",
    ] {
        assert_eq!(fields(&format!(r#"{{"note":"{number}"}}"#)).as_deref(), Some("note"), "{number}");
    }
    assert_eq!(fields(r#"{"\u0063\u0076\u0076":"123"}"#).as_deref(), Some("cvv"));
    assert_eq!(fields(r#"{"dateCreated":"2026-09-16 14:25:00"}"#), None);
}

proptest! {
    /// Whatever is around it, a number that an issuer could have given is found, and changing one digit hides it.
    #[test]
    fn valid_numbers_are_found_and_broken_ones_are_not(
        body in "4[0-9]{14}", before in "[a-z ,:;]{0,10}[ ,:;(]", after in "[ ,;)][a-z ]{0,10}",
        place in 0_usize..16, other in 1_u8..10,
    ) {
        let number = completed(&body);
        let text = format!("{before}{number}{after}");
        prop_assert_eq!(in_text(&text), Some(CardData::Number));
        let mut broken = number.into_bytes();
        broken[place] = b'0' + (broken[place] - b'0' + other) % 10;
        let broken = String::from_utf8(broken).unwrap();
        prop_assert_eq!(in_text(&format!("{before}{broken}{after}")), None);
    }

    /// What was redacted holds none any more, is still JSON, and redacting it again changes nothing.
    #[test]
    fn redacting_is_thorough(texts in proptest::collection::vec(("[a-zA-Z_]{1,12}", "[a-z 0-9-]{0,24}", any::<bool>()), 0..6)) {
        let members: Vec<String> = texts
            .iter()
            .map(|(name, text, card)| format!("{:?}:{:?}", name, if *card { format!("{text} {CARD}") } else { text.clone() }))
            .collect();
        let row = format!("{{{}}}", members.join(","));
        let after = redact(row.as_bytes(), None).map_or(row.clone().into_bytes(), |redacted| redacted.row);
        let holds = texts.iter().any(|(name, text, card)| *card || in_field(name, text).is_some());
        prop_assert!(holds || after == row.as_bytes());
        let text = String::from_utf8(after.clone()).unwrap();
        prop_assert_eq!(in_value(&Value::from_json(&text).unwrap()), None);
        prop_assert_eq!(redact(&after, None), None);
    }

    #[test]
    fn the_search_is_total(text in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _found = in_text(&text);
        let _redacted = redact(&bytes, Some(&ORDER));
    }
}
