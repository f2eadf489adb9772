//! What zaps see of their project.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::definition;
use crate::expression::{Settings, Shape};
use crate::table::Tables;
use crate::value::{Decimal, Kind as ValueKind, Value};
use crate::yaml::{Kind, NodeId, Tree};

/// The default address of the CRM (contract §1.1).
pub const DEFAULT_CRM_URL: &str = "https://api.checkoutchamp.com";
/// The default currency of an account.
pub const DEFAULT_CURRENCY: &str = "USD";

/// The parts of a project that zaps are compiled against. Holds no secret.
#[derive(Debug, Clone)]
pub struct ProjectFacts {
    pub(super) vars: Value,
    pub(super) vars_shape: Shape,
    pub(super) tables: Tables,
    connections: HashMap<String, ConnectionFacts>,
}

/// What expressions see of the trigger's connection.
#[derive(Debug, Clone)]
pub(super) struct ConnectionFacts {
    pub(super) settings: Settings,
    pub(super) value: Value,
}

impl Default for ProjectFacts {
    fn default() -> Self {
        ProjectFacts {
            vars: Value::object(Vec::new()),
            vars_shape: Shape::members::<&str>([]),
            tables: Tables::default(),
            connections: HashMap::new(),
        }
    }
}

impl ProjectFacts {
    /// Those of a project that cannot be read: it may have any variable, so none is missed.
    pub fn unknown() -> Self {
        ProjectFacts { vars_shape: Shape::Any, ..ProjectFacts::default() }
    }

    /// Reads them off a project. What is not valid in it has its finding elsewhere and gets a default here.
    pub fn of(project: &definition::Project, tree: &Tree) -> Self {
        let mut facts = ProjectFacts::default();
        if let Some(vars) = &project.vars {
            facts.vars = value(tree, vars.0);
            facts.vars_shape = shape(tree, vars.0);
        }
        for (name, connection) in project.connections.iter() {
            if let definition::Connection::Konnektive(crm) = &connection.value {
                facts.connections.insert(name.to_owned(), ConnectionFacts::of(name, crm));
            }
        }
        facts
    }

    /// The same with these look-up tables.
    #[must_use]
    pub fn with_tables(mut self, tables: &Tables) -> Self {
        self.tables = tables.clone();
        self
    }

    pub(super) fn connection(&self, name: &str) -> ConnectionFacts {
        self.connections
            .get(name)
            .cloned()
            .unwrap_or_else(|| ConnectionFacts::new(name, DEFAULT_CRM_URL, "UTC", DEFAULT_CURRENCY))
    }
}

impl ConnectionFacts {
    fn of(name: &str, crm: &definition::KonnektiveConnection) -> Self {
        let base_url = crm.base_url.as_ref().map_or(DEFAULT_CRM_URL, |url| url.value.as_str());
        let currency = crm.currency.as_ref().map_or(DEFAULT_CURRENCY, |currency| currency.value.as_str());
        ConnectionFacts::new(name, base_url, &crm.timezone, currency)
    }

    fn new(name: &str, base_url: &str, timezone: &str, currency: &str) -> Self {
        let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
        let members = [
            ("name", name),
            ("type", "konnektive"),
            ("base_url", base_url),
            ("timezone", timezone),
            ("currency", currency),
        ];
        ConnectionFacts {
            settings: Settings { zone, currency: Arc::from(currency) },
            value: Value::object(members.map(|(name, text)| (Arc::from(name), Value::text(text))).into()),
        }
    }
}

/// A plain value as it was written.
pub(super) fn value(tree: &Tree, node: NodeId) -> Value {
    match &tree.node(node).kind {
        Kind::Null => Value::Null,
        Kind::Bool(truth) => Value::Bool(*truth),
        Kind::Number(digits) => {
            Decimal::parse(digits).map_or_else(|_| Value::text(digits.to_string()), Value::Number)
        }
        Kind::Text { value, .. } | Kind::Hole(value) => Value::text(value.to_string()),
        Kind::List(items) => Value::list(items.iter().map(|item| self::value(tree, *item)).collect()),
        Kind::Map(entries) => Value::object(
            entries.iter().map(|entry| (Arc::from(&*entry.key), self::value(tree, entry.value))).collect(),
        ),
    }
}

fn shape(tree: &Tree, node: NodeId) -> Shape {
    match &tree.node(node).kind {
        Kind::Bool(_) => Shape::Scalar(ValueKind::Bool),
        Kind::Number(_) => Shape::Scalar(ValueKind::Number),
        Kind::Text { .. } => Shape::Scalar(ValueKind::Text),
        Kind::Map(entries) => Shape::members(
            entries.iter().map(|entry| (Arc::<str>::from(&*entry.key), shape(tree, entry.value))),
        ),
        Kind::Null | Kind::Hole(_) | Kind::List(_) => Shape::Any,
    }
}
