//! What all tests stand on: a running sandbox and a client.

use std::sync::Once;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde_json::Value;
use zaprun_sandbox::{Config, Control, ManualClock, Running, Sandbox};

static PROVIDER: Once = Once::new();

pub(crate) struct Bed {
    pub(crate) running: Running,
    pub(crate) control: Control,
    pub(crate) clock: ManualClock,
    pub(crate) client: reqwest::Client,
}

/// 2026-09-16, 14:18:55 in New York.
pub(crate) fn noon() -> Timestamp {
    "2026-09-16T18:18:55Z".parse().unwrap()
}

pub(crate) fn client() -> reqwest::Client {
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap()
}

pub(crate) fn steady() -> Config {
    Config { unstable_types: false, items: zaprun_sandbox::ItemsForm::Map, ..Config::default() }
}

impl Bed {
    pub(crate) async fn new() -> Bed {
        Bed::with(steady()).await
    }

    pub(crate) async fn with(config: Config) -> Bed {
        let clock = ManualClock::at(noon());
        let running = Sandbox::start(Config { clock: clock.clock(), ..config }).await.unwrap();
        let control = running.control();
        Bed { control, running, clock, client: client() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.running.base_url())
    }

    /// A POST of a form with the right credentials.
    pub(crate) async fn call(&self, endpoint: &str, params: &[(&str, &str)]) -> Value {
        let (status, body) = self.raw(endpoint, params).await.unwrap();
        assert_eq!(status, 200);
        serde_json::from_slice(&body).unwrap()
    }

    pub(crate) async fn raw(
        &self,
        endpoint: &str,
        params: &[(&str, &str)],
    ) -> Result<(u16, Vec<u8>), reqwest::Error> {
        let credentials = [("loginId", "sandbox"), ("password", "sandbox")];
        let body = form(credentials.iter().chain(params));
        let request = self.client.post(self.url(&format!("{endpoint}/")));
        let response =
            request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await?;
        let status = response.status().as_u16();
        Ok((status, response.bytes().await?.to_vec()))
    }

    /// A read of the day of [`noon`].
    pub(crate) async fn today(&self, endpoint: &str, params: &[(&str, &str)]) -> Value {
        let mut all = vec![("startDate", "09/16/2026"), ("endDate", "09/16/2026")];
        all.extend(params);
        self.call(endpoint, &all).await
    }

    pub(crate) async fn post_sink(&self, path: &str, key: &str, body: &str) -> Result<u16, reqwest::Error> {
        let request = self.client.post(format!("{}{path}", self.running.sink_url()));
        let response = request.header("idempotency-key", key).body(body.to_owned()).send().await?;
        let status = response.status().as_u16();
        response.bytes().await?;
        Ok(status)
    }
}

pub(crate) fn form<'a>(params: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

/// The rows of a reply; an empty result has none.
pub(crate) fn rows(reply: &Value) -> Vec<Value> {
    reply["message"]["data"].as_array().cloned().unwrap_or_default()
}

/// A field of every row as text.
pub(crate) fn column(reply: &Value, field: &str) -> Vec<String> {
    rows(reply)
        .iter()
        .map(|row| row[field].as_str().map_or_else(|| row[field].to_string(), str::to_owned))
        .collect()
}

pub(crate) fn local(text: &str) -> DateTime {
    text.parse().unwrap()
}

pub(crate) fn us_date(day: Date) -> String {
    day.strftime("%m/%d/%Y").to_string()
}
