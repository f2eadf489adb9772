//! What looks read off rows, leniently (contract §1.8).

use bytes::Bytes;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use zaprun_core::record::{Always, Moment, ORDER, PURCHASE, ReadSet, Row, Schema, TRANSACTION};
use zaprun_core::value::{Decimal, Value};
use zaprun_engine::ports::ReadError;

/// The names under which an order's id stands, the one for the API first (contract §2).
const ORDER_IDS: [&str; 3] = ["orderId", "clientOrderId", "actualOrderId"];

/// An order's row.
pub(super) struct Order {
    pub(super) row: Row,
    pub(super) raw: Bytes,
}

impl Order {
    pub(super) fn of(raw: &Bytes) -> Result<Order, ReadError> {
        Ok(Order { row: decode(raw, &ORDER)?, raw: raw.clone() })
    }

    /// Its id; empty where the CRM names none.
    pub(super) fn id(&self) -> String {
        ORDER_IDS.iter().map(|name| text(&self.row, name)).find(|id| !id.is_empty()).unwrap_or_default()
    }

    /// In upper case; empty where the CRM says none.
    pub(super) fn status(&self) -> String {
        text(&self.row, "orderStatus").to_uppercase()
    }

    /// In upper case; empty where the CRM says none.
    pub(super) fn review(&self) -> String {
        text(&self.row, "reviewStatus").to_uppercase()
    }

    /// Whether a request that names `id` means this order.
    pub(super) fn is(&self, id: &str) -> bool {
        ORDER_IDS.iter().any(|name| same(&text(&self.row, name), id))
    }

    /// The row as a value.
    pub(super) fn shown(&self) -> Value {
        shown(&self.raw)
    }
}

/// A row as a value, whatever it holds.
pub(super) fn shown(raw: &Bytes) -> Value {
    Value::from_json(&String::from_utf8_lossy(raw)).unwrap_or_default()
}

/// A subscription's row.
pub(super) fn purchase(raw: &Bytes) -> Result<Row, ReadError> {
    decode(raw, &PURCHASE)
}

/// A row of which no description is known.
pub(super) fn any(raw: &Bytes) -> Result<Row, ReadError> {
    static NOTHING: Schema = Schema { name: "row", fields: &[], always: Always::All };
    decode(raw, &NOTHING)
}

/// A transaction.
#[derive(Debug, Clone)]
pub(super) struct Txn {
    pub(super) id: String,
    pub(super) kind: String,
    answer: String,
    pub(super) words: String,
    /// Without a sign: whether refunds carry one is not known (contract §9.10).
    pub(super) amount: Option<Decimal>,
    pub(super) parent: String,
    pub(super) order: String,
    pub(super) customer: String,
    pub(super) email: String,
    pub(super) campaign: String,
    /// Belongs to a later cycle than the first.
    pub(super) rebill: bool,
    pub(super) at: Option<Moment>,
    /// The day of it, as `YYYY-MM-DD`.
    pub(super) day: String,
}

impl Txn {
    pub(super) fn of(raw: &Bytes, zone: &TimeZone) -> Result<Txn, ReadError> {
        let row = decode(raw, &TRANSACTION)?;
        let cycle = row.count("billingCycleNumber").is_some_and(|cycle| cycle > 1);
        Ok(Txn {
            id: text(&row, "transactionId"),
            kind: text(&row, "txnType").to_uppercase(),
            answer: text(&row, "responseType").to_uppercase(),
            words: text(&row, "responseText"),
            amount: money(row.value("totalAmount")).map(|amount| amount.abs()),
            parent: text(&row, "parentTxnId"),
            order: text(&row, "orderId"),
            customer: text(&row, "customerId"),
            email: text(&row, "emailAddress"),
            campaign: text(&row, "campaignId"),
            rebill: cycle || text(&row, "orderType").eq_ignore_ascii_case("RECURRING"),
            at: row.moment("dateCreated", zone),
            day: day(&row, "dateCreated"),
        })
    }

    /// How it is written into a state: it changes with the answer, which may come later.
    pub(super) fn mark(&self) -> String {
        format!("{} {} {}", self.id, self.kind, self.answer)
    }

    pub(super) fn succeeded(&self) -> bool {
        self.answer == "SUCCESS"
    }

    pub(super) fn declined(&self) -> bool {
        self.answer.ends_with("DECLINE") || self.answer == "DECLINED"
    }

    /// Takes money, or reserves it.
    pub(super) fn charges(&self) -> bool {
        matches!(self.kind.as_str(), "SALE" | "AUTHORIZE" | "CAPTURE")
    }

    /// Gives money back. Whether a refund of the same day is a void is not known (contract §9.10).
    pub(super) fn gives_back(&self) -> bool {
        matches!(self.kind.as_str(), "REFUND" | "VOID")
    }
}

fn decode(raw: &Bytes, schema: &'static Schema) -> Result<Row, ReadError> {
    Row::decode(raw, schema, &ReadSet::All).map_err(|_| unreadable())
}

/// Passing over a row could pass over the one that matters.
pub(super) fn unreadable() -> ReadError {
    ReadError::Transport { text: "the CRM sent a row that cannot be read".to_owned(), retry_after: None }
}

/// A member's text without space around it; empty where there is none.
pub(super) fn text(row: &Row, name: &str) -> String {
    row.text(name).map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// Whether two ids are the same; nothing is the same as nothing.
pub(super) fn same(one: &str, other: &str) -> bool {
    !one.is_empty() && one.eq_ignore_ascii_case(other.trim())
}

/// A yes, in any of its forms.
pub(super) fn yes(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::Number(number) => !number.is_zero(),
        Value::Text(text) => matches!(text.trim(), "1" | "true"),
        _ => false,
    }
}

/// An amount, in any of its forms.
pub(super) fn money(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::Text(text) => Decimal::parse(text.trim()).ok(),
        _ => None,
    }
}

/// The day of a time or a date, as `YYYY-MM-DD`; empty where there is none.
pub(super) fn day(row: &Row, name: &str) -> String {
    let text = text(row, name);
    let day = text.get(..10).and_then(|day| day.parse::<Date>().ok());
    day.filter(|day| day.year() > 0).map(|day| day.to_string()).unwrap_or_default()
}
