//! What starts a zap, compiled.

pub(super) mod crm;
pub(super) mod http;
mod key;
pub(super) mod schedule;
pub(super) mod webhook;

pub use crm::{CrmTrigger, Settle, Start, Where};
pub use http::{HttpTrigger, Item, NotItems, Place, Read};
pub use schedule::{Missed, ScheduleTrigger};
pub use webhook::{Arrival, Entrance, UnreadableArrival, WebhookTrigger};

use crate::record::Schema;

/// What starts a zap.
#[derive(Debug, Clone)]
pub enum Trigger {
    /// Rows of the CRM.
    Crm(Box<CrmTrigger>),
    /// Requests that arrive.
    Webhook(Box<WebhookTrigger>),
    /// Items of a polled API.
    Http(Box<HttpTrigger>),
    /// Times.
    Schedule(Box<ScheduleTrigger>),
}

impl Trigger {
    /// The trigger that polls the CRM, where it is one.
    pub fn crm(&self) -> Option<&CrmTrigger> {
        match self {
            Trigger::Crm(trigger) => Some(trigger),
            Trigger::Webhook(_) | Trigger::Http(_) | Trigger::Schedule(_) => None,
        }
    }

    /// Where requests arrive for it: as its events, or to tell of rows that it polls.
    pub fn entrance(&self) -> Option<&Entrance> {
        match self {
            Trigger::Crm(trigger) => trigger.also.as_ref(),
            Trigger::Webhook(trigger) => Some(&trigger.entrance),
            Trigger::Http(_) | Trigger::Schedule(_) => None,
        }
    }

    /// The kind of its events.
    pub fn kind(&self) -> &'static str {
        match self {
            Trigger::Crm(trigger) => trigger.kind(),
            Trigger::Webhook(_) => "webhook",
            Trigger::Http(_) => "http",
            Trigger::Schedule(_) => "schedule",
        }
    }

    /// What decides which events enter the ledger, in one text.
    pub(super) fn selection(&self) -> String {
        match self {
            Trigger::Crm(trigger) => trigger.selection(),
            Trigger::Http(trigger) => trigger.selection(),
            Trigger::Webhook(_) => self.kind().to_owned(),
            // An edited timetable counts from when it is loaded, which a change of this text brings about.
            Trigger::Schedule(trigger) => trigger.selection(),
        }
    }

    /// The rows it is made of; `None` where anything may arrive.
    pub fn schema(&self) -> Option<&'static Schema> {
        self.crm().map(CrmTrigger::schema)
    }
}
