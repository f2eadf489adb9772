//! Idempotency keys of events; how they are made is the zap language's ([`zaprun_core::zap::key`]).

use uuid::Uuid;

use crate::ports::EventKey;

/// The base of the keys of one run: a zap, by the name it first had, and an event.
pub fn base(first_name: &str, event: &EventKey) -> Uuid {
    zaprun_core::zap::key::base(first_name, &event.kind, &event.id)
}
