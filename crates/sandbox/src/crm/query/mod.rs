//! Reads: windows, filters, order and pages (contract §1.6, §1.7, §3).

mod customers;
mod fulfillments;
mod orders;
mod purchases;
mod transactions;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use super::dates::{self, RangeType, Window};
use super::params::Params;
use super::reply::{self, Reply};
use super::variety::Variety;
use crate::config::BeyondEnd;
use crate::state::{Buyer, State};

pub(crate) use customers::{customer_history, customers};
pub(crate) use fulfillments::fulfillments;
pub(crate) use orders::orders;
pub(crate) use purchases::purchases;
pub(crate) use transactions::transactions;

/// Rows of a page if nobody asks, and the most that a page holds (contract §1.7).
const DEFAULT_PAGE: u64 = 25;
const LARGEST_PAGE: u64 = 200;

/// Moves rows between pages: adds a copy of the query's first row before it, changed now, or takes that row away.
pub(crate) fn shift_rows(state: &mut State, endpoint: &str, params: &Params, insert: bool) {
    match endpoint {
        "order/query" => orders::shift_orders(state, params, insert),
        "transactions/query" => transactions::shift_transactions(state, params, insert),
        _ => {}
    }
}

/// Rows in the order of `key`, in the direction asked for.
fn in_order<T, K: Ord>(mut rows: Vec<T>, paging: Paging, key: impl FnMut(&T) -> K) -> Vec<T> {
    rows.sort_by_key(key);
    if !paging.ascending {
        rows.reverse();
    }
    rows
}

/// A time of the same day at which a new row, whose id is the highest, sorts before one of time `at`.
fn just_before(at: DateTime, paging: Paging) -> DateTime {
    let earlier = at.saturating_sub(SignedDuration::from_secs(1));
    if paging.ascending && earlier.date() == at.date() { earlier } else { at }
}

/// The page asked for, 1 unless it says otherwise.
pub(crate) fn page_number(params: &Params) -> u64 {
    params.number("page").unwrap_or(1).max(1)
}

#[derive(Clone, Copy, Debug)]
struct Paging {
    page: u64,
    per_page: u64,
    ascending: bool,
}

impl Paging {
    fn read(params: &Params) -> Paging {
        let per_page = params.number("resultsPerPage").filter(|rows| *rows > 0).unwrap_or(DEFAULT_PAGE);
        Paging {
            page: page_number(params),
            per_page: per_page.min(LARGEST_PAGE),
            ascending: params.get("sortDir") != Some("0"),
        }
    }

    fn slice<T>(self, rows: &[T]) -> &[T] {
        let start = usize::try_from((self.page - 1).saturating_mul(self.per_page)).unwrap_or(usize::MAX);
        let count = usize::try_from(self.per_page).unwrap_or(usize::MAX);
        let rest = rows.get(start..).unwrap_or_default();
        rest.get(..count).unwrap_or(rest)
    }
}

/// A query's result on its way to a page.
struct Paged<'a> {
    things: &'static str,
    params: &'a Params,
    range: RangeType,
    beyond: BeyondEnd,
    variety: Variety,
}

impl Paged<'_> {
    /// The page asked for; an empty result is an error.
    fn reply<T>(&self, rows: &[T], show: impl Fn(&T) -> Value) -> Reply {
        let beyond = Paging::read(self.params).slice(rows).is_empty() && self.beyond == BeyondEnd::Error;
        if rows.is_empty() || beyond { reply::nothing(self.things) } else { self.page(rows, show) }
    }

    /// The page asked for, which may be empty.
    fn page<T>(&self, rows: &[T], show: impl Fn(&T) -> Value) -> Reply {
        let paging = Paging::read(self.params);
        let page = paging.slice(rows);
        let total = rows.len() as u64;
        let counter = |name, count: u64| self.variety.number(total, name, count.into());
        reply::success(json!({
            "totalResults": counter("totalResults", total),
            "resultsPerPage": counter("resultsPerPage", paging.per_page),
            "page": counter("page", paging.page),
            "data": page.iter().map(show).collect::<Vec<Value>>(),
            "params": null,
            "errors": null,
            "sortBy": "dateCreated",
            "sortDir": u8::from(paging.ascending),
            "queryArgs": self.query_args(paging),
        }))
    }

    fn query_args(&self, paging: Paging) -> Value {
        let own = ["loginId", "password", "page", "sortDir", "resultsPerPage", "sortBy", "dateRangeType"];
        let mut args = Map::new();
        args.insert("page".to_owned(), paging.page.into());
        args.insert("sortDir".to_owned(), u8::from(paging.ascending).into());
        args.insert("resultsPerPage".to_owned(), paging.per_page.into());
        args.insert("sortBy".to_owned(), "dateCreated".into());
        for (key, value) in self.params.iter().filter(|(key, _)| !own.contains(key)) {
            args.insert(key.to_owned(), value.into());
        }
        args.insert("dateRangeType".to_owned(), self.range.as_str().into());
        Value::Object(args)
    }
}

/// Filters on the buyer that the queries take; they compare whole values without regard to case.
const BUYER_FILTERS: &[&str] = &[
    "firstName",
    "lastName",
    "companyName",
    "address1",
    "address2",
    "city",
    "postalCode",
    "state",
    "country",
    "emailAddress",
    "phoneNumber",
    "ipAddress",
    "affId",
    "UTMSource",
    "UTMMedium",
    "UTMCampaign",
    "UTMTerm",
    "UTMContent",
];

/// What all queries ask of a row.
#[derive(Debug)]
struct Common {
    window: Option<Window>,
    order_id: Option<String>,
    customer_id: Option<u64>,
    campaigns: Option<Vec<u64>>,
    buyer: Vec<(&'static str, String)>,
}

/// What all kinds of rows have.
struct Facts<'a> {
    at: DateTime,
    order_id: &'a str,
    customer_id: u64,
    campaign_id: u64,
    buyer: &'a Buyer,
    extra: &'a BTreeMap<String, String>,
}

impl Common {
    fn read(params: &Params, ids: &[&str]) -> Result<Common, Reply> {
        let has_id = ids.iter().any(|name| params.get(name).is_some());
        let wanted = |name: &&'static str| Some((*name, params.get(name)?.to_lowercase()));
        Ok(Common {
            window: dates::window(params, has_id)?,
            order_id: params.get("orderId").map(str::to_owned),
            customer_id: whole(params, "customerId")?,
            campaigns: id_list(params, "campaignId")?,
            buyer: BUYER_FILTERS.iter().filter_map(wanted).collect(),
        })
    }

    fn admits(&self, row: &Facts<'_>) -> bool {
        self.window.is_none_or(|window| window.holds(row.at))
            && self.order_id.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(row.order_id))
            && self.customer_id.is_none_or(|wanted| wanted == row.customer_id)
            && self.campaigns.as_ref().is_none_or(|wanted| wanted.contains(&row.campaign_id))
            && self.buyer.iter().all(|(name, wanted)| buyer_field(row, name).to_lowercase() == *wanted)
    }
}

fn buyer_field<'a>(row: &Facts<'a>, name: &str) -> &'a str {
    let bill = &row.buyer.bill;
    match name {
        "firstName" => &bill.first_name,
        "lastName" => &bill.last_name,
        "companyName" => &bill.company_name,
        "address1" => &bill.address1,
        "address2" => &bill.address2,
        "city" => &bill.city,
        "postalCode" => &bill.postal_code,
        "state" => &bill.state,
        "country" => &bill.country,
        "emailAddress" => &row.buyer.email,
        "phoneNumber" => &row.buyer.phone,
        "ipAddress" => &row.buyer.ip,
        other => row.extra.get(other).map_or("", String::as_str),
    }
}

fn one_of<T: Copy>(params: &Params, name: &'static str, all: &[(T, &str)]) -> Result<Option<T>, Reply> {
    let Some(text) = params.get(name) else { return Ok(None) };
    match all.iter().find(|(_, spelling)| *spelling == text) {
        Some((value, _)) => Ok(Some(*value)),
        None => Err(reply::not_one_of(name, all.iter().map(|(_, spelling)| *spelling))),
    }
}

fn whole(params: &Params, name: &'static str) -> Result<Option<u64>, Reply> {
    let Some(text) = params.get(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| reply::invalid([(name, "must be an integer".to_owned())]))
}

fn id_list(params: &Params, name: &'static str) -> Result<Option<Vec<u64>>, Reply> {
    let Some(text) = params.get(name) else { return Ok(None) };
    let ids: Result<Vec<u64>, _> = text.split(',').map(|id| id.trim().parse()).collect();
    ids.map(Some).map_err(|_| reply::invalid([(name, "must be an integer".to_owned())]))
}
