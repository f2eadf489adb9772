//! What a zap sees of its trigger's connection, and in which zone and currency its times and amounts are.

use std::sync::Arc;

use crate::definition::{self, Action};
use crate::expression::Settings;
use crate::value::Value;
use crate::zap::project::{ConnectionFacts, ProjectFacts};

/// The facts of a zap's trigger. One that does not read an account of the CRM takes zone and currency from the account
/// that its actions write to; a schedule has its zone.
pub(super) fn facts(definition: &definition::Zap, project: &ProjectFacts) -> ConnectionFacts {
    let named = definition.trigger.connection().map(|name| name.value.as_str());
    let members = |members: &[(&str, &str)]| {
        Value::object(members.iter().map(|(name, text)| (Arc::from(*name), Value::text(*text))).collect())
    };
    let (value, zone) = match &definition.trigger.value {
        definition::Trigger::Orders(_)
        | definition::Trigger::Transactions(_)
        | definition::Trigger::Customers(_) => return project.connection(named.unwrap_or_default()),
        definition::Trigger::Webhook(_) => {
            (members(&[("name", named.unwrap_or_default()), ("type", "webhook")]), None)
        }
        definition::Trigger::Http(_) => {
            let name = named.map(|name| ("name", name));
            (members(&name.into_iter().chain([("type", "http")]).collect::<Vec<_>>()), None)
        }
        // It may be any account.
        definition::Trigger::Unread => return project.connection(""),
        definition::Trigger::Schedule(schedule) => {
            (members(&[]), jiff::tz::TimeZone::get(&schedule.timezone).ok())
        }
    };
    let account =
        account(definition).map_or_else(Settings::default, |name| project.connection(name).settings);
    let settings = Settings { zone: zone.unwrap_or(account.zone), ..account };
    ConnectionFacts { settings, value }
}

/// The account that the actions write to, or else read.
fn account(definition: &definition::Zap) -> Option<&str> {
    let actions = || definition.actions.iter().chain(&definition.on_failure).map(|action| &action.value);
    let written = actions().find_map(|action| match action {
        Action::Crm(_, crm) => Some(crm.connection.value.as_str()),
        Action::Http(_) | Action::Query(_) | Action::Unread(_) => None,
    });
    let read = || {
        actions().find_map(|action| match action {
            Action::Query(query) => Some(query.connection.value.as_str()),
            Action::Http(_) | Action::Crm(..) | Action::Unread(_) => None,
        })
    };
    written.or_else(read)
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
