//! What the tests of expressions, filters and templates share.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::{EvalError, Expression, Frame, Names, Problem, Settings, Shape};
use crate::record::{Always, Class, Field, FieldType, Schema};
use crate::table::{Table, Tables};
use crate::value::{Object, Value};

const fn field(name: &'static str, ty: FieldType) -> Field {
    Field { name, ty, meaning: "a field", class: Class::Plain }
}

static LINE: Schema = Schema {
    name: "line",
    fields: &[
        field("sku", FieldType::Text),
        field("qty", FieldType::Count),
        field("price", FieldType::Money),
    ],
    always: Always::These(&["sku", "qty", "price"]),
};

/// A row with a field of each type.
pub(crate) static ROW: Schema = Schema {
    name: "row",
    fields: &[
        field("orderId", FieldType::Id),
        field("emailAddress", FieldType::Text),
        field("couponCode", FieldType::Text),
        field("totalAmount", FieldType::Money),
        field("billingCycleNumber", FieldType::Count),
        field("isTest", FieldType::Flag),
        field("dateCreated", FieldType::Timestamp),
        field("items", FieldType::List(&LINE)),
        field("custom", FieldType::Any),
        field("3DTxnResult", FieldType::Text),
    ],
    always: Always::These(&["orderId", "totalAmount", "isTest", "dateCreated", "items"]),
};

pub(crate) fn settings() -> Settings {
    Settings { zone: TimeZone::get("America/New_York").unwrap(), currency: Arc::from("USD") }
}

/// The look-up tables that the filters' examples read.
pub(crate) fn tables() -> Tables {
    let text = |text: &str| Value::text(text);
    let mut accounts = Table::new("accounts", vec![Arc::from("account")], "1");
    accounts.add(Arc::from("VITC"), vec![text("4000")]);
    let mut products = Table::new("products", vec![Arc::from("account"), Arc::from("weight")], "2");
    for (sku, account, weight) in [("VITC", "4000", "0.25"), ("ZINC", "4010", "1.10")] {
        products.add(Arc::from(sku), vec![text(account), Value::from_json(weight).unwrap()]);
    }
    let tables = [accounts, products].map(|table| (table.name().to_owned(), Some(Arc::new(table))));
    Tables::new(tables.into())
}

/// The roots of a JSON object, of which nothing is known, and their values.
pub(crate) fn open_scope(context: &str) -> (Names, Vec<Value>) {
    let context = Value::from_json(context).unwrap();
    let mut names = Names::new().with_tables(&tables());
    let mut values = Vec::new();
    for (name, value) in context.as_object().unwrap().iter() {
        names = names.with(Arc::clone(name), Shape::Any);
        values.push(value.clone());
    }
    (names, values)
}

/// `record` as a view of [`ROW`].
pub(crate) fn row_scope(record: &str) -> (Names, Vec<Value>) {
    let record = Value::from_json(record).unwrap();
    let view = |value: &Value, schema| {
        let object = value.as_object().unwrap();
        let entries = object.iter().map(|(name, value)| (Arc::clone(name), value.clone())).collect();
        Value::Object(Object::new(entries, Some(schema)))
    };
    let entries = record.as_object().unwrap().iter().map(|(name, value)| {
        let value = match value.as_list() {
            Some(items) if &**name == "items" => {
                Value::list(items.iter().map(|item| view(item, &LINE)).collect())
            }
            _ => value.clone(),
        };
        (Arc::clone(name), value)
    });
    let record = Value::Object(Object::new(entries.collect(), Some(&ROW)));
    (Names::new().with("record", Shape::Record(&ROW)), vec![record])
}

pub(crate) fn run(source: &str, (names, values): &(Names, Vec<Value>)) -> Result<Value, String> {
    let expression = Expression::compile(source, names).map_err(|problems| words(&problems))?;
    let settings = settings();
    let frame = Frame { values, settings: &settings };
    expression.eval(&frame).map_err(|error: EvalError| error.message().to_owned())
}

pub(crate) fn words(problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
}

/// The JSON of an expression's value, or `error: …`.
pub(crate) fn json(source: &str, context: &str) -> String {
    shown(run(source, &open_scope(context)))
}

/// The same over a view of [`ROW`].
pub(crate) fn row_json(source: &str, record: &str) -> String {
    shown(run(source, &row_scope(record)))
}

fn shown(result: Result<Value, String>) -> String {
    match result {
        Ok(value) => value.to_json().unwrap_or_else(|error| format!("error: {error}")),
        Err(message) => format!("error: {message}"),
    }
}

/// Runs an example of a table; gives what differs.
pub(crate) fn check(example: &crate::filters::Example) -> Result<(), String> {
    let found = json(example.expression, example.context);
    let fine = match example.result.strip_prefix("error: ") {
        Some(message) => found.starts_with("error: ") && found.contains(message),
        None => found == example.result,
    };
    if fine { Ok(()) } else { Err(format!("{} gives {found}, not {}", example.expression, example.result)) }
}
