//! What a token endpoint's answer means.

use super::Denied;
use super::grant::By;
use crate::exchange::{Answer, End};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use zaprun_core::definition::Secret;

/// Characters of the endpoint's own words that are passed on.
const WORDS: usize = 200;
/// A shorter secret is not looked for in the endpoint's words: it would be found within others.
const SHORT: usize = 4;

/// Tokens that were given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) access: Secret,
    pub(super) lasts: Option<Duration>,
    pub(super) refresh: Option<Secret>,
}

#[derive(Deserialize)]
struct Body {
    access_token: Option<String>,
    token_type: Option<String>,
    // A number, to some servers a text.
    expires_in: Option<Value>,
    refresh_token: Option<String>,
    error: Option<Value>,
    error_description: Option<String>,
}

/// Reads an answer. `secrets` are taken out of the endpoint's words.
pub(super) fn judge(answer: &Answer, by: &By, secrets: &[Secret]) -> Result<Given, Denied> {
    let status = answer.status;
    if matches!(status, 408 | 425 | 429 | 500..) {
        return Err(Denied::Later(format!("the token endpoint answered {status}")));
    }
    if let End::Cut(why) = &answer.end {
        return Err(Denied::Later(format!("the token endpoint's answer was cut: {why}")));
    }
    let body: Option<Body> = serde_json::from_slice(&answer.body).ok();
    let error = body.as_ref().and_then(|body| Some(body.error.as_ref()?.as_str().unwrap_or("error")));
    if let Some(error) = error {
        let description = body.as_ref().and_then(|body| body.error_description.as_deref());
        return Err(refused(error, description, by, secrets));
    }
    if !(200..300).contains(&status) {
        let hint = match status {
            300..400 => "; `token_url` must be the address that gives tokens, not one that leads there",
            404 | 405 => "; look at `token_url`",
            _ => "; look at the credentials under `oauth2`",
        };
        return Err(Denied::Fault(format!("the token endpoint answered {status}{hint}")));
    }
    let fault = |words: &str| Err(Denied::Fault(format!("{words}; look at `token_url`")));
    let Some(body) = body else { return fault("what the token endpoint answers is not JSON of a token") };
    let Some(access) = body.access_token.filter(|token| !token.is_empty()) else {
        return fault("the token endpoint's answer holds no `access_token`");
    };
    if !body.token_type.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return fault("the token endpoint gives tokens of a kind that cannot be sent as `Bearer`");
    }
    if !access.bytes().all(|byte| byte.is_ascii_graphic()) {
        return fault("the token endpoint's `access_token` holds what no header can");
    }
    Ok(Given {
        access: Secret::new(access),
        lasts: body.expires_in.as_ref().and_then(seconds).map(Duration::from_secs),
        refresh: body.refresh_token.filter(|token| !token.is_empty()).map(Secret::new),
    })
}

fn seconds(value: &Value) -> Option<u64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    // A fraction of a second is none.
    text.split('.').next()?.parse().ok()
}

fn refused(error: &str, description: Option<&str>, by: &By, secrets: &[Secret]) -> Denied {
    // Only a word; anything else may hold what was sent.
    let word = error.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-') && error.len() <= 64;
    let word = word && !secrets.iter().any(|secret| error.contains(secret.expose()));
    let error = if word { error } else { "an error" };
    let words = description.map(|words| plain(words, secrets)).filter(|words| !words.is_empty());
    let said = match words {
        Some(words) => format!("the token endpoint answered {error}: {words}"),
        None => format!("the token endpoint answered {error}"),
    };
    if ["temporarily_unavailable", "server_error", "slow_down"].contains(&error) {
        return Denied::Later(said);
    }
    let hint = match (error, by) {
        ("invalid_client" | "unauthorized_client", By::Assertion(_)) => {
            "look at the service account: its key may be revoked, or it may not act for `subject`"
        }
        ("invalid_client" | "unauthorized_client", _) => {
            "look at `client_id`, `client_secret` and `client_auth`"
        }
        ("invalid_grant" | "bad_refresh_token", By::Refresh(_)) => {
            "the refresh token is used up or revoked: let a person authorise anew, and put the new one into \
             `refresh_token`"
        }
        ("invalid_grant", By::Assertion(_)) => {
            "look at the service account: its key, `subject`, and this machine's clock"
        }
        ("invalid_scope", _) => "look at `scope`",
        _ => "look at the keys under `oauth2`",
    };
    Denied::Fault(format!("{said}; {hint}"))
}

/// The endpoint's words in one line, cut, without what was sent.
fn plain(words: &str, secrets: &[Secret]) -> String {
    let mut words = words.to_owned();
    for secret in secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= SHORT) {
        words = words.replace(secret, "***");
    }
    let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS).collect();
    line.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;
    use reqwest::header::HeaderMap;

    fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: body.into(), end: End::Whole }
    }

    fn read(status: u16, body: &str) -> Result<Given, Denied> {
        judge(&answer(status, body.to_owned()), &By::Client, &[Secret::from("hunter22")])
    }

    #[test]
    fn a_token_is_read_as_servers_write_it() {
        let given = |lasts: Option<u64>, refresh: Option<&str>| Given {
            access: Secret::from("t"),
            lasts: lasts.map(Duration::from_secs),
            refresh: refresh.map(Secret::from),
        };
        for (body, expected) in [
            (r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#, given(Some(3600), None)),
            (r#"{"access_token":"t","token_type":"bearer","expires_in":"3600"}"#, given(Some(3600), None)),
            (r#"{"access_token":"t","expires_in":3599.5,"refresh_token":""}"#, given(Some(3599), None)),
            (r#"{"access_token":"t","refresh_token":"r","scope":"a b"}"#, given(None, Some("r"))),
            (r#"{"access_token":"t","expires_in":-5,"error":null}"#, given(None, None)),
        ] {
            assert_eq!(read(200, body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_is_refused_says_what_to_do_and_holds_no_secret() {
        for (status, body, words) in [
            (401, r#"{"error":"invalid_client"}"#, "invalid_client; look at `client_id`"),
            (400, r#"{"error":"invalid_scope","error_description":"no\nsuch"}"#, "no such; look at `scope`"),
            (400, r#"{"error":"invalid_grant","error_description":"hunter22 is bad."}"#, "*** is bad; look"),
            (200, r#"{"error":"incorrect_client_credentials"}"#, "incorrect_client_credentials; look"),
            (400, r#"{"error":"Hunter2 was sent"}"#, "answered an error; look"),
            (400, r#"{"error":{"code":7}}"#, "answered error; look"),
            (401, "<html>hunter22</html>", "answered 401; look at the credentials"),
            (404, "", "answered 404; look at `token_url`"),
            (302, "", "not one that leads there"),
            (200, "<html>hunter22</html>", "not JSON of a token"),
            (200, r#"{"token":"t"}"#, "no `access_token`"),
            (200, r#"{"access_token":"t","token_type":"mac"}"#, "cannot be sent as `Bearer`"),
            (200, "{\"access_token\":\"a\\nb\"}", "holds what no header can"),
        ] {
            let Err(Denied::Fault(reason)) = read(status, body) else { panic!("{body}") };
            assert!(reason.contains(words), "{reason}");
            assert!(!reason.contains("hunter22"), "{reason}");
        }
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        for (status, body) in [
            (500, ""),
            (503, r#"{"error":"invalid_client"}"#),
            (429, ""),
            (408, ""),
            (400, r#"{"error":"temporarily_unavailable"}"#),
        ] {
            assert!(matches!(read(status, body), Err(Denied::Later(_))), "{status} {body}");
        }
        let cut = Answer { end: End::Cut("it was cut".into()), ..answer(200, r#"{"access_token":"t"}"#) };
        assert!(matches!(judge(&cut, &By::Client, &[]), Err(Denied::Later(_))));
    }

    proptest! {
        #[test]
        fn whatever_is_answered_no_message_holds_a_secret(status in 100..600_u16, body in any::<Vec<u8>>(), text in "[ -~]{0,80}") {
            let secret = Secret::from("hunter22");
            let echoed = serde_json::json!({ "error": text, "error_description": format!("{text}hunter22{text}") });
            for body in [Bytes::from(body), Bytes::from(echoed.to_string())] {
                if let Err(denied) = judge(&answer(status, body), &By::Client, std::slice::from_ref(&secret)) {
                    prop_assert!(!denied.to_string().contains("hunter22"), "{denied}");
                }
            }
        }
    }
}
