//! The CRM's API: what a request asks, the checks in the vendor's order, the reply, and what goes wrong with it.

mod dates;
mod import;
mod import_reply;
mod order_rows;
mod params;
mod query;
mod reply;
mod transaction_rows;
mod variety;
mod writes;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use jiff::Timestamp;

use crate::config::{BeyondEnd, Config, ContentType};
use crate::control::Control;
use crate::faults::{self, CrmFault};
use crate::state::State;
use crate::wire;
use order_rows::Style;
use params::Params;
use reply::Reply;
use variety::Variety;

/// Largest request body the CRM reads.
const LARGEST_BODY: usize = 2 << 20;

/// A request as the CRM served it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CrmRequest {
    /// Counts from 1.
    pub number: u64,
    /// When it came, by the sandbox's clock.
    pub at: Timestamp,
    /// `GET` or `POST`.
    pub method: String,
    /// Section and verb without slashes at the ends, such as `order/query`.
    pub endpoint: String,
    /// Parameters in order, without the password, with cards masked.
    pub params: Vec<(String, String)>,
    /// Whether the URL held a login or password.
    pub credentials_in_url: bool,
    /// `result` of the reply; none if a fault took its place.
    pub result: Option<String>,
    /// Rows in the reply's `data`.
    pub rows: usize,
    /// The faults that struck it.
    pub faults: Vec<CrmFault>,
}

impl CrmRequest {
    /// The last value of a parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The part of the configuration that the API depends on.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    login: String,
    password: Secret,
    style: Style,
    content_type: ContentType,
    beyond_end: BeyondEnd,
    whitelist: Option<BTreeSet<IpAddr>>,
    json_bodies: bool,
    prepaid_skips_qa: bool,
}

#[derive(Clone)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("***")
    }
}

impl Settings {
    pub(crate) fn of(config: &Config) -> Settings {
        let variety = Variety::new(config.seed, config.unstable_types);
        Settings {
            login: config.login.clone(),
            password: Secret(config.password.clone()),
            style: Style { shape: config.shape, items: config.items, variety },
            content_type: config.content_type,
            beyond_end: config.beyond_end,
            whitelist: config.whitelist.clone(),
            json_bodies: config.json_bodies,
            prepaid_skips_qa: config.prepaid_skips_qa,
        }
    }
}

/// One request on its way through.
struct Call<'a> {
    settings: &'a Settings,
    endpoint: &'a str,
    params: &'a Params,
    caller: IpAddr,
    faults: &'a [CrmFault],
}

/// Serves one request.
pub(crate) async fn serve(control: Control, caller: IpAddr, request: Request) -> Response<Body> {
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return wire::html(StatusCode::METHOD_NOT_ALLOWED, "<h1>405 Method Not Allowed</h1>");
    }
    let settings = control.settings();
    let method = request.method().to_string();
    let endpoint = request.uri().path().trim_matches('/').to_owned();
    let in_url = params::of_query(request.uri().query().unwrap_or_default());
    let credentials_in_url = in_url.get("loginId").is_some() || in_url.get("password").is_some();
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return wire::html(StatusCode::PAYLOAD_TOO_LARGE, "<h1>413 Request Entity Too Large</h1>");
    };
    let params = params::of_request(parts, body, settings.json_bodies).await;
    let struck = control.strike_crm(&endpoint, query::page_number(&params));
    if !wire::wait(&control, delay(&struck)).await {
        return wire::closed();
    }
    let call = Call { settings, endpoint: &endpoint, params: &params, caller, faults: &struck };
    let reply = if replaced(&struck) { None } else { Some(control.with(|state| call.answer(state))) };
    let log = CrmRequest {
        number: 0,
        at: control.now(),
        method,
        params: params.without_secrets(),
        credentials_in_url,
        result: reply.as_ref().and_then(|reply| Some(reply.get("result")?.as_str()?.to_owned())),
        rows: reply.as_ref().map_or(0, data_rows),
        faults: struck.clone(),
        endpoint: endpoint.clone(),
    };
    let response = respond(reply, &struck, settings.content_type);
    control.served(log);
    response
}

fn data_rows(reply: &Reply) -> usize {
    reply.pointer("/message/data").and_then(serde_json::Value::as_array).map_or(0, Vec::len)
}

fn delay(faults: &[CrmFault]) -> Duration {
    let slow =
        faults.iter().map(|fault| if let CrmFault::Slow(wait) = fault { *wait } else { Duration::ZERO });
    slow.sum()
}

/// Whether a fault stands in for the reply, so that nothing is carried out.
fn replaced(faults: &[CrmFault]) -> bool {
    faults.iter().any(|fault| matches!(fault, CrmFault::Html504 | CrmFault::BareError | CrmFault::EmptyBody))
}

impl Call<'_> {
    fn struck_by(&self, fault: &CrmFault) -> bool {
        self.faults.contains(fault)
    }

    /// The checks in the order of contract §8.2, then the endpoint.
    fn answer(&self, state: &mut State) -> Reply {
        let known = self.params.get("loginId") == Some(self.settings.login.as_str())
            && self.params.get("password") == Some(self.settings.password.0.as_str());
        if !known || self.struck_by(&CrmFault::Auth) {
            return reply::bad_credentials();
        }
        let listed = self.settings.whitelist.as_ref().is_none_or(|allowed| allowed.contains(&self.caller));
        if !listed || self.struck_by(&CrmFault::Whitelist) {
            return reply::not_whitelisted(self.caller);
        }
        if self.struck_by(&CrmFault::NoPermission) {
            return reply::not_permitted(self.endpoint);
        }
        for (fault, insert) in [(CrmFault::RowInserted, true), (CrmFault::RowRemoved, false)] {
            if self.struck_by(&fault) {
                query::shift_rows(state, self.endpoint, self.params, insert);
            }
        }
        self.dispatch(state)
    }

    fn dispatch(&self, state: &mut State) -> Reply {
        let (params, style, beyond) = (self.params, self.settings.style, self.settings.beyond_end);
        match self.endpoint {
            "order/query" => query::orders(state, params, style, beyond),
            "transactions/query" => query::transactions(state, params, style.variety, beyond),
            "leads/import" => import::leads_import(state, params, style),
            "order/import" => import::order_import(state, params, &self.sale_rules()),
            "order/qa" => writes::order_qa(state, params),
            "order/cancel" => writes::order_cancel(state, params),
            "order/refund" => writes::order_refund(state, params),
            "transactions/refund" => writes::transaction_refund(state, params),
            other => reply::placeholder(format_args!("no endpoint {other}")),
        }
    }

    fn sale_rules(&self) -> import::SaleRules {
        let text =
            |fault: &CrmFault| if let CrmFault::Decline(text) = fault { Some(text.clone()) } else { None };
        import::SaleRules {
            style: self.settings.style,
            prepaid_skips_qa: self.settings.prepaid_skips_qa,
            decline: self.faults.iter().find_map(text),
        }
    }
}

/// The reply as bytes, with what goes wrong on the way.
fn respond(reply: Option<Reply>, struck: &[CrmFault], kind: ContentType) -> Response<Body> {
    if struck.contains(&CrmFault::Html504) {
        return wire::html(
            StatusCode::GATEWAY_TIMEOUT,
            "<html><head><title>504 Gateway Time-out</title></head>\
             <body><center><h1>504 Gateway Time-out</h1></center></body></html>",
        );
    }
    if struck.contains(&CrmFault::EmptyBody) {
        return ok(Vec::new().into(), kind);
    }
    if struck.contains(&CrmFault::LostAnswer) {
        return wire::closed();
    }
    let mut reply = reply.unwrap_or_else(reply::bare_error);
    for fault in struck {
        match fault {
            CrmFault::NumbersAsStrings => faults::numbers_as_strings(&mut reply),
            CrmFault::ItemsAsList => faults::items_as_list(&mut reply),
            CrmFault::ItemsAsMap => faults::items_as_map(&mut reply),
            CrmFault::HugePage(size) => faults::huge(&mut reply, *size),
            _ => {}
        }
    }
    let mut bytes = reply.to_string().into_bytes();
    if struck.contains(&CrmFault::NonUtf8) {
        bytes = faults::non_utf8(&bytes);
    }
    if struck.contains(&CrmFault::Truncated) {
        bytes = faults::truncated(&bytes);
    }
    if struck.contains(&CrmFault::Cut) {
        return ok(wire::cut_in_the_middle(bytes), kind);
    }
    ok(bytes.into(), kind)
}

fn ok(body: Body, kind: ContentType) -> Response<Body> {
    let kind = match kind {
        ContentType::Json => "application/json",
        ContentType::Html => "text/html; charset=UTF-8",
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
