//! Access tokens: asked for, kept, renewed, refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod authority;
mod support;
mod tls;

use authority::{Authority, OTHER_KEY, Told, connection, now};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::ToSpan;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use support::{answered, get, nobody, not_sent, post, run_dry};
use tls::{CA, behind_tls};
use zaprun_engine::ports::{SendOutcome, Sender, StoreError, Vault};
use zaprun_http::{Denied, Flow, PrivateCa, Secret, Tokens};

/// The reason of a refusal.
async fn refused(sender: &impl Sender) -> String {
    match sender.send(&get("x")).await {
        SendOutcome::Unauthorised { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_is_got_once_and_used_while_it_lasts() {
    let authority = Authority::start().await;
    let world = authority.world(connection(&authority, Flow::ClientCredentials));
    for _ in 0..3 {
        assert_eq!(answered(&world.sender, &post("orders")).await.status, 200);
    }
    let asked = authority.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].field("grant_type"), Some("client_credentials"));
    assert_eq!(asked[0].field("scope"), Some("read write"));
    assert_eq!(asked[0].field("audience"), Some("https://api.example.com"));
    assert_eq!(asked[0].field("resource"), Some("r1"));
    // RFC 6749 § 2.3.1: id and secret as in a form, then basic authentication.
    assert_eq!(asked[0].authorization, format!("Basic {}", base64("zaps:s%2Bcret")));
    assert_eq!(asked[0].field("client_secret"), None);
    assert_eq!(authority.served(), ["Bearer access-1"; 3]);
    assert_eq!(world.hidden(), ["access-1"]);
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn a_client_may_show_itself_in_the_body() {
    let authority = Authority::start().await;
    let mut connection = connection(&authority, Flow::ClientCredentials);
    authority::oauth2(&mut connection).client_auth = zaprun_core::definition::ClientAuth::Post;
    let world = authority.world(connection);
    answered(&world.sender, &get("x")).await;
    let asked = authority.asked();
    assert_eq!(asked[0].authorization, "");
    assert_eq!(asked[0].field("client_id"), Some("zaps"));
    assert_eq!(asked[0].field("client_secret"), Some("s+cret"));
}

#[tokio::test]
async fn a_token_is_renewed_shortly_before_its_end() {
    let authority = Authority::start().await;
    let world = authority.world(connection(&authority, Flow::ClientCredentials));
    // It lasts an hour, and is used for a minute less.
    for (after, tokens) in [(0, 1), (3539, 1), (3540, 2), (7079, 2), (7080, 3)] {
        world.clock.set(now() + after.seconds());
        answered(&world.sender, &get("x")).await;
        assert_eq!(authority.asked().len(), tokens, "after {after} s");
    }
}

#[tokio::test]
async fn a_short_token_is_used_for_most_of_its_time() {
    let authority = Authority::start().await;
    authority.tells(|told| (200, json!({ "access_token": format!("t{}", told.number), "expires_in": 50 })));
    let world = authority.world(connection(&authority, Flow::ClientCredentials));
    for (after, tokens) in [(0, 1), (44, 1), (45, 2)] {
        world.clock.set(now() + after.seconds());
        answered(&world.sender, &get("x")).await;
        assert_eq!(authority.asked().len(), tokens, "after {after} s");
    }
}

#[tokio::test]
async fn a_token_without_an_end_is_used_until_it_is_refused() {
    let authority = Authority::start().await;
    authority.tells(|told| (200, json!({ "access_token": format!("t{}", told.number) })));
    let world = authority.world(connection(&authority, Flow::ClientCredentials));
    answered(&world.sender, &get("x")).await;
    world.clock.set(now() + (24 * 300).hours());
    answered(&world.sender, &get("x")).await;
    assert_eq!(authority.asked().len(), 1);
    authority.revoke("Bearer t1");
    assert_eq!(answered(&world.sender, &post("x")).await.status, 200);
    assert_eq!(authority.served(), ["Bearer t1", "Bearer t1", "Bearer t1", "Bearer t2"]);
}

#[tokio::test]
async fn fifty_runs_at_once_ask_for_one_token() {
    let authority = Authority::start().await;
    authority.close_gate();
    let mut connection = connection(&authority, Flow::ClientCredentials);
    connection.concurrency = 50;
    let world = Arc::new(authority.world(connection));
    let sends: Vec<_> = (0..50)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { answered(&world.sender, &post("x")).await.status })
        })
        .collect();
    authority.wait_for_asked(1).await;
    run_dry().await;
    authority.open_gate();
    for send in sends {
        assert_eq!(send.await.unwrap(), 200);
    }
    assert_eq!(authority.asked().len(), 1);
    assert_eq!(authority.served().len(), 50);
}

#[tokio::test]
async fn a_storm_of_refusals_renews_once() {
    let authority = Authority::start().await;
    let mut connection = connection(&authority, Flow::ClientCredentials);
    connection.concurrency = 50;
    let world = Arc::new(authority.world(connection));
    answered(&world.sender, &get("x")).await;
    authority.revoke("Bearer access-1");
    let sends: Vec<_> = (0..50)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { answered(&world.sender, &post("x")).await.status })
        })
        .collect();
    for send in sends {
        assert_eq!(send.await.unwrap(), 200);
    }
    assert_eq!(authority.asked().len(), 2);
}

#[tokio::test]
async fn what_the_api_refuses_with_a_new_token_too_is_its_answer() {
    let authority = Authority::start().await;
    for token in 1..=2 {
        authority.revoke(&format!("Bearer access-{token}"));
    }
    let world = authority.world(connection(&authority, Flow::ClientCredentials));
    assert_eq!(answered(&world.sender, &post("x")).await.status, 401);
    assert_eq!((authority.asked().len(), authority.served().len()), (2, 2));
}

#[tokio::test]
async fn a_refusal_of_the_endpoint_is_a_fault_and_an_outage_is_not() {
    let authority = Authority::start().await;
    let world = authority.world(connection(&authority, Flow::ClientCredentials));
    authority.tells(|_| (401, json!({ "error": "invalid_client", "error_description": "zaps:s+cret" })));
    let reason = refused(&world.sender).await;
    assert!(reason.contains("invalid_client: zaps:***; look at `client_id`"), "{reason}");
    authority.tells(|_| (503, json!({})));
    assert_eq!(
        not_sent(&world.sender, &get("x")).await,
        ("the token endpoint answered 503".to_owned(), true)
    );
    assert_eq!(authority.served(), [""; 0], "nothing was sent to the API");
    authority.tells(Told::give);
    assert_eq!(answered(&world.sender, &get("x")).await.status, 200);
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_tried_again() {
    let authority = Authority::start().await;
    let mut connection = connection(&authority, Flow::ClientCredentials);
    authority::oauth2(&mut connection).token_url = Some(format!("{}/token", nobody()));
    let (reason, retryable) = not_sent(&authority.world(connection).sender, &get("x")).await;
    assert!(retryable && reason.starts_with("the token endpoint: no connection"), "{reason}");
}

#[tokio::test]
async fn the_connections_ca_holds_for_the_endpoint_too() {
    let authority = Authority::start().await;
    let token_url = format!("{}/token", behind_tls(&authority.base).await);
    let with = |ca: Option<PrivateCa>| {
        let mut connection = connection(&authority, Flow::ClientCredentials);
        authority::oauth2(&mut connection).token_url = Some(token_url.clone());
        connection.ca = ca;
        connection
    };
    let trusted = authority.world(with(PrivateCa::from_pem(CA).ok()));
    assert_eq!(answered(&trusted.sender, &get("x")).await.status, 200);
    // Without roots of its own this machine cannot even be asked.
    if let Ok(sender) = authority.try_sender(with(None)) {
        let (reason, retryable) = not_sent(&sender, &get("x")).await;
        assert!(retryable && reason.starts_with("the token endpoint: TLS failed: "), "{reason}");
    }
    assert_eq!(authority.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_never_answers_is_given_up_in_time() {
    let authority = Authority::start().await;
    authority.close_gate();
    let world = authority.world(connection(&authority, Flow::ClientCredentials));
    let (reason, retryable) = not_sent(&world.sender, &get("x")).await;
    assert_eq!((reason.as_str(), retryable), ("the token endpoint: no answer within 30s", true));
}

#[tokio::test]
async fn a_renewal_that_fails_after_a_refusal_leaves_the_request_undone() {
    let authority = Authority::start().await;
    let world = authority.world(connection(&authority, Flow::ClientCredentials));
    answered(&world.sender, &get("x")).await;
    authority.revoke("Bearer access-1");
    authority.tells(|_| (500, json!({})));
    assert!(not_sent(&world.sender, &post("x")).await.1);
    authority.tells(|_| (400, json!({ "error": "unauthorized_client" })));
    assert!(refused(&world.sender).await.contains("unauthorized_client"));
}

// Refresh tokens.

fn refreshing() -> Flow {
    Flow::RefreshToken(Secret::new("refresh-0"))
}

/// What the endpoint was shown, in the order of asking.
fn spent(authority: &Authority) -> Vec<String> {
    authority.asked().iter().map(|told| told.field("refresh_token").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_refresh_token_follows_another() {
    let authority = Authority::start().await;
    authority.tells(Told::rotate);
    let world = authority.world(connection(&authority, refreshing()));
    for hour in 0..3 {
        world.clock.set(now() + hour.hours());
        answered(&world.sender, &get("x")).await;
    }
    assert_eq!(spent(&authority), ["refresh-0", "refresh-1", "refresh-2"]);
    let sealed = world.drawer.sealed("c").await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("refresh"));
    for secret in ["refresh-1", "refresh-2", "refresh-3", "access-3"] {
        assert!(world.hidden().iter().any(|hidden| hidden == secret), "{secret} is hidden");
    }
    // Another process goes on where this one was.
    let next = authority.world_over(connection(&authority, refreshing()), world.drawer.clone());
    answered(&next.sender, &get("x")).await;
    assert_eq!(spent(&authority)[3], "refresh-3");
}

/// The process dies once the new token is kept, and nobody has used it yet.
#[tokio::test]
async fn no_kill_loses_the_only_refresh_token() {
    let authority = Authority::start().await;
    authority.tells(Told::rotate);
    let world = authority.world(connection(&authority, refreshing()));
    let drawer = world.drawer.clone();
    let reached = drawer.stop_after_keeping();
    let sending = tokio::spawn(async move { world.sender.send(&post("x")).await });
    reached.await.unwrap();
    sending.abort();
    assert_eq!(authority.served(), [""; 0], "nothing is used before it is kept");
    let next = authority.world_over(connection(&authority, refreshing()), drawer);
    assert_eq!(answered(&next.sender, &post("x")).await.status, 200);
    assert_eq!(spent(&authority), ["refresh-0", "refresh-1"]);
}

#[tokio::test]
async fn whoever_stops_waiting_does_not_break_the_exchange_off() {
    let authority = Authority::start().await;
    authority.tells(Told::rotate);
    authority.close_gate();
    let world = authority.world(connection(&authority, refreshing()));
    {
        let request = get("x");
        let mut sending = Box::pin(world.sender.send(&request));
        tokio::select! {
            _ = &mut sending => panic!("it was not answered"),
            () = authority.wait_for_asked(1) => {}
        }
    }
    authority.open_gate();
    world.tokens.settle().await;
    assert!(world.drawer.sealed("c").await.unwrap().is_some(), "the new one is kept all the same");
    answered(&world.sender, &get("x")).await;
    assert_eq!(authority.asked().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_used_and_not_lost() {
    let authority = Authority::start().await;
    authority.tells(Told::rotate);
    let world = authority.world(connection(&authority, refreshing()));
    world.drawer.fail(StoreError::Io { reason: "the disk is full".to_owned() });
    for _ in 0..2 {
        let (reason, retryable) = not_sent(&world.sender, &post("x")).await;
        assert!(retryable && reason.contains("cannot be kept, so nothing is sent"), "{reason}");
        assert!(reason.contains("the disk is full"), "{reason}");
    }
    assert_eq!((authority.asked().len(), authority.served().len()), (1, 0), "it is not asked for again");
    world.drawer.go_on();
    assert_eq!(answered(&world.sender, &post("x")).await.status, 200);
    world.clock.set(now() + 1.hour());
    answered(&world.sender, &post("x")).await;
    assert_eq!(spent(&authority), ["refresh-0", "refresh-1"]);
}

#[tokio::test]
async fn a_token_that_stays_is_not_written() {
    let authority = Authority::start().await;
    let world = authority.world(connection(&authority, refreshing()));
    answered(&world.sender, &get("x")).await;
    world.clock.set(now() + 1.hour());
    answered(&world.sender, &get("x")).await;
    assert_eq!(spent(&authority), ["refresh-0", "refresh-0"]);
    assert_eq!(world.drawer.sealed("c").await.unwrap(), None);
}

#[tokio::test]
async fn another_key_opens_nothing_and_overwrites_nothing() {
    let authority = Authority::start().await;
    authority.tells(Told::rotate);
    let world = authority.world(connection(&authority, refreshing()));
    answered(&world.sender, &get("x")).await;
    let sealed = world.drawer.sealed("c").await.unwrap();
    let mut other = connection(&authority, refreshing());
    authority::set_key(&mut other, OTHER_KEY);
    let other = authority.world_over(other, world.drawer.clone());
    let reason = refused(&other.sender).await;
    assert!(
        reason.contains("cannot be opened with `state_key`: it was sealed under another key"),
        "{reason}"
    );
    let (name, denied) = other.sender.check_kept().await.unwrap_err();
    assert_eq!((name.as_str(), denied), ("c", Denied::Fault(reason)));
    assert_eq!(world.drawer.sealed("c").await.unwrap(), sealed);
    assert_eq!(authority.asked().len(), 1);
    assert_eq!(world.sender.check_kept().await, Ok(()));
}

#[tokio::test]
async fn a_new_refresh_token_of_the_project_is_taken_instead_of_the_kept_one() {
    let authority = Authority::start().await;
    authority.tells(Told::rotate);
    let world = authority.world(connection(&authority, refreshing()));
    answered(&world.sender, &get("x")).await;
    let authorised_anew = || connection(&authority, Flow::RefreshToken(Secret::new("refresh-anew")));
    let next = authority.world_over(authorised_anew(), world.drawer.clone());
    answered(&next.sender, &get("x")).await;
    let after = authority.world_over(authorised_anew(), world.drawer.clone());
    answered(&after.sender, &get("x")).await;
    assert_eq!(spent(&authority), ["refresh-0", "refresh-anew", "refresh-2"]);
}

#[tokio::test]
async fn two_senders_of_a_process_never_spend_one_token() {
    let authority = Authority::start().await;
    authority.tells(Told::rotate);
    authority.close_gate();
    let world = authority.world(connection(&authority, refreshing()));
    let other = authority.sender_with(connection(&authority, refreshing()), &world.tokens);
    let request = get("x");
    let both = futures_join(&world.sender, &other, &request);
    let opening = async {
        authority.wait_for_asked(1).await;
        run_dry().await;
        assert_eq!(authority.asked().len(), 1, "the other one waits");
        authority.open_gate();
    };
    tokio::join!(both, opening);
    assert_eq!(spent(&authority), ["refresh-0", "refresh-1"]);
}

async fn futures_join(
    one: &zaprun_http::HttpSender,
    other: &zaprun_http::HttpSender,
    request: &zaprun_core::request::HttpRequest,
) {
    let (one, other) = tokio::join!(answered(one, request), answered(other, request));
    assert_eq!((one.status, other.status), (200, 200));
}

#[tokio::test]
async fn without_a_vault_no_refresh_token_is_spent() {
    let authority = Authority::start().await;
    let sender = authority.sender_with(connection(&authority, refreshing()), &Tokens::default());
    let (reason, retryable) = not_sent(&sender, &get("x")).await;
    assert!(!retryable && reason.contains("only by `zaprun run`"), "{reason}");
    assert_eq!(authority.asked().len(), 0);
}

// Service accounts.

fn google(authority: &Authority) -> Secret {
    let key = include_str!("keys/service-account.pem");
    Secret::new(
        json!({
            "type": "service_account",
            "client_email": "zaps@example.iam.gserviceaccount.com",
            "private_key_id": "k1",
            "private_key": key,
            "token_uri": format!("{}/token", authority.base),
        })
        .to_string(),
    )
}

fn signing(key: Secret) -> Flow {
    Flow::ServiceAccount { key, issuer: None, subject: Some("ada@example.com".to_owned()), key_id: None }
}

/// Header and claims of an assertion whose signature holds.
fn verified(assertion: &str) -> (Value, Value) {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
    use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
    let der = PrivatePkcs8KeyDer::from_pem_slice(include_bytes!("keys/service-account.pem")).unwrap();
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref())
        .verify(signed.as_bytes(), &signature)
        .unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let read = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (read(header), read(claims))
}

#[tokio::test]
async fn a_service_account_signs_for_itself() {
    let authority = Authority::start().await;
    let mut connection = connection(&authority, signing(google(&authority)));
    *authority::oauth2(&mut connection) = zaprun_http::OAuth2 {
        token_url: None,
        client_id: None,
        client_secret: None,
        audience: None,
        params: Vec::new(),
        ..authority::oauth2(&mut connection).clone()
    };
    let world = authority.world(connection);
    assert_eq!(answered(&world.sender, &get("x")).await.status, 200);
    let asked = &authority.asked()[0];
    assert_eq!(asked.names(), ["grant_type", "assertion"]);
    assert_eq!(asked.field("grant_type"), Some("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    let (header, claims) = verified(asked.field("assertion").unwrap());
    assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
    let issued = now().as_second() - 60;
    let expected = json!({
        "iss": "zaps@example.iam.gserviceaccount.com",
        "sub": "ada@example.com",
        "scope": "read write",
        "aud": format!("{}/token", authority.base),
        "iat": issued,
        "exp": issued + 60 + 3000,
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn a_key_in_pem_needs_to_be_told_who_signs() {
    let authority = Authority::start().await;
    let pems = [include_str!("keys/service-account.pem"), include_str!("keys/service-account-pkcs1.pem")];
    for pem in pems {
        let connection = connection(&authority, signing(Secret::new(pem)));
        answered(&authority.world(connection).sender, &get("x")).await;
        let asked = authority.asked().pop().unwrap();
        let (_, claims) = verified(asked.field("assertion").unwrap());
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("zaps"), &json!("https://api.example.com")));
    }
}

#[tokio::test]
async fn keys_that_cannot_work_are_told_before_anything_is_sent() {
    let authority = Authority::start().await;
    let problem = |change: &dyn Fn(&mut zaprun_http::OAuth2), flow| {
        let mut connection = connection(&authority, flow);
        change(authority::oauth2(&mut connection));
        authority.try_sender(connection).err().unwrap().to_string()
    };
    let own = Flow::ClientCredentials;
    let pem = || signing(Secret::new(include_str!("keys/service-account.pem")));
    for (told, words) in [
        (problem(&|said| said.token_url = None, own.clone()), "no `token_url`"),
        (problem(&|said| said.token_url = Some("http://auth.example.com".into()), own.clone()), "not https"),
        (problem(&|said| said.token_url = Some("auth".into()), own), "`token_url` is not a URL"),
        (problem(&|said| said.client_id = None, pem()), "not said who signs"),
        (problem(&|_| (), signing(Secret::new("hunter22"))), "neither Google's JSON key file nor"),
        (problem(&|_| (), signing(Secret::new("{\"private_key\":\"hunter22\"}"))), "neither Google's"),
    ] {
        assert!(told.contains(words) && told.contains("connection `c`"), "{told}");
        assert!(!told.contains("hunter22"), "{told}");
    }
    let mut keyless = connection(&authority, refreshing());
    authority::set_key(&mut keyless, "");
    assert!(authority.try_sender(keyless).err().unwrap().to_string().contains("`state_key`"));
    assert_eq!(authority.asked().len(), 0);
}

#[tokio::test]
async fn how_long_a_token_lasts_can_be_tried() {
    let authority = Authority::start().await;
    let world = authority.world(connection(&authority, Flow::ClientCredentials));
    let lasts = world.sender.try_token("c").await.unwrap().unwrap();
    assert_eq!(lasts.for_, Some(Duration::from_secs(3600)));
    assert!(world.sender.try_token("other").await.is_none());
}
