//! From the answer to a write to what became of it.
//!
//! Whoever takes "unknown" for "refused" lets a charge happen twice; whoever takes it for "done" loses one. So only the
//! CRM's own words settle a write, and everything else leaves it open.

use crate::answer;
use crate::classify::{TextClass, classify, rejected_address};
use crate::envelope::{Envelope, Message};
use crate::mask::Mask;
use crate::reply::{envelope, error_text};
use crate::scrub;
use jiff::Timestamp;
use std::time::Duration;
use zaprun_core::crm::Repeat;
use zaprun_core::request::CrmRequest;
use zaprun_core::value::Value;
use zaprun_engine::ports::{CrmReply, ReadError, Refusal, WriteOutcome};
use zaprun_http::{Answer, End, retry_after};

/// Bytes of an answer that are read: an order is a few thousand.
pub(crate) const LARGEST_REPLY: usize = 1024 * 1024;

/// Statuses that say: nothing was done, come later. (408 may be a proxy's that has passed the request on.)
const LATER: [u16; 2] = [425, 429];

/// Errors after which the CRM itself may not know what it has done.
const UNSETTLED: [&str; 7] = [
    "timeout",
    "timed out",
    "time out",
    "internal error",
    "internal server error",
    "unexpected error",
    "connection was lost",
];

/// Beginnings of words without which a text that came by way of a gateway does not speak of the caller: gateways say
/// "not authorized" and "could not authenticate" of cards.
const CALLER: [&str; 8] =
    ["credential", "permission", "login", "password", "endpoint", "api", "whitelist", "user"];

/// What became of the write.
pub(crate) fn of(request: &CrmRequest, answer: &Answer, mask: &Mask, now: Timestamp) -> WriteOutcome {
    let reader = Reader { request, answer, mask, retry_after: retry_after(&answer.headers, || now) };
    reader.outcome()
}

struct Reader<'a> {
    request: &'a CrmRequest,
    answer: &'a Answer,
    mask: &'a Mask,
    retry_after: Option<Duration>,
}

impl Reader<'_> {
    fn outcome(&self) -> WriteOutcome {
        if LATER.contains(&self.answer.status) {
            let reason = format!("the CRM answered HTTP {}", self.answer.status);
            return WriteOutcome::NotSent { reason, retryable: true, retry_after: self.retry_after };
        }
        match &self.answer.end {
            End::Whole => {}
            End::Truncated => {
                return self
                    .unknown(format!("the CRM's answer is larger than {} MiB", LARGEST_REPLY / 1024 / 1024));
            }
            End::Cut(reason) => {
                let length = self.answer.body.len();
                return self.unknown(format!("the CRM's answer ended after {length} bytes: {reason}"));
            }
        }
        let envelope = match envelope(&self.answer.body) {
            Ok(envelope) => envelope,
            Err(what) => {
                return self.unknown(format!("the CRM answered HTTP {} with {what}", self.answer.status));
            }
        };
        if self.answer.status == 200 { self.spoken(&envelope) } else { self.other_status(&envelope) }
    }

    /// What the CRM says itself.
    fn spoken(&self, envelope: &Envelope<'_>) -> WriteOutcome {
        let Some(result) = &envelope.result else {
            return self.unknown("the CRM answered JSON without a `result`".to_owned());
        };
        match result.trim().to_ascii_uppercase().as_str() {
            "SUCCESS" => WriteOutcome::Done(self.reply("SUCCESS")),
            "ERROR" => self.error(&envelope.message),
            "MERC_REDIRECT" => {
                let reason = "MERC_REDIRECT: the buyer has to be sent to the gateway's page first".to_owned();
                self.refused(Refusal::Redirect, "MERC_REDIRECT", reason)
            }
            // One client knows of it (contract §1.3).
            "DECLINED" => {
                let text = error_text(&envelope.message).unwrap_or_else(|| "DECLINED".to_owned());
                self.refused(Refusal::Declined, "DECLINED", self.mask.words(&text))
            }
            _ => self.unknown(
                self.mask.words(&format!("the CRM answered `{}`, which nobody knows", result.trim())),
            ),
        }
    }

    fn error(&self, message: &Message<'_>) -> WriteOutcome {
        let Some(text) = error_text(message) else {
            return self.unknown("the CRM answered ERROR without a message".to_owned());
        };
        let words = self.mask.words(&text);
        if matches!(message, Message::Object(_)) {
            return self.refused(Refusal::Validation, "ERROR", words);
        }
        if let Some(stop) = self.stop(&text) {
            return WriteOutcome::Stopped(stop);
        }
        if classify(&text) == TextClass::Declined {
            return self.refused(Refusal::Declined, "ERROR", words);
        }
        let lower = text.to_lowercase();
        if UNSETTLED.iter().any(|part| lower.contains(part)) {
            return self.unknown(format!("the CRM answered: {words}"));
        }
        self.refused(Refusal::Error, "ERROR", with_hint(words))
    }

    /// Whether the text refuses the caller rather than the request.
    fn stop(&self, text: &str) -> Option<ReadError> {
        let words = self.mask.words(text);
        let stop = match classify(text) {
            TextClass::Credentials => ReadError::Credentials { text: words },
            TextClass::Whitelist => ReadError::Whitelist { address: rejected_address(text), text: words },
            TextClass::Permission => ReadError::Permission { text: words },
            TextClass::Empty | TextClass::Declined | TextClass::Unknown => return None,
        };
        let by_gateway =
            self.request.repeat == Repeat::Never || self.request.endpoint.repeat == Repeat::Never;
        let lower = text.to_lowercase();
        let mut words = lower.split(|c: char| !c.is_alphanumeric());
        let of_caller = words.any(|word| CALLER.iter().any(|caller| word.starts_with(caller)));
        (of_caller || !by_gateway).then_some(stop)
    }

    /// Another status comes from something on the way (contract §1.3), which may have passed the request on. The
    /// exception: a caller who is refused by the CRM's own words was not let in.
    fn other_status(&self, envelope: &Envelope<'_>) -> WriteOutcome {
        let error =
            envelope.result.as_ref().is_some_and(|result| result.trim().eq_ignore_ascii_case("error"));
        let text = error_text(&envelope.message)
            .filter(|_| error && !matches!(envelope.message, Message::Object(_)));
        let client_error = (400..500).contains(&self.answer.status);
        match text.and_then(|text| self.stop(&text)) {
            Some(stop) if client_error || stop.stops_connection() => WriteOutcome::Stopped(stop),
            _ => self.unknown(format!("the CRM answered HTTP {} with JSON", self.answer.status)),
        }
    }

    fn unknown(&self, reason: String) -> WriteOutcome {
        WriteOutcome::Unknown { reason, retry_after: self.retry_after }
    }

    fn refused(&self, class: Refusal, result: &str, reason: String) -> WriteOutcome {
        WriteOutcome::Refused { class, reason, reply: self.reply(result) }
    }

    fn reply(&self, result: &str) -> CrmReply {
        CrmReply {
            response: answer::response(self.request, result, self.message()),
            body: scrub::body(&self.answer.body, self.mask),
        }
    }

    /// The message without secrets; null where it is nested too deep for anything to use it.
    fn message(&self) -> Value {
        let text = String::from_utf8_lossy(&self.answer.body);
        let answer = Value::from_json(text.trim_start_matches('\u{feff}').trim()).unwrap_or_default();
        let message =
            answer.as_object().and_then(|answer| answer.get("message")).cloned().unwrap_or_default();
        scrub::value(&message, self.mask)
    }
}

/// Adds what the vendor's words leave out (contract §7).
fn with_hint(words: String) -> String {
    if words.starts_with("No products exist in the order") {
        return format!("{words} (said of a wrong campaignId or product id too)");
    }
    words
}

#[cfg(test)]
mod tests;
