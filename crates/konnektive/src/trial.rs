//! Whether the API user may write: what `zaprun check` asks, without writing anything.
//!
//! The CRM checks the login, the address, the permission and the input in this order (contract §8.2, inferred). So a
//! request that can only fail for its input proves the permission. It holds the credentials and not one parameter:
//! nobody is named, nothing is bought, and no id is given that anything could be done to.

use crate::classify::{TextClass, classify, rejected_address};
use crate::envelope::Message;
use crate::konnektive::Konnektive;
use crate::reply::{envelope, error_text};
use zaprun_core::crm;
use zaprun_engine::ports::ReadError;
use zaprun_http::{Answer, End, Failure};

/// Endpoints that may be tried with an empty form, and what each of them cannot do anything without. An endpoint that
/// is not listed is not tried.
const HARMLESS: [(&str, &str); 13] = [
    // contract §1.4: `No products exist in the order`.
    ("order/import", "productN_id"),
    // contract §1.4: `First and last name are required fields.`
    ("leads/import", "firstName"),
    ("upsale/import", "orderId"),
    ("fulfillment/update", "orderId or fulfillmentId"),
    ("order/cancel", "orderId"),
    ("order/confirm", "orderId"),
    ("order/refund", "orderId"),
    ("order/qa", "action"),
    ("purchase/cancel", "purchaseId"),
    ("transactions/refund", "transactionId"),
    ("customer/update", "customerId"),
    ("customer/addnote", "customerId"),
    ("customer/blacklist", "blacklistType"),
];

/// Words with which the CRM complains of input rather than of the caller (contract §1.4).
const INPUT: [&str; 8] = [
    "is required",
    "are required",
    "required field",
    "required value",
    "not a valid input",
    "no products exist",
    "customer not found",
    "order not found",
];

/// What became of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteProbe {
    /// The endpoint.
    pub endpoint: &'static crm::Endpoint,
    /// Whether it can be written to.
    pub access: WriteAccess,
}

/// Whether an endpoint can be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteAccess {
    /// The CRM got as far as looking at the input.
    Allowed,
    /// It did not let the caller in, or gave no answer of its own.
    Refused(ReadError),
    /// The answer says neither; in plain words.
    Unclear {
        /// What was answered.
        text: String,
    },
    /// It cannot be tried without writing.
    Untried,
}

impl Konnektive {
    /// Asks each endpoint with an empty form, which it must refuse. After a refused login or address no further one is
    /// asked: repeated bad logins may lock the user (contract §1.2).
    pub async fn probe_writes(&self, endpoints: &[&'static crm::Endpoint]) -> Vec<WriteProbe> {
        let mut probes = Vec::new();
        for &endpoint in endpoints {
            let access = self.try_empty(endpoint.path).await;
            let stop = matches!(&access, WriteAccess::Refused(error) if error.stops_connection());
            probes.push(WriteProbe { endpoint, access });
            if stop {
                break;
            }
        }
        probes
    }

    async fn try_empty(&self, path: &str) -> WriteAccess {
        if !HARMLESS.iter().any(|(harmless, _)| *harmless == path) {
            return WriteAccess::Untried;
        }
        match self.post_nothing(path).await {
            None => WriteAccess::Untried,
            Some(Ok(answer)) => self.access(&answer),
            Some(Err(Failure::NotSent { reason, .. } | Failure::Unknown { reason })) => {
                transport(format!("the CRM: {reason}"))
            }
        }
    }

    fn access(&self, answer: &Answer) -> WriteAccess {
        if answer.end != End::Whole {
            return transport("the CRM's answer broke off".to_owned());
        }
        let envelope = match envelope(&answer.body) {
            Ok(envelope) => envelope,
            Err(what) => return transport(format!("the CRM answered HTTP {} with {what}", answer.status)),
        };
        let result = envelope.result.as_deref().unwrap_or_default().trim().to_ascii_uppercase();
        if result != "ERROR" {
            let text = self.mask.words(&format!("`{result}` to a request without any parameter"));
            return WriteAccess::Unclear { text };
        }
        let Some(text) = error_text(&envelope.message) else {
            return WriteAccess::Unclear { text: "ERROR without a message".to_owned() };
        };
        let words = self.mask.words(&text);
        if matches!(envelope.message, Message::Object(_)) {
            return WriteAccess::Allowed;
        }
        match classify(&text) {
            TextClass::Credentials => WriteAccess::Refused(ReadError::Credentials { text: words }),
            TextClass::Whitelist => {
                WriteAccess::Refused(ReadError::Whitelist { address: rejected_address(&text), text: words })
            }
            TextClass::Permission => WriteAccess::Refused(ReadError::Permission { text: words }),
            TextClass::Empty => WriteAccess::Allowed,
            TextClass::Declined | TextClass::Unknown => {
                let lower = text.to_lowercase();
                let of_input = INPUT.iter().any(|part| lower.contains(part));
                // The text of a missing permission is not known, so any other may be it.
                if of_input { WriteAccess::Allowed } else { WriteAccess::Unclear { text: words } }
            }
        }
    }
}

fn transport(text: String) -> WriteAccess {
    WriteAccess::Refused(ReadError::Transport { text, retry_after: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_that_is_tried_needs_something_that_an_empty_form_lacks() {
        for endpoint in crm::ENDPOINTS {
            let needs = HARMLESS.iter().find(|(path, _)| *path == endpoint.path).map(|(_, needs)| *needs);
            assert!(needs.is_some_and(|needs| !needs.is_empty()), "{}", endpoint.path);
        }
    }
}
