//! Brakes of a zap: how many writes an hour, how much money a day.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::project;
use super::trigger::crm;
use crate::definition;
use crate::diagnostic::{Diagnostic, code};
use crate::expression::Type;
use crate::mapping::Compiler;
use crate::record::{FieldType, ReadSet, Row, Schema};
use crate::value::{Decimal, Kind, Value};
use crate::yaml::Spanned;

/// What a zap may do at most; more is held for a person.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Writes in any hour.
    pub writes_per_hour: Option<u32>,
    /// Money a day.
    pub money: Option<MoneyLimit>,
}

/// So much money a day at most.
#[derive(Debug, Clone)]
pub struct MoneyLimit {
    /// The record's field that holds the amount.
    pub field: String,
    /// The most of it on one day.
    pub max: Decimal,
    zone: TimeZone,
    schema: Option<&'static Schema>,
}

impl Limits {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.writes_per_hour.is_none() && self.money.is_none()
    }
}

impl MoneyLimit {
    /// The day of an instant in the account's zone.
    pub fn day(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// What a record counts; nothing where it does not say so. Money that goes back counts as much as money that comes.
    pub fn amount(&self, record: &[u8]) -> Option<Decimal> {
        let value = match self.schema {
            Some(schema) => {
                // It was found when the zap was compiled.
                let name = schema.field(&self.field)?.name;
                Row::decode(record, schema, &ReadSet::of([name])).ok()?.value(name).clone()
            }
            None => {
                let record = Value::from_json(std::str::from_utf8(record).ok()?).ok()?;
                record.as_object()?.member(&self.field).clone()
            }
        };
        match value {
            Value::Number(amount) => Some(amount.abs()),
            Value::Text(text) => Decimal::parse(text.trim()).ok().map(|amount| amount.abs()),
            _ => None,
        }
    }
}

/// Compiles the brakes; nothing when they have findings.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    written: &Spanned<definition::Limits>,
    record: &Type,
    schema: Option<&'static Schema>,
    zone: &TimeZone,
) -> Option<Limits> {
    let definition::Limits { writes_per_hour, money } = &written.value;
    // A misspelt one has its finding.
    if compiler.tree.entries(written.node).is_empty() {
        let finding = Diagnostic::new(&code::NO_EFFECT, "`limits` sets none");
        let span = compiler.tree.span(written.node);
        compiler.report(finding.at(span).help("write `writes_per_hour:` or `money:`"));
        return None;
    }
    let money = match money {
        None => None,
        Some(money) => {
            let holds = holds_money(compiler, &money.value.field, record, schema);
            let max = most(compiler, &money.value);
            let (true, max) = (holds, max?) else { return None };
            Some(MoneyLimit { field: money.value.field.value.clone(), max, zone: zone.clone(), schema })
        }
    };
    Some(Limits { writes_per_hour: writes_per_hour.as_ref().map(|most| most.value), money })
}

/// Whether a field is an amount of money, as far as anybody knows.
fn holds_money(
    compiler: &mut Compiler<'_>,
    field: &Spanned<String>,
    record: &Type,
    schema: Option<&'static Schema>,
) -> bool {
    let name = field.value.as_str();
    let finding = match (schema, record.member(name)) {
        (Some(schema), Err(_)) => crm::unknown_field(name, schema, ""),
        (None, Err(_)) => Diagnostic::new(&code::UNKNOWN_FIELD, format!("the record has no field `{name}`")),
        (Some(schema), Ok(_)) => match schema.field(name).map(|field| field.ty) {
            Some(FieldType::Money) => return true,
            _ => no_money(name),
        },
        (None, Ok(of)) if of.kind().is_none_or(|kind| kind == Kind::Number) => return true,
        (None, Ok(_)) => no_money(name),
    };
    let span = compiler.tree.span(field.node);
    compiler.report(finding.at(span));
    false
}

fn no_money(name: &str) -> Diagnostic {
    Diagnostic::new(&code::UNKNOWN_FIELD, format!("`{name}` holds no amount of money"))
        .help("name one that does, for example `totalAmount`")
}

fn most(compiler: &mut Compiler<'_>, written: &definition::MoneyLimit) -> Option<Decimal> {
    match project::value(compiler.tree, written.max.0) {
        Value::Number(max) if !max.is_zero() && !max.is_negative() => Some(max),
        _ => {
            let finding = Diagnostic::new(&code::OUT_OF_RANGE, "`max` must be more than 0");
            let span = compiler.tree.span(written.max.0);
            compiler.report(finding.at(span).help("to stop the zap altogether write `enabled: false`"));
            None
        }
    }
}
