//! What starts a zap, compiled.

pub(super) mod crm;
mod http;
mod schedule;
mod webhook;

pub use crm::{CrmTrigger, Settle, Start, Where};
pub use http::HttpTrigger;
pub use schedule::{Missed, ScheduleTrigger};
pub use webhook::{Preset, WebhookTrigger};

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
            Trigger::Webhook(_) | Trigger::Http(_) | Trigger::Schedule(_) => self.kind().to_owned(),
        }
    }

    /// The rows it is made of; `None` where anything may arrive.
    pub fn schema(&self) -> Option<&'static Schema> {
        self.crm().map(CrmTrigger::schema)
    }
}
