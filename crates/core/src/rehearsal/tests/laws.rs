//! A test that is made of what a zap does passes, and no longer does once a value of it is changed.

use proptest::prelude::*;

use super::*;
use crate::request::{Destination, Request};
use crate::value::Value;

const ZAPS: [&str; 3] = [
    r#"
actions:
  - id: one
    type: http
    connection: sink
    path: orders/{{ record.orderId }}
    query: { q: $.lastName, tags: "{{ record['items'] | map(attribute='name') }}" }
    json:
      whole: $
      total: "{{ record.totalAmount }}"
      lines: { $each: $.items, $map: { name: "{{ item.name }}", price: "{{ item.price }}" } }
"#,
    r#"
actions:
  - id: one
    type: http
    url: https://api.example.com/v1
    form: { name: $.firstName, total: $.totalAmount, coupon: $.couponCode }
  - id: two
    type: http
    connection: sink
    each: "{{ record['items'] }}"
    json: { item: "{{ item }}", key: "{{ key }}" }
"#,
    r#"
filter: "{{ record.totalAmount > 10 }}"
actions:
  - { id: one, type: http, connection: sink, when: "{{ record.totalAmount > 1000 }}", text: "{{ record.firstName }}" }
  - { id: two, type: http, connection: sink, json: [1.50, "{{ record.totalAmount }}", null, true] }
"#,
];

/// Text that may hold anything.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{0,8}", "\\PC{0,8}", Just("5".to_owned()), Just("$from".to_owned())]
}

fn record() -> impl Strategy<Value = String> {
    let item = (text(), 0_u32..100_000);
    (text(), text(), 0_u32..1_000_000, proptest::collection::vec(item, 0..4), any::<bool>()).prop_map(
        |(first, last, cents, items, coupon)| {
            let quote = |text: &str| Value::text(text).to_json().unwrap();
            let items: Vec<String> = items
                .iter()
                .enumerate()
                .map(|(at, (name, price))| format!(r#"{{"productId":{at},"name":{},"price":{price}e-2}}"#, quote(name)))
                .collect();
            format!(
                r#"{{"orderId":"A1","orderStatus":"COMPLETE","orderType":"NEW_SALE","dateCreated":"2026-09-16 14:25:31",
                "firstName":{},"lastName":{},"totalAmount":"{}.{:02}","couponCode":{},"items":[{}]}}"#,
                quote(&first),
                quote(&last),
                cents / 100,
                cents % 100,
                if coupon { "\"C\"" } else { "null" },
                items.join(",")
            )
        },
    )
}

/// What a test would have to say of a rehearsal for all of it to be looked at. JSON is YAML too, but for some signs in
/// its texts, which are escaped.
fn expectation(rehearsal: &Rehearsal) -> String {
    if matches!(rehearsal.end, End::Filtered { .. }) {
        return "filtered".to_owned();
    }
    let steps: Vec<String> = rehearsal
        .steps
        .iter()
        .map(|step| match &step.did {
            Did::Skipped { .. } => format!("{}: skipped", step.id),
            Did::Sent(sent) if sent[0].element.is_some() => {
                let each: Vec<String> = sent.iter().map(|sent| request(&sent.request)).collect();
                format!("{}: {{ each: [{}] }}", step.id, each.join(", "))
            }
            Did::Sent(sent) => format!("{}: {}", step.id, request(&sent[0].request)),
            Did::Broken(error) | Did::Unknown(error) => {
                format!("{}: {{ error: {} }}", step.id, quoted(&error.to_string()))
            }
        })
        .collect();
    format!("{{ {} }}", steps.join(", "))
}

fn request(request: &Request) -> String {
    let Request::Http(request) = request else { panic!("another request") };
    let to = if let Destination::Connection { path, .. } = &request.destination {
        format!("path: {}", quoted(path))
    } else if let Destination::Url { url, .. } = &request.destination {
        format!("url: {}", quoted(url))
    } else {
        panic!("another address")
    };
    let body = match &request.body {
        None => String::new(),
        Some(body) => {
            let text = std::str::from_utf8(&body.bytes).unwrap();
            match body.content_type {
                "application/json" => format!(", json: {}", escaped(text)),
                "application/x-www-form-urlencoded" => {
                    let all: Vec<(String, String)> =
                        url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
                    format!(", form: {}", pairs(&all))
                }
                _ => format!(", text: {}", quoted(text)),
            }
        }
    };
    format!(
        "{{ exact: true, method: {}, {to}, query: {}{body} }}",
        request.method.as_str(),
        pairs(&request.query)
    )
}

fn pairs(pairs: &[(String, String)]) -> String {
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    let of = |wanted: &str| {
        let values: Vec<String> =
            pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| quoted(value)).collect();
        format!("{}: [{}]", quoted(wanted), values.join(", "))
    };
    let all: Vec<String> = names.into_iter().map(of).collect();
    format!("{{ {} }}", all.join(", "))
}

fn quoted(text: &str) -> String {
    escaped(&Value::text(text).to_json().unwrap())
}

/// Signs that YAML does not take as they are, in texts of JSON.
fn escaped(json: &str) -> String {
    json.chars().fold(String::new(), |mut out, sign| {
        if sign.is_ascii() || sign.is_alphanumeric() {
            // A key and its value are told apart by a blank after the colon.
            out.push(sign);
        } else {
            let mut units = [0; 2];
            if sign.encode_utf16(&mut units).len() == 1 {
                out.push_str(&format!("\\u{:04x}", u32::from(sign)));
            } else {
                out.push_str(&format!("\\U{:08x}", u32::from(sign)));
            }
        }
        out
    })
}

fn checked(zap: &str, record: &str, expect: &str) -> String {
    let test =
        format!("zap: z\ntests:\n  - name: itself\n    record: fixtures/record.json\n    expect: {expect}\n");
    let head = "name: z\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\n";
    let files = [("zaps/shop/fixtures/record.json", record)];
    Bench::new(&format!("{head}{zap}"), &[("zaps/shop/z.test.yaml", &test)], &files).results()
}

fn rehearsed(zap: &str, record: &str) -> Rehearsal {
    let head = "name: z\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\n";
    let files = [("zaps/shop/fixtures/record.json", record)];
    let test = "zap: z\ntests: [{ name: a, record: fixtures/record.json, expect: filtered }]\n";
    let bench = Bench::new(&format!("{head}{zap}"), &[("zaps/shop/z.test.yaml", test)], &files);
    let case = &bench.cases[0];
    match case.came(bench.zap.as_ref().unwrap(), &case.given[0]) {
        super::super::case::Came::Rehearsed(rehearsal) => *rehearsal,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_rehearsal_is_as_itself(zap in 0..ZAPS.len(), record in record()) {
        let zap = ZAPS[zap];
        let expect = expectation(&rehearsed(zap, &record));
        let told = checked(zap, &record, &expect);
        prop_assert!(told.starts_with("ok"), "{}\n{}\n{}", record, expect, told);
    }

    #[test]
    fn another_value_is_told(record in record(), digit in 1_u8..9) {
        let zap = ZAPS[0];
        let expect = expectation(&rehearsed(zap, &record));
        // One more digit in the amount that is sent.
        let at = expect.find("\"total\":").unwrap() + "\"total\":".len();
        let mut other = expect;
        other.insert(at, char::from(b'0' + digit));
        let told = checked(zap, &record, &other);
        prop_assert!(told.starts_with("FAIL") && told.contains("one.json.total: expected "), "{}\n{}", other, told);
    }
}
