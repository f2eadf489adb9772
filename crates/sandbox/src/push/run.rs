//! Sending what is due, until it was taken.

use std::sync::Once;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde_json::{Map, Value};

use super::outbox::Waiting;
use super::{ExportProfile, Push, payload};
use crate::control::Control;

/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest sleep, for clocks that tell nobody when they are moved.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

static PROVIDER: Once = Once::new();

/// Sends pushes and lets late writes happen until the sandbox stops.
pub(crate) async fn run(control: Control) {
    let Some(client) = client() else { return };
    let mut moves = control.clock_moves();
    loop {
        while let Some(waiting) = control.take_push() {
            tokio::select! {
                biased;
                () = control.stopping() => {
                    control.put_push_back(waiting);
                    return;
                }
                push = send(&control, &client, &waiting) => match push {
                    Some(push) => control.pushed(waiting, push),
                    // The order is gone: there is nothing to tell any more.
                    None => continue,
                },
            }
        }
        let sleep = control.next_due().map(|due| until(control.now(), due));
        let sleeps = sleep.is_some();
        tokio::select! {
            biased;
            () = control.stopping() => return,
            // Fails only without a clock, and the control holds it.
            _ = moves.changed() => {}
            () = tokio::time::sleep(sleep.unwrap_or(LONGEST_SLEEP)), if sleeps => {}
        }
        control.catch_up();
    }
}

fn until(now: Timestamp, due: Timestamp) -> Duration {
    let left = Duration::try_from(due.duration_since(now)).unwrap_or(Duration::ZERO);
    left.min(LONGEST_SLEEP)
}

fn client() -> Option<Client> {
    PROVIDER.call_once(|| {
        // Another part of the program may have chosen one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let client = Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
    match client {
        Ok(client) => Some(client),
        Err(error) => {
            tracing::error!(%error, "the sandbox cannot push");
            None
        }
    }
}

async fn send(control: &Control, client: &Client, waiting: &Waiting) -> Option<Push> {
    let profile = &waiting.profile;
    let (at, fields) = control.with(|state| (control.now(), payload::fields(state, &waiting.news, profile)));
    let fields = fields?;
    let status = match request(client, profile, &fields) {
        Some(request) => request.send().await.ok().map(|response| response.status().as_u16()),
        None => None,
    };
    Some(Push {
        number: 0,
        at,
        route: waiting.news.route,
        order_id: waiting.news.order_id.clone(),
        url: profile.url.clone(),
        method: profile.method(),
        fields,
        attempt: waiting.tries + 1,
        status,
    })
}

fn request(
    client: &Client,
    profile: &ExportProfile,
    fields: &Map<String, Value>,
) -> Option<reqwest::RequestBuilder> {
    let method: Method = profile.method().parse().ok()?;
    let in_url = method == Method::GET;
    let url = if in_url { with_query(&profile.url, &payload::query(fields)) } else { profile.url.clone() };
    let mut request = client.request(method, url);
    if !in_url {
        let json = profile.is_json();
        let body = if json { Value::Object(fields.clone()).to_string() } else { payload::query(fields) };
        let kind = if json { "application/json" } else { "application/x-www-form-urlencoded" };
        request = request.header(CONTENT_TYPE, kind).body(body);
    }
    for (name, value) in profile.headers().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type")) {
        let header: (HeaderName, HeaderValue) = (name.parse().ok()?, value.parse().ok()?);
        request = request.header(header.0, header.1);
    }
    Some(request)
}

fn with_query(url: &str, query: &str) -> String {
    let url = url.split('#').next().unwrap_or(url);
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{query}")
}
