//! The sink records, counts and shows.

use serde_json::{Value, json};
use zaprun_sandbox::{Config, Fault, SinkFault};

use crate::bed::{Bed, steady};

async fn listing(bed: &Bed) -> Value {
    let url = format!("{}?format=json", bed.running.sink_url());
    serde_json::from_slice(&bed.client.get(url).send().await.unwrap().bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn every_method_and_path_is_recorded_as_it_came() {
    let bed = Bed::new().await;
    let sink = bed.running.sink_url();
    let put =
        bed.client.put(format!("{sink}/a/b%20c?x=1&y=%C3%A9")).header("x-test", "yes").body("raw \u{e9}");
    let answer = put.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(answer, r#"{"ok":true}"#);
    bed.client.get(format!("{sink}/hook?z")).send().await.unwrap();
    bed.client.delete(format!("{sink}/thing")).send().await.unwrap();
    bed.client.post(&sink).body(vec![0xff, 0x00]).send().await.unwrap();
    bed.client.post(format!("{sink}/")).send().await.unwrap();
    bed.control.wait_for_sink(5).await;

    let received = bed.control.received();
    let lines: Vec<String> =
        received.iter().map(|one| format!("{} {}?{}", one.method, one.path, one.query)).collect();
    assert_eq!(
        lines,
        [
            "PUT /sink/a/b%20c?x=1&y=%C3%A9",
            "GET /sink/hook?z",
            "DELETE /sink/thing?",
            "POST /sink?",
            "POST /sink/?"
        ]
    );
    assert_eq!(received[0].header("x-test"), Some("yes"));
    assert_eq!(received[0].body, "raw \u{e9}");
    assert_eq!(&received[3].body[..], &[0xff, 0x00]);
    assert_eq!(received[4].number, 5);
}

#[tokio::test]
async fn duplicates_are_counted_by_key_and_by_body() {
    let bed = Bed::new().await;
    bed.control.fault_next(None, Fault::Sink(SinkFault::Status(503)));
    bed.post_sink("", "k1", r#"{"a":1,"b":2}"#).await.unwrap();
    bed.post_sink("", "k1", r#"{"a":1,"b":2}"#).await.unwrap();
    assert_eq!(bed.control.sink_summary().duplicates, 0, "a retry after a refusal repeats nothing");
    bed.post_sink("", "k1", r#"{"a":1,"b":2}"#).await.unwrap();
    bed.post_sink("", "k2", r#"{"b":2,"a":1}"#).await.unwrap();
    bed.post_sink("/other", "k3", r#"{"b":2,"a":1}"#).await.unwrap();
    let counts = bed.control.sink_summary();
    assert_eq!((counts.received, counts.accepted, counts.distinct_keys), (5, 4, 3));
    assert_eq!((counts.duplicates, counts.repeats, counts.same_bodies), (1, 2, 2));
    let flags: Vec<bool> = bed.control.received().iter().map(|one| one.duplicate).collect();
    assert_eq!(flags, [false, false, true, false, false]);

    let listed = listing(&bed).await;
    assert_eq!(
        (&listed["received"], &listed["distinct_keys"], &listed["duplicates"]),
        (&json!(5), &json!(3), &json!(1))
    );
    assert_eq!(listed["records"][0]["json"], json!({"a": 1, "b": 2}));
    assert_eq!(listed["records"][0]["key"], "k1");

    bed.client.delete(bed.running.sink_url()).send().await.unwrap();
    assert_eq!(listing(&bed).await["received"], 0);
    bed.post_sink("", "k1", "{}").await.unwrap();
    bed.control.wait_for_sink(1).await;
    assert_eq!(bed.control.sink_summary().duplicates, 0);
}

#[tokio::test]
async fn a_senders_request_is_recorded_whatever_its_method() {
    let bed = Bed::new().await;
    let sink = bed.running.sink_url();
    bed.post_sink("", "k1", "{}").await.unwrap();
    for (method, key) in [("GET", "k2"), ("DELETE", "k3")] {
        let sent = bed.client.request(method.parse().unwrap(), &sink).header("idempotency-key", key);
        assert_eq!(sent.send().await.unwrap().bytes().await.unwrap(), r#"{"ok":true}"#);
    }
    let methods: Vec<String> = bed.control.received().iter().map(|one| one.method.clone()).collect();
    assert_eq!(methods, ["POST", "GET", "DELETE"]);
}

#[tokio::test]
async fn the_page_escapes_all_and_loads_nothing() {
    let bed = Bed::new().await;
    let evil = r#"{"name":"<script>alert('x')</script> & \"quoted\""}"#;
    let request = bed.client.post(format!("{}/%3Cb%3E?q=<i>", bed.running.sink_url()));
    let request =
        request.header("idempotency-key", "<img src=x>").header("authorization", "Bearer top-secret");
    request.body(evil).send().await.unwrap();
    bed.post_sink("", "<img src=x>", &"z".repeat(100_000)).await.unwrap();
    let response = bed.client.get(bed.running.sink_url()).send().await.unwrap();
    assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let page = String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap();
    for raw in ["<script", "<img", "<b>", "<i>", "http://", "https://", "top-secret"] {
        assert!(!page.contains(raw), "{raw}");
    }
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; "));
    assert!(page.contains("duplicate</span>") && page.contains("http-equiv=\"refresh\""));
    assert!(page.contains("100000 bytes in all") && page.len() < 50_000);
    let still = bed.client.get(format!("{}?refresh=off", bed.running.sink_url())).send().await.unwrap();
    assert!(!String::from_utf8_lossy(&still.bytes().await.unwrap()).contains("http-equiv=\"refresh\""));
    assert_eq!(bed.control.received().len(), 2, "looking is not recorded");
}

#[tokio::test]
async fn only_the_latest_bodies_are_kept() {
    let bed = Bed::with(Config { sink_records: 3, ..steady() }).await;
    for number in 0..10 {
        bed.post_sink("", &format!("k{number}"), "{}").await.unwrap();
    }
    let numbers: Vec<u64> = bed.control.received().iter().map(|one| one.number).collect();
    assert_eq!(numbers, [8, 9, 10]);
    assert_eq!(bed.control.sink_summary().distinct_keys, 10);
    let huge = bed.client.post(bed.running.sink_url()).body(vec![b'a'; 17 << 20]).send().await;
    assert!(huge.map_or(true, |answer| answer.status() == 413));
}
