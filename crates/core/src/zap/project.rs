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
    /// What http connections are marked for.
    may_receive: HashMap<String, definition::Classes>,
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
            vars_shape: Shape::no_members(),
            tables: Tables::default(),
            connections: HashMap::new(),
            may_receive: HashMap::new(),
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
        match tree.get(tree.root(), "vars").map(|vars| (vars, &tree.node(vars).kind)) {
            Some((vars, Kind::Map(_))) => {
                facts.vars = value(tree, vars);
                facts.vars_shape = shape(tree, vars);
            }
            // What is no map of names has its finding, and may have meant any.
            Some(_) => facts.vars_shape = Shape::Any,
            None => {}
        }
        for (name, connection) in project.connections.iter() {
            match &connection.value {
                definition::Connection::Konnektive(crm) => {
                    facts.connections.insert(name.to_owned(), ConnectionFacts::of(name, crm));
                }
                definition::Connection::Http(http) => {
                    let marked = http.may_receive.as_ref().map(|marked| marked.value.clone());
                    // What stands there and is no mark has its finding, and may have meant any.
                    let at = |of, key: &str| tree.get(of, key);
                    let written = at(tree.root(), "connections").and_then(|all| at(all, name));
                    if marked.is_some() || written.is_none_or(|one| at(one, "may_receive").is_none()) {
                        facts.may_receive.insert(name.to_owned(), marked.unwrap_or_default());
                    }
                }
                definition::Connection::Webhook(_) => {}
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

    /// The kinds of data that an http connection is marked for; nothing when the project does not have it.
    pub(super) fn may_receive(&self, name: &str) -> Option<&definition::Classes> {
        self.may_receive.get(name)
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
pub(crate) fn value(tree: &Tree, node: NodeId) -> Value {
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
