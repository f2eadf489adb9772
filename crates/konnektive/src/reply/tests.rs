#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use super::*;
use proptest::prelude::*;
use std::time::Duration;
use zaprun_http::Secret;
use zaprun_http::request::{HeaderMap, HeaderName, HeaderValue};

const LOGIN: &str = "login-canary";
const PASSWORD: &str = "pass&canary";

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer { status, headers: HeaderMap::new(), body: Bytes::from(body.into()), end: End::Whole }
}

fn read_answer(answer: &Answer) -> Result<Page, ReadError> {
    read(answer, &Mask::new(&[&Secret::new(LOGIN), &Secret::new(PASSWORD)]), Timestamp::UNIX_EPOCH)
}

fn page(body: &str) -> Page {
    read_answer(&answer(200, body)).unwrap()
}

fn error(body: impl Into<Vec<u8>>) -> ReadError {
    read_answer(&answer(200, body)).unwrap_err()
}

fn transport(error: &ReadError) -> &str {
    match error {
        ReadError::Transport { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../tests/samples/", $name, ".json"))
    };
}

fn vendor(text: &str) -> ReadError {
    ReadError::Vendor { text: text.to_owned() }
}

#[test]
fn recorded_errors_have_their_class() {
    assert_eq!(
        error(sample!("error_auth")),
        ReadError::Credentials { text: "Could not authenticate credentials".into() }
    );
    assert_eq!(
        error(sample!("error_ip_whitelist")),
        ReadError::Whitelist {
            address: Some("198.51.100.7".into()),
            text: "IP must be whitelisted - 198.51.100.7".into()
        }
    );
    for empty in [sample!("error_no_orders"), sample!("error_no_purchases")] {
        let page = page(empty);
        assert_eq!((page.total, page.rows.len()), (0, 0));
    }
    assert_eq!(error(sample!("error_customer_not_found")), vendor("Customer not found"));
    assert_eq!(error(sample!("error_no_products")), vendor("No products exist in the order"));
    assert_eq!(error(sample!("error_card_declined")), vendor("Transaction Declined: Card Declined"));
    assert_eq!(
        error(sample!("error_missing_shipping")),
        vendor(
            "shipAddress1: is a required field; shipCity: is a required field; shipPostalCode: is a required field; shipCountry: is a required field"
        )
    );
    assert_eq!(
        error(sample!("error_qa_bad_action")),
        vendor("action: Not a valid input. Must be in: 'APPROVE', 'DECLINE'")
    );
    assert_eq!(error(sample!("merc_redirect_shape")), vendor("`MERC_REDIRECT` instead of rows"));
    assert!(matches!(
        error(r#"{"result":"ERROR","message":"User lacks permission for Query Orders"}"#),
        ReadError::Permission { .. }
    ));
    assert_eq!(error(r#"{"result":"ERROR","message":["a",{"b":1}]}"#), vendor("a; 1"));
}

#[test]
fn recorded_pages_give_their_rows() {
    for (body, rows, total) in [
        (sample!("order_query_2026"), 1, 1),
        (sample!("skeleton_campaign_query"), 1, 1),
        (sample!("skeleton_transactions_query"), 2, 2),
        (sample!("skeleton_transactions_summary"), 1, 1),
    ] {
        let page = page(body);
        assert_eq!(page.total, total);
        assert_eq!(page.rows.len(), rows);
        for row in &page.rows {
            let row = std::str::from_utf8(row).unwrap();
            assert!(body.contains(row) && row.starts_with('{') && row.ends_with('}'));
        }
    }
    // Successes that are no page: not a query's answer, so not an empty one either.
    for body in [sample!("preauth_success"), sample!("leads_import_success_2026")] {
        assert_eq!(transport(&error(body)), "the CRM answered SUCCESS without rows");
    }
}

#[test]
fn rows_are_kept_byte_for_byte_and_not_copied() {
    let rows = [
        "{\"totalAmount\": 19.90, \"id\":12345678901234567890123}",
        "{ \"name\" :\"J\\u00f6rg \\ud83d\\ude00\\/\"\n,\t\"x\":1e2 }",
        "{\"lone\":\"\\ud800\",\"same\":1,\"same\":2}",
        "null",
        "\"text\"",
        "{}",
    ];
    let body = Bytes::from(format!(
        "\u{feff} \n{{\"message\":{{\"data\":[{}],\"totalResults\":\" 6 \"}},\"result\":\"SUCCESS\"}}\r\n",
        rows.join(" , ")
    ));
    let page = read_answer(&Answer { body: body.clone(), ..answer(200, "") }).unwrap();
    assert_eq!(page.total, 6);
    assert_eq!(page.rows, rows);
    let memory = body.as_ptr_range();
    assert!(page.rows.iter().all(|row| memory.contains(&row.as_ptr())), "a row was copied");
}

#[test]
fn odd_shapes_of_a_page() {
    for (body, rows, total) in [
        (r#"{"result":"SUCCESS","message":{"totalResults":"7","data":[1,2]}}"#, 2, 7),
        (r#"{"result":"success","message":{"data":[1]}}"#, 1, 1),
        (r#"{"result":"SUCCESS","message":{"data":[1],"totalResults":null}}"#, 1, 1),
        (r#"{"result":"SUCCESS","message":{"data":[1],"totalResults":-3}}"#, 1, 1),
        (r#"{"result":"SUCCESS","message":{"data":{"12":{"a":1},"3":{"a":2}}}}"#, 2, 2),
        (r#"{"result":"SUCCESS","message":{"data":{}}}"#, 0, 0),
        (r#"{"result":"SUCCESS","message":{"totalResults":5,"page":9,"data":[]}}"#, 0, 5),
        (r#"{"result":"SUCCESS","message":{"totalResults":0}}"#, 0, 0),
        (r#"{"result":"SUCCESS","message":{"totalResults":"0","data":null}}"#, 0, 0),
        (r#"{"result":"SUCCESS","message":{"totalResults":0,"data":""}}"#, 0, 0),
        (r#"{"result":"SUCCESS","message":{}}"#, 0, 0),
        (r#"{"result":"SUCCESS","message":[]}"#, 0, 0),
        (r#"{"x":[{}],"result":"SUCCESS","message":{"data":[]},"y":null}"#, 0, 0),
        (r#"{"result":"ERROR","message":["No orders matching those parameters could be found"]}"#, 0, 0),
    ] {
        let page = page(body);
        assert_eq!((page.rows.len(), page.total), (rows, total), "{body}");
    }
    let announced = r#"{"result":"SUCCESS","message":{"totalResults":5}}"#;
    assert_eq!(transport(&error(announced)), "the CRM announced rows and sent none");
}

#[test]
fn what_is_no_reply_is_told_in_plain_words() {
    for (status, body, words) in [
        (504, "<html>Gateway Time-out</html>", "the CRM answered HTTP 504 with HTML, not JSON"),
        (200, "\r\n <!DOCTYPE html>", "the CRM answered HTTP 200 with HTML, not JSON"),
        (200, "", "the CRM answered HTTP 200 with nothing"),
        (502, " \n", "the CRM answered HTTP 502 with nothing"),
        (
            200,
            r#"{"result":"SUCCESS","message":{"data":[{"a":1},{"b"#,
            "the CRM answered HTTP 200 with JSON that breaks off",
        ),
        (200, "Service Unavailable", "the CRM answered HTTP 200 with something that is not JSON"),
        (
            200,
            r#"{"result":"SUCCESS"} trailing"#,
            "the CRM answered HTTP 200 with something that is not JSON",
        ),
        (200, "[]", "the CRM answered HTTP 200 with JSON that is not a Konnektive reply"),
        (200, "null", "the CRM answered HTTP 200 with JSON that is not a Konnektive reply"),
        (200, "{}", "the CRM answered JSON without a `result`"),
        (200, r#"{"result":1,"message":{"data":[]}}"#, "the CRM answered JSON without a `result`"),
        (200, r#"{"result":"ERROR"}"#, "the CRM answered ERROR without a message"),
        (200, r#"{"result":"ERROR","message":" "}"#, "the CRM answered ERROR without a message"),
        (200, r#"{"result":"ERROR","message":{}}"#, "the CRM answered ERROR without a message"),
        (200, r#"{"result":"ERROR","message":0}"#, "the CRM answered ERROR without a message"),
        (200, r#"{"result":"SUCCESS"}"#, "the CRM answered SUCCESS without rows"),
        (500, r#"{"result":"SUCCESS","message":{"data":[1]}}"#, "the CRM answered HTTP 500 with JSON"),
        (302, "", "the CRM answered HTTP 302 with nothing"),
        (407, r#"{"message":"the proxy must authenticate you"}"#, "the CRM answered HTTP 407 with JSON"),
    ] {
        let error = read_answer(&answer(status, body)).unwrap_err();
        assert_eq!(transport(&error), words, "{body}");
    }
    let binary = error(b"\xff\xfe{\x00".to_vec());
    assert_eq!(transport(&binary), "the CRM answered HTTP 200 with bytes that are not UTF-8 text");
}

#[test]
fn refused_credentials_stop_whatever_the_status() {
    assert!(matches!(read_answer(&answer(401, sample!("error_auth"))), Err(ReadError::Credentials { .. })));
    assert!(matches!(
        read_answer(&answer(403, sample!("error_ip_whitelist"))),
        Err(ReadError::Whitelist { .. })
    ));
    // An empty result is one only with status 200.
    assert!(matches!(
        read_answer(&answer(404, sample!("error_no_orders"))),
        Err(ReadError::Transport { .. })
    ));
}

#[test]
fn unfinished_answers_are_faults() {
    let cut =
        Answer { end: End::Cut("the connection was cut".into()), ..answer(200, sample!("order_query_2026")) };
    assert!(transport(&read_answer(&cut).unwrap_err()).ends_with("bytes: the connection was cut"));
    let large = Answer { end: End::Truncated, ..answer(200, "{") };
    assert_eq!(transport(&read_answer(&large).unwrap_err()), "the CRM's answer is larger than 64 MiB");
}

#[test]
fn headers_tell_the_time_and_the_wait() {
    let mut ok = answer(200, sample!("error_no_orders"));
    ok.headers
        .insert(HeaderName::from_static("date"), HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_eq!(read_answer(&ok).unwrap().server_time, Some("1994-11-06T08:49:37Z".parse().unwrap()));
    let mut busy = answer(503, "");
    busy.headers.insert(HeaderName::from_static("retry-after"), HeaderValue::from_static("90"));
    assert!(matches!(
        read_answer(&busy).unwrap_err(),
        ReadError::Transport { retry_after: Some(wait), .. } if wait == Duration::from_secs(90)
    ));
}

#[test]
fn no_error_shows_credentials_that_the_answer_echoes() {
    for text in ["bad input", "could not authenticate credentials", "whitelisted", "no permission"] {
        for (status, result) in [(200, "ERROR"), (403, "ERROR"), (200, "SUCCESS"), (200, LOGIN)] {
            for message in [
                format!(r#""{text} {LOGIN} {PASSWORD} pass%26canary""#),
                format!(r#"{{"{LOGIN}":"{text} {PASSWORD}"}}"#),
                format!(r#"["{text}","{PASSWORD}",["pass\u0026canary"],{{"a":"pass\u0026canary"}}]"#),
            ] {
                let body = format!(r#"{{"result":"{result}","message":{message}}}"#);
                if let Err(error) = read_answer(&answer(status, body)) {
                    assert!(!format!("{error} {error:?}").to_lowercase().contains("canary"), "{error:?}");
                }
            }
        }
    }
}

/// Any JSON, as text, with spaces in odd places.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((key(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    });
    (value, any::<bool>())
        .prop_map(|(value, pretty)| if pretty { format!("{value:#}") } else { value.to_string() })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("result".to_owned()),
        Just("message".to_owned()),
        Just("data".to_owned()),
        Just("totalResults".to_owned()),
        any::<String>()
    ]
}

fn result() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("SUCCESS"), Just("ERROR"), Just("MERC_REDIRECT"), Just("")]
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(status in 100u16..600, body in any::<Vec<u8>>()) {
        let _ = read_answer(&answer(status, body));
    }

    #[test]
    fn arbitrary_json_never_panics(status in prop_oneof![Just(200u16), Just(500)], body in json()) {
        let _ = read_answer(&answer(status, body));
    }

    #[test]
    fn arbitrary_envelopes_never_panic(result in result(), message in json()) {
        let _ = read_answer(&answer(200, format!(r#"{{"result":"{result}","message":{message}}}"#)));
    }

    #[test]
    fn a_page_yields_exactly_its_rows(
        rows in proptest::collection::vec(json(), 0..20), keyed in any::<bool>(), quoted in any::<bool>(),
        space in "[ \n\t]{0,3}", total in proptest::option::of(any::<u64>())
    ) {
        let list = rows.iter().enumerate().map(|(n, row)| if keyed { format!("\"{n}\"{space}:{row}{space}") } else { format!("{space}{row}{space}") });
        let list = list.collect::<Vec<_>>().join(",");
        let data = if keyed { format!("{{{list}}}") } else { format!("[{list}]") };
        let counter = match total {
            Some(total) if quoted => format!("\"totalResults\":\"{total}\","),
            Some(total) => format!("\"totalResults\":{total},"),
            None => String::new(),
        };
        let body = format!("{space}{{\"result\":\"SUCCESS\",\"message\":{{{counter}\"data\":{data}}}}}{space}");
        let page = page(&body);
        prop_assert_eq!(page.total, total.unwrap_or(rows.len() as u64));
        prop_assert_eq!(page.rows, rows);
    }

    #[test]
    fn a_page_that_breaks_off_is_never_a_shorter_page(rows in proptest::collection::vec(json(), 1..6), at in any::<prop::sample::Index>()) {
        let body = format!(r#"{{"result":"SUCCESS","message":{{"data":[{}]}}}}"#, rows.join(","));
        let mut at = at.index(body.len());
        while !body.is_char_boundary(at) {
            at -= 1;
        }
        prop_assert!(read_answer(&answer(200, body[..at].to_owned())).is_err());
    }
}
