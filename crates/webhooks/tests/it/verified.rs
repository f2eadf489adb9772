//! Who is let in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::RequestBuilder;
use sha2::Sha256;

use super::support::{NOW, OLD_SECRET, Rig, SECRET, Setup};

const BODY: &str = r#"{"id": "1", "name": "Ada"}"#;

fn tag(key: &[u8], signed: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(signed.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What Standard Webhooks' `v1` of a message is, by a key of `whsec_` and base64.
fn standard(secret: &str, id: &str, at: i64, body: &str) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    format!("v1,{}", STANDARD.encode(tag(&key, &format!("{id}.{at}.{body}"))))
}

fn signed(rig: &Rig, at: i64, signature: &str) -> RequestBuilder {
    rig.post(BODY)
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", at)
        .header("webhook-signature", signature)
}

const STANDARD_FORM: &str = "{ hmac: { secret: [\"${SECRET}\", \"${OLD_SECRET}\"] } }";

/// The example of the specification of Standard Webhooks: key, message and signature are its own.
#[test]
fn the_specifications_example() {
    let body = r#"{"test": 2432232314}"#;
    let signature = standard(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        body,
    );
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[tokio::test]
async fn standard_webhooks() {
    let rig = Setup { verify: STANDARD_FORM, ..Setup::default() }.start().await;
    let right = standard(SECRET, "msg_1", NOW, BODY);
    assert_eq!(rig.status(signed(&rig, NOW, &right)).await, 202);
    assert_eq!(rig.keys(), ["1"]);
    // The same again within the window: answered alike, done once.
    assert_eq!(rig.status(signed(&rig, NOW, &right)).await, 202);
    assert_eq!(rig.keys(), ["1"]);
    // Replayed later: refused.
    rig.later(301);
    assert_eq!(rig.status(signed(&rig, NOW, &right)).await, 401);
}

#[tokio::test]
async fn a_wrong_signature_leaves_nothing() {
    let rig = Setup { verify: STANDARD_FORM, ..Setup::default() }.start().await;
    let right = standard(SECRET, "msg_1", NOW, BODY);
    let other_body = standard(SECRET, "msg_1", NOW, r#"{"id": "2"}"#);
    let other_id = standard(SECRET, "msg_2", NOW, BODY);
    let other_key = standard("whsec_c29tZS1vdGhlci1rZXk=", "msg_1", NOW, BODY);
    for wrong in
        [other_body.as_str(), &other_id, &other_key, "v1,", "v1", "", "v2,AAAA", &right[..right.len() - 2]]
    {
        let answer = signed(&rig, NOW, wrong).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{wrong}");
        // The caller is told no more than that.
        assert_eq!(answer.text().await.unwrap(), r#"{"error":"not verified"}"#);
    }
    assert_eq!(rig.status(rig.post(BODY)).await, 401);
    assert_eq!(rig.status(rig.post(BODY).header("webhook-signature", &right)).await, 401);
    assert!(rig.keys().is_empty());
}

#[tokio::test]
async fn a_signature_is_good_for_five_minutes_around_now() {
    let rig = Setup { verify: STANDARD_FORM, ..Setup::default() }.start().await;
    for (at, status) in [(NOW - 301, 401), (NOW - 300, 202), (NOW + 300, 202), (NOW + 301, 401)] {
        let signature = standard(SECRET, "msg_1", at, BODY);
        assert_eq!(rig.status(signed(&rig, at, &signature)).await, status, "{at}");
    }
    for strange in ["", "now", "-1", "99999999999999999999", "1e3"] {
        let request = rig.post(BODY).header("webhook-id", "msg_1").header("webhook-timestamp", strange);
        assert_eq!(rig.status(request.header("webhook-signature", "v1,AAAA")).await, 401, "{strange}");
    }
}

#[tokio::test]
async fn keys_are_exchanged_without_a_gap() {
    let rig = Setup { verify: STANDARD_FORM, ..Setup::default() }.start().await;
    // The sender still uses the old key, or already signs with both.
    let old = standard(OLD_SECRET, "msg_1", NOW, BODY);
    assert_eq!(rig.status(signed(&rig, NOW, &old)).await, 202);
    let both = format!("{} {}", standard("whsec_dW5rbm93bg==", "msg_1", NOW, BODY), old);
    assert_eq!(rig.status(signed(&rig, NOW, &both)).await, 202);
}

#[tokio::test]
async fn other_names_of_the_three_headers() {
    let verify = "{ hmac: { secret: \"${SECRET}\", header: svix-signature } }";
    let rig = Setup { verify, ..Setup::default() }.start().await;
    let right = standard(SECRET, "msg_1", NOW, BODY);
    let request = rig.post(BODY).header("svix-id", "msg_1").header("svix-timestamp", NOW);
    assert_eq!(rig.status(request.header("svix-signature", &right)).await, 202);
    // A name of one's own for the signature alone.
    let verify = "{ hmac: { secret: \"${SECRET}\", header: X-Signature, format: standard } }";
    let rig = Setup { verify, ..Setup::default() }.start().await;
    let request = rig.post(BODY).header("webhook-id", "msg_1").header("webhook-timestamp", NOW);
    assert_eq!(rig.status(request.header("x-signature", &right)).await, 202);
}

#[tokio::test]
async fn github() {
    let verify = "{ hmac: { secret: \"${SECRET}\", format: github } }";
    let rig = Setup { verify, ..Setup::default() }.start().await;
    // The key is the text as it is.
    let right = hex(&tag(SECRET.as_bytes(), BODY));
    let with = |value: String| rig.post(BODY).header("x-hub-signature-256", value);
    assert_eq!(rig.status(with(format!("sha256={right}"))).await, 202);
    assert_eq!(rig.status(with(format!("sha256={}", right.to_uppercase()))).await, 202);
    assert_eq!(rig.status(with(right.clone())).await, 401);
    assert_eq!(rig.status(with(format!("sha256={}", hex(&tag(b"other", BODY))))).await, 401);
    assert_eq!(rig.status(with(format!("sha256={}", &right[2..]))).await, 401);
    assert_eq!(rig.keys(), ["1"]);
}

#[tokio::test]
async fn stripe() {
    let verify = "{ hmac: { secret: [\"${SECRET}\", \"${OLD_SECRET}\"], format: stripe } }";
    let rig = Setup { verify, ..Setup::default() }.start().await;
    let v1 = |key: &str, at: i64| hex(&tag(key.as_bytes(), &format!("{at}.{BODY}")));
    let with = |value: String| rig.post(BODY).header("stripe-signature", value);
    assert_eq!(rig.status(with(format!("t={NOW},v1={}", v1(SECRET, NOW)))).await, 202);
    assert_eq!(
        rig.status(with(format!("t={NOW},v1={},v1={}", v1("x", NOW), v1(OLD_SECRET, NOW)))).await,
        202
    );
    assert_eq!(rig.status(with(format!("t={NOW},v0={}", v1(SECRET, NOW)))).await, 401);
    assert_eq!(rig.status(with(format!("v1={}", v1(SECRET, NOW)))).await, 401);
    let old = NOW - 301;
    assert_eq!(rig.status(with(format!("t={old},v1={}", v1(SECRET, old)))).await, 401);
    // The instant is signed.
    assert_eq!(rig.status(with(format!("t={},v1={}", NOW - 1, v1(SECRET, NOW)))).await, 401);
}

#[tokio::test]
async fn a_signed_request_has_a_body() {
    let rig = Setup { verify: STANDARD_FORM, ..Setup::default() }.start().await;
    let answer = rig.client.get(rig.url("/hooks/a?id=1")).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.headers()["allow"], "POST, PUT");
}

#[tokio::test]
async fn token() {
    let verify = "{ token: { header: X-Token, value: [\"${SECRET}\", \"${OLD_SECRET}\"] } }";
    let rig = Setup { verify, ..Setup::default() }.start().await;
    for right in [SECRET, OLD_SECRET] {
        assert_eq!(rig.status(rig.post(BODY).header("x-token", right)).await, 202);
    }
    for wrong in ["", "x", &SECRET[1..], &format!("{SECRET}x"), &SECRET.to_lowercase()] {
        assert_eq!(rig.status(rig.post(BODY).header("x-token", wrong)).await, 401, "{wrong}");
    }
    assert_eq!(rig.status(rig.post(BODY)).await, 401);
    // A GET can carry it too.
    let get = rig.client.get(rig.url("/hooks/a?id=2")).header("x-token", SECRET);
    assert_eq!(rig.status(get).await, 202);
    assert_eq!(rig.keys(), ["1", "2"]);
}

#[tokio::test]
async fn a_bearer_token() {
    let verify = "{ token: { header: Authorization, value: \"${SECRET}\" } }";
    let rig = Setup { verify, ..Setup::default() }.start().await;
    assert_eq!(rig.status(rig.post(BODY).bearer_auth(SECRET)).await, 202);
    assert_eq!(rig.status(rig.post(BODY).bearer_auth("other")).await, 401);
}

#[tokio::test]
async fn basic() {
    let verify = "{ basic: { username: crm, password: \"${SECRET}\" } }";
    let rig = Setup { verify, ..Setup::default() }.start().await;
    assert_eq!(rig.status(rig.post(BODY).basic_auth("crm", Some(SECRET))).await, 202);
    for (name, password) in [("crm", Some("x")), ("other", Some(SECRET)), ("crm", None), ("", Some(SECRET))] {
        let answer = rig.post(BODY).basic_auth(name, password).send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers()["www-authenticate"], "Basic realm=\"zaprun\", charset=\"UTF-8\"");
    }
    for strange in ["Basic", "Basic !", "Basic Y3Jt", "Bearer x", ""] {
        assert_eq!(rig.status(rig.post(BODY).header("authorization", strange)).await, 401, "{strange}");
    }
    assert_eq!(rig.keys(), ["1"]);
}
