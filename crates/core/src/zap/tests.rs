//! From YAML and a row to requests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panic")]

mod crm;
mod find;
mod hints;
mod outlines;

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::load::{File, Input, load};
use crate::request::{Destination, HttpRequest, Request};

const PROJECT: &str = r##"
version: 1
connections:
  crm: { type: konnektive, login_id: "${LOGIN}", password: "${PASSWORD}", timezone: America/New_York, currency: USD }
  eu: { type: konnektive, login_id: "${LOGIN}", password: "${PASSWORD}", timezone: Europe/Berlin, currency: EUR }
  sink: { type: http, base_url: "${SINK}", may_receive: [personal, card, secret] }
vars: { channel: "#orders", limit: 20.50, flags: { loud: true } }
"##;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) }
}

fn compiled(zap: &str) -> Result<Zap, Vec<String>> {
    let input = Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: Vec::new(),
        zaps: vec![file("zaps/z.yaml", zap)],
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let mut findings = Vec::new();
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let mut made = None;
    if let [one] = loaded.zaps.as_slice()
        && let (Some(definition), Some(tree)) = (&one.definition, &one.tree)
    {
        let compiled = compile(definition, tree, &facts);
        findings = compiled.diagnostics;
        made = compiled.zap;
    }
    let findings = loaded.conclude(findings);
    let broken = findings.iter().any(|finding| finding.severity == crate::diagnostic::Severity::Error);
    if broken {
        let show = |finding: &crate::diagnostic::Diagnostic| {
            let (start, _) = loaded.sources.range(finding.span.unwrap());
            let help = finding.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
            format!("{}:{} {} {}{help}", start.line, start.column, finding.code.id, finding.message)
        };
        return Err(findings.iter().map(show).collect());
    }
    Ok(made.unwrap())
}

fn zap(body: &str) -> Zap {
    let head = "name: z\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\n";
    compiled(&format!("{head}{body}")).unwrap_or_else(|findings| panic!("{}", findings.join("\n")))
}

fn findings(body: &str) -> Vec<String> {
    let head = "name: z\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\n";
    compiled(&format!("{head}{body}")).err().unwrap_or_default()
}

fn scope(zap: &Zap, record: &str) -> Scope {
    zap.scope(&RunFacts {
        record: record.as_bytes(),
        event: EventFacts {
            id: "new_sale:8DF9".to_owned(),
            kind: "new_sale".to_owned(),
            key: "8DF9".to_owned(),
            at: "2026-09-16T18:25:31Z".parse::<Timestamp>().unwrap(),
        },
        run_id: "7".to_owned(),
        context: None,
        started_at: "2026-09-16T18:26:00Z".parse::<Timestamp>().unwrap(),
        key_base: Uuid::nil(),
        depth: 0,
    })
    .unwrap()
}

fn http(request: Request) -> HttpRequest {
    let Request::Http(request) = request else { panic!("another request") };
    request
}

fn requests(zap: &Zap, record: &str) -> Result<Vec<HttpRequest>, MapError> {
    let mut scope = scope(zap, record);
    zap.bind(&mut scope)?;
    Ok(match zap.actions[0].plan(&scope)? {
        Plan::Skip { .. } => Vec::new(),
        Plan::One(request) => vec![http(*request)],
        Plan::Each(requests) => requests.into_iter().map(|(_, request)| http(request)).collect(),
    })
}

fn body(request: &HttpRequest) -> String {
    String::from_utf8(request.body.as_ref().unwrap().bytes.clone()).unwrap()
}

fn json(mapping: &str, record: &str) -> Result<String, String> {
    let zap =
        zap(&format!("actions:\n  - id: send\n    type: http\n    connection: sink\n    json:\n{mapping}"));
    requests(&zap, record).map(|requests| body(&requests[0])).map_err(|error| error.to_string())
}

const ORDER: &str = r#"{"orderId":"8DF9","totalAmount":"19.90","firstName":"Ada","lastName":"O\"Neil","couponCode":null,
    "dateCreated":"2026-09-16 14:25:31","hasUpsell":1,"campaignId":459,
    "items":{"1":{"name":"Kit","qty":"2","price":0.3},"2":{"name":"Serum","qty":1,"price":"4.95"}}}"#;

#[test]
fn every_form_of_a_value() {
    let sent = json(
        r##"
      number: 19.90
      huge: 123456789012345678901234
      exponent: 1e5
      truth: true
      nothing: null
      text: plain
      native: "{{ record.totalAmount }}"
      mixed: "{{ record.firstName }} paid {{ record.totalAmount }}"
      path: $.totalAmount
      many: $.items[*].price
      null_path: $.couponCode
      dollar: $$.not.a.path
      $schema: kept
      $$each: escaped
      channel: "{{ vars.channel }}"
      at: "{{ event.at }}"
      created: "{{ record.dateCreated | datetime }}"
      lines:
        $each: "{{ record['items'] }}"
        $as: line
        $map: { name: "{{ line.name }}", at: "{{ index }}", key: "{{ key }}", total: "{{ line.price * line.qty }}" }
      tier: { $if: "{{ record.totalAmount > vars.limit }}", $then: big, $else: small }
      gone: { $if: "{{ record.totalAmount > vars.limit }}", $then: big }
      lean: { $drop_null: true, a: null, b: $.couponCode, c: 1 }
"##,
        ORDER,
    )
    .unwrap();
    assert_eq!(
        sent,
        concat!(
            r#"{"number":19.90,"huge":123456789012345678901234,"exponent":1e5,"truth":true,"nothing":null,"text":"plain","#,
            r#""native":19.90,"mixed":"Ada paid 19.90","path":19.90,"many":[0.3,4.95],"null_path":null,"#,
            r#""dollar":"$.not.a.path","$schema":"kept","$each":"escaped","channel":"#,
            "\"#orders\"",
            r#","at":"2026-09-16T14:25:31-04:00","created":"2026-09-16T14:25:31-04:00","#,
            r#""lines":[{"name":"Kit","at":0,"key":"1","total":0.6},{"name":"Serum","at":1,"key":"2","total":4.95}],"#,
            r#""tier":"small","lean":{"c":1}}"#
        )
    );
}

#[test]
fn what_is_missing_is_an_error_that_names_the_field() {
    for (mapping, message) in [
        ("      a: \"{{ record.couponCode }}\"", "actions[0].json.a: `record.couponCode` is missing"),
        ("      a: \"x {{ record.couponCode }}\"", "actions[0].json.a: `record.couponCode` is missing"),
        ("      a: $.shipCity", "actions[0].json.a: `$.shipCity` is missing"),
        ("      a: \"{{ record.shipCity }}\"", "actions[0].json.a: `record.shipCity` is missing"),
    ] {
        assert_eq!(json(mapping, ORDER).unwrap_err(), message);
    }
    assert_eq!(
        json("      a: \"{{ record.couponCode | default('none') }}\"", ORDER).unwrap(),
        r#"{"a":"none"}"#
    );
}

#[test]
fn a_form_repeats_lists_and_leaves_nulls_out() {
    let zap = zap(
        "actions:\n  - id: send\n    type: http\n    connection: sink\n    form: { a: \"$.items[*].name\", b: null, c: true, d: 19.90, e: \"a&b=c\" }\n    query: { q: \"{{ record.lastName }}\", n: $.couponCode }\n    headers: { X-Order: $.orderId, X-None: null }",
    );
    let request = &requests(&zap, ORDER).unwrap()[0];
    assert_eq!(body(request), "a=Kit&a=Serum&c=true&d=19.90&e=a%26b%3Dc");
    assert_eq!(request.query, [("q".to_owned(), "O\"Neil".to_owned())]);
    assert_eq!(request.headers, [("X-Order".to_owned(), "8DF9".to_owned())]);
}

#[test]
fn an_object_in_a_form_is_an_error() {
    let zap = zap(
        "actions:\n  - { id: send, type: http, connection: sink, form: { a: \"{{ record_raw['items'] }}\" } }",
    );
    let error = requests(&zap, ORDER).unwrap_err();
    assert_eq!(error.to_string(), "actions[0].form.a: an object has no text form");
    assert!(error.help.unwrap().contains("tojson"));
}

#[test]
fn each_gives_every_element_its_own_key_and_when_is_asked_for_each() {
    let zap = zap(
        "actions:\n  - id: send\n    type: http\n    connection: sink\n    each: $.items\n    as: line\n    when: \"{{ line.qty > 1 }}\"\n    json: { n: \"{{ line.name }}\", key: \"{{ step.key }}\" }",
    );
    let scope = scope(&zap, ORDER);
    let Plan::Each(requests) = zap.actions[0].plan(&scope).unwrap() else { panic!("each") };
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].0, "1");
    let key = key::step(Uuid::nil(), "send", Some("1")).to_string();
    let request = requests[0].1.http().unwrap();
    assert_eq!(request.idempotency_key, key);
    assert_eq!(body(request), format!(r#"{{"n":"Kit","key":"{key}"}}"#));
    let none = r#"{"orderId":"1","items":[]}"#;
    assert!(matches!(zap.actions[0].plan(&self::scope(&zap, none)).unwrap(), Plan::Skip { .. }));
}

#[test]
fn later_steps_see_earlier_answers() {
    let zap = zap(
        "actions:\n  - { id: first, type: http, connection: sink, json: {} }\n  - { id: second, type: http, connection: sink, path: \"things/{{ steps.first.response.body.id }}\", when: \"{{ steps.first.outcome == 'done' }}\" }\n  - { id: third, type: http, connection: sink, success: \"{{ response.body.ok and response.status < 300 }}\" }",
    );
    assert!(zap.actions[0].reads_response() && zap.actions[0].reads_body());
    assert!(!zap.actions[1].reads_response() && !zap.actions[1].reads_body());
    assert!(zap.actions[2].reads_body() && !zap.actions[2].reads_response());
    let mut scope = scope(&zap, ORDER);
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let response = response_json(&ResponseFacts { status: 201, headers: &headers, body: br#"{"id":"a/b"}"# });
    scope.set_step("first", StepFacts { outcome: "done", response: Some(&response), element: None });
    let Plan::One(request) = zap.actions[1].plan(&scope).unwrap() else { panic!("one") };
    assert_eq!(
        http(*request).destination,
        Destination::Connection { name: "sink".to_owned(), path: "things/a%2Fb".to_owned() }
    );
    let says = |status, body: &[u8]| {
        zap.actions[2].accepts(&scope, None, &ResponseFacts { status, headers: &headers, body })
    };
    assert!(says(200, br#"{"ok":true}"#).unwrap());
    assert!(!says(200, br#"{"ok":false}"#).unwrap());
    assert!(says(200, b"{}").is_err(), "an answer without `ok` is no answer");
}

#[test]
fn the_filter_and_let() {
    let zap = zap(
        "filter: \"{{ record.totalAmount >= 20 }}\"\nlet: { a: \"{{ record.firstName }}\", b: \"{{ let.a }}!\" }\nactions:\n  - { id: send, type: http, connection: sink, text: \"{{ let.b }}\" }",
    );
    assert_eq!(
        zap.passes(&scope(&zap, ORDER)).unwrap(),
        Pass::No { why: "{{ record.totalAmount >= 20 }}".to_owned() }
    );
    assert_eq!(zap.passes(&scope(&zap, r#"{"totalAmount":20}"#)).unwrap(), Pass::Yes);
    assert!(zap.passes(&scope(&zap, r#"{"totalAmount":"soon"}"#)).is_err());
    assert_eq!(body(&requests(&zap, ORDER).unwrap()[0]), "Ada!");
}

#[test]
fn only_what_is_read_is_decoded() {
    let zap = zap(
        "actions:\n  - { id: send, type: http, connection: sink, json: { a: $.orderId, b: \"{{ record.items[0].name }}\" } }",
    );
    assert_eq!(zap.reads, ReadSet::Only(["items".into(), "orderId".into()].into()));
    let all = self::zap("actions:\n  - { id: send, type: http, connection: sink, json: \"{{ record }}\" }");
    assert_eq!(all.reads, ReadSet::All);
}

#[test]
fn slots_are_where_the_names_are() {
    let names = scope::names(
        crate::expression::Type::any(),
        crate::expression::Shape::Any,
        &crate::value::Value::Null,
        false,
    );
    let slots = ["record", "record_raw", "let", "steps"].map(|name| names.slot(name).unwrap());
    assert_eq!(slots, [scope::RECORD, scope::RECORD_RAW, scope::LET, scope::STEPS]);
    assert_eq!(names.len(), scope::STEP);
    assert_eq!(scope::RESPONSE, scope::STEP + 1);
}

#[test]
fn findings_name_the_place() {
    insta::assert_snapshot!(
        findings(
            r#"let: { a: "{{ record.emailAdress }}" }
actions:
  - id: send
    type: http
    url: "https://{{ record.custom1 }}/x"
    headers: { "X Order": 1 }
    json:
      a: { $eech: $.items }
      b: { $each: $.items }
      c: { $if: "{{ record.orderType == 'NEW_SALE' }}" }
      d: { $clear: true }
      e: "{{ let.b }}"
      f: "{{ steps.nobody.outcome }}"
      g: $.emailAdress
"#
        )
        .join("\n"),
        @r#"
        3:15 ZR0404 `record` has no field `emailAdress` | did you mean `emailAddress`?
        7:10 ZR0710 scheme and host of the address are not literal | write https:// and the host out before the first template, or name the hosts in `allow_hosts`
        7:22 ZR0411 `record.custom1` is null in some rows, and the run is given up then | write `record.custom1 | default('')`, or let only those pass that have it: `filter: "{{ record.custom1 is defined }}"`
        8:16 ZR0711 `X Order` is not a header name | write letters, digits and hyphens, without spaces and `:`: X-Request-Source
        10:12 ZR0704 `$eech` is not a word of the mapping language | did you mean `$each`? for a field of that name write `$$eech`
        11:10 ZR0705 `$each` needs `$map`: what each element becomes | `zaprun reference mapping` shows where each `$` key stands; `$$` writes a `$`
        12:10 ZR0705 `$if` needs `$then` | `zaprun reference mapping` shows where each `$` key stands; `$$` writes a `$`
        13:12 ZR0703 `$clear` has no meaning here | it clears a field of the CRM; write null to send a null
        14:14 ZR0404 `let` has no field `b` | it has `a`
        15:14 ZR0404 `steps` has no field `nobody` | no step comes before this one
        16:12 ZR0404 the record has no field `emailAdress` | did you mean `emailAddress`?
        "#
    );
}

#[test]
fn what_cannot_be_compiled_cannot_be_silenced() {
    let found = findings(
        "actions:\n  - id: send\n    type: http\n    connection: sink\n    # zaprun: ignore ZR0404 -- it is new\n    json: { a: \"{{ record.brandNew }}\" }",
    );
    assert!(found.iter().any(|finding| finding.contains("ZR0404")), "{found:?}");
}

#[test]
fn triggers_are_checked() {
    let of = |trigger: &str| {
        compiled(&format!("name: z\ntrigger: {{ connection: crm, {trigger} }}\nactions: [{{ id: a, type: http, connection: sink }}]"))
            .err()
            .unwrap_or_default()
            .join("\n")
    };
    insta::assert_snapshot!(
        [
            of("type: konnektive.orders, order_type: cancelled, cycles: all, include_bought: true"),
            of("type: konnektive.orders, order_type: new_sale, where: { campainId: 12, totalAmount: many, items: 1 }"),
            of("type: konnektive.orders, order_type: new_sale, once_per: orderid"),
            of("type: konnektive.transactions, transaction_type: decline, where: { campaignProductId: 1 }"),
            of("type: konnektive.orders, order_type: new_sale, where: { campaignProductId: [1, \"2\"], campaignId: \"12\" }, start: 2026-03-08"),
        ]
        .join("\n--\n"),
        @r"
        2:77 ZR0210 `cycles` says nothing about cancelled | remove it: it belongs to new_sale, declined and decline
        2:90 ZR0210 `include_bought` says nothing about cancelled | remove it: it belongs to `order_type: new_lead`
        --
        2:85 ZR0706 an order has no field `campainId` | did you mean `campaignId`?
        2:113 ZR0707 `totalAmount` cannot have this value | it is an amount
        2:119 ZR0707 `items` holds no single value | `where` compares single values; look into it with `filter`
        --
        2:86 ZR0706 an order has no field `orderid` | did you mean `orderId`?
        --

        --
        "
    );
}

#[test]
fn hashes_tell_what_changed() {
    let of = |trigger: &str, rest: &str| {
        compiled(&format!("name: z\ntrigger: {{ type: konnektive.orders, connection: crm, order_type: new_sale{trigger} }}\nactions: [{{ id: a, type: http, connection: sink{rest} }}]")).unwrap()
    };
    let base = of("", "");
    assert_eq!(base.selection, of(", every: 5m", ", json: {}").selection);
    assert_ne!(base.selection, of(", where: { campaignId: 1 }", "").selection);
    assert_eq!(
        of(", where: { campaignId: [1, 2] }", "").selection,
        of(", where: { campaignId: [\"2\", 1] }", "").selection
    );
    assert_ne!(base.content, of("", ", json: {}").content);
    assert_eq!(base.content, of("", "").content);
}

/// Any JSON value of a field, odd ones most of all.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[0-9]{1,5}\\.[0-9]{2}".prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        "[\\x00-\\x7f]{0,12}".prop_map(Into::into),
        Just("../..".into()),
        Just("a\r\nX-Evil: 1".into()),
        Just("\"},{\"".into()),
        Just("&a=b#c?d/e%2e".into()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            proptest::collection::btree_map("[a-z]{1,4}", inner, 0..3)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    /// A mapping is total and deterministic over any record: a request or a typed error.
    #[test]
    fn mapping_is_total_and_deterministic(name in any_json(), amount in any_json(), items in any_json()) {
        let zap = zap(ANY_ZAP);
        let record = serde_json::json!({"firstName": name, "totalAmount": amount, "items": items}).to_string();
        let once = requests(&zap, &record);
        prop_assert_eq!(once, requests(&zap, &record));
    }

    /// No value from a record changes the structure of a body, a header, a query or a path.
    #[test]
    fn values_stay_values(value in any_json()) {
        let zap = zap(ANY_ZAP);
        let record = serde_json::json!({"firstName": value, "totalAmount": "1.00", "items": {}}).to_string();
        let Ok(requests) = requests(&zap, &record) else { return Ok(()) };
        let request = &requests[0];
        let sent: serde_json::Value = serde_json::from_slice(&request.body.as_ref().unwrap().bytes).unwrap();
        let keys: Vec<&String> = sent.as_object().unwrap().keys().collect();
        prop_assert_eq!(keys, ["native", "text", "amount", "lines"]);
        prop_assert_eq!(request.query.len(), 1);
        prop_assert!(request.headers.iter().all(|(_, value)| !value.contains(['\r', '\n'])));
        let Destination::Connection { path, .. } = &request.destination else { panic!("connection") };
        prop_assert_eq!(path.split('/').count(), 2, "{}", path);
        prop_assert!(!path.contains(['?', '#', ' ']) && !path.ends_with("/..") && path != "x/", "{}", path);
    }

    /// A form body parses back to exactly the pairs that were mapped.
    #[test]
    fn a_form_keeps_its_pairs(text in any::<String>()) {
        let zap = zap("actions:\n  - { id: send, type: http, connection: sink, form: { a: \"{{ record.firstName }}\", b: x } }");
        let record = serde_json::json!({"firstName": text}).to_string();
        let requests = requests(&zap, &record).unwrap();
        let pairs: Vec<(String, String)> =
            ::url::form_urlencoded::parse(&requests[0].body.as_ref().unwrap().bytes).into_owned().collect();
        prop_assert_eq!(pairs, [("a".to_owned(), text), ("b".to_owned(), "x".to_owned())]);
    }

    /// No value changes an address: read back, it has the author's host, segments and parameters, and the value whole.
    #[test]
    fn an_address_keeps_its_structure(text in prop_oneof![any::<String>(), "[ -~]{0,12}", r"[./%2eE\\@:#?&]{1,6}"]) {
        let zap = zap("actions:\n  - { id: send, type: http, url: \"https://a.example/x/{{ record.firstName }}/y?q={{ record.firstName }}&z=1\" }");
        let record = serde_json::json!({"firstName": text}).to_string();
        let Ok(requests) = requests(&zap, &record) else {
            prop_assert!(text.is_empty() || text == "." || text == "..", "{:?}", text);
            return Ok(());
        };
        let Destination::Url { url, .. } = &requests[0].destination else { panic!("url") };
        let url = ::url::Url::parse(url).unwrap();
        prop_assert_eq!(url.host_str(), Some("a.example"));
        let segments: Vec<String> = url.path_segments().unwrap()
            .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8().unwrap().into_owned())
            .collect();
        prop_assert_eq!(segments, ["x", text.as_str(), "y"]);
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(pairs, [("q".to_owned(), text), ("z".to_owned(), "1".to_owned())]);
        prop_assert_eq!(url.fragment(), None);
    }

    /// Literals leave as they were written, byte for byte.
    #[test]
    fn literals_survive(number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", text in "[a-zA-Z0-9 .,äß\u{1F600}'-]{0,20}") {
        let no_card = |text: &str| crate::card::in_text(text).is_none();
        prop_assume!(no_card(&number) && no_card(&text));
        let quoted = serde_json::Value::from(text).to_string();
        let sent = json(&format!("      n: {number}\n      t: {quoted}\n      l: [{number}]"), ORDER).unwrap();
        prop_assert_eq!(sent, format!("{{\"n\":{number},\"t\":{quoted},\"l\":[{number}]}}"));
    }
}

const ANY_ZAP: &str = r#"actions:
  - id: send
    type: http
    connection: sink
    path: "x/{{ record.firstName }}"
    query: { q: "{{ record.firstName }}" }
    headers: { X-Name: "{{ record.firstName }}" }
    json:
      native: "{{ record.firstName }}"
      text: "<{{ record.firstName }}>"
      amount: "{{ record.totalAmount * 2 }}"
      lines: { $each: "{{ record['items'] }}", $map: { n: "{{ item.name | default('') }}", i: "{{ index }}" } }
"#;

const HTTP: &str = "actions:\n  - id: send\n    type: http\n    connection: sink\n";

#[test]
fn paths_and_addresses_say_what_they_cannot_hold() {
    let of = |keys: &str| findings(&format!("{HTTP}    {keys}")).join("\n");
    insta::assert_snapshot!(
        [
            of("path: \"entries?order={{ record.orderId }}\""),
            of("path: \"a#b\""),
            of("path: $.orderId"),
            of("path: https://api.example.com/x"),
            of("path: \"{{ record.couponCode | default('?#://') }}\""),
            findings("actions: [{ id: send, type: http, url: $.orderId }]").join("\n"),
            findings("actions: [{ id: send, type: http, url: api.example.com }]").join("\n"),
        ]
        .join("\n--\n"),
        @r"
        7:11 ZR0205 `path` holds a `?`, which would end the path | write what follows under `query:`: names and values
        --
        7:11 ZR0205 `path` holds a `#`, which would end the path | remove it: what follows a `#` never reaches a server; within a name write %23
        --
        7:11 ZR0205 `path` is a template, and a JSONPath is not one | write `{{ record.x }}` for a field of the record
        --
        7:11 ZR0205 `path` holds a whole address | write the whole address as `url:`, without `connection:`; `path` follows the connection's address
        --

        --
        3:40 ZR0212 `url` is a template, and a JSONPath is not one | write https:// and the host out, and `{{ record.x }}` for a field of the record
        --
        3:40 ZR0212 `url` is not an address that requests can go to | write an absolute address: https://api.example.com/entries
        "
    );
}

#[test]
fn hosts_are_patterns_and_a_literal_one_is_allowed() {
    let of = |url: &str, hosts: &str| {
        findings(&format!("actions: [{{ id: send, type: http, url: \"{url}\", allow_hosts: {hosts} }}]"))
            .join("\n")
    };
    insta::assert_snapshot!(
        [
            of("{{ record.custom1 }}", "[\"*\", \"https://a.example\"]"),
            of("https://b.example/x", "[a.example]"),
            of("{{ record.custom1 }}", "[\"*.a.example\"]"),
            of("https://b.a.example/x", "[\"*.a.example\"]"),
        ]
        .join("\n--\n"),
        @r#"
        3:44 ZR0411 `record.custom1` is null in some rows, and the run is given up then | write `record.custom1 | default('')`, or let only those pass that have it: `filter: "{{ record.custom1 is defined }}"`
        3:78 ZR0205 `*` is not the name of a host | write a host without scheme, port or path: api.example.com, or "*.example.com" for all below it
        3:83 ZR0205 `https://a.example` is not the name of a host | write a host without scheme, port or path: api.example.com, or "*.example.com" for all below it
        --
        3:40 ZR0710 `allow_hosts` does not allow the host of this address | add the host to `allow_hosts`, or remove `allow_hosts`
        --

        --
        "#
    );
}

#[test]
fn headers_that_zaprun_sets_are_not_the_authors() {
    insta::assert_snapshot!(
        findings(&format!("{HTTP}    headers: {{ Idempotency-Key: $.orderId, Host: a, content-length: 1, X-Ok: 1 }}")).join("\n"),
        @r"
        7:16 ZR0712 the header `Idempotency-Key` is set by zaprun itself | the connection's `idempotency_header` gives it another name, or `none`
        7:44 ZR0712 the header `Host` is set by zaprun itself | remove it: it says where a message goes or ends
        7:53 ZR0712 the header `content-length` is set by zaprun itself | remove it: it says where a message goes or ends
        "
    );
}

#[test]
fn names_that_are_taken() {
    insta::assert_snapshot!(
        findings(&format!(
            "{HTTP}    each: $.items\n    as: record\n    json: {{ $each: $.items, $as: index, $map: {{ $each: $.items, $as: not, $map: 1 }} }}"
        ))
        .join("\n"),
        @r"
        8:9 ZR0708 `record` means something else already | give the element another name, for example `line`
        9:34 ZR0708 `index` means something else already | give the element another name, for example `line`
        9:70 ZR0708 `not` means something else already | give the element another name, for example `line`
        "
    );
}

#[test]
fn words_of_a_condition_of_the_trigger() {
    let of = |condition: &str| {
        let text = format!(
            "name: z\ntrigger: {{ connection: crm, type: konnektive.orders, order_type: new_sale, where: {{ {condition} }} }}\nactions: [{{ id: a, type: http, connection: sink, path: \"?\" }}]"
        );
        compiled(&text).err().unwrap().join("\n")
    };
    insta::assert_snapshot!(
        [of("orderStatus: COMPLETED"), of("orderStatus: \"{{ vars.channel }}\""), of("orderStatus: COMPLETE")].join("\n--\n"),
        @r"
        2:98 ZR0707 `orderStatus` is not known to be `COMPLETED` | did you mean `COMPLETE`?
        3:56 ZR0205 `path` holds a `?`, which would end the path | write what follows under `query:`: names and values
        --
        2:98 ZR0707 `where` takes values as they are, no templates | compare with an expression in `filter`
        3:56 ZR0205 `path` holds a `?`, which would end the path | write what follows under `query:`: names and values
        --
        3:56 ZR0205 `path` holds a `?`, which would end the path | write what follows under `query:`: names and values
        "
    );
}

#[test]
fn what_is_missing_within_a_literal() {
    assert_eq!(json("      a: \"{{ [record.shipCity, 1] }}\"", ORDER).unwrap(), r#"{"a":[null,1]}"#);
    assert_eq!(json("      a: \"{{ {'b': record.shipCity} }}\"", ORDER).unwrap(), r#"{"a":{"b":null}}"#);
    for (written, named) in [
        ("[record_raw.nothing]", "record_raw.nothing"),
        ("{'b': record_raw.nothing}", "record_raw.nothing"),
        ("record.shipCity | tojson", "record.shipCity"),
        ("record.couponCode | tojson", "record.couponCode"),
    ] {
        let error = json(&format!("      a: \"{{{{ {written} }}}}\""), ORDER).unwrap_err();
        assert_eq!(error, format!("actions[0].json.a: `{named}` is missing"));
    }
    assert_eq!(json("      a: \"{{ [none] | tojson }}\"", ORDER).unwrap(), r#"{"a":"[null]"}"#);
}

#[test]
fn findings_have_the_pointer_of_their_value() {
    let input = Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: Vec::new(),
        zaps: vec![file(
            "zaps/z.yaml",
            "name: z\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\nactions: [{ id: a, type: http, connection: sink, headers: { Host: x }, json: { a/b: [1, \"{{ record.nope }}\"] } }]",
        )],
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let one = &loaded.zaps[0];
    let compiled = compile(one.definition.as_ref().unwrap(), one.tree.as_ref().unwrap(), &facts);
    assert!(compiled.zap.is_none());
    let pointers: Vec<_> =
        compiled.diagnostics.iter().filter_map(|finding| finding.pointer.as_deref()).collect();
    assert_eq!(pointers, ["/actions/0/json/a~1b/1", "/actions/0/headers"]);
}

#[test]
fn members_behind_many_and_constants_of_another_kind() {
    insta::assert_snapshot!(
        findings(
            r#"filter: "{{ record.campaignId in [12, '15', none] or record.campaignId is eq 12 or record.totalAmount is ge '5' }}"
actions:
  - id: send
    type: http
    connection: sink
    json:
      a: $.items[*].nmae
      b: $.items[0]['nmae']
      c: $.items[?@.qty > 1].nmae
      d: $.items[0:2].name.x
      e: $..nmae
      f: "{{ record | jsonpath('$.nope') }}"
      g: { $each: "$.items[*]", $map: "{{ item.nmae }}" }
      h: "{{ record.campaignId not in [12] and record.campaignId is in [12] }}"
      i: "{{ record | jsonpath('$.items[*].name') | join(',') }}"
"#
        )
        .join("\n"),
        @r"
        3:35 ZR0408 text cannot be compared with a number | write it in quotes: '12'
        3:78 ZR0408 text cannot be compared with a number | write it in quotes: '12'
        3:109 ZR0408 a number cannot be compared with text | convert one side: `| number` for amounts, quotes or `| string` for ids
        9:21 ZR0404 `$.items[*]` has no field `nmae` | did you mean `name`?
        10:22 ZR0404 `$.items[0]` has no field `nmae` | did you mean `name`?
        11:30 ZR0404 `$.items[?@.qty > 1]` has no field `nmae` | did you mean `name`?
        12:28 ZR0404 `x` is looked for in text | end the path before it
        14:32 ZR0404 `record` has no field `nope` | `zaprun reference order` lists its fields
        15:43 ZR0404 `item` has no field `nmae` | did you mean `name`?
        16:40 ZR0408 text cannot be compared with a number | write it in quotes: '12'
        16:73 ZR0408 text cannot be compared with a number | write it in quotes: '12'
        "
    );
}

#[test]
fn an_answer_is_judged_with_the_key_of_its_request() {
    let zap = zap(
        "actions:\n  - { id: one, type: http, connection: sink, success: \"{{ response.body == step.key and step.id == 'one' }}\" }\n  - { id: many, type: http, connection: sink, each: $.items, success: \"{{ response.body == step.key }}\" }",
    );
    let scope = scope(&zap, ORDER);
    let Plan::One(request) = zap.actions[0].plan(&scope).unwrap() else { panic!("one") };
    let Plan::Each(requests) = zap.actions[1].plan(&scope).unwrap() else { panic!("each") };
    let says = |action: usize, element, key: &str| {
        let answer = ResponseFacts { status: 200, headers: &[], body: key.as_bytes() };
        zap.actions[action].accepts(&scope, element, &answer).unwrap()
    };
    assert!(says(0, None, &request.http().unwrap().idempotency_key));
    let (element, request) = &requests[0];
    assert!(says(1, Some(element), &request.http().unwrap().idempotency_key));
    assert!(!says(1, Some("another"), &request.http().unwrap().idempotency_key));
}

#[test]
fn a_step_over_no_elements_shows_none() {
    let zap = zap(
        "actions:\n  - { id: many, type: http, connection: sink, each: $.items }\n  - { id: then, type: http, connection: sink, json: { ids: \"{{ steps.many['items'] | map(attribute='response.body.id') }}\", o: \"{{ steps.many.outcome }}\" } }",
    );
    let sent = |scope: &Scope| match zap.actions[1].plan(scope) {
        Ok(Plan::One(request)) => Ok(body(request.http().unwrap())),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    };
    let step = |outcome, response, element| StepFacts { outcome, response, element };
    let mut scope = scope(&zap, ORDER);
    scope.set_step("many", step("skipped", None, None));
    assert_eq!(sent(&scope).unwrap(), r#"{"ids":[],"o":"skipped"}"#);
    scope.set_step("many", step("failed", None, None));
    assert_eq!(sent(&scope).unwrap(), r#"{"ids":[],"o":"failed"}"#);
    // What a dry run only shows as done has elements that nobody knows.
    scope.set_step("many", step("done", None, None));
    assert!(sent(&scope).unwrap_err().contains("is missing"));
    scope.set_step("many", step("done", Some(br#"{"body":{"id":7}}"#), Some("1")));
    assert_eq!(sent(&scope).unwrap(), r#"{"ids":[7],"o":"done"}"#);
}

#[test]
fn what_would_never_work_is_found_before_it_runs() {
    insta::assert_snapshot!(
        findings(
            r#"actions:
  - { id: a, type: http, connection: sink, each: $.items, path: "x/../{{ item.key }}" }
  - { id: b, type: http, url: "https://a.example/./x" }
  - { id: c, type: http, connection: sink, json: { a: "{{ steps.a.response.status }}", b: "{{ steps.b['items'] }}" } }
  - { id: d, type: http, connection: sink, json: { $$set: 1, $set: 2, a: "{{ record.orderId[0] }}" } }
"#
        )
        .join("\n"),
        @r"
        4:65 ZR0205 `path` holds `.` or `..` between slashes, which means a step within the path | write the path without it
        5:31 ZR0205 `url` holds `.` or `..` between slashes, which means a step within the path | write the path without it
        6:59 ZR0404 `steps.a` has no field `response` | it has `outcome`, `items`
        6:95 ZR0404 `steps.b` has no field `items` | it has `outcome`, `response`
        7:62 ZR0705 another key writes `$set` too | `zaprun reference mapping` shows where each `$` key stands; `$$` writes a `$`
        7:78 ZR0404 `record.orderId` is text and has no positions | a character is `record.orderId[0:1]`
        "
    );
    let null = zap("actions:\n  - { id: send, type: http, connection: sink, text: $.shipCity }");
    let error = requests(&null, r#"{"shipCity":null}"#).unwrap_err();
    assert_eq!(error.to_string(), "actions[0].text: the text is null: there is nothing to send");
}
