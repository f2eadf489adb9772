//! The other side of the end-to-end benchmark: a CRM with its pages rendered beforehand, and a sink that counts.
//!
//! It does as little as it can per request, so that the programs under test are what is measured. It honours the
//! parameters on which a reader relies: credentials, status, days, and page.
#![allow(clippy::print_stdout, reason = "its address is its output")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use axum::serve::ListenerExt;
use bytes::Bytes;
use clap::Parser;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use zaprun_bench::orders::{FIRST_ID, orders};

const PER_PAGE: usize = 200;
const LARGEST_BODY: usize = 64 * 1024;
const NO_ORDERS: &str =
    r#"{"result":"ERROR","message":"No orders matching those parameters could be found"}"#;

/// Serve orders and count what arrives; prints its address
#[derive(Debug, Parser)]
struct Args {
    /// How many orders there are
    #[arg(long, default_value_t = 10_000)]
    orders: u64,

    /// The day on which all of them were made, YYYY-MM-DD
    #[arg(long)]
    day: Date,
}

struct Mock {
    day: Date,
    pages: Vec<Bytes>,
    counts: Mutex<Counts>,
}

/// What arrived. Instants are microseconds since 1970, 0 while there was none.
#[derive(Debug, Clone, Default, Serialize)]
struct Counts {
    queries: u64,
    delivered: u64,
    distinct: u64,
    /// Bodies without an id that was served.
    strange: u64,
    first_us: u64,
    last_us: u64,
    #[serde(skip)]
    seen: Vec<bool>,
}

/// What the sink looks at.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let mock = Arc::new(Mock::new(&args));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("http://{}", listener.local_addr()?);
        // Small answers must not wait for the other side's acknowledgement. Where it cannot be set, they do.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, Router::new().fallback(serve).with_state(mock)).await?;
        Ok(())
    })
}

impl Mock {
    fn new(args: &Args) -> Self {
        let all: Vec<String> = orders(args.orders, args.day).collect();
        let render = |(number, rows): (usize, &[String])| {
            let rows = rows.join(",");
            let (total, page) = (all.len(), number + 1);
            let head = format!(r#""totalResults":{total},"resultsPerPage":{PER_PAGE},"page":{page}"#);
            Bytes::from(format!(r#"{{"result":"SUCCESS","message":{{{head},"data":[{rows}]}}}}"#))
        };
        let pages = all.chunks(PER_PAGE).enumerate().map(render).collect();
        Mock { day: args.day, pages, counts: Mutex::new(Counts::none(all.len())) }
    }

    fn query(&self, form: &[u8]) -> Bytes {
        self.count(|counts| counts.queries += 1);
        let form: HashMap<_, _> = form_urlencoded::parse(form).collect();
        let given = |name: &str| form.get(name).map(|value| &**value).filter(|value| !value.is_empty());
        if given("loginId").is_none() || given("password").is_none() {
            return Bytes::from_static(
                br#"{"result":"ERROR","message":"Could not authenticate credentials"}"#,
            );
        }
        // Pages of another size were not rendered; saying so is better than serving something else.
        if given("resultsPerPage") != Some("200") || given("sortDir") != Some("1") {
            return Bytes::from_static(
                br#"{"result":"ERROR","message":"this mock has pages of 200, ascending"}"#,
            );
        }
        let day = |name: &str| given(name).and_then(|text| Date::strptime("%m/%d/%Y", text).ok());
        let in_days = matches!(
            (day("startDate"), day("endDate")),
            (Some(first), Some(last)) if (first..=last).contains(&self.day)
        );
        let wanted = |name: &str, value: &str| given(name).is_none_or(|asked| asked == value);
        let rows = in_days && wanted("orderStatus", "COMPLETE") && wanted("orderType", "NEW_SALE");
        let page = given("page").and_then(|page| page.parse::<usize>().ok()).unwrap_or(1);
        let found = self.pages.get(page.wrapping_sub(1)).filter(|_| rows);
        found.cloned().unwrap_or(Bytes::from_static(NO_ORDERS.as_bytes()))
    }

    fn sink(&self, body: &[u8]) {
        let now = now();
        let sent = serde_json::from_slice::<Sent<'_>>(body).ok();
        let id = sent.and_then(|sent| sent.id.get().trim_matches('"').parse::<u64>().ok());
        let place = id.and_then(|id| usize::try_from(id.checked_sub(FIRST_ID)?).ok());
        self.count(|counts| counts.arrived(place, now));
    }

    fn count<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn reset(&self) {
        self.count(|counts| *counts = Counts::none(counts.seen.len()));
    }
}

impl Counts {
    fn none(orders: usize) -> Self {
        Counts { seen: vec![false; orders], ..Counts::default() }
    }

    fn arrived(&mut self, place: Option<usize>, now: u64) {
        let Some(seen) = place.and_then(|place| self.seen.get_mut(place)) else {
            self.strange += 1;
            return;
        };
        self.distinct += u64::from(!*seen);
        *seen = true;
        self.delivered += 1;
        if self.first_us == 0 {
            self.first_us = now;
        }
        self.last_us = now;
    }
}

async fn serve(State(mock): State<Arc<Mock>>, request: Request) -> Response<Body> {
    let path = request.uri().path().trim_matches('/').to_owned();
    let Ok(body) = to_bytes(request.into_body(), LARGEST_BODY).await else {
        return answer(StatusCode::BAD_REQUEST, Bytes::from_static(b"{}"));
    };
    let json = match path.as_str() {
        "order/query" => mock.query(&body),
        "sink" => {
            mock.sink(&body);
            Bytes::from_static(br#"{"ok":true}"#)
        }
        "stats" => mock.count(|counts| serde_json::to_vec(counts)).unwrap_or_default().into(),
        "reset" => {
            mock.reset();
            Bytes::from_static(b"{}")
        }
        _ => return answer(StatusCode::NOT_FOUND, Bytes::from_static(b"{}")),
    };
    answer(StatusCode::OK, json)
}

fn answer(status: StatusCode, json: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Microseconds since 1970, as the harness counts them.
#[allow(clippy::disallowed_methods, reason = "it is compared with the clock of another process")]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
