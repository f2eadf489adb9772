//! Filters for amounts of money.

use super::args::param;
use super::number::number;
use super::{Call, Fallback, FilterSpec, Output, ParamType, example};
use crate::expression::problem::Fault;
use crate::value::{Decimal, Kind, Value};

const NUMBER: &[Kind] = &[Kind::Number];

pub(super) static FILTERS: &[FilterSpec] = &[
    FilterSpec {
        input: NUMBER,
        output: Output::Is(Kind::Text),
        params: &[
            param("currency", ParamType::Currency, Fallback::Nothing, "its code; the account's if not given"),
            param(
                "code",
                ParamType::Bool,
                Fallback::Bool(false),
                "whether to write `19.90 USD` instead of a sign",
            ),
        ],
        examples: &[
            example("19.9 | money('USD')", "{}", r#""$19.90""#),
            example("19.9 | money('USD', code=true)", "{}", r#""19.90 USD""#),
            example("-1234.5 | money('USD')", "{}", r#""-$1,234.50""#),
            example("1234.5 | money('USD', code=true)", "{}", r#""1234.50 USD""#),
            example("500 | money('JPY')", "{}", r#""¥500""#),
            example("5 | money('SEK')", "{}", r#""5.00 SEK""#),
            example("5 | money('XYZ')", "{}", "error: no such currency"),
            example("'5' | money", "{}", "error: `money` takes a number"),
        ],
        ..FilterSpec::new("money", "Writes an amount for people.", money)
    },
    FilterSpec {
        input: NUMBER,
        output: Output::Is(Kind::Number),
        params: &[param(
            "currency",
            ParamType::Currency,
            Fallback::Nothing,
            "its code; the account's if not given",
        )],
        examples: &[
            example("19.9 | round_money", "{}", "19.90"),
            example("2.345 | round_money('USD')", "{}", "2.35"),
            example("-2.345 | round_money", "{}", "-2.35"),
            example("2.5 | round_money('JPY')", "{}", "3"),
        ],
        ..FilterSpec::new(
            "round_money",
            "Rounds an amount to the currency's digits, a half away from zero.",
            |call, value| Ok(Value::Number(number(value).with_scale(digits(call.currency(0))?)?)),
        )
    },
    FilterSpec {
        input: NUMBER,
        output: Output::Is(Kind::Number),
        params: &[param(
            "currency",
            ParamType::Currency,
            Fallback::Nothing,
            "its code; the account's if not given",
        )],
        examples: &[
            example("19.9 | to_minor('USD')", "{}", "1990"),
            example("500 | to_minor('JPY')", "{}", "500"),
            example("19.999 | to_minor('USD')", "{}", "error: more digits than"),
        ],
        ..FilterSpec::new(
            "to_minor",
            "Gives an amount in the currency's smallest unit, such as cents.",
            to_minor,
        )
    },
];

fn money(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let currency = call.currency(0);
    let amount = number(value).with_scale(digits(currency)?)?;
    let sign = if call.flag(1) { None } else { symbol(currency) };
    Ok(Value::from(match sign {
        None => format!("{amount} {currency}"),
        Some(sign) => {
            let minus = if amount.is_negative() { "-" } else { "" };
            format!("{minus}{sign}{}", grouped(&amount.abs().to_string()))
        }
    }))
}

/// `1234567.50` as `1,234,567.50`.
fn grouped(amount: &str) -> String {
    let (whole, fraction) =
        amount.split_once('.').map_or((amount, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::with_capacity(amount.len() + amount.len() / 3);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

fn to_minor(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let currency = call.currency(0);
    let unit = Decimal::from(10_i64).checked_pow(&Decimal::from(i64::from(digits(currency)?)))?;
    let minor = number(value).checked_mul(&unit)?;
    if !minor.is_whole() {
        let fault = Fault::new(format!("the amount has more digits than {currency} has"));
        return Err(fault.help("round it first: `| round_money`"));
    }
    Ok(Value::Number(minor.with_scale(0)?))
}

pub(super) fn check_currency(code: &str) -> Result<(), Fault> {
    digits(code).map(|_| ())
}

/// Digits after the point of a currency; two where it is not known.
pub(crate) fn currency_digits(code: &str) -> u32 {
    digits(code).unwrap_or(2)
}

/// Whether there is a currency of that code.
pub(crate) fn is_currency(code: &str) -> bool {
    digits(code).is_ok()
}

/// Digits after the point of a currency.
fn digits(code: &str) -> Result<u32, Fault> {
    const NONE: &[&str] = &[
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
        "XAF", "XOF", "XPF",
    ];
    const THREE: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
    const TWO: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD \
        CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD \
        HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP \
        MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR \
        SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES \
        WST XCD YER ZAR ZMW ZWG";
    if code.len() == 3 && TWO.split_whitespace().any(|known| known == code) {
        return Ok(2);
    }
    if NONE.contains(&code) {
        return Ok(0);
    }
    if THREE.contains(&code) {
        return Ok(3);
    }
    Err(Fault::new("no such currency").value(code).help("write its ISO 4217 code, such as `USD`"))
}

fn symbol(code: &str) -> Option<&'static str> {
    Some(match code {
        "USD" => "$",
        "EUR" => "€",
        "GBP" => "£",
        "JPY" => "¥",
        "CAD" => "CA$",
        "AUD" => "A$",
        "NZD" => "NZ$",
        "MXN" => "MX$",
        "BRL" => "R$",
        "INR" => "₹",
        "ILS" => "₪",
        "KRW" => "₩",
        "PHP" => "₱",
        _ => return None,
    })
}
