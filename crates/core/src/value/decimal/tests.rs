#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn d(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

#[test]
fn numbers_keep_their_written_digits() {
    for text in [
        "0",
        "19.90",
        "-0.05",
        "9007199254740993",
        "12345678901234567890123",
        "0.000000000000000000000000001",
    ] {
        assert_eq!(d(text).to_string(), text);
    }
    let wide = "7".repeat(60);
    assert_eq!(d(&wide).to_string(), wide);
    let fine = format!("-0.{}", "12".repeat(30));
    assert_eq!(d(&fine).to_string(), fine);
    assert_eq!(d("1e5").to_string(), "100000");
    assert_eq!(d("1.50e1").to_string(), "15.0");
    assert_eq!(d("15e-3").to_string(), "0.015");
    assert_eq!(d("-0").to_string(), "0");
    assert_eq!(d("1.").to_string(), "1");
    assert_eq!(d("+.5").to_string(), "0.5");
}

#[test]
fn what_is_no_number_is_refused() {
    for text in
        ["", "-", ".", "e5", "1e", "1e+", "1.2.3", "12a", " 1", "1 ", "NaN", "inf", "0x10", "1_000", "١"]
    {
        assert_eq!(Decimal::parse(text), Err(DecimalError::Syntax), "{text:?}");
    }
    assert_eq!(Decimal::parse("1e9999999999999999999"), Err(DecimalError::Exponent));
}

#[test]
fn hostile_exponents_cost_nothing() {
    let huge = d("1e1000000");
    assert_eq!(huge.to_string(), "1e1000000");
    assert_eq!(huge.checked_add(&d("1")), Err(DecimalError::TooWide));
    assert_eq!(huge.round(-2, Rounding::Floor), Err(DecimalError::TooWide));
    assert!(huge > d("9"));
    assert!(huge.negated() < d("-9"));
    assert!(d("1e-1000000") > Decimal::ZERO);
    assert_eq!(huge, d("10e999999"));
    assert!(d("0e1000000").is_zero());
    assert!(d("0e-1000000").is_zero());
    assert!(huge.is_whole());
    assert!(!d("1e-1000000").is_whole());
}

#[test]
fn arithmetic_is_exact() {
    assert_eq!(d("0.1").checked_add(&d("0.2")), Ok(d("0.3")));
    assert_eq!(d("19.99").checked_mul(&d("3")).unwrap().to_string(), "59.97");
    assert_eq!(d("1.10").checked_sub(&d("0.10")).unwrap().to_string(), "1.00");
    let most = d(&"9".repeat(28));
    assert_eq!(most.checked_add(&d("1")), Err(DecimalError::TooManyDigits));
    assert_eq!(most.checked_add(&d("0")).as_ref(), Ok(&most));
    let wide = d(&"9".repeat(45));
    assert_eq!(wide.checked_sub(&wide), Ok(Decimal::ZERO));
    assert_eq!(d("1.00000000000000").checked_mul(&d("1.000000000000000")), Ok(d("1")));
    assert_eq!(d("2").checked_pow(&d("10")), Ok(d("1024")));
    assert_eq!(d("2").checked_pow(&d("65")), Err(DecimalError::BadPower));
    assert_eq!(d("2").checked_pow(&d("-1")), Err(DecimalError::BadPower));
    assert_eq!(d("2").checked_pow(&d("0.5")), Err(DecimalError::BadPower));
    assert_eq!(d("0.1").checked_pow(&d("64")).unwrap(), d("1e-64"));
    assert_eq!(d("5").checked_pow(&d("2.0")), Ok(d("25")));
}

#[test]
fn division_rounds_half_even_to_28_digits() {
    let show = |a: &str, b: &str| d(a).checked_div(&d(b)).unwrap().to_string();
    assert_eq!(show("10", "4"), "2.5");
    assert_eq!(show("10", "2"), "5");
    assert_eq!(show("100", "1"), "100");
    assert_eq!(show("1", "3"), format!("0.{}", "3".repeat(28)));
    assert_eq!(show("2", "3"), format!("0.{}7", "6".repeat(27)));
    assert_eq!(show("-2", "3"), format!("-0.{}7", "6".repeat(27)));
    assert_eq!(show("1", "3000"), format!("0.000{}", "3".repeat(28)));
    assert_eq!(show("19.90", "1"), "19.9");
    assert_eq!(show("0", "7"), "0");
    // 28 digits and a half: to the even neighbour.
    assert_eq!(show("2000000000000000000000000001", "2"), "1000000000000000000000000000");
    assert_eq!(show("2000000000000000000000000003", "2"), "1000000000000000000000000002");
    assert_eq!(d("1").checked_div(&d("0.00")), Err(DecimalError::DivisionByZero));
    assert_eq!(d("1e30").checked_div(&d("1")), Err(DecimalError::TooManyDigits));
}

#[test]
fn floor_division_and_remainder_floor() {
    let floor = |a: &str, b: &str| d(a).checked_floor_div(&d(b)).unwrap().to_string();
    let rem = |a: &str, b: &str| d(a).checked_rem(&d(b)).unwrap().to_string();
    assert_eq!(floor("-7", "2"), "-4");
    assert_eq!(rem("-7", "2"), "1");
    assert_eq!(floor("7", "-2"), "-4");
    assert_eq!(rem("7", "-2"), "-1");
    assert_eq!(floor("7.5", "2"), "3");
    assert_eq!(rem("7.5", "2"), "1.5");
    assert_eq!(floor("6", "2"), "3");
}

#[test]
fn rounding_goes_half_away_from_zero() {
    let round = |text: &str, places| d(text).round(places, Rounding::HalfAwayFromZero).unwrap().to_string();
    assert_eq!(round("2.5", 0), "3");
    assert_eq!(round("-2.5", 0), "-3");
    assert_eq!(round("-2.4", 0), "-2");
    assert_eq!(round("1.005", 2), "1.01");
    assert_eq!(round("19.9", 2), "19.9");
    assert_eq!(round("1250", -2), "1300");
    assert_eq!(d("-2.5").round(0, Rounding::Ceil).unwrap().to_string(), "-2");
    assert_eq!(d("-2.1").round(0, Rounding::Floor).unwrap().to_string(), "-3");
    assert_eq!(d("19.9").with_scale(2).unwrap().to_string(), "19.90");
    assert_eq!(d("5").round(-40, Rounding::HalfAwayFromZero).unwrap(), Decimal::ZERO);
}

#[test]
fn comparison_goes_by_value() {
    assert_eq!(d("1.0"), d("1"));
    assert!(d("9007199254740993") > d("9007199254740992"));
    assert!(d("-1") < d("0.5"));
    let hash = |number: &Decimal| {
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        number.hash(&mut hasher);
        std::hash::Hasher::finish(&hasher)
    };
    assert_eq!(hash(&d("1.00")), hash(&d("1")));
    assert_eq!(hash(&d("100")), hash(&d("1e2")));
    assert_eq!(d(&format!("1{}", "0".repeat(50))), d("1e50"));
}
