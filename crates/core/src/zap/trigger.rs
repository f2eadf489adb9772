//! A compiled polling trigger.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::record::{Field, ReadSet, Row, Schema};
use crate::trigger::{FirstSale, Kind, Narrowing, Options, Query, Verdict, When};
use crate::value::Value;

/// What counts as new when a zap first runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// What happens from the first start on.
    Now,
    /// Everything the CRM has.
    Beginning,
    /// What happened at or after an instant.
    At(Timestamp),
}

/// One condition of `where:`.
#[derive(Debug, Clone, PartialEq)]
pub enum Where {
    /// A field equals one of these values, which are of the field's type.
    Field(&'static Field, Vec<Value>),
    /// An item has one of these campaign product ids: `campaignProductId`.
    Product(Vec<Value>),
}

/// A trigger that polls the CRM.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Name of the connection.
    pub connection: String,
    /// Time between two polls.
    pub every: Duration,
    /// What counts as new at first.
    pub start: Start,
    /// The account's zone.
    pub zone: TimeZone,
    pub(crate) kind: &'static dyn Kind,
    pub(crate) options: Options,
    pub(crate) wheres: Vec<Where>,
    pub(crate) once_per: Option<&'static Field>,
}

impl Trigger {
    /// The kind's name.
    pub fn kind(&self) -> &'static str {
        self.kind.name()
    }

    /// The rows it is made of.
    pub fn schema(&self) -> &'static Schema {
        self.kind.schema()
    }

    /// What is asked of the CRM, without narrowing.
    pub fn queries(&self) -> Vec<Query> {
        self.kind.queries(self.options)
    }

    /// How this zap alone would narrow its queries.
    pub fn narrowing(&self) -> Narrowing {
        let mut narrowing = Narrowing::default();
        for condition in &self.wheres {
            match condition {
                Where::Field(field, values) if field.name == "campaignId" => narrowing.campaign_ids = ids(values),
                Where::Product(values) => narrowing.campaign_product_ids = ids(values),
                Where::Field(..) => {}
            }
        }
        narrowing
    }

    /// The members of a row that the methods below read.
    pub fn fields(&self) -> ReadSet {
        let mut fields = ReadSet::of(self.kind.fields().iter().copied());
        fields.add(self.kind.key_field());
        for condition in &self.wheres {
            match condition {
                Where::Field(field, _) => fields.add(field.name),
                Where::Product(_) => fields.add("items"),
            }
        }
        if let Some(field) = self.once_per {
            fields.add(field.name);
        }
        fields
    }

    /// The natural id; nothing when the row has none.
    pub fn key(&self, row: &Row) -> Option<String> {
        row.text(self.kind.key_field()).map(std::borrow::Cow::into_owned)
    }

    /// Whether the row enters this zap's ledger: its kind, `where`, `cycles` and `include_*`.
    pub fn wants(&self, row: &Row) -> bool {
        self.kind.takes(row, self.options) && self.wheres.iter().all(|condition| condition.holds(row))
    }

    /// Whether a row that the ledger does not hold is news.
    pub fn judge(&self, row: &Row, when: &When) -> Verdict {
        self.kind.judge(row, when, &self.zone)
    }

    /// The verdict once the order's transactions are known; never [`Verdict::LookUp`].
    pub fn judge_sale(&self, row: &Row, first: FirstSale, when: &When) -> Verdict {
        self.kind.judge_sale(row, first, when, &self.zone)
    }

    /// The value of `once_per`, when the trigger has one and the row has it.
    pub fn once(&self, row: &Row) -> Option<String> {
        self.once_per.and_then(|field| row.text(field.name)).map(std::borrow::Cow::into_owned)
    }

    /// Whether the trigger has `once_per`.
    pub fn has_once(&self) -> bool {
        self.once_per.is_some()
    }
}

impl Where {
    fn holds(&self, row: &Row) -> bool {
        match self {
            Where::Field(field, values) => values.contains(row.value(field.name)),
            Where::Product(values) => row.rows("items").any(|item| values.contains(item.value("productId"))),
        }
    }
}

fn ids(values: &[Value]) -> Vec<String> {
    let mut ids: Vec<String> = values.iter().filter_map(|value| value.to_text().ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
