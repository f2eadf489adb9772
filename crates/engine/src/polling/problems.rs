//! What is wrong with rows, said once.

use crate::report::{Event, Observer, RowProblem};
use std::collections::HashSet;
use zaprun_core::record::{Row, RowError, Schema};

/// What is reported once: a field that does not fit, or rows of no use.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Kind {
    Unreadable,
    NoId,
    Misfit(&'static str),
    Card(String),
}

/// The problems of one connection that were reported.
#[derive(Debug, Default)]
pub(super) struct Problems {
    said: HashSet<(&'static str, Kind)>,
}

impl Problems {
    /// Reports the fields of a row whose values did not fit.
    pub(super) fn misfits(
        &mut self,
        observer: &dyn Observer,
        connection: &str,
        schema: &Schema,
        row: &Row,
        id: &str,
    ) {
        for field in row.misfits() {
            let problem = RowProblem::Misfit { field: (*field).to_owned() };
            self.say(observer, connection, schema, Kind::Misfit(field), problem, Some(id));
        }
    }

    /// Reports a row that cannot be read.
    pub(super) fn unreadable(
        &mut self,
        observer: &dyn Observer,
        connection: &str,
        schema: &Schema,
        error: &RowError,
    ) {
        let problem = RowProblem::Unreadable { reason: error.to_string() };
        self.say(observer, connection, schema, Kind::Unreadable, problem, None);
    }

    /// Reports a row without a natural id.
    pub(super) fn no_id(&mut self, observer: &dyn Observer, connection: &str, schema: &Schema) {
        self.say(observer, connection, schema, Kind::NoId, RowProblem::NoId, None);
    }

    /// Reports a field that held card data.
    pub(super) fn card(&mut self, observer: &dyn Observer, connection: &str, schema: &Schema, field: &str) {
        let problem = RowProblem::Card { field: field.to_owned() };
        self.say(observer, connection, schema, Kind::Card(field.to_owned()), problem, None);
    }

    fn say(
        &mut self,
        observer: &dyn Observer,
        connection: &str,
        schema: &Schema,
        kind: Kind,
        problem: RowProblem,
        id: Option<&str>,
    ) {
        if !self.said.insert((schema.name, kind)) {
            return;
        }
        observer.see(Event::RowProblem {
            connection: connection.to_owned(),
            row: schema.name,
            problem,
            id: id.map(str::to_owned),
        });
    }
}
