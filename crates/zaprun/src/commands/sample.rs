//! `zaprun sample`

use std::sync::Arc;

use clap::ValueEnum;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use zaprun_core::definition::Connection;
use zaprun_core::diagnostic::did_you_mean;
use zaprun_core::record::{FieldType, ReadSet, Row, Schema};
use zaprun_core::zap::{CrmTrigger, Zap};
use zaprun_engine::polling::{Preview, preview};
use zaprun_engine::ports::ReadError;
use zaprun_http::Clients;
use zaprun_konnektive::Konnektive;

use crate::clock::SystemClock;
use crate::context::{Context, interruptible};
use crate::error::{CommandError, Exit};
use crate::loading::{Started, start_connections};
use crate::output::{Printer, Table, count};
use crate::watch::remedy;
use crate::wiring;

/// Show recent records that a zap would take, as the CRM has them now
///
/// Reads only. Where there is none today it looks up to 30 days back, and then shows an example made from the schema.
/// Shows personal data: it is your own terminal.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The zap, by name
    #[arg(value_name = "ZAP")]
    zap: String,

    /// How to write them: whole records, or a table of the main fields
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "json")]
    format: Format,

    /// At most so many, newest first
    #[arg(long, value_name = "N", env = "ZAPRUN_LIMIT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Table,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let started = start_connections(context)?;
    let zap = find(&started, &args.zap)?;
    let Some(trigger) = zap.trigger.crm() else {
        return Err(CommandError::usage(format!("`{}` does not read the CRM", zap.name))
            .hint("`sample` shows what triggers of type konnektive.* find"));
    };
    let account = account(&started, trigger)?;
    let mut found = context.block_on(interruptible(async {
        let limit = args.limit as usize;
        preview(&account, &SystemClock, trigger, limit).await.map_err(|error| refused(trigger, &error))
    }))?;
    let printer = &context.printer;
    if found.rows.is_empty() {
        printer.note(&format!(
            "the CRM has no record for `{}` since {}; this is an example",
            zap.name, found.since
        ));
        printer.hint("bring one about in the CRM, or loosen the trigger's `where`, and ask again");
        found.rows.push(example(trigger).to_string().into());
    } else {
        let rows = count(found.rows.len() as u64, "record", "records");
        printer.note(&format!("{rows} since {}", found.since));
    }
    match args.format {
        Format::Json => printer.data(&records(&found))?,
        Format::Table => printer.data(&table(&found, trigger, printer))?,
    }
    Ok(Exit::Fine)
}

fn find<'a>(started: &'a Started, name: &str) -> Result<&'a Zap, CommandError> {
    started.zaps.iter().find(|zap| zap.name == name).ok_or_else(|| {
        let error = CommandError::usage(format!("there is no valid zap `{name}`"));
        match did_you_mean(name, started.zaps.iter().map(|zap| zap.name.as_str())) {
            Some(like) => error.hint(format!("did you mean `{like}`?")),
            None => error.hint("`zaprun validate` says what is wrong with those that are not valid"),
        }
    })
}

pub(super) fn account(started: &Started, trigger: &CrmTrigger) -> Result<Konnektive, CommandError> {
    let name = trigger.connection.as_str();
    let connection = started.project.definition.connections.get(name).map(|connection| &connection.value);
    let Some(Connection::Konnektive(crm)) = connection else {
        return Err(CommandError::failure(format!("connection `{name}` is not one to the CRM")));
    };
    Konnektive::new(wiring::crm_config(name, crm, &started.root)?, &Clients::new(), Arc::new(SystemClock))
        .map_err(|error| CommandError::failure(error.to_string()))
}

pub(super) fn refused(trigger: &CrmTrigger, error: &ReadError) -> CommandError {
    let told = CommandError::failure(format!("connection `{}`: {error}", trigger.connection));
    let permission = trigger.queries().first().map(|query| query.endpoint.permission());
    match remedy(&trigger.connection, error, permission) {
        Some(hint) => told.hint(hint),
        None => told,
    }
}

/// The rows as one JSON list, each byte for byte but for indents.
fn records(found: &Preview) -> String {
    let raw: Vec<&RawValue> = found.rows.iter().filter_map(|row| serde_json::from_slice(row).ok()).collect();
    let text = serde_json::to_string(&raw).unwrap_or_default();
    format!("{}\n", crate::output::indent_json(&text))
}

/// The fields by which a person knows a record.
const MAIN_FIELDS: &[(&str, &[&str])] = &[
    (
        "order",
        &[
            "orderId",
            "orderStatus",
            "dateCreated",
            "dateUpdated",
            "totalAmount",
            "campaignName",
            "emailAddress",
        ],
    ),
    (
        "transaction",
        &[
            "transactionId",
            "orderId",
            "txnType",
            "responseType",
            "dateCreated",
            "totalAmount",
            "responseText",
        ],
    ),
    ("customer", &["customerId", "dateCreated", "dateUpdated", "firstName", "lastName", "emailAddress"]),
];

fn table(found: &Preview, trigger: &CrmTrigger, printer: &Printer) -> String {
    let schema = trigger.schema();
    let fields =
        MAIN_FIELDS.iter().find(|(name, _)| *name == schema.name).map_or(&[][..], |(_, fields)| fields);
    let mut table = Table::new(printer, fields);
    for raw in &found.rows {
        let Ok(row) = Row::decode(raw, schema, &ReadSet::All) else { continue };
        table.row(
            fields.iter().map(|field| row.text(field).map(|text| text.into_owned()).unwrap_or_default()),
        );
    }
    table.render()
}

/// A record made of nothing but the schema, with what the trigger asks for.
fn example(trigger: &CrmTrigger) -> Value {
    let mut record = example_row(trigger.schema(), 0);
    if let (Some(query), Some(members)) = (trigger.queries().first(), record.as_object_mut()) {
        for (name, value) in &query.params {
            if members.contains_key(*name) {
                members.insert((*name).to_owned(), json!(value));
            }
        }
    }
    record
}

fn example_row(schema: &Schema, depth: u8) -> Value {
    let member = |field: &zaprun_core::record::Field| {
        let value = match field.ty {
            FieldType::Id => json!("1001"),
            FieldType::Text => json!(example_text(field.name)),
            FieldType::Enum(values) => json!(values.first()),
            FieldType::Count => json!(1),
            FieldType::Money => json!("19.90"),
            FieldType::Flag => json!(0),
            FieldType::Timestamp => json!("2026-09-16 14:25:31"),
            FieldType::Date => json!("2026-10-16"),
            FieldType::List(inner) if depth < 3 => json!([example_row(inner, depth + 1)]),
            FieldType::List(_) | FieldType::Any => Value::Null,
        };
        (field.name.to_owned(), value)
    };
    Value::Object(schema.fields.iter().map(member).collect::<Map<_, _>>())
}

fn example_text(field: &str) -> &'static str {
    let lower = field.to_lowercase();
    let known = [
        ("email", "ada@example.com"),
        ("phone", "5555550100"),
        ("firstname", "Ada"),
        ("lastname", "Example"),
        ("country", "US"),
        ("state", "NY"),
        ("city", "Springfield"),
        ("postalcode", "10001"),
        ("ipaddress", "203.0.113.10"),
        ("currency", "USD"),
    ];
    known.iter().find(|(part, _)| lower.contains(part)).map_or("text", |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use zaprun_core::record::{CUSTOMER, ORDER, TRANSACTION};

    use super::*;

    #[test]
    fn main_fields_exist() {
        for (name, fields) in MAIN_FIELDS {
            let schema = [&ORDER, &TRANSACTION, &CUSTOMER].into_iter().find(|schema| schema.name == *name);
            assert!(
                schema.is_some_and(|schema| fields.iter().all(|field| schema.field(field).is_some())),
                "{name}"
            );
        }
    }

    #[test]
    fn an_example_has_every_field() {
        let example = example_row(&ORDER, 0);
        assert_eq!(example.as_object().map(Map::len), Some(ORDER.fields.len()));
        assert_eq!(example["emailAddress"], "ada@example.com");
    }
}
