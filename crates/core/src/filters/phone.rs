//! Phone numbers, by the rules of each country that libphonenumber gathers.
//!
//! The rules come with the crate `phonenumber`. A table of our own of the countries that merchants ship to would be
//! smaller, and wrong whenever a country changes its numbers.

use phonenumber::{Mode, country};

use super::args::param;
use super::{Call, Fallback, FilterSpec, Output, ParamType, example};
use crate::diagnostic::did_you_mean;
use crate::expression::problem::Fault;
use crate::value::{Kind, Value};

/// No phone number is written longer than this, extension and all.
const MOST_CHARS: usize = 250;

pub(super) static FILTERS: &[FilterSpec] = &[FilterSpec {
    input: &[Kind::Text],
    output: Output::Any,
    params: &[
        param(
            "format",
            ParamType::Choice(&["e164", "digits", "international", "national"]),
            Fallback::Text("e164"),
            "how it is written: `e164` is +12015550123, `digits` the same without its `+`",
        ),
        param(
            "region",
            ParamType::Region,
            Fallback::Nothing,
            "the country of a number without `+`, by its two letters; without it such a number is an error",
        ),
    ],
    examples: &[
        example("'(201) 555-0123' | phone(region='US')", "{}", r#""+12015550123""#),
        example("'+44 20 7946 0018' | phone", "{}", r#""+442079460018""#),
        example("'020 7946 0018' | phone('digits', 'GB')", "{}", r#""442079460018""#),
        example("'2015550123' | phone('national', 'US')", "{}", r#""(201) 555-0123""#),
        example("'2015550123' | phone('international', 'US')", "{}", r#""+1 201-555-0123""#),
        example("record.phone | phone('e164', 'US') | default('')", r#"{"record":{"phone":"n/a"}}"#, r#""""#),
        example("'2015550123' | phone", "{}", "error: names no country"),
        example("'2015550123' | phone(region='UK')", "{}", "error: there is no such country"),
    ],
    ..FilterSpec::new(
        "phone",
        "Writes a phone number in one form, or gives nothing for what is none in its country.",
        phone,
    )
}];

/// A country by its two letters (ISO 3166).
pub(super) fn region(text: &str) -> Result<country::Id, Fault> {
    text.parse().map_err(|_| {
        let fault = Fault::new("there is no such country").value(text);
        match text {
            "UK" => fault.help("write `GB`"),
            _ => {
                let upper = text.to_uppercase();
                let known = upper.parse::<country::Id>().is_ok();
                let likely =
                    known.then_some(upper.as_str()).or_else(|| did_you_mean(&upper, ["US", "CA", "GB"]));
                fault.help(match likely {
                    Some(likely) => format!("write `{likely}`"),
                    None => "write the two letters of ISO 3166: `US`".to_owned(),
                })
            }
        }
    })
}

fn phone(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let text = value.as_text().unwrap_or_default().trim();
    let region = call.given_text(1).map(region).transpose()?;
    if text.chars().count() > MOST_CHARS || !text.chars().any(|character| character.is_ascii_digit()) {
        return Ok(Value::Null);
    }
    if region.is_none() && !text.starts_with('+') {
        let fault = Fault::new("the number names no country").value(text);
        return Err(fault.help("say which it is of: phone(region='US')"));
    }
    let Ok(number) = phonenumber::parse(region, text) else { return Ok(Value::Null) };
    if !number.is_valid() {
        return Ok(Value::Null);
    }
    let (mode, digits) = match call.text(0) {
        "international" => (Mode::International, false),
        "national" => (Mode::National, false),
        other => (Mode::E164, other == "digits"),
    };
    let written = number.format().mode(mode).to_string();
    Ok(Value::from(if digits { written.trim_start_matches('+').to_owned() } else { written }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::expression::testing::json;

    fn quoted(text: &str) -> String {
        serde_json::json!({ "r": { "phone": text } }).to_string()
    }

    proptest! {
        /// Whatever stands in the field: a number of E.164, or nothing.
        #[test]
        fn anything_gives_a_number_or_nothing(text in "(\\PC{0,40}|[-+ ().x0-9]{0,20})") {
            let given = json("r.phone | phone('e164', 'US') | default('none')", &quoted(&text));
            let digits = given.trim_matches('"').strip_prefix('+').unwrap_or("no");
            let number = (6..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            prop_assert!(given == "\"none\"" || number, "{given}");
        }

        /// A number that was normalised stays as it is, in any country.
        #[test]
        fn normalising_is_idempotent(national in "20[1-9]5550[0-9]{3}") {
            let once = json("r.phone | phone('e164', 'US') | default('none')", &quoted(&national));
            let twice = json("r.phone | phone('e164', 'DE')", &quoted(once.trim_matches('"')));
            prop_assert!(once == "\"none\"" || once == twice, "{once} {twice}");
        }
    }

    #[test]
    fn a_text_of_any_length_is_dealt_with() {
        let long = format!("+1{}", "2".repeat(100_000));
        assert_eq!(json("r.phone | phone | default('none')", &quoted(&long)), r#""none""#);
    }
}
