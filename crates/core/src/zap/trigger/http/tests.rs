//! What an API is asked, and what is read of its answers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panic")]

use jiff::Timestamp;
use proptest::prelude::*;

use super::{HttpTrigger, NotItems, Place};
use crate::load::{File, Input, load};
use crate::request::{Destination, Method};
use crate::zap::{ProjectFacts, Trigger, compile};

const PROJECT: &str = r#"
version: 1
connections:
  crm: { type: konnektive, login_id: a, password: "${PASSWORD}", timezone: America/New_York }
  api: { type: http, base_url: "https://api.example/v1" }
vars: { status: active, nothing: null, bad: "a\nb" }
"#;

fn findings(trigger: &str) -> Result<HttpTrigger, Vec<String>> {
    let text = format!(
        "name: z\ntrigger:\n  type: http\n  {}\nactions:\n  - {{ id: stop, type: konnektive.cancel_order, connection: crm, map: {{ orderId: \"{{{{ record.id }}}}\", cancelReason: x }} }}\n",
        trigger.replace('\n', "\n  ")
    );
    let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    let zaps = vec![file("zaps/z.yaml", &text)];
    let input = Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: Vec::new(),
        zaps,
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let zap = &loaded.zaps[0];
    let Some(definition) = &zap.definition else {
        return Err(loaded.conclude(Vec::new()).iter().map(|finding| finding.message.clone()).collect());
    };
    let compiled = compile(definition, zap.tree.as_ref().unwrap(), &facts);
    let all = loaded.conclude(compiled.diagnostics);
    match compiled.zap.map(|zap| zap.trigger) {
        Some(Trigger::Http(trigger)) if all.is_empty() => Ok(*trigger),
        _ => Err(all.iter().map(|finding| finding.message.clone()).collect()),
    }
}

fn trigger(text: &str) -> HttpTrigger {
    findings(text).unwrap_or_else(|found| panic!("{text}: {found:?}"))
}

const PLAIN: &str = "connection: api\npath: /items\nitems: $.data\nkey: \"{{ record.id }}\"";

fn with(more: &str) -> HttpTrigger {
    trigger(&format!("{PLAIN}\n{more}"))
}

fn pairs(trigger: &HttpTrigger, place: &Place, since: Option<&str>) -> String {
    let since = since.map(|since| since.parse::<Timestamp>().unwrap());
    let pairs = trigger.request(place, since).query;
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Keys and records of an answer, and where it goes on.
type Items = (Vec<(String, String)>, Option<Place>);

fn read(trigger: &HttpTrigger, body: &str) -> Result<Items, NotItems> {
    let read = trigger.read(&Place::First, body.as_bytes(), &[])?;
    let items = read.items.into_iter().map(|item| {
        (item.key.unwrap_or_else(|error| format!("! {error}")), String::from_utf8(item.record).unwrap())
    });
    Ok((items.collect(), read.next))
}

fn records(trigger: &HttpTrigger, body: &str) -> Vec<String> {
    read(trigger, body).unwrap().0.into_iter().map(|(_, record)| record).collect()
}

#[test]
fn the_request_is_made_of_vars_once() {
    let trigger = trigger(
        "connection: api\npath: /search/{{ vars.status }}\nmethod: POST\nquery: { a: 1, s: \"{{ vars.status }}\", n: null }\nheaders: { X-S: \"{{ vars.status }}\" }\njson: { status: \"{{ vars.status }}\" }\nitems: $\nkey: $.id\nevery: 30s",
    );
    let request = trigger.request(&Place::First, None);
    assert_eq!(request.method, Method::Post);
    let wanted = Destination::Connection { name: "api".to_owned(), path: "/search/active".to_owned() };
    assert_eq!(request.destination, wanted);
    assert_eq!(pairs(&trigger, &Place::First, None), "a=1&s=active");
    assert_eq!(request.headers, [("X-S".to_owned(), "active".to_owned())]);
    assert_eq!(request.body.unwrap().bytes, br#"{"status":"active"}"#);
    assert_eq!((request.idempotency_key.as_str(), request.chain), ("", 0), "a read has no key");
    assert_eq!(trigger.every.as_secs(), 30);
    assert_eq!(trigger.source(), "api");
}

#[test]
fn what_cannot_be_asked_is_a_finding() {
    let wrong = |text: &str| findings(text).unwrap_err().join("; ");
    let rest = "items: $.data\nkey: \"{{ record.id }}\"";
    for (text, message) in [
        (
            format!("connection: api\nurl: https://a.example\n{rest}"),
            "`connection` and `url` exclude each other",
        ),
        (rest.to_owned(), "the trigger has neither `connection` nor `url`"),
        (
            format!("url: \"https://{{{{ vars.status }}}}/x\"\n{rest}"),
            "scheme and host of the address are not literal",
        ),
        (format!("connection: api\njson: {{ a: 1 }}\n{rest}"), "`json` gives a GET a body"),
        (
            format!("connection: api\nquery: {{ a: \"{{{{ vars.nothing }}}}\" }}\n{rest}"),
            "`vars.nothing` is missing",
        ),
        (
            format!("connection: api\nheaders: {{ X: \"{{{{ vars.bad }}}}\" }}\n{rest}"),
            "the value of header `X` holds a line break or a control character",
        ),
        (
            format!("connection: api\nheaders: {{ Host: x }}\n{rest}"),
            "the header `Host` is set by zaprun itself",
        ),
        (
            format!("connection: api\nquery: {{ a: \"{{{{ record.id }}}}\" }}\n{rest}"),
            "unknown name `record`",
        ),
        ("connection: api\nitems: $.data\nkey: id".to_owned(), "`key` is the same for all"),
        ("connection: api\nitems: data\nkey: \"{{ record.id }}\"".to_owned(), "JSONPath"),
        (
            format!("connection: api\npagination: {{ cursor: {{ param: c, next: \"$.a[*]\" }} }}\n{rest}"),
            "`next` may lead to several values",
        ),
        (
            format!("connection: api\nsince: {{ param: s, format: soon }}\n{rest}"),
            "`soon` is no form of an instant",
        ),
        (format!("connection: api\nevery: 100ms\n{rest}"), "`every` must be at least 1s"),
    ] {
        let found = wrong(&text);
        assert!(found.contains(message), "{text}\n{found}");
    }
}

#[test]
fn pages_are_asked_for_by_number_or_by_the_items_before() {
    let after = |pages, items| Place::After { pages, items };
    let numbered = with("pagination: { page: { param: page, size: 2, size_param: per } }");
    assert_eq!(pairs(&numbered, &Place::First, None), "page=1&per=2");
    assert_eq!(pairs(&numbered, &after(2, 4), None), "page=3&per=2");
    let two = r#"{"data":[{"id":1},{"id":2}]}"#;
    assert_eq!(read(&numbered, two).unwrap().1, Some(after(1, 2)));
    assert_eq!(read(&numbered, r#"{"data":[{"id":1}]}"#).unwrap().1, None, "a short page is the last");

    let unsized_ = with("pagination: { page: { param: p, first: 0 } }");
    assert_eq!(pairs(&unsized_, &Place::First, None), "p=0");
    assert_eq!(read(&unsized_, two).unwrap().1, Some(after(1, 2)));
    assert_eq!(read(&unsized_, r#"{"data":[]}"#).unwrap().1, None, "an empty page is the last");

    let offset = with("pagination: { offset: { param: skip, size: 2 } }");
    assert_eq!(pairs(&offset, &Place::First, None), "skip=0");
    assert_eq!(pairs(&offset, &after(2, 5), None), "skip=5");
    let third = offset.read(&after(2, 4), two.as_bytes(), &[]).unwrap();
    assert_eq!(third.next, Some(after(3, 6)));
    assert_eq!(with("").read(&Place::First, two.as_bytes(), &[]).unwrap().next, None, "there is one page");
}

#[test]
fn pages_go_on_where_the_answer_says() {
    let cursor = with("pagination: { cursor: { param: after, next: $.meta.next } }");
    assert_eq!(pairs(&cursor, &Place::First, None), "");
    assert_eq!(pairs(&cursor, &Place::Cursor("x&y".to_owned()), None), "after=x&y");
    for (next, wanted) in [
        (r#""abc""#, Some("abc")),
        ("17", Some("17")),
        ("null", None),
        (r#""""#, None),
        ("false", None),
        ("{}", None),
    ] {
        let body = format!(r#"{{"data":[],"meta":{{"next":{next}}}}}"#);
        let found = read(&cursor, &body).unwrap().1;
        assert_eq!(found, wanted.map(|text| Place::Cursor(text.to_owned())), "{next}");
    }
    assert_eq!(read(&cursor, r#"{"data":[]}"#).unwrap().1, None);

    let link = with("query: { a: 1 }\npagination: { link: { next: $.next } }");
    let next = read(&link, r#"{"data":[],"next":"/v1/items?page=2"}"#).unwrap().1.unwrap();
    let request = link.request(&next, None);
    let linked = |link: &str| Destination::Linked {
        name: "api".to_owned(),
        path: "/items".to_owned(),
        link: link.to_owned(),
    };
    assert_eq!(request.destination, linked("/v1/items?page=2"));
    assert!(request.query.is_empty(), "the link is the whole question");
    let header = with("pagination: { link: {} }");
    let headers = [("link".to_owned(), "<?page=2>; rel=\"next\"".to_owned())];
    let found = header.read(&Place::First, br#"{"data":[]}"#, &headers).unwrap().next.unwrap();
    assert_eq!(header.request(&found, None).destination, linked("?page=2"));
}

#[test]
fn a_link_never_leads_to_another_host() {
    let text = "url: https://api.example/v1/items?a=1\nitems: $.data\nkey: $.id\npagination: { link: { next: $.next } }";
    let trigger = trigger(text);
    assert_eq!(trigger.source(), "api.example");
    let next = |place: &Place, link: &str| {
        let body = format!(r#"{{"data":[],"next":"{link}"}}"#);
        trigger.read(place, body.as_bytes(), &[]).map(|read| read.next.unwrap())
    };
    let link = |url: &str| Ok(Place::Link(url.to_owned()));
    assert_eq!(next(&Place::First, "?page=2"), link("https://api.example/v1/items?page=2"));
    assert_eq!(next(&Place::First, "/v2"), link("https://api.example/v2"));
    assert_eq!(next(&Place::First, "https://api.example:443/x"), link("https://api.example/x"));
    let second = Place::Link("https://api.example/v3/items".to_owned());
    assert_eq!(next(&second, "more"), link("https://api.example/v3/more"), "relative to the page before");
    for elsewhere in [
        "https://evil.example/x",
        "//evil.example/x",
        "http://api.example/x",
        "https://api.example:8443/x",
        "https://user:pass@api.example/x",
        "https://api.example@evil.example/",
        "file:///etc/passwd",
    ] {
        assert_eq!(next(&Place::First, elsewhere), Err(NotItems::OtherHost), "{elsewhere}");
    }
    let wanted = Destination::Url { url: "https://api.example/v2".to_owned(), allow_hosts: Vec::new() };
    assert_eq!(trigger.request(&Place::Link("https://api.example/v2".to_owned()), None).destination, wanted);
}

#[test]
fn only_later_items_are_asked_for_in_the_apis_own_form() {
    let since = "2026-09-16T12:00:00Z";
    let asked =
        |format: &str| pairs(&with(&format!("since: {{ param: from{format} }}")), &Place::First, Some(since));
    assert_eq!(asked(""), "from=2026-09-16T12:00:00Z");
    assert_eq!(asked(", format: iso"), "from=2026-09-16T12:00:00Z");
    assert_eq!(asked(", format: unix"), "from=1789560000");
    assert_eq!(asked(", format: \"%m/%d/%Y %H:%M\""), "from=09/16/2026 12:00");
    let trigger =
        with("since: { param: from, overlap: 1h }\npagination: { cursor: { param: c, next: $.n } }");
    assert_eq!(pairs(&trigger, &Place::First, None), "", "the first time asks for all there is");
    assert_eq!(pairs(&trigger, &Place::Cursor("x".to_owned()), Some(since)), "from=2026-09-16T12:00:00Z&c=x");
    assert_eq!((trigger.overlap().as_secs(), trigger.asks_since()), (3600, true));
    assert_eq!(with("since: { param: from }").overlap().as_secs(), 900);
}

#[test]
fn a_plain_list_gives_items_byte_for_byte() {
    let body = "\u{feff}{\"data\": [ {\"id\":1, \"n\": 1.50e1 } ,{\"id\" : 2,\"id\":3}],\"x\":[]}";
    for path in ["$.data", "$.data[*]", "$['data']"] {
        let trigger = trigger(&format!("connection: api\nitems: \"{path}\"\nkey: \"{{{{ record.id }}}}\""));
        assert_eq!(
            records(&trigger, body),
            ["{\"id\":1, \"n\": 1.50e1 }", "{\"id\" : 2,\"id\":3}"],
            "{path}"
        );
    }
    let whole = trigger("connection: api\nitems: $\nkey: $.id");
    assert_eq!(records(&whole, " [{\"id\":1}] "), ["{\"id\":1}"]);
    let deep = trigger("connection: api\nitems: \"$.pages[-1].list[*]\"\nkey: $.id");
    assert_eq!(
        records(&deep, r#"{"pages":[0,{"list":{"a":{"id":"x"},"b":{"id":"y"}}}]}"#),
        [r#"{"id":"x"}"#, r#"{"id":"y"}"#]
    );
    let scalar = trigger("connection: api\nitems: $.ids\nkey: \"{{ record }}\"");
    assert_eq!(read(&scalar, r#"{"ids":["a",7]}"#).unwrap().0[1], ("7".to_owned(), "7".to_owned()));
}

#[test]
fn any_other_path_gives_what_it_finds() {
    let filtered = trigger("connection: api\nitems: \"$..orders[?@.open == true]\"\nkey: $.id");
    let body = r#"{"a":{"orders":[{"id":1,"open":true,"n":19.90},{"id":2,"open":false}]}}"#;
    assert_eq!(records(&filtered, body), [r#"{"id":1,"open":true,"n":19.90}"#]);
    assert!(records(&filtered, "{}").is_empty());
}

#[test]
fn an_answer_without_the_list_is_no_empty_page() {
    let trigger = with("");
    let wrong = |body: &str| read(&trigger, body).unwrap_err().to_string();
    assert_eq!(wrong(r#"{"error":"no such thing"}"#), "the answer has nothing at `$.data`");
    assert_eq!(wrong(r#"{"data":{"id":1}}"#), "`$.data` of the answer is an object, not a list");
    assert_eq!(wrong(r#"{"data":"none"}"#), "`$.data` of the answer is text, not a list");
    assert_eq!(wrong("[]"), "the answer has nothing at `$.data`");
    assert!(wrong("<html>").starts_with("the answer is not JSON: "));
    assert!(wrong(r#"{"data":[{"id":1}"#).starts_with("the answer is not JSON: "));
    assert!(wrong(r#"{"data":[{"id":1}]} x"#).starts_with("the answer is not JSON: "));
    assert!(wrong(r#"{"data":[{"id":1,}]}"#).starts_with("the answer is not JSON: "));
    assert!(wrong("").starts_with("the answer is not JSON: "));
    assert_eq!(trigger.read(&Place::First, b"\xff", &[]).unwrap_err(), NotItems::NotUtf8);
    assert_eq!(records(&trigger, r#"{"data":null}"#), Vec::<String>::new(), "null is no item");
}

#[test]
fn a_key_is_a_short_text() {
    let trigger = with("");
    let keys =
        |body: &str| read(&trigger, body).unwrap().0.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    assert_eq!(keys(r#"{"data":[{"id":"a"},{"id":7},{"id":1.50},{"id":true}]}"#), ["a", "7", "1.50", "true"]);
    for bad in [r#"{"id":null}"#, "{}", r#"{"id":""}"#, r#"{"id":[]}"#, r#""text""#] {
        let found = keys(&format!(r#"{{"data":[{bad}]}}"#));
        assert!(found[0].starts_with("! "), "{bad} {found:?}");
    }
    let two = with("once_per: \"{{ record.group }}\"");
    let item = |body: &str| two.read(&Place::First, body.as_bytes(), &[]).unwrap().items.remove(0);
    assert_eq!(item(r#"{"data":[{"id":1,"group":"g"}]}"#).once.as_deref(), Some("g"));
    assert_eq!(item(r#"{"data":[{"id":1}]}"#).once, None);
    assert_eq!(two.once(br#"{"id":1,"group":"g"}"#).unwrap().as_deref(), Some("g"));
}

#[test]
fn card_data_is_taken_out_before_anything_is_kept() {
    let trigger = with("once_per: \"{{ record.note }}\"");
    let body =
        br#"{"data":[{"id":"4111111111111111","note":"4111 1111 1111 1111","n":[{"cvv":123}]},{"id":2}]}"#;
    let mut items = trigger.read(&Place::First, body, &[]).unwrap().items;
    let clean = items.remove(1);
    assert_eq!((clean.record, clean.card), (br#"{"id":2}"#.to_vec(), Vec::<String>::new()));
    let item = items.remove(0);
    assert_eq!(item.key.unwrap(), "4111111111111111", "an id is no card");
    let wanted =
        r#"{"id":"4111111111111111","note":"[card data removed]","n":[{"cvv":"[card data removed]"}]}"#;
    assert_eq!(String::from_utf8(item.record).unwrap(), wanted);
    assert_eq!(
        (item.once.as_deref(), item.card),
        (Some("[card data removed]"), vec!["note".to_owned(), "cvv".to_owned()])
    );
}

#[test]
fn a_time_is_read_in_the_zone_of_the_account_that_is_written_to() {
    let trigger = with("at: \"{{ record.at }}\"");
    let at = |value: &str| {
        let body = format!(r#"{{"data":[{{"id":1,"at":{value}}}]}}"#);
        trigger.read(&Place::First, body.as_bytes(), &[]).unwrap().items.remove(0).at
    };
    let told = |value: &str| at(value).unwrap().unwrap().to_string();
    assert_eq!(told(r#""2026-09-16T12:00:00+02:00""#), "2026-09-16T10:00:00Z");
    assert_eq!(told(r#""2026-09-16T12:00:00Z""#), "2026-09-16T12:00:00Z");
    assert_eq!(told(r#""2026-09-16 12:00:00""#), "2026-09-16T16:00:00Z", "the clocks of New York");
    assert_eq!(told(r#""2026-09-16""#), "2026-09-16T04:00:00Z");
    assert_eq!(told("1789560000"), "2026-09-16T12:00:00Z");
    for bad in ["null", "true", r#""soon""#, "1e40", "[]"] {
        assert!(at(bad).is_err(), "{bad}");
    }
    let read = with("at: \"{{ record.at | datetime('%d/%m/%Y') }}\"");
    let item =
        read.read(&Place::First, br#"{"data":[{"id":1,"at":"16/09/2026"}]}"#, &[]).unwrap().items.remove(0);
    assert_eq!(item.at.unwrap().unwrap().to_string(), "2026-09-16T04:00:00Z");
}

#[test]
fn what_selects_other_items_is_another_selection() {
    let selection = |text: &str| trigger(text).selection();
    let base = selection(PLAIN);
    assert_eq!(selection(&format!("{PLAIN}\nevery: 1m\nstart: beginning\nheaders: {{ X-A: b }}")), base);
    for other in [
        format!("{PLAIN}\nquery: {{ a: 1 }}"),
        PLAIN.replace("/items", "/orders"),
        PLAIN.replace("$.data", "$.rows"),
        PLAIN.replace("record.id", "record.key"),
    ] {
        assert_ne!(selection(&other), base, "{other}");
    }
}

proptest! {
    /// Whatever an API answers, it is read or refused.
    #[test]
    fn any_answer_is_read_or_refused(body in "[\\[\\]{}:,\"a-z0-9 ]{0,60}|.{0,60}", pick in 0_usize..3) {
        let trigger = with(["", "pagination: { link: { next: $.next } }", "pagination: { cursor: { param: c, next: $.a } }"][pick]);
        let _read = trigger.read(&Place::First, body.as_bytes(), &[]);
    }
}
