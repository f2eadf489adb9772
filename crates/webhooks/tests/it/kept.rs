//! What is kept of a request.

use serde_json::{Value, json};

use super::support::{Rig, SECRET, Setup};

fn record(rig: &Rig) -> Value {
    serde_json::from_slice(&rig.store.all_runs().last().unwrap().event.record).unwrap()
}

fn context(rig: &Rig) -> Value {
    serde_json::from_slice(&rig.store.all_runs().last().unwrap().event.context.clone().unwrap()).unwrap()
}

#[tokio::test]
async fn json_byte_for_byte() {
    let rig = Setup::default().start().await;
    let body = " { \"id\" : 12.50,\n \"cardExpiryDate\": {\"date\": \"2031-09-30 23:59:59.000000\", \"timezone_type\": 3} } ";
    assert_eq!(rig.status(rig.post(body)).await, 202);
    assert_eq!(&rig.store.all_runs()[0].event.record[..], body.as_bytes());
    assert_eq!(rig.keys(), ["12.50"]);
    assert_eq!(rig.status(rig.post("[{\"id\": 1}]")).await, 400, "a list has no member `id`");
}

#[tokio::test]
async fn a_form_is_an_object_of_texts() {
    let rig = Setup::default().start().await;
    let form = |body: &'static [u8]| {
        let request = rig.client.post(rig.url("/hooks/a"));
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    };
    assert_eq!(rig.status(form(b"id=7&name=Ada+Example%21&tag=a&tag=b&empty=&bare&m=%C3%A9")).await, 202);
    let expected = json!({
        "id": "7", "name": "Ada Example!", "tag": ["a", "b"], "empty": "", "bare": "", "m": "é",
    });
    assert_eq!(record(&rig), expected);
    assert_eq!(rig.status(form(b"id=%ff")).await, 400);
    assert_eq!(rig.status(form(b"id=100%25&x=%zz")).await, 202);
    assert_eq!(record(&rig), json!({ "id": "100%", "x": "%zz" }));
}

#[tokio::test]
async fn of_a_get_the_query() {
    let rig = Setup { trigger: "preset: konnektive", ..Setup::default() }.start().await;
    let get = rig
        .client
        .get(rig.url("/hooks/a?clientOrderId=D4E5F60718&orderId=13&orderStatus=COMPLETE&firstName=Ada%20B"));
    assert_eq!(rig.status(get).await, 202);
    let expected = json!({ "clientOrderId": "D4E5F60718", "orderId": "13", "orderStatus": "COMPLETE", "firstName": "Ada B" });
    assert_eq!(record(&rig), expected);
    assert_eq!(context(&rig)["query"], expected);
    assert_eq!(rig.keys(), ["/hooks/a|D4E5F60718|COMPLETE|"]);
    // The same told as JSON, with numbers, is the same.
    let body =
        r#"{"clientOrderId": "D4E5F60718", "orderId": 13, "orderStatus": "COMPLETE", "clientTxnId": null}"#;
    assert_eq!(rig.status(rig.post(body)).await, 202);
    assert_eq!(rig.keys().len(), 1);
}

#[tokio::test]
async fn headers_and_query_without_secrets() {
    let verify = "{ token: { header: X-Token, value: \"${SECRET}\" } }";
    let rig = Setup { verify, ..Setup::default() }.start().await;
    let request = rig
        .client
        .post(rig.url("/hooks/a?shop=acme&shop=b"))
        .header("content-type", "application/json")
        .header("x-token", SECRET)
        .header("authorization", "Bearer hidden-one")
        .header("cookie", "session=hidden-two")
        .header("x-api-key", "hidden-three")
        .header("x-gitlab-token", "hidden-four")
        .header("X-Event", "lead")
        .header("x-event", "new")
        .body(r#"{"id": 1}"#);
    assert_eq!(rig.status(request).await, 202);
    let context = context(&rig);
    assert_eq!(context["query"], json!({ "shop": ["acme", "b"] }));
    assert_eq!(context["headers"]["x-event"], "lead, new");
    let kept = rig.kept();
    assert!(!kept.contains("hidden") && !kept.contains(SECRET), "{kept}");
}

#[tokio::test]
async fn the_length_of_a_chain() {
    let rig = Setup::default().start().await;
    for (id, written, depth) in
        [(1, "2", 2), (2, "x", 0), (3, "-1", 0), (4, "99999999999", 0), (5, "5000", 1000)]
    {
        let request = rig.post(format!("{{\"id\": {id}}}")).header("Zaprun-Chain", written);
        assert_eq!(rig.status(request).await, 202);
        assert_eq!(rig.store.all_runs().last().unwrap().depth, depth, "{written}");
    }
}

#[tokio::test]
async fn the_first_and_the_second_answer_are_the_same() {
    let rig = Setup::default().start().await;
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = rig.post(r#"{"id": 1}"#).send().await.unwrap();
        let mut headers: Vec<String> = answer
            .headers()
            .iter()
            .filter(|(name, _)| *name != "date")
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        headers.sort();
        answers.push((answer.status(), headers, answer.text().await.unwrap()));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].2, r#"{"accepted":true}"#);
}
