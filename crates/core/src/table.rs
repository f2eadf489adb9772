//! Look-up tables: what `tables/NAME.csv` and `tables/NAME.yaml` hold, for the filter `lookup`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::value::Value;

/// A table: a key to each row, and a value to each of the row's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    name: Arc<str>,
    columns: Vec<Arc<str>>,
    rows: HashMap<Arc<str>, Vec<Value>>,
    hash: Arc<str>,
}

impl Table {
    /// A table of these columns, beside the key. `hash` stands for its bytes.
    pub(crate) fn new(name: &str, columns: Vec<Arc<str>>, hash: &str) -> Self {
        Table { name: Arc::from(name), columns, rows: HashMap::new(), hash: Arc::from(hash) }
    }

    /// Adds a row; `false`, and no change, when the key is there already.
    pub(crate) fn add(&mut self, key: Arc<str>, values: Vec<Value>) -> bool {
        match self.rows.entry(key) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(values);
                true
            }
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its columns, without the key's.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &**column)
    }

    /// Stands for all that it holds.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The position of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| **column == *name)
    }

    /// What stands in a row's column.
    pub(crate) fn get(&self, key: &str, column: usize) -> Option<&Value> {
        self.rows.get(key)?.get(column)
    }
}

/// The tables of a project by name. One that cannot be read has its findings elsewhere, and is `None` here, so that
/// nobody misses it.
#[derive(Debug, Clone, Default)]
pub struct Tables(Arc<BTreeMap<String, Option<Arc<Table>>>>);

impl Tables {
    /// These tables.
    pub(crate) fn new(tables: BTreeMap<String, Option<Arc<Table>>>) -> Self {
        Tables(Arc::new(tables))
    }

    /// The table of that name: `None` when there is none, `Some(None)` when it cannot be read.
    #[expect(clippy::option_option, reason = "there or not, and then readable or not")]
    pub(crate) fn get(&self, name: &str) -> Option<Option<&Arc<Table>>> {
        self.0.get(name).map(Option::as_ref)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
