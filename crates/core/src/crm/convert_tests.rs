//! Values as the CRM wants them, or why not.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

fn settings(currency: &str) -> Settings {
    Settings { zone: TimeZone::get("America/New_York").unwrap(), currency: currency.into() }
}

fn written(ty: ParamType, value: impl Into<Value>) -> Result<String, String> {
    let param = Param::new("x", ty, "x");
    write(&param, "x", &value.into(), &settings("USD"), false).map_err(|wrong| wrong.message)
}

fn text(ty: ParamType, value: &str) -> Result<String, String> {
    written(ty, Value::text(value))
}

fn number(ty: ParamType, value: &str) -> Result<String, String> {
    written(ty, Value::Number(Decimal::parse(value).unwrap()))
}

fn good(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

#[test]
fn flags_are_one_or_zero() {
    for (value, flag) in [
        (Value::Bool(true), "1"),
        (Value::Bool(false), "0"),
        (Value::from(1_i64), "1"),
        (Value::from(0_i64), "0"),
    ] {
        assert_eq!(written(ParamType::Flag, value), good(flag));
    }
    for (word, flag) in [("1", "1"), ("true", "1"), ("TRUE", "1"), (" 0 ", "0"), ("False", "0")] {
        assert_eq!(text(ParamType::Flag, word), good(flag));
    }
    for word in ["yes", "2", "on", "-1"] {
        assert_eq!(text(ParamType::Flag, word).unwrap_err(), "`x` is not true or false");
    }
    assert_eq!(text(ParamType::Flag, "").unwrap_err(), "`x` is empty");
    assert_eq!(
        written(ParamType::Flag, Value::list(vec![])).unwrap_err(),
        "`x` takes true or false, not a list"
    );
}

#[test]
fn amounts_are_plain_decimals() {
    for (amount, sent) in
        [("19.90", "19.90"), ("5", "5"), ("0.00", "0.00"), ("19.9000", "19.90"), ("1e2", "100")]
    {
        assert_eq!(number(ParamType::Money, amount), good(sent));
        assert_eq!(text(ParamType::Money, amount), good(sent));
    }
    assert_eq!(number(ParamType::Money, "19.905").unwrap_err(), "`x` has more than 2 digits after the point");
    assert!(number(ParamType::Money, "-1").unwrap_err().contains("not negative"));
    assert!(number(ParamType::Money, "1e9").unwrap_err().contains("below a billion"));
    for wrong in ["$19.90", "1,234.50", "19.90 USD", "free"] {
        assert_eq!(text(ParamType::Money, wrong).unwrap_err(), "`x` is not an amount");
    }
    let param = Param::new("x", ParamType::Money, "x");
    let in_currency =
        |currency, amount: &str| write(&param, "x", &Value::text(amount), &settings(currency), false);
    assert_eq!(in_currency("KWD", "1.234").unwrap(), "1.234");
    assert_eq!(in_currency("JPY", "500.00").unwrap(), "500");
    assert!(in_currency("JPY", "500.50").is_err());
}

#[test]
fn countries_are_two_capitals() {
    assert_eq!(text(ParamType::Country, "us"), good("US"));
    assert_eq!(text(ParamType::Country, " De "), good("DE"));
    for wrong in ["USA", "U", "12", "United States", "Ü"] {
        assert_eq!(text(ParamType::Country, wrong).unwrap_err(), "`x` is not a country");
    }
}

#[test]
fn words_are_spelt_as_the_vendor_does() {
    let ty = ParamType::Enum(&["SHIPPED", "cardBin"]);
    assert_eq!(text(ty, "shipped"), good("SHIPPED"));
    assert_eq!(text(ty, "CARDBIN"), good("cardBin"));
    assert_eq!(text(ty, "delivered").unwrap_err(), "`x` cannot have this value");
    assert_eq!(number(ty, "1").unwrap_err(), "`x` takes a word, not a number");
}

#[test]
fn ids_and_numbers() {
    assert_eq!(text(ParamType::Id, " D6C8C390A7 "), good("D6C8C390A7"));
    assert_eq!(number(ParamType::Id, "19241"), good("19241"));
    assert_eq!(number(ParamType::Id, "1.5").unwrap_err(), "`x` is not an id");
    assert_eq!(text(ParamType::Id, "a\nb").unwrap_err(), "`x` is not an id");
    assert_eq!(text(ParamType::Id, " ").unwrap_err(), "`x` is empty");
    assert_eq!(number(ParamType::Number, "12.0"), good("12"));
    assert_eq!(text(ParamType::Number, "12"), good("12"));
    for wrong in ["D6", "-1", "+1", "1.5"] {
        assert_eq!(text(ParamType::Number, wrong).unwrap_err(), "`x` is not a whole number");
    }
    assert_eq!(number(ParamType::Count, "2"), good("2"));
    assert_eq!(number(ParamType::Count, "0").unwrap_err(), "`x` is not a whole number from 1");
    assert_eq!(text(ParamType::Phone, "+1 555 0100"), good("+1 555 0100"));
    assert_eq!(number(ParamType::Phone, "5555550100"), good("5555550100"));
}

#[test]
fn mail_addresses() {
    assert_eq!(text(ParamType::Email, " ada@example.test "), good("ada@example.test"));
    for wrong in ["ada", "@example.test", "ada@", "a b@c", "a@b@c"] {
        assert_eq!(text(ParamType::Email, wrong).unwrap_err(), "`x` is not an e-mail address");
    }
}

#[test]
fn texts_keep_what_they_are() {
    assert_eq!(text(ParamType::Text, " a "), good(" a "));
    assert_eq!(text(ParamType::Text, ""), good(""));
    assert_eq!(number(ParamType::Text, "19.90"), good("19.90"));
    assert_eq!(written(ParamType::Text, Value::Bool(true)), good("true"));
    assert_eq!(written(ParamType::Text, Value::object(vec![])).unwrap_err(), "`x` takes text, not an object");
}

#[test]
fn objects_become_json() {
    let items = Value::object(vec![("15271".into(), Value::from(2_i64))]);
    assert_eq!(written(ParamType::Json, items), good(r#"{"15271":2}"#));
    assert_eq!(text(ParamType::Json, r#" {"1": 2} "#), good(r#"{"1":2}"#));
    assert_eq!(text(ParamType::Json, "[1]").unwrap_err(), "`x` takes an object, not text");
}

#[test]
fn a_text_that_is_too_long_is_refused_not_cut() {
    let param = Param::new("x", ParamType::Text, "x").max(3);
    let of = |text: &str| write(&param, "x", &Value::text(text), &Settings::default(), false);
    assert_eq!(of("äöü").unwrap(), "äöü");
    let wrong = of("äöüß").unwrap_err();
    assert_eq!(
        (wrong.kind, wrong.message.as_str()),
        (WrongKind::TooLong, "`x` has 4 characters, and the CRM takes 3")
    );
    assert_eq!(wrong.help.as_deref(), Some("cut it yourself where that is right: `| truncate_chars(3)`"));
}

#[test]
fn the_text_null_is_refused_where_it_would_empty_a_field() {
    let param = Param::new("lastName", ParamType::Text, "x");
    let of = |text: &str, clears| write(&param, "lastName", &Value::text(text), &Settings::default(), clears);
    assert_eq!(of("NULL", true).unwrap_err().kind, WrongKind::Null);
    assert_eq!(of("NULL", false).unwrap(), "NULL");
    assert_eq!(of("Null", true).unwrap(), "Null");
}

#[test]
fn card_numbers_are_refused_where_no_id_is_meant() {
    let card = "4111 1111 1111 1111";
    let wrong = |ty, name: &'static str| {
        write(&Param::new(name, ty, "x"), name, &Value::text(card), &Settings::default(), false)
    };
    let found = wrong(ParamType::Text, "custom1").unwrap_err();
    assert_eq!(found.message, "`custom1` holds a card number, which does not pass through zaprun");
    assert_eq!((found.kind, found.value), (WrongKind::Card, None));
    assert!(wrong(ParamType::Id, "trackingNumber").is_ok());
    assert!(wrong(ParamType::Phone, "phoneNumber").is_ok());
    assert!(wrong(ParamType::Text, "custom_order_id").is_ok());
    assert!(wrong(ParamType::Text, "custom_note").is_err());
    let cvv = Param::new("custom_*", ParamType::Text, "x");
    let refused = write(&cvv, "custom_cvv", &Value::text("123"), &Settings::default(), false);
    assert_eq!(
        refused.unwrap_err().message,
        "`custom_cvv` holds a card's security code, which does not pass through zaprun"
    );
}

fn any_type() -> impl Strategy<Value = ParamType> {
    prop::sample::select(vec![
        ParamType::Id,
        ParamType::Number,
        ParamType::Text,
        ParamType::Email,
        ParamType::Phone,
        ParamType::Country,
        ParamType::Enum(&["SHIPPED", "RETURNED"]),
        ParamType::Date,
        ParamType::Flag,
        ParamType::Money,
        ParamType::Count,
        ParamType::Json,
    ])
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Bool(true)),
        any::<i64>().prop_map(Value::from),
        "-?[0-9]{1,12}(\\.[0-9]{1,4})?".prop_map(|digits| Value::Number(Decimal::parse(&digits).unwrap())),
        any::<String>().prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?".prop_map(Value::from),
        "(0|1|true|us|DE|shipped|a@b|\\{\"a\":1\\}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})".prop_map(Value::from),
        Just(Value::list(vec![Value::from(1_i64)])),
        Just(Value::object(vec![("a".into(), Value::from(1_i64))])),
    ]
}

proptest! {
    /// Any value of any type is written or refused, what was written is written as it is the second time, and no
    /// refusal repeats the value in its words.
    #[test]
    fn conversion_is_total_and_settles(ty in any_type(), value in any_value(), max in prop::option::of(0_usize..40)) {
        let mut param = Param::new("x", ty, "x");
        param.max = max;
        match write(&param, "x", &value, &settings("USD"), true) {
            Ok(sent) => {
                prop_assert!(max.is_none_or(|max| sent.chars().count() <= max));
                prop_assert_eq!(write(&param, "x", &Value::text(sent.as_str()), &settings("USD"), true), Ok(sent));
            }
            Err(wrong) => prop_assert!(wrong.message.starts_with("`x` "), "{}", wrong.message),
        }
    }

    /// No amount changes its value.
    #[test]
    fn amounts_keep_their_value(units in 0_u32..1_000_000, cents in 0_u8..100, zeros in 0_usize..3) {
        let amount = format!("{units}.{cents:02}{}", "0".repeat(zeros));
        let sent = number(ParamType::Money, &amount).unwrap();
        prop_assert_eq!(Decimal::parse(&sent).unwrap(), Decimal::parse(&amount).unwrap());
        prop_assert!(sent.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    }

    /// What is said not to fit by its kind never fits.
    #[test]
    fn kinds_are_refused_before_there_is_a_value(ty in any_type(), value in any_value()) {
        if !takes(ty, value.kind()) {
            prop_assert!(written(ty, value).is_err());
        }
    }
}
