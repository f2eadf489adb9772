//! Filters that encode and hash.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::args::param;
use super::format::as_text;
use super::{Call, Fallback, FilterSpec, Out, Output, ParamType, example};
use crate::expression::problem::Fault;
use crate::value::{Kind, Value};

const SCALAR: &[Kind] = &[Kind::Text, Kind::Number, Kind::Bool, Kind::Instant];
const IS_TEXT: Output = Output::Is(Kind::Text);
/// RFC 3986's unreserved characters stay; everything else, `/` too, could change a URL's structure.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const fn encoder(
    name: &'static str,
    summary: &'static str,
    run: fn(&Call<'_>, &Value) -> Result<Value, Fault>,
) -> FilterSpec {
    FilterSpec { input: SCALAR, output: IS_TEXT, ..FilterSpec::new(name, summary, run) }
}

pub(super) static FILTERS: &[FilterSpec] = &[
    FilterSpec {
        input: &[Kind::Text, Kind::Number, Kind::Bool, Kind::Instant, Kind::Object],
        examples: &[
            example("'a b/c&d=é' | urlencode", "{}", r#""a%20b%2Fc%26d%3D%C3%A9""#),
            example("{'q': 'a b', 'n': 1} | urlencode", "{}", r#""q=a%20b&n=1""#),
        ],
        ..encoder("urlencode", "Encodes text for a URL, or an object as a query.", url_encode)
    },
    FilterSpec {
        aliases: &["e"],
        examples: &[example("'<a & \"b\">' | escape", "{}", r#""&lt;a &amp; &quot;b&quot;&gt;""#)],
        ..encoder("escape", "Escapes text for HTML or XML.", escape)
    },
    FilterSpec {
        examples: &[
            example("'=1+1' | csv_safe", "{}", r#""'=1+1""#),
            example("'plain' | csv_safe", "{}", r#""plain""#),
            example("-5 | csv_safe", "{}", r#""-5""#),
        ],
        ..encoder(
            "csv_safe",
            "Keeps a spreadsheet from taking text for a formula, by a leading apostrophe.",
            |_, value| {
                let text = as_text(value)?;
                let formula =
                    value.kind() == Kind::Text && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
                Ok(Value::from(if formula { format!("'{text}") } else { text }))
            },
        )
    },
    FilterSpec {
        examples: &[example(
            "'ada@example.test' | sha256",
            "{}",
            r#""b97222ea69dadf792baa97fa768ecb840a0023714c831ab1328838cba9f7f437""#,
        )],
        hides: true,
        ..encoder("sha256", "Gives the SHA-256 of text, in hexadecimal digits.", |_, value| {
            Ok(Value::from(hex(&Sha256::digest(as_text(value)?))))
        })
    },
    FilterSpec {
        examples: &[example("'abc' | md5", "{}", r#""900150983cd24fb0d6963f7d28e17f72""#)],
        hides: true,
        ..encoder(
            "md5",
            "Gives the MD5 of text, in hexadecimal digits, for APIs that ask for it.",
            |_, value| Ok(Value::from(hex(&Md5::digest(as_text(value)?)))),
        )
    },
    FilterSpec {
        params: &[
            param("key", ParamType::Text, Fallback::Required, "the secret key"),
            param(
                "encoding",
                ParamType::Choice(&["hex", "base64"]),
                Fallback::Text("hex"),
                "`hex` or `base64`",
            ),
        ],
        examples: &[
            example(
                "'what do ya want for nothing?' | hmac_sha256('Jefe')",
                "{}",
                r#""5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843""#,
            ),
            example(
                "'what do ya want for nothing?' | hmac_sha256('Jefe', 'base64')",
                "{}",
                r#""W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=""#,
            ),
        ],
        hides: true,
        ..encoder("hmac_sha256", "Signs text with a key (HMAC-SHA256).", sign)
    },
    FilterSpec {
        examples: &[example("'Ada' | b64", "{}", r#""QWRh""#)],
        ..encoder("b64", "Encodes text in Base64.", |call, value| {
            let text = as_text(value)?;
            call.budget.room(0, text.len() / 3 * 4 + 4)?;
            Ok(Value::from(STANDARD.encode(text)))
        })
    },
    FilterSpec {
        params: &[param(
            "namespace",
            ParamType::Text,
            Fallback::Text("url"),
            "`dns`, `url`, `oid`, `x500`, or a UUID of your own",
        )],
        examples: &[
            example("'www.example.com' | uuid5('dns')", "{}", r#""2ed6657d-e927-568b-95e1-2665a8aea6a2""#),
            example("'a' | uuid5('mine')", "{}", "error: no such namespace"),
        ],
        hides: true,
        ..encoder("uuid5", "Gives the same UUID for the same text, in a namespace.", |call, value| {
            let namespace = match call.text(0) {
                "dns" => Uuid::NAMESPACE_DNS,
                "url" => Uuid::NAMESPACE_URL,
                "oid" => Uuid::NAMESPACE_OID,
                "x500" => Uuid::NAMESPACE_X500,
                other => Uuid::parse_str(other).map_err(|_| Fault::new("there is no such namespace"))?,
            };
            Ok(Value::from(Uuid::new_v5(&namespace, as_text(value)?.as_bytes()).to_string()))
        })
    },
];

fn url_encode(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let mut out = Out::new(call.budget);
    let Some(object) = value.as_object() else {
        push_encoded(&mut out, &as_text(value)?)?;
        return Ok(out.finish());
    };
    let mut first = true;
    for (name, member) in object.iter() {
        if member.is_missing() {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push("&")?;
        }
        push_encoded(&mut out, name)?;
        out.push("=")?;
        push_encoded(&mut out, &as_text(member)?)?;
    }
    Ok(out.finish())
}

fn push_encoded(out: &mut Out<'_>, text: &str) -> Result<(), Fault> {
    utf8_percent_encode(text, RESERVED).try_for_each(|part| out.push(part))
}

fn escape(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let mut out = Out::new(call.budget);
    let mut buffer = [0; 4];
    for character in as_text(value)?.chars() {
        out.push(match character {
            '<' => "&lt;",
            '>' => "&gt;",
            '&' => "&amp;",
            '"' => "&quot;",
            '\'' => "&#x27;",
            other => other.encode_utf8(&mut buffer),
        })?;
    }
    Ok(out.finish())
}

fn sign(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let mut mac = Hmac::<Sha256>::new_from_slice(call.text(0).as_bytes())
        .map_err(|_| Fault::new("the key is unusable"))?;
    mac.update(as_text(value)?.as_bytes());
    let signature = mac.finalize().into_bytes();
    Ok(Value::from(if call.text(1) == "base64" { STANDARD.encode(signature) } else { hex(&signature) }))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
