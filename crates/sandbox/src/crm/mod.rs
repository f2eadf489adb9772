//! The CRM's API: what a request asks, the checks in the vendor's order, the reply, and what goes wrong with it.

mod check;
mod dates;
mod import;
mod late;
mod params;
mod query;
mod reply;
mod rows;
mod variety;
mod writes;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
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
use params::Params;
use reply::Reply;
use rows::Style;
use variety::Variety;

pub(crate) use late::LateWrite;

/// Largest request body the CRM reads.
const LARGEST_BODY: usize = 2 << 20;

/// Endpoints that change something.
pub(crate) const WRITES: &[&str] = &[
    "leads/import",
    "order/preauth",
    "order/import",
    "upsale/import",
    "order/confirm",
    "order/qa",
    "order/cancel",
    "order/refund",
    "purchase/cancel",
    "transactions/refund",
    "fulfillment/update",
    "customer/update",
    "customer/addnote",
    "customer/blacklist",
];

/// Endpoints at which a gateway is asked for money.
pub(crate) const SALES: &[&str] = &["order/preauth", "order/import", "upsale/import"];

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
    /// Whether the login or the password was not the user's: what may lock a user, if it is repeated.
    pub bad_login: bool,
    /// Whether the endpoint is one that changes something.
    pub write: bool,
    /// `result` of what was carried out, whether or not the answer arrived; none if a fault prevented it, or while
    /// it has yet to happen.
    pub result: Option<String>,
    /// When it took effect, if it is a write that succeeded.
    pub done: Option<Timestamp>,
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

/// May be changed while the sandbox runs.
#[derive(Clone)]
struct Secret(Arc<Mutex<String>>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("***")
    }
}

impl Secret {
    fn is(&self, given: &str) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) == given
    }
}

impl Settings {
    /// From now on the API user has this password.
    pub(crate) fn set_password(&self, password: &str) {
        password.clone_into(&mut self.password.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn of(config: &Config) -> Settings {
        let variety = Variety::new(config.seed, config.unstable_types);
        Settings {
            login: config.login.clone(),
            password: Secret(Arc::new(Mutex::new(config.password.clone()))),
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
    let call = Call { settings, endpoint: &endpoint, params: &params, caller, faults: &struck };
    let (at, answer) = control.with(|state| (control.now(), call.answer(state)));
    let (reply, later) = match answer {
        Answer::Now(reply) => (Some(reply), None),
        Answer::Never => (None, None),
        Answer::Later(after) => (None, Some(after)),
    };
    let write = call.is_write();
    let number = control.served(CrmRequest {
        number: 0,
        at,
        method,
        params: params.without_secrets(),
        credentials_in_url,
        bad_login: !call.is_known(),
        write,
        result: reply.as_ref().and_then(result),
        done: reply.as_ref().filter(|reply| write && succeeded(reply)).map(|_| at),
        rows: reply.as_ref().map_or(0, data_rows),
        faults: struck.clone(),
        endpoint: endpoint.clone(),
    });
    if let Some(after) = later {
        control.write_later(LateWrite::new(number, at, after, endpoint, params, struck.clone()));
    }
    // What was asked is done by now, whether or not the caller has the patience to hear of it.
    if !wire::wait(&control, delay(&struck)).await {
        return wire::closed();
    }
    respond(reply, &struck, settings.content_type)
}

fn result(reply: &Reply) -> Option<String> {
    Some(reply.get("result")?.as_str()?.to_owned())
}

fn succeeded(reply: &Reply) -> bool {
    result(reply).as_deref() == Some("SUCCESS")
}

fn data_rows(reply: &Reply) -> usize {
    reply.pointer("/message/data").and_then(serde_json::Value::as_array).map_or(0, Vec::len)
}

fn delay(faults: &[CrmFault]) -> Duration {
    let slow =
        faults.iter().map(|fault| if let CrmFault::Slow(wait) = fault { *wait } else { Duration::ZERO });
    slow.sum()
}

/// What becomes of a request.
enum Answer {
    /// It was carried out, or refused.
    Now(Reply),
    /// A fault prevented it.
    Never,
    /// It will be carried out once so much time is over; nobody is told.
    Later(Duration),
}

impl Call<'_> {
    fn struck_by(&self, fault: &CrmFault) -> bool {
        self.faults.contains(fault)
    }

    fn is_write(&self) -> bool {
        WRITES.contains(&self.endpoint)
    }

    /// The checks in the order of contract §8.2, then the endpoint.
    fn answer(&self, state: &mut State) -> Answer {
        let prevents =
            |fault: &CrmFault| matches!(fault, CrmFault::Html504 | CrmFault::BareError | CrmFault::EmptyBody);
        if self.faults.iter().any(prevents) {
            return Answer::Never;
        }
        if let Err(refusal) = self.admit() {
            return Answer::Now(refusal);
        }
        for (fault, insert) in [(CrmFault::RowInserted, true), (CrmFault::RowRemoved, false)] {
            if self.struck_by(&fault) {
                query::shift_rows(state, self.endpoint, self.params, insert);
            }
        }
        let late = |fault: &CrmFault| match fault {
            CrmFault::LateWrite(after) | CrmFault::LateWrite504(after) => Some(*after),
            _ => None,
        };
        match self.faults.iter().find_map(late).filter(|_| self.is_write()) {
            Some(after) => Answer::Later(after),
            None => Answer::Now(carry_out(self.settings, self.endpoint, self.params, self.faults, state)),
        }
    }

    fn is_known(&self) -> bool {
        self.params.get("loginId") == Some(self.settings.login.as_str())
            && self.params.get("password").is_some_and(|given| self.settings.password.is(given))
            && !self.struck_by(&CrmFault::Auth)
    }

    fn admit(&self) -> Result<(), Reply> {
        if !self.is_known() {
            return Err(reply::bad_credentials());
        }
        let listed = self.settings.whitelist.as_ref().is_none_or(|allowed| allowed.contains(&self.caller));
        if !listed || self.struck_by(&CrmFault::Whitelist) {
            return Err(reply::not_whitelisted(self.caller));
        }
        if self.struck_by(&CrmFault::NoPermission) {
            return Err(reply::not_permitted(self.endpoint));
        }
        let refuses = self.faults.iter().find_map(|fault| match fault {
            CrmFault::Refuse(text) => Some(reply::error(text.as_str())),
            _ => None,
        });
        refuses.map_or(Ok(()), Err)
    }
}

/// Does what an endpoint is for.
fn carry_out(
    settings: &Settings,
    endpoint: &str,
    params: &Params,
    faults: &[CrmFault],
    state: &mut State,
) -> Reply {
    let (style, beyond) = (settings.style, settings.beyond_end);
    let rules = || sale_rules(settings, faults);
    match endpoint {
        "order/query" => query::orders(state, params, style, beyond),
        "transactions/query" => query::transactions(state, params, style.variety, beyond),
        "purchase/query" => query::purchases(state, params, style.variety, beyond),
        "customer/query" => query::customers(state, params, style.variety, beyond),
        "customer/history" => query::customer_history(state, params, style.variety, beyond),
        "fulfillment/query" => query::fulfillments(state, params, style.variety, beyond),
        "leads/import" => import::leads_import(state, params, style),
        "order/preauth" => import::preauth(state, params, &rules()),
        "order/import" => import::order_import(state, params, &rules()),
        "upsale/import" => import::upsale_import(state, params, &rules()),
        "order/confirm" => writes::order_confirm(state, params),
        "order/qa" => writes::order_qa(state, params),
        "order/cancel" => writes::order_cancel(state, params),
        "order/refund" => writes::order_refund(state, params),
        "purchase/cancel" => writes::purchase_cancel(state, params),
        "transactions/refund" => writes::transaction_refund(state, params),
        "fulfillment/update" => writes::fulfillment_update(state, params),
        "customer/update" => writes::customer_update(state, params),
        "customer/addnote" => writes::customer_addnote(state, params),
        "customer/blacklist" => writes::customer_blacklist(state, params),
        other => reply::placeholder(format_args!("no endpoint {other}")),
    }
}

fn sale_rules(settings: &Settings, faults: &[CrmFault]) -> import::SaleRules {
    let text = |fault: &CrmFault| if let CrmFault::Decline(text) = fault { Some(text.clone()) } else { None };
    import::SaleRules {
        style: settings.style,
        prepaid_skips_qa: settings.prepaid_skips_qa,
        decline: faults.iter().find_map(text),
        redirect: faults.contains(&CrmFault::Redirect),
    }
}

/// The reply as bytes, with what goes wrong on the way.
fn respond(reply: Option<Reply>, struck: &[CrmFault], kind: ContentType) -> Response<Body> {
    for fault in struck {
        match fault {
            CrmFault::Html504 | CrmFault::LostAnswer504 | CrmFault::LateWrite504(_) => return timed_out(),
            CrmFault::LostAnswer | CrmFault::LateWrite(_) => return wire::closed(),
            CrmFault::EmptyBody => return ok(Vec::new().into(), kind),
            _ => {}
        }
    }
    let reply = reply.filter(|_| !struck.contains(&CrmFault::LostAnswerBare));
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

/// What a proxy says in the CRM's place.
fn timed_out() -> Response<Body> {
    wire::html(
        StatusCode::GATEWAY_TIMEOUT,
        "<html><head><title>504 Gateway Time-out</title></head>\
         <body><center><h1>504 Gateway Time-out</h1></center></body></html>",
    )
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
