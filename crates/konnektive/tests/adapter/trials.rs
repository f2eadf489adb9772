//! Whether the API user may write, asked without writing.

use crate::support::{AUTH, Server, WHITELIST, reply};
use axum::response::Response;
use zaprun_core::crm::{ENDPOINTS, endpoint};
use zaprun_engine::ports::ReadError;
use zaprun_konnektive::{WriteAccess, reads_of_look};

async fn access(answer: Response) -> WriteAccess {
    let server = Server::start(vec![answer]).await;
    let probes = server.crm().probe_writes(&[endpoint("konnektive.cancel_order").unwrap()]).await;
    assert_eq!(probes.len(), 1);
    probes[0].access.clone()
}

fn error(text: &str) -> Response {
    reply(200, format!(r#"{{"result":"ERROR","message":"{text}"}}"#))
}

#[tokio::test]
async fn a_trial_holds_the_credentials_and_nothing_else() {
    let server = Server::answering(|_| Some(error("orderId is required"))).await;
    let probes = server.crm().probe_writes(ENDPOINTS).await;
    assert!(probes.iter().all(|probe| probe.access == WriteAccess::Allowed));
    let seen = server.seen();
    assert_eq!(seen.len(), ENDPOINTS.len());
    for (seen, endpoint) in seen.iter().zip(ENDPOINTS) {
        assert_eq!(seen.endpoint(), endpoint.path);
        assert_eq!((seen.method.as_str(), seen.names()), ("POST", vec!["loginId", "password"]));
    }
}

#[tokio::test]
async fn a_complaint_of_the_input_proves_the_permission() {
    for body in [
        include_str!("../samples/error_missing_shipping.json"),
        include_str!("../samples/error_qa_missing_action.json"),
        include_str!("../samples/error_no_products.json"),
        include_str!("../samples/error_first_last_required.json"),
        include_str!("../samples/error_customer_not_found.json"),
        include_str!("../samples/error_no_orders.json"),
    ] {
        assert_eq!(access(reply(200, body)).await, WriteAccess::Allowed, "{body}");
    }
    assert_eq!(
        access(error("User lacks permission for Cancel Order")).await,
        WriteAccess::Refused(ReadError::Permission { text: "User lacks permission for Cancel Order".into() })
    );
    for (answer, text) in [
        // Nobody has seen the text of a missing permission.
        (error("Nope, login-canary"), "Nope, ***"),
        (reply(200, r#"{"result":"ERROR"}"#), "ERROR without a message"),
        (
            reply(200, r#"{"result":"SUCCESS","message":"ok"}"#),
            "`SUCCESS` to a request without any parameter",
        ),
    ] {
        assert_eq!(access(answer).await, WriteAccess::Unclear { text: text.into() });
    }
    assert!(matches!(
        access(reply(504, "<html>")).await,
        WriteAccess::Refused(ReadError::Transport { text, .. }) if text == "the CRM answered HTTP 504 with HTML, not JSON"
    ));
}

#[tokio::test]
async fn a_refused_login_is_not_tried_twice() {
    for refusal in [AUTH, WHITELIST] {
        let server = Server::answering(move |_| Some(reply(200, refusal))).await;
        let probes = server.crm().probe_writes(ENDPOINTS).await;
        assert!(
            matches!(&*probes, [probe] if matches!(&probe.access, WriteAccess::Refused(error) if error.stops_connection()))
        );
        assert_eq!(server.seen().len(), 1);
    }
}

#[test]
fn money_is_looked_at_by_transactions() {
    use zaprun_core::crm::Repeat;
    use zaprun_core::trigger::Endpoint;
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.repeat == Repeat::Never) {
        assert!(reads_of_look(endpoint.path).contains(&Endpoint::Transactions), "{}", endpoint.path);
    }
}
