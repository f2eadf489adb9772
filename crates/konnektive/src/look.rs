//! What became of a write: what the CRM shows of it, compared with what it showed before.
//!
//! Each family of endpoints is a file with a state of its own. The state is kept with the run as text, so it holds ids,
//! statuses and dates, and of what is personal a hash; the same state is always the same text.
//!
//! Nothing here is concluded from silence alone: "nothing of it is there" means that the rows which would show it were
//! read and do not. What cannot be read that way is [`Seen::Unclear`].

mod about;
mod cancel;
mod charges;
mod customer;
mod facts;
mod fields;
mod lead;
mod money;
mod note;
mod order;
mod refund;
mod review;
mod sale;
mod search;
mod shipment;
mod upsale;

use self::about::About;
use crate::answer;
use crate::find::{Ask, Found};
use crate::konnektive::Konnektive;
use crate::mask::Mask;
use crate::scrub;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zaprun_core::request::CrmRequest;
use zaprun_core::trigger::Endpoint;
use zaprun_core::value::Value;
use zaprun_engine::ports::{ReadError, Seen, Sight};

/// A customer's notes and log (contract §3.5).
pub(crate) const HISTORY: &str = "customer/history";

/// Shipments (contract §3.6).
pub(crate) const SHIPMENTS: &str = "fulfillment/query";

/// The reads without which a look at such a write says nothing, so that `zaprun check` can try them.
pub fn reads_of_look(path: &str) -> &'static [Endpoint] {
    use Endpoint::{Customers, Orders, Purchases, Transactions};
    match path {
        "order/import" | "upsale/import" | "order/cancel" | "order/refund" | "order/qa"
        | "fulfillment/update" => &[Orders, Transactions],
        "leads/import" => &[Orders],
        "transactions/refund" => &[Transactions],
        "purchase/cancel" => &[Purchases, Transactions],
        "customer/update" => &[Customers],
        _ => &[],
    }
}

/// Looks at what a request is about.
pub(crate) async fn look(
    crm: &Konnektive,
    request: &CrmRequest,
    before: Option<&str>,
) -> Result<Sight, ReadError> {
    let look = Look { crm, request, about: About::default() };
    let sight = match request.endpoint.path {
        "order/import" => sale::look(&look, before).await,
        "leads/import" => lead::look(&look, before).await,
        "upsale/import" => upsale::look(&look, before).await,
        "fulfillment/update" => shipment::look(&look, before).await,
        "order/cancel" => cancel::order(&look, before).await,
        "purchase/cancel" => cancel::purchase(&look, before).await,
        "order/refund" => refund::order(&look, before).await,
        "transactions/refund" => refund::transaction(&look, before).await,
        "order/qa" => review::look(&look, before).await,
        "customer/addnote" => note::look(&look, before).await,
        "customer/update" => customer::look(&look, before).await,
        "order/confirm" => Ok(blind("the CRM does not show whether an order was confirmed")),
        "customer/blacklist" => Ok(blind("the CRM does not show its blacklist")),
        _ => Ok(blind("the CRM does not show what this endpoint does")),
    };
    let serials = look.about.take(request);
    match sight {
        Err(ReadError::TooMany { most }) => {
            Ok(blind(&format!("more than {most} rows could be it, so a look cannot tell")))
        }
        sight => sight.map(|sight| without_credentials(Sight { serials, ..sight }, &crm.mask)),
    }
}

/// Whatever a row echoes, neither what is kept nor what is told holds the connection's credentials. They are not
/// replaced within a state: two ids could look the same then, or one like another of before.
fn without_credentials(sight: Sight, mask: &Mask) -> Sight {
    let kept = Value::from_json(&sight.state).unwrap_or_default();
    let clean = scrub::value(&kept, mask) == kept;
    let seen = match sight.seen {
        Seen::Refused { reason } => Seen::Refused { reason: mask.words(&reason) },
        Seen::Unclear { reason } => Seen::Unclear { reason: mask.words(&reason) },
        Seen::NotHappened if !clean => {
            unclear("the CRM shows ids that hold the connection's login or password")
        }
        seen => seen,
    };
    if clean { Sight { seen, ..sight } } else { Sight { serials: sight.serials, ..sight_of_nothing(seen) } }
}

/// A look at one request.
pub(super) struct Look<'a> {
    pub(super) crm: &'a Konnektive,
    pub(super) request: &'a CrmRequest,
    about: About,
}

impl Look<'_> {
    /// A parameter that is not empty.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.request.param(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is a yes.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.param(name).is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// Reads rows; an empty result is none.
    pub(super) async fn rows(&self, ask: Ask<'_>) -> Result<Found, ReadError> {
        self.crm.all_rows(&ask).await
    }

    /// It happened; `shown` is what the CRM shows now, `ids` what it names beside.
    pub(super) fn happened(&self, shown: &Value, ids: &[(&str, Option<&str>)]) -> Seen {
        // An id that was seen stands before one that the request named.
        let mut named = self.request.clone();
        for (name, id) in ids.iter().filter_map(|(name, id)| Some((*name, (*id)?))) {
            named.params.retain(|(known, _)| known != name);
            named.params.push((name.to_owned(), self.crm.mask.hidden(id).unwrap_or_else(|| id.to_owned())));
        }
        let message = scrub::value(shown, &self.crm.mask);
        Seen::Happened { response: answer::response(&named, "SUCCESS", message) }
    }
}

/// It was turned down.
pub(super) fn refused(reason: impl Into<String>) -> Seen {
    Seen::Refused { reason: reason.into() }
}

/// A look cannot tell.
pub(super) fn unclear(reason: impl Into<String>) -> Seen {
    Seen::Unclear { reason: reason.into() }
}

/// What was seen and what it means.
pub(super) fn sight(state: &impl Serialize, seen: Seen) -> Sight {
    // Maps with text as keys, texts and numbers can always be written.
    Sight { state: serde_json::to_string(state).unwrap_or_default(), seen, serials: Vec::new() }
}

/// There is nothing to look at.
pub(super) fn blind(why: &str) -> Sight {
    sight_of_nothing(unclear(why))
}

/// A finding of which nothing can be kept.
fn sight_of_nothing(seen: Seen) -> Sight {
    sight(&"nothing to see", seen)
}

/// What an earlier look saw.
pub(super) enum Before<S> {
    /// There was none: the request has not been sent.
    NotSent,
    /// This.
    Saw(S),
    /// Something that cannot be compared with now.
    Unreadable,
}

impl<S: DeserializeOwned> Before<S> {
    pub(super) fn read(before: Option<&str>) -> Self {
        match before.map(serde_json::from_str) {
            None => Before::NotSent,
            Some(Ok(state)) => Before::Saw(state),
            Some(Err(_)) => Before::Unreadable,
        }
    }
}

/// What is said where the earlier look is of no use.
pub(super) const UNKNOWN_BEFORE: &str = "what the CRM showed before it was sent is not known";
