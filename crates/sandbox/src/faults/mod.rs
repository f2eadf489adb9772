//! What can be made to go wrong, how a person asks for it, and when it happens.
//!
//! [`FAULTS`] is the one table: help, documentation and the parser come from it.

mod mangle;
mod plan;
mod text;

use std::time::Duration;

use thiserror::Error;

pub use plan::{FaultRule, When};

pub(crate) use mangle::{huge, items_as_list, items_as_map, non_utf8, numbers_as_strings, truncated};
pub(crate) use plan::FaultPlan;

/// One thing going wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// At the CRM.
    Crm(CrmFault),
    /// At the sink.
    Sink(SinkFault),
}

/// A fault of the CRM. Those that stand in for the reply of a write, and do not say otherwise, prevent it. A slow
/// reply is slow; what was asked is done at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrmFault {
    /// Refuses the credentials.
    Auth,
    /// Refuses the caller's address.
    Whitelist,
    /// Refuses the endpoint to this user.
    NoPermission,
    /// HTTP 504 with an HTML page.
    Html504,
    /// The reply ends in the middle of the JSON.
    Truncated,
    /// `{"result":"ERROR"}` without a message.
    BareError,
    /// The reply takes this long.
    Slow(Duration),
    /// HTTP 200 without a body.
    EmptyBody,
    /// Every number of the reply is a string.
    NumbersAsStrings,
    /// `items` is an array.
    ItemsAsList,
    /// `items` is an object keyed by product.
    ItemsAsMap,
    /// The reply is at least this many bytes.
    HugePage(usize),
    /// The connection ends in the middle of the body.
    Cut,
    /// The request is carried out, then the connection ends without an answer.
    LostAnswer,
    /// The request is carried out, then a proxy answers HTTP 504 with an HTML page.
    LostAnswer504,
    /// The request is carried out, then the answer is `{"result":"ERROR"}` without a message.
    LostAnswerBare,
    /// The connection ends without an answer, and the write is carried out so much later by the sandbox's clock.
    LateWrite(Duration),
    /// A proxy answers HTTP 504, and the write is carried out so much later by the sandbox's clock.
    LateWrite504(Duration),
    /// Before a page after the first, a row appears on an earlier page.
    RowInserted,
    /// Before a page after the first, a row of an earlier page vanishes.
    RowRemoved,
    /// The reply is not UTF-8.
    NonUtf8,
    /// The gateway declines the sale with these words.
    Decline(String),
    /// The sale is answered with MERC_REDIRECT, and stays a lead.
    Redirect,
    /// The request is refused with these words.
    Refuse(String),
}

/// A fault of the sink. The request is recorded in every case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SinkFault {
    /// Answers with this status.
    Status(u16),
    /// Answers 429 with `Retry-After` in whole seconds.
    TooMany(Duration),
    /// Answers 200 with bytes that are neither JSON nor text.
    Garbage,
    /// Never answers.
    Hang,
    /// Answers after this long.
    Slow(Duration),
    /// Closes the connection without an answer.
    Cut,
}

/// A fault as a person may ask for it.
#[derive(Clone, Copy, Debug)]
pub struct FaultSpec {
    /// Name before the colon.
    pub name: &'static str,
    /// The value it takes, as help shows it; empty for none.
    pub value: &'static str,
    /// The value when none is given.
    pub default: &'static str,
    /// What it does, a lowercase fragment.
    pub does: &'static str,
    make: fn(&str) -> Option<Fault>,
}

/// Options that every fault takes after the colon, with what they do.
pub const FAULT_OPTIONS: &[(&str, &str)] = &[
    ("first=N", "only the first N requests"),
    ("every=K", "only every Kth request"),
    ("p=P", "each request with probability P, such as 0.1 or 10%; the seed decides"),
    ("on=WHERE", "only this endpoint (order/query) or sink path (/sink/chat and below)"),
];

const fn spec(name: &'static str, does: &'static str, make: fn(&str) -> Option<Fault>) -> FaultSpec {
    FaultSpec { name, value: "", default: "", does, make }
}

const fn with(spec: FaultSpec, value: &'static str, default: &'static str) -> FaultSpec {
    FaultSpec { value, default, ..spec }
}

/// All faults. The sink's are named `sink-…`.
pub const FAULTS: &[FaultSpec] = &[
    spec("auth", "refuses the credentials", |_| Some(Fault::Crm(CrmFault::Auth))),
    spec("whitelist", "refuses the caller's address", |_| Some(Fault::Crm(CrmFault::Whitelist))),
    spec("no-permission", "refuses the endpoint to this user", |_| Some(Fault::Crm(CrmFault::NoPermission))),
    spec("html-504", "answers 504 with an HTML page", |_| Some(Fault::Crm(CrmFault::Html504))),
    spec("truncated", "ends the reply in the middle of the JSON", |_| Some(Fault::Crm(CrmFault::Truncated))),
    spec("bare-error", "answers ERROR without a message", |_| Some(Fault::Crm(CrmFault::BareError))),
    with(
        spec("slow", "does what was asked at once, and answers after this long", |value| {
            Some(Fault::Crm(CrmFault::Slow(text::duration(value)?)))
        }),
        "DURATION",
        "5s",
    ),
    spec("empty-body", "answers 200 without a body", |_| Some(Fault::Crm(CrmFault::EmptyBody))),
    spec("numbers-as-strings", "sends every number as a string", |_| {
        Some(Fault::Crm(CrmFault::NumbersAsStrings))
    }),
    spec("items-as-list", "sends items as an array", |_| Some(Fault::Crm(CrmFault::ItemsAsList))),
    spec("items-as-map", "sends items as an object keyed by product", |_| {
        Some(Fault::Crm(CrmFault::ItemsAsMap))
    }),
    with(
        spec("huge-page", "pads the reply to this many megabytes", |value| {
            let megabytes = value.parse::<usize>().ok().filter(|count| (1..=64).contains(count))?;
            Some(Fault::Crm(CrmFault::HugePage(megabytes << 20)))
        }),
        "MEGABYTES",
        "5",
    ),
    spec("cut", "closes the connection in the middle of the body", |_| Some(Fault::Crm(CrmFault::Cut))),
    spec("lost-answer", "does what was asked, then closes the connection without an answer", |_| {
        Some(Fault::Crm(CrmFault::LostAnswer))
    }),
    spec("lost-answer-504", "does what was asked, then answers 504 with an HTML page", |_| {
        Some(Fault::Crm(CrmFault::LostAnswer504))
    }),
    spec("lost-answer-bare", "does what was asked, then answers ERROR without a message", |_| {
        Some(Fault::Crm(CrmFault::LostAnswerBare))
    }),
    with(
        spec(
            "late-write",
            "closes the connection without an answer, and does the write so much later",
            |value| Some(Fault::Crm(CrmFault::LateWrite(text::duration(value)?))),
        ),
        "DURATION",
        "10m",
    ),
    with(
        spec("late-write-504", "answers 504 with an HTML page, and does the write so much later", |value| {
            Some(Fault::Crm(CrmFault::LateWrite504(text::duration(value)?)))
        }),
        "DURATION",
        "10m",
    ),
    spec("row-inserted", "adds a row to an earlier page while a later one is read", |_| {
        Some(Fault::Crm(CrmFault::RowInserted))
    }),
    spec("row-removed", "takes a row off an earlier page while a later one is read", |_| {
        Some(Fault::Crm(CrmFault::RowRemoved))
    }),
    spec("non-utf8", "sends a byte that is not UTF-8", |_| Some(Fault::Crm(CrmFault::NonUtf8))),
    with(
        spec("decline", "declines sales with this text", |value| {
            Some(Fault::Crm(CrmFault::Decline(value.to_owned())))
        }),
        "TEXT",
        "Card Declined",
    ),
    spec("redirect", "answers sales with MERC_REDIRECT", |_| Some(Fault::Crm(CrmFault::Redirect))),
    with(
        spec("refuse", "answers ERROR with this text", |value| {
            Some(Fault::Crm(CrmFault::Refuse(value.to_owned())))
        }),
        "TEXT",
        "Refused",
    ),
    with(
        spec("sink-status", "answers with this status", |value| {
            let status = value.parse::<u16>().ok().filter(|status| (200..=599).contains(status))?;
            Some(Fault::Sink(SinkFault::Status(status)))
        }),
        "STATUS",
        "500",
    ),
    spec("sink-500", "answers 500", |_| Some(Fault::Sink(SinkFault::Status(500)))),
    spec("sink-503", "answers 503", |_| Some(Fault::Sink(SinkFault::Status(503)))),
    spec("sink-401", "answers 401", |_| Some(Fault::Sink(SinkFault::Status(401)))),
    spec("sink-403", "answers 403", |_| Some(Fault::Sink(SinkFault::Status(403)))),
    with(
        spec("sink-429", "answers 429 with this Retry-After", |value| {
            Some(Fault::Sink(SinkFault::TooMany(text::duration(value)?)))
        }),
        "DURATION",
        "2s",
    ),
    spec("sink-garbage", "answers 200 with bytes that are not JSON", |_| {
        Some(Fault::Sink(SinkFault::Garbage))
    }),
    spec("sink-hang", "never answers", |_| Some(Fault::Sink(SinkFault::Hang))),
    with(
        spec("sink-slow", "answers after this long", |value| {
            Some(Fault::Sink(SinkFault::Slow(text::duration(value)?)))
        }),
        "DURATION",
        "5s",
    ),
    spec("sink-cut", "records the request, then closes the connection without an answer", |_| {
        Some(Fault::Sink(SinkFault::Cut))
    }),
];

/// Why a fault's text could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultError {
    /// No such name.
    #[error("unknown fault `{0}`")]
    Unknown(String),
    /// No such option.
    #[error("unknown option `{option}` of fault `{fault}`")]
    Option {
        /// The fault.
        fault: String,
        /// What was written.
        option: String,
    },
    /// A value out of its form or range.
    #[error("`{value}` is not a valid value for {what} of fault `{fault}`")]
    Value {
        /// The fault.
        fault: String,
        /// The option or the placeholder of the value.
        what: String,
        /// What was written.
        value: String,
    },
}
