#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use super::*;
use crate::answer::tests::request;
use proptest::prelude::*;
use zaprun_http::Secret;
use zaprun_http::request::{HeaderMap, HeaderName, HeaderValue};

const LOGIN: &str = "login-canary";
const PASSWORD: &str = "pass&canary";

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../tests/samples/", $name, ".json"))
    };
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    let body = bytes::Bytes::from(body.into());
    Answer { status, headers: HeaderMap::new(), body, end: End::Whole }
}

fn mask() -> Mask {
    Mask::new(&[&Secret::new(LOGIN), &Secret::new(PASSWORD)])
}

fn read(action: &str, params: &[(&str, &str)], answer: &Answer) -> WriteOutcome {
    of(&request(action, params), answer, &mask(), Timestamp::UNIX_EPOCH)
}

fn sale(status: u16, body: &str) -> WriteOutcome {
    read("konnektive.create_sale", &[("campaignId", "459")], &answer(status, body))
}

fn done(action: &str, params: &[(&str, &str)], body: &str) -> String {
    match read(action, params, &answer(200, body)) {
        WriteOutcome::Done(reply) => String::from_utf8(reply.response.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn refused(outcome: WriteOutcome) -> (Refusal, String) {
    match outcome {
        WriteOutcome::Refused { class, reason, .. } => (class, reason),
        other => panic!("{other:?}"),
    }
}

fn unknown(outcome: WriteOutcome) -> String {
    match outcome {
        WriteOutcome::Unknown { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_success_is_done_and_names_its_ids() {
    let json = done("konnektive.create_sale", &[], sample!("order_import_success_2026"));
    assert!(
        json.starts_with(r#"{"result":"SUCCESS","message":{"taxExemption":null,"orderId":"D6C8C390A7","#),
        "{json}"
    );
    assert!(
        json.ends_with(r#""orderId":"D6C8C390A7","customerId":"19241","purchaseId":"BA50DC775D"}"#),
        "{json}"
    );
    assert!(json.contains(r#""totalAmount":"0.30""#));

    let json = done("konnektive.create_sale", &[], sample!("order_import_forceqa_pending_2026"));
    assert!(
        json.contains(r#""orderStatus":"PENDING""#)
            && json.contains(r#""orderId":"8DF962A27F","customerId""#)
    );

    let json = done("konnektive.create_lead", &[], sample!("leads_import_success_2026"));
    assert!(json.ends_with(r#""orderId":"D6C8C390A7","customerId":"19241"}"#), "{json}");

    for (action, params, body, json) in [
        (
            "konnektive.qa_order",
            &[("orderId", "8DF962A27F")][..],
            sample!("qa_approved"),
            r#"{"result":"SUCCESS","message":"Order QA Approved","orderId":"8DF962A27F"}"#,
        ),
        (
            "konnektive.create_sale",
            &[],
            sample!("preauth_success"),
            r#"{"result":"SUCCESS","message":"Card is preauthorized"}"#,
        ),
        (
            "konnektive.update_customer",
            &[("customerId", "7")],
            r#"{"result":" success ","message":[]}"#,
            r#"{"result":"SUCCESS","message":[],"customerId":"7"}"#,
        ),
        ("konnektive.cancel_order", &[], r#"{"result":"SUCCESS"}"#, r#"{"result":"SUCCESS","message":null}"#),
        (
            "konnektive.cancel_order",
            &[],
            "\u{feff} {\"message\":{\"a\":0.30,\"b\":12345678901234567890123},\"result\":\"SUCCESS\"}\n",
            r#"{"result":"SUCCESS","message":{"a":0.30,"b":12345678901234567890123}}"#,
        ),
    ] {
        assert_eq!(done(action, params, body), json, "{body}");
    }
}

#[test]
fn documented_errors_have_their_class() {
    for (body, class, reason) in [
        (sample!("error_card_declined"), Refusal::Declined, "Transaction Declined: Card Declined"),
        (
            sample!("error_prepaid_not_accepted"),
            Refusal::Declined,
            "Transaction Declined: Prepaid Credit Cards Are Not Accepted",
        ),
        (
            sample!("error_missing_shipping"),
            Refusal::Validation,
            "shipAddress1: is a required field; shipCity: is a required field; shipPostalCode: is a required field; shipCountry: is a required field",
        ),
        (
            sample!("error_qa_bad_action"),
            Refusal::Validation,
            "action: Not a valid input. Must be in: 'APPROVE', 'DECLINE'",
        ),
        (sample!("error_qa_missing_action"), Refusal::Validation, "action: is a required value"),
        (
            sample!("error_no_products"),
            Refusal::Error,
            "No products exist in the order (said of a wrong campaignId or product id too)",
        ),
        (sample!("error_customer_not_found"), Refusal::Error, "Customer not found"),
        (sample!("error_first_last_required"), Refusal::Error, "First and last name are required fields."),
        (
            sample!("error_test_card_live_customer"),
            Refusal::Error,
            "Cannot user test card with live customer.",
        ),
        (sample!("error_no_orders"), Refusal::Error, "No orders matching those parameters could be found"),
        (
            sample!("merc_redirect_shape"),
            Refusal::Redirect,
            "MERC_REDIRECT: the buyer has to be sent to the gateway's page first",
        ),
        (
            r#"{"result":"ERROR","message":"Can only issue QA decline on orders in a Pending status"}"#,
            Refusal::Error,
            "Can only issue QA decline on orders in a Pending status",
        ),
        (r#"{"result":"DECLINED","message":"Do not honor"}"#, Refusal::Declined, "Do not honor"),
        (r#"{"result":"ERROR","message":["a","b"]}"#, Refusal::Error, "a; b"),
        // A decline may say anything.
        (
            r#"{"result":"ERROR","message":"Transaction Declined: timeout, user could not authenticate"}"#,
            Refusal::Declined,
            "Transaction Declined: timeout, user could not authenticate",
        ),
        // So may a field's.
        (
            r#"{"result":"ERROR","message":{"emailOptIn":"needs permission"}}"#,
            Refusal::Validation,
            "emailOptIn: needs permission",
        ),
    ] {
        assert_eq!(refused(sale(200, body)), (class, reason.to_owned()), "{body}");
    }
    let WriteOutcome::Refused { reply, .. } = sale(200, sample!("merc_redirect_shape")) else { panic!() };
    assert_eq!(
        reply.response,
        r#"{"result":"MERC_REDIRECT","message":{"url":"https://gateway.example.test/3ds?ref=abc","script":null}}"#
    );
}

#[test]
fn a_caller_who_is_refused_has_done_nothing() {
    for status in [200, 401, 403] {
        assert_eq!(
            sale(status, sample!("error_auth")),
            WriteOutcome::Stopped(ReadError::Credentials {
                text: "Could not authenticate credentials".into()
            })
        );
        assert_eq!(
            sale(status, sample!("error_ip_whitelist")),
            WriteOutcome::Stopped(ReadError::Whitelist {
                address: Some("198.51.100.7".into()),
                text: "IP must be whitelisted - 198.51.100.7".into()
            })
        );
        let denied = r#"{"result":"ERROR","message":"User lacks permission for Import Order"}"#;
        assert!(matches!(sale(status, denied), WriteOutcome::Stopped(ReadError::Permission { .. })));
    }
    // A gateway speaks of cards with the same words.
    for text in
        ["Card not authorized", "Could not authenticate cardholder", "Access denied by issuer capital"]
    {
        let body = format!(r#"{{"result":"ERROR","message":"{text}"}}"#);
        assert_eq!(refused(sale(200, &body)), (Refusal::Error, text.to_owned()));
    }
    let body = r#"{"result":"ERROR","message":"Not authorized"}"#;
    let customer = read("konnektive.update_customer", &[], &answer(200, body));
    assert!(matches!(customer, WriteOutcome::Stopped(ReadError::Permission { .. })));
}

#[test]
fn what_nobody_can_tell_is_unknown() {
    for (status, body, words) in [
        (200, r#"{"result":"ERROR"}"#, "the CRM answered ERROR without a message"),
        (200, r#"{"result":"ERROR","message":null}"#, "the CRM answered ERROR without a message"),
        (200, r#"{"result":"ERROR","message":""}"#, "the CRM answered ERROR without a message"),
        (200, r#"{"result":"ERROR","message":{}}"#, "the CRM answered ERROR without a message"),
        (200, r#"{"result":"ERROR","message":"Gateway timeout"}"#, "the CRM answered: Gateway timeout"),
        (200, r#"{"result":"ERROR","message":"Internal error"}"#, "the CRM answered: Internal error"),
        (200, "<html>busy</html>", "the CRM answered HTTP 200 with HTML, not JSON"),
        (200, "", "the CRM answered HTTP 200 with nothing"),
        (200, r#"{"result":"SUCCESS","mess"#, "the CRM answered HTTP 200 with JSON that breaks off"),
        (200, "[]", "the CRM answered HTTP 200 with JSON that is not a Konnektive reply"),
        (200, r#"{"message":"Card Declined"}"#, "the CRM answered JSON without a `result`"),
        (200, r#"{"result":"MAYBE","message":"x"}"#, "the CRM answered `MAYBE`, which nobody knows"),
        (500, r#"{"result":"SUCCESS","message":"x"}"#, "the CRM answered HTTP 500 with JSON"),
        (502, "<html>", "the CRM answered HTTP 502 with HTML, not JSON"),
        (504, sample!("error_card_declined"), "the CRM answered HTTP 504 with JSON"),
        (400, sample!("error_missing_shipping"), "the CRM answered HTTP 400 with JSON"),
        (403, "<html>blocked", "the CRM answered HTTP 403 with HTML, not JSON"),
        (408, "", "the CRM answered HTTP 408 with nothing"),
        (302, "", "the CRM answered HTTP 302 with nothing"),
        (500, r#"{"result":"ERROR","message":"no permission"}"#, "the CRM answered HTTP 500 with JSON"),
    ] {
        assert_eq!(unknown(sale(status, body)), words, "{body}");
    }
    let cut =
        Answer { end: End::Cut("the connection was cut".into()), ..answer(200, sample!("qa_approved")) };
    assert!(unknown(read("konnektive.qa_order", &[], &cut)).ends_with("bytes: the connection was cut"));
    let large = Answer { end: End::Truncated, ..answer(200, "{") };
    assert_eq!(unknown(read("konnektive.qa_order", &[], &large)), "the CRM's answer is larger than 1 MiB");
}

#[test]
fn come_later_is_not_sent_and_the_wait_is_handed_on() {
    let wait = |status, body: &str, end| {
        let mut answer = Answer { end, ..answer(status, body) };
        answer.headers.insert(HeaderName::from_static("retry-after"), HeaderValue::from_static("7"));
        read("konnektive.create_sale", &[], &answer)
    };
    for end in [End::Whole, End::Cut("cut".into())] {
        assert_eq!(
            wait(429, "<html>", end),
            WriteOutcome::NotSent {
                reason: "the CRM answered HTTP 429".into(),
                retryable: true,
                retry_after: Some(Duration::from_secs(7))
            }
        );
    }
    // 503 does not say whether something behind it was reached.
    assert!(matches!(
        wait(503, "<html>", End::Whole),
        WriteOutcome::Unknown { retry_after: Some(wait), .. } if wait.as_secs() == 7
    ));
}

#[test]
fn a_reply_is_kept_without_secrets() {
    let body = r#"{"result":"SUCCESS","message":{"orderId":"A","achRoutingNumber":"021000021","achAccountNumber":null,"eCommercePassword":"hunter22","paySources":[{"achAccountNumber":"1234"}],"note":"login-canary / pass&canary","n":{"Password":"x","login-canary":[1,"pass%26canary"]}}}"#;
    let WriteOutcome::Done(reply) = sale(200, body) else { panic!() };
    assert_eq!(
        reply.response,
        r#"{"result":"SUCCESS","message":{"orderId":"A","achRoutingNumber":"[removed]","achAccountNumber":null,"eCommercePassword":"[removed]","paySources":"[removed]","note":"*** / ***","n":{"Password":"[removed]","***":[1,"***"]}},"orderId":"A"}"#
    );
    let kept = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(
        kept.contains(r#""orderId":"A""#) && !kept.contains("canary") && !kept.contains("hunter22"),
        "{kept}"
    );
    let twice = r#"{"result":"SUCCESS","message":{"password":"hunter22","password":""}}"#;
    let WriteOutcome::Done(reply) = sale(200, twice) else { panic!() };
    assert!(!String::from_utf8_lossy(&reply.body).contains("hunter22"));
}

/// Any JSON, with the secrets in it.
fn json() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        any::<String>(),
        Just(LOGIN.to_owned()),
        Just(format!("x {PASSWORD} y")),
        Just("Transaction Declined: pass%26canary".to_owned()),
        Just("permission authenticate whitelisted login-canary".to_owned()),
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i128>().prop_map(|number| number.to_string()),
        text.prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec((key(), inner), 0..5).prop_map(|members| {
                let members = members.into_iter().map(|(name, value)| format!("{name}:{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("orderId".to_owned()),
        Just("items".to_owned()),
        Just("purchaseId".to_owned()),
        Just("data".to_owned()),
        Just(LOGIN.to_owned()),
        any::<String>()
    ];
    name.prop_map(|name| serde_json::to_string(&name).unwrap())
}

fn any_request() -> impl Strategy<Value = CrmRequest> {
    proptest::sample::select(zaprun_core::crm::ENDPOINTS)
        .prop_map(|endpoint| request(endpoint.action, &[("orderId", "8DF962A27F")]))
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        request in any_request(), status in 100u16..600, body in any::<Vec<u8>>(), cut in any::<bool>()
    ) {
        let end = if cut { End::Cut("cut".into()) } else { End::Whole };
        let _ = of(&request, &Answer { end, ..answer(status, body) }, &mask(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn no_reply_leaks_a_credential(
        request in any_request(), status in prop_oneof![Just(200u16), Just(403), Just(500)],
        result in prop_oneof![Just("SUCCESS"), Just("ERROR"), Just("MERC_REDIRECT"), Just("login-canary")],
        message in json()
    ) {
        let body = format!(r#"{{"result":"{result}","message":{message}}}"#);
        let outcome = of(&request, &answer(status, body), &mask(), Timestamp::UNIX_EPOCH);
        // Bytes are shown as text, with quotes and backslashes escaped; the credentials have none.
        prop_assert!(!format!("{outcome:?}").contains("canary"), "{outcome:?}");
        if let WriteOutcome::Done(reply) | WriteOutcome::Refused { reply, .. } = outcome {
            let response: serde_json::Value = serde_json::from_slice(&reply.response).unwrap();
            prop_assert!(response["result"].is_string());
        }
    }

    #[test]
    fn only_a_whole_envelope_settles_a_write(request in any_request(), message in json(), at in any::<prop::sample::Index>()) {
        let body = format!(r#"{{"result":"SUCCESS","message":{message}}}"#);
        let mut at = at.index(body.len());
        while !body.is_char_boundary(at) {
            at -= 1;
        }
        let outcome = of(&request, &answer(200, body[..at].to_owned()), &mask(), Timestamp::UNIX_EPOCH);
        prop_assert!(matches!(outcome, WriteOutcome::Unknown { .. }), "{outcome:?}");
    }
}
