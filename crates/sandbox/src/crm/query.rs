//! order/query and transactions/query: windows, filters, order and pages (contract §1.6, §1.7, §3.1, §3.2).

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use super::dates::{self, RangeType, Window};
use super::order_rows::{Style, order_row};
use super::params::Params;
use super::reply::{self, Reply};
use super::transaction_rows::transaction_row;
use super::variety::Variety;
use crate::config::BeyondEnd;
use crate::state::{Buyer, Order, OrderStatus, OrderType, ResponseType, State, Transaction, TxnType};

/// Rows of a page if nobody asks, and the most that a page holds (contract §1.7).
const DEFAULT_PAGE: u64 = 25;
const LARGEST_PAGE: u64 = 200;

/// Answers order/query.
pub(crate) fn orders(state: &State, params: &Params, style: Style, beyond: BeyondEnd) -> Reply {
    let query = match OrderQuery::read(params) {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    let rows = query.sorted(state, Paging::read(params));
    let custom_fields = params.flag("includeCustomFields");
    let page = Paged { things: "orders", params, range: query.range, beyond, variety: style.variety };
    page.reply(&rows, |order| order_row(order, style, custom_fields))
}

/// Answers transactions/query.
pub(crate) fn transactions(state: &State, params: &Params, variety: Variety, beyond: BeyondEnd) -> Reply {
    let query = match TransactionQuery::read(params) {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    let rows = query.sorted(state, Paging::read(params));
    let custom_fields = params.flag("includeCustomFields");
    let page = Paged { things: "transactions", params, range: query.range, beyond, variety };
    page.reply(&rows, |found| transaction_row(found, variety, custom_fields))
}

/// Moves rows between pages: adds a copy of the query's first row before it, changed now, or takes that row away.
pub(crate) fn shift_rows(state: &mut State, endpoint: &str, params: &Params, insert: bool) {
    match endpoint {
        "order/query" => shift_orders(state, params, insert),
        "transactions/query" => shift_transactions(state, params, insert),
        _ => {}
    }
}

fn shift_orders(state: &mut State, params: &Params, insert: bool) {
    let (Ok(query), paging) = (OrderQuery::read(params), Paging::read(params)) else { return };
    let Some(first) = query.sorted(state, paging).first().map(|order| (*order).clone()) else { return };
    if insert {
        let mut twin = state.twin(&first);
        twin.created = just_before(first.created, paging);
        twin.updated = state.now();
        state.insert_order(twin);
    } else {
        state.remove_order(&first.order_id);
    }
}

fn shift_transactions(state: &mut State, params: &Params, insert: bool) {
    let (Ok(query), paging) = (TransactionQuery::read(params), Paging::read(params)) else { return };
    let Some(first) = query.sorted(state, paging).first().map(|found| (*found).clone()) else { return };
    if insert {
        let mut twin = state.twin_transaction(&first);
        twin.created = just_before(first.created, paging);
        twin.updated = state.now();
        state.insert_transaction(twin);
    } else {
        state.remove_transaction(first.transaction_id);
    }
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
    fn reply<T>(&self, rows: &[T], show: impl Fn(&T) -> Value) -> Reply {
        let paging = Paging::read(self.params);
        let page = paging.slice(rows);
        if rows.is_empty() || (page.is_empty() && self.beyond == BeyondEnd::Error) {
            return reply::nothing(self.things);
        }
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

/// Filters on the buyer that both queries take; they compare whole values without regard to case.
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

/// What both queries ask of a row.
#[derive(Debug)]
struct Common {
    window: Option<Window>,
    order_id: Option<String>,
    customer_id: Option<u64>,
    campaigns: Option<Vec<u64>>,
    buyer: Vec<(&'static str, String)>,
}

/// What both kinds of rows have.
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

#[derive(Debug)]
struct OrderQuery {
    common: Common,
    range: RangeType,
    status: Option<OrderStatus>,
    order_type: Option<OrderType>,
    products: Option<Vec<u64>>,
}

impl OrderQuery {
    fn read(params: &Params) -> Result<OrderQuery, Reply> {
        Ok(OrderQuery {
            common: Common::read(params, &["orderId", "customerId"])?,
            range: dates::range_type(params)?,
            status: one_of(params, "orderStatus", OrderStatus::ALL)?,
            order_type: one_of(params, "orderType", OrderType::ALL)?,
            products: id_list(params, "campaignProductId")?,
        })
    }

    fn admits(&self, order: &Order) -> bool {
        let facts = Facts {
            at: if self.range == RangeType::Updated { order.updated } else { order.created },
            order_id: &order.order_id,
            customer_id: order.customer_id,
            campaign_id: order.campaign_id,
            buyer: &order.buyer,
            extra: &order.extra,
        };
        let sells = |wanted: &Vec<u64>| order.lines.iter().any(|line| wanted.contains(&line.product_id));
        self.status.is_none_or(|wanted| wanted == order.status)
            && self.order_type.is_none_or(|wanted| wanted == order.order_type)
            && self.products.as_ref().is_none_or(sells)
            && self.common.admits(&facts)
    }

    /// The rows in the order of their creation, whatever the window is about; the id decides between equals.
    fn sorted<'a>(&self, state: &'a State, paging: Paging) -> Vec<&'a Order> {
        let mut rows: Vec<&Order> = state.orders().filter(|order| self.admits(order)).collect();
        rows.sort_by_key(|order| (order.created, order.actual_order_id));
        if !paging.ascending {
            rows.reverse();
        }
        rows
    }
}

#[derive(Debug)]
struct TransactionQuery {
    common: Common,
    range: RangeType,
    txn_type: Option<TxnType>,
    response_type: Option<ResponseType>,
    transaction_id: Option<u64>,
    charged_back: Option<bool>,
    texts: Vec<(&'static str, String)>,
}

/// Filters on single fields of a transaction; they compare whole values.
const TRANSACTION_FILTERS: &[&str] = &["purchaseId", "paySource", "merchantTxnId", "cardLast4", "cardBin"];

impl TransactionQuery {
    fn read(params: &Params) -> Result<TransactionQuery, Reply> {
        let ids =
            ["orderId", "purchaseId", "customerId", "transactionId", "merchantTxnId", "cardLast4", "cardBin"];
        let wanted = |name: &&'static str| Some((*name, params.get(name)?.to_owned()));
        Ok(TransactionQuery {
            common: Common::read(params, &ids)?,
            range: dates::range_type(params)?,
            txn_type: one_of(params, "txnType", TxnType::ALL)?,
            response_type: one_of(params, "responseType", ResponseType::ALL)?,
            transaction_id: whole(params, "transactionId")?,
            charged_back: one_of(params, "isChargedback", &[(false, "0"), (true, "1")])?,
            texts: TRANSACTION_FILTERS.iter().filter_map(wanted).collect(),
        })
    }

    fn admits(&self, found: &Transaction) -> bool {
        let facts = Facts {
            at: if self.range == RangeType::Updated { found.updated } else { found.created },
            order_id: &found.order_id,
            customer_id: found.customer_id,
            campaign_id: found.campaign_id,
            buyer: &found.buyer,
            extra: &found.extra,
        };
        self.txn_type.is_none_or(|wanted| wanted == found.txn_type)
            && self.response_type.is_none_or(|wanted| wanted == found.response_type)
            && self.transaction_id.is_none_or(|wanted| wanted == found.transaction_id)
            && self.charged_back.is_none_or(|wanted| wanted == found.chargeback.is_some())
            && self.texts.iter().all(|(name, wanted)| has(found, name, wanted))
            && self.common.admits(&facts)
    }

    fn sorted<'a>(&self, state: &'a State, paging: Paging) -> Vec<&'a Transaction> {
        let mut rows: Vec<&Transaction> = state.transactions().filter(|found| self.admits(found)).collect();
        rows.sort_by_key(|found| (found.created, found.transaction_id));
        if !paging.ascending {
            rows.reverse();
        }
        rows
    }
}

fn has(found: &Transaction, name: &str, wanted: &str) -> bool {
    let payment = found.payment.as_ref();
    let card = payment.and_then(|payment| payment.card.as_ref());
    match name {
        "purchaseId" => found.lines.iter().any(|line| line.purchase_id == wanted),
        "paySource" => payment.is_some_and(|payment| payment.source == wanted),
        "merchantTxnId" => found.merchant_txn_id == wanted,
        "cardLast4" => card.is_some_and(|card| card.last4 == wanted),
        "cardBin" => card.is_some_and(|card| card.bin == wanted),
        _ => false,
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
