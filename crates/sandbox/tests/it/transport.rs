//! Methods, bodies, paths, and the order of checks (contract §1.1, §1.2, §8).

use serde_json::{Value, json};
use zaprun_sandbox::{BeyondEnd, Config, ContentType};

use crate::bed::{Bed, column, form, steady};

const RANGE: &str = "startDate=09/16/2026&endDate=09/16/2026";
const LOGIN: &str = "loginId=sandbox&password=sandbox";

async fn get(bed: &Bed, path: &str) -> Value {
    let response = bed.client.get(bed.url(path)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

async fn post(bed: &Bed, path: &str, kind: &str, body: String) -> Value {
    let response =
        bed.client.post(bed.url(path)).header("content-type", kind).body(body).send().await.unwrap();
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn multipart(params: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    params.iter().map(part).collect::<String>() + "--edge--\r\n"
}

#[tokio::test]
async fn parameters_may_come_by_url_form_and_multipart_in_any_mixture() {
    let bed = Bed::new().await;
    let order_id = bed.control.sale("ada@example.test").unwrap();
    let found = |reply: Value| assert_eq!(column(&reply, "orderId"), [order_id.as_str()], "{reply}");

    found(get(&bed, &format!("order/query/?{LOGIN}&{RANGE}")).await);
    found(get(&bed, &format!("order/query?{LOGIN}&{RANGE}")).await);
    let urlencoded = "application/x-www-form-urlencoded";
    found(post(&bed, "order/query/", urlencoded, format!("{LOGIN}&{RANGE}")).await);
    found(post(&bed, &format!("order/query/?{LOGIN}&{RANGE}"), urlencoded, String::new()).await);
    found(post(&bed, &format!("order/query?{RANGE}"), urlencoded, LOGIN.to_owned()).await);
    let login = multipart(&[("loginId", "sandbox"), ("password", "sandbox")]);
    found(post(&bed, &format!("order/query/?{RANGE}"), "multipart/form-data; boundary=edge", login).await);

    let served = bed.control.crm_requests();
    assert_eq!(served.len(), 6);
    let in_url: Vec<bool> = served.iter().map(|request| request.credentials_in_url).collect();
    assert_eq!(in_url, [true, true, false, true, false, false]);
    assert!(served.iter().all(|request| request.endpoint == "order/query" && request.rows == 1));
    assert!(!format!("{served:?}").contains("\"password\""));
}

#[tokio::test]
async fn json_bodies_count_only_when_switched_on() {
    let body = json!({"loginId": "sandbox", "password": "sandbox", "orderId": "X"}).to_string();
    let off = Bed::new().await;
    let reply = post(&off, "order/query/", "application/json", body.clone()).await;
    assert_eq!(reply["message"], "Could not authenticate credentials");
    let on = Bed::with(Config { json_bodies: true, ..steady() }).await;
    let reply = post(&on, "order/query/", "application/json", body).await;
    assert_eq!(reply["message"], "No orders matching those parameters could be found");
}

#[tokio::test]
async fn checks_come_in_the_vendors_order() {
    let bed =
        Bed::with(Config { whitelist: Some(["198.51.100.7".parse().unwrap()].into()), ..steady() }).await;
    let wrong = form([&("loginId", "sandbox"), &("password", "nope"), &("page", "x")]);
    let reply = post(&bed, "order/query/", "application/x-www-form-urlencoded", wrong).await;
    assert_eq!(reply, json!({"result": "ERROR", "message": "Could not authenticate credentials"}));
    let reply = bed.call("order/query", &[]).await;
    assert_eq!(reply, json!({"result": "ERROR", "message": "IP must be whitelisted - 127.0.0.1"}));

    let bed =
        Bed::with(Config { faults: vec!["no-permission:on=order/query".parse().unwrap()], ..steady() }).await;
    let text = bed.call("order/query", &[]).await["message"].to_string();
    assert!(text.contains("[stand-in wording]") && text.contains("order/query"), "{text}");
    let reply = bed.call("transactions/query", &[]).await;
    assert_eq!(reply["message"]["startDate"], "is a required field");
}

#[tokio::test]
async fn other_methods_unknown_endpoints_and_hostile_bodies_are_answered() {
    let bed = Bed::new().await;
    let put = bed.client.put(bed.url("order/query/")).send().await.unwrap();
    assert_eq!(put.status(), 405);
    let reply = bed.call("no/such", &[]).await;
    assert_eq!(reply["result"], "ERROR");
    let bodies = ["%ff%fe&&&==&a", "\u{0}", &"a=1&".repeat(50_000)];
    for body in bodies {
        let reply = post(&bed, "order/query/", "application/x-www-form-urlencoded", body.to_owned()).await;
        assert_eq!(reply["result"], "ERROR");
    }
    let broken =
        post(&bed, "order/query/", "multipart/form-data; boundary=edge", "--edge\r\nnonsense".to_owned());
    assert_eq!(broken.await["message"], "Could not authenticate credentials");
    let huge = bed.client.post(bed.url("order/query/")).body(vec![b'a'; 3 << 20]).send().await.unwrap();
    assert_eq!(huge.status(), 413);
}

#[tokio::test]
async fn content_type_date_and_last_page_follow_the_configuration() {
    let bed =
        Bed::with(Config { content_type: ContentType::Html, beyond_end: BeyondEnd::EmptyData, ..steady() })
            .await;
    bed.control.sale("ada@example.test").unwrap();
    let url = bed.url(&format!("order/query/?{LOGIN}&{RANGE}&page=2"));
    let response = bed.client.get(url).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html; charset=UTF-8");
    assert_eq!(response.headers()["date"], "Wed, 16 Sep 2026 18:18:55 GMT");
    let reply: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!((&reply["result"], &reply["message"]["data"]), (&json!("SUCCESS"), &json!([])));

    let bed = Bed::new().await;
    bed.control.sale("ada@example.test").unwrap();
    let reply = bed.today("order/query", &[("page", "2")]).await;
    assert_eq!(reply["message"], "No orders matching those parameters could be found");
}

#[tokio::test]
async fn a_sandbox_resumes_on_its_port_with_its_state() {
    let bed = Bed::new().await;
    let order_id = bed.control.sale("ada@example.test").unwrap();
    let (addr, control) = (bed.running.addr(), bed.control.clone());
    bed.running.shutdown().await;
    let client = crate::bed::client();
    let url = format!("http://{addr}/order/query/?{LOGIN}&orderId={order_id}");
    assert!(client.get(&url).send().await.is_err());
    let again = zaprun_sandbox::Sandbox::resume(Config { listen: addr, ..steady() }, control).await.unwrap();
    let body = client.get(&url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(column(&serde_json::from_slice(&body).unwrap(), "orderId"), [order_id]);
    again.shutdown().await;
}
