//! Where requests arrive, and what each of them is known by.

use super::key::{KeyExpression, key_text};
use crate::definition;
use crate::expression::{Names, Settings, Shape, Type};
use crate::mapping::{Compiler, MapError};
use crate::table::Tables;
use crate::value::{JsonError, Value, json};
use crate::yaml::Spanned;

/// A trigger that requests reach.
#[derive(Debug, Clone)]
pub struct WebhookTrigger {
    /// Where they arrive.
    pub entrance: Entrance,
    once: Option<KeyExpression>,
}

/// A place at which requests arrive.
#[derive(Debug, Clone)]
pub struct Entrance {
    /// Name of the connection, which says how a caller proves who it is.
    pub connection: String,
    /// The whole path.
    pub path: String,
    key: Key,
    settings: Settings,
}

/// How a request's key is found.
#[derive(Debug, Clone)]
enum Key {
    /// As the zap says.
    Written(KeyExpression),
    /// An export profile of the CRM, told as an event of its own.
    KonnektiveEvent,
    /// The same, of which only the id of what it tells about counts: it stands in that field.
    KonnektiveId(&'static str),
}

/// A request that has arrived, as keys see it.
#[derive(Debug, Clone)]
pub struct Arrival {
    values: Vec<Value>,
}

/// Slots of the names below.
const RECORD: usize = 0;
const EVENT: usize = 1;

/// The names that a key may use.
fn names(record: &Type, tables: &Tables) -> Names {
    let event = Shape::members([("headers", Shape::Any), ("query", Shape::Any)]);
    Names::new().with("record", record.clone()).with("event", event).with_tables(tables)
}

/// Why a request's data cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableArrival {
    /// It is not UTF-8.
    #[error("not UTF-8 at byte {at}")]
    NotUtf8 {
        /// Where.
        at: usize,
    },
    /// It is no JSON, nested too deeply, or a name occurs twice in one object.
    #[error("not JSON: {0}")]
    NotJson(JsonError),
    /// It is a lone value.
    #[error("neither an object nor a list")]
    Scalar,
}

impl Arrival {
    /// Reads a request: its record, and its context, an object of `headers` and `query`.
    ///
    /// # Errors
    /// When the record is not what zaps can read.
    pub fn read(record: &[u8], context: Option<&[u8]>) -> Result<Arrival, UnreadableArrival> {
        let text = std::str::from_utf8(record)
            .map_err(|error| UnreadableArrival::NotUtf8 { at: error.valid_up_to() })?;
        // Of two members of one name a zap would see the last alone, and what looks for card data too.
        let record = json::read_unique(text).map_err(UnreadableArrival::NotJson)?;
        if !matches!(record, Value::Object(_) | Value::List(_)) {
            return Err(UnreadableArrival::Scalar);
        }
        Ok(Arrival { values: vec![record, context.map_or(Value::Null, context_value)] })
    }

    /// The record.
    pub fn record(&self) -> &Value {
        self.values.get(RECORD).unwrap_or(&Value::Null)
    }

    /// The query.
    pub fn query(&self) -> &Value {
        let context = self.values.get(EVENT).and_then(Value::as_object);
        context.map_or(&Value::Null, |context| context.member("query"))
    }
}

/// The context as it was kept; ours, so it can be read.
pub(in crate::zap) fn context_value(context: &[u8]) -> Value {
    let text = std::str::from_utf8(context).unwrap_or("{}");
    Value::from_json(text).unwrap_or(Value::Null)
}

impl Entrance {
    /// The key of a request.
    ///
    /// # Errors
    /// When it has none; the error names the field that it lacks.
    pub fn key(&self, arrival: &Arrival) -> Result<String, MapError> {
        match &self.key {
            Key::Written(expression) => expression.eval(&arrival.values, &self.settings),
            Key::KonnektiveEvent => konnektive_event(&self.path, arrival.record()),
            Key::KonnektiveId(field) => konnektive_id(arrival.record(), field),
        }
    }
}

impl WebhookTrigger {
    /// The value of `once_per`, when the trigger has one and the request has it.
    ///
    /// # Errors
    /// When it cannot be computed.
    pub fn once(&self, record: &[u8], context: Option<&[u8]>) -> Result<Option<String>, MapError> {
        let Some(once) = &self.once else { return Ok(None) };
        let arrival =
            Arrival::read(record, context).map_err(|error| MapError::new("record", error.to_string()))?;
        once.eval_optional(&arrival.values, &self.entrance.settings)
    }
}

/// An export profile has no event id: the route, the order, its status and the transaction tell its requests apart.
/// The route is a static field of that name where the profile has one, else the path.
fn konnektive_event(path: &str, record: &Value) -> Result<String, MapError> {
    let order = konnektive_id(record, "clientOrderId")?;
    let route = part(record, "route")?.unwrap_or_else(|| path.to_owned());
    let status = part(record, "orderStatus")?.unwrap_or_default();
    let transaction = part(record, "clientTxnId")?.unwrap_or_default();
    let key = [route, order, status, transaction].map(|part| part.replace('|', "%7C")).join("|");
    key_text(&Value::text(key), "key")
}

fn konnektive_id(record: &Value, field: &str) -> Result<String, MapError> {
    part(record, field)?.ok_or_else(|| {
        MapError::new("key", format!("`{field}` is missing"))
            .help(format!("map the token {field} under its own name in the export profile"))
    })
}

/// A field of an export profile: a number or text; what is null there is left out.
fn part(record: &Value, field: &str) -> Result<Option<String>, MapError> {
    let Some(object) = record.as_object() else {
        return Err(MapError::new("key", "an export profile sends an object"));
    };
    let value = object.member(field);
    if value.is_missing() {
        return Ok(None);
    }
    let text = value.to_text().map_err(|error| MapError::new("key", format!("`{field}`: {error}")))?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Compiles a webhook trigger; nothing when it has findings.
pub(in crate::zap) fn compile(
    compiler: &mut Compiler<'_>,
    written: &definition::WebhookTrigger,
    record: &Type,
    settings: &Settings,
) -> Option<WebhookTrigger> {
    let names = names(record, compiler.tables);
    let preset = Key::KonnektiveEvent;
    let key = key(compiler, &names, written.key.as_ref(), written.preset.as_ref(), preset, "key");
    let once = match &written.once_per {
        None => None,
        Some(once) => Some(KeyExpression::compile(compiler, once, &names, "once_per", true)?),
    };
    let entrance = Entrance {
        connection: written.connection.value.clone(),
        path: written.path.value.as_str().to_owned(),
        key: key?,
        settings: settings.clone(),
    };
    Some(WebhookTrigger { entrance, once })
}

/// Compiles the webhook beside a poll of rows that have their id in `key_field`; nothing when it has findings.
pub(in crate::zap) fn compile_also(
    compiler: &mut Compiler<'_>,
    written: &definition::AlsoWebhook,
    key_field: &str,
    settings: &Settings,
) -> Option<Entrance> {
    // What an export profile calls `orderId` and `transactionId` is not what the API calls so (contract §2).
    let field = match key_field {
        "orderId" => "clientOrderId",
        "transactionId" => "actualTransactionId",
        _ => "customerId",
    };
    let preset = Key::KonnektiveId(field);
    let names = names(&Type::any(), compiler.tables);
    let key = key(compiler, &names, written.key.as_ref(), written.preset.as_ref(), preset, "also.key")?;
    Some(Entrance {
        connection: written.connection.value.clone(),
        path: written.path.value.as_str().to_owned(),
        key,
        settings: settings.clone(),
    })
}

/// The written key, or that of the preset. That there is neither is found when the file is read.
fn key(
    compiler: &mut Compiler<'_>,
    names: &Names,
    written: Option<&Spanned<String>>,
    preset: Option<&Spanned<definition::Preset>>,
    konnektive: Key,
    place: &str,
) -> Option<Key> {
    match (written, preset.map(|preset| preset.value)) {
        (Some(written), _) => {
            KeyExpression::compile(compiler, written, names, place, false).map(Key::Written)
        }
        (None, Some(definition::Preset::Konnektive)) => Some(konnektive),
        (None, None) => None,
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
