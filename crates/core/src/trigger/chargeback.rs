//! Money that the buyer's bank took back.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::kind::{is_test, some_time_that_day};
use super::{DateRange, Endpoint, Kind, Options, Query, Verdict, When};
use crate::record::{Row, Schema, TRANSACTION};

/// How long after the bank's date a chargeback is entered into the CRM at most.
const ENTERED_WITHIN: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How old a charge is at most that a bank takes back: the card schemes allow no more.
const LONGEST_DISPUTE: SignedDuration = SignedDuration::from_hours(540 * 24);

/// Chargebacks. They are no transactions of their own but a mark on the charge, set weeks or months after it; so they
/// are seen through `dateUpdated`.
#[derive(Debug)]
pub(super) struct Chargeback;

impl Kind for Chargeback {
    fn name(&self) -> &'static str {
        "chargeback"
    }

    fn summary(&self) -> &'static str {
        "the buyer's bank took a charge back; once per transaction"
    }

    fn schema(&self) -> &'static Schema {
        &TRANSACTION
    }

    fn key_field(&self) -> &'static str {
        "transactionId"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["transactionId", "isChargedback", "chargebackDate", "cardType", "dateCreated", "dateUpdated"]
    }

    fn queries(&self, _options: Options) -> Vec<Query> {
        vec![Query {
            endpoint: Endpoint::Transactions,
            seen_through: DateRange::Updated,
            params: vec![("isChargedback", "1".to_owned())],
        }]
    }

    fn takes(&self, row: &Row, options: Options) -> bool {
        row.value("isChargedback").as_bool() == Some(true) && (options.include_test || !is_test(row))
    }

    /// The bank's date comes before the mark, often by days, so an earlier one is no proof that the mark is old.
    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict {
        let boundary = when.boundary_there();
        let dated = row.moment("chargebackDate", zone).map(|at| some_time_that_day(at, zone));
        let updated = row.moment("dateUpdated", zone);
        // Setting the mark moves dateUpdated.
        let touched = updated.is_none_or(|updated| updated.may_be_since(boundary));
        if let Some(dated) = dated
            && touched
            && dated.may_be_since(boundary)
        {
            return Verdict::Fire { at: dated.at };
        }
        let created = row.moment("dateCreated", zone);
        let since = |reach| boundary.saturating_sub(reach).unwrap_or(Timestamp::MIN);
        let recent = match (dated, created) {
            (Some(dated), _) => dated.at >= since(ENTERED_WITHIN),
            (None, Some(created)) => created.at >= since(LONGEST_DISPUTE),
            (None, None) => false,
        };
        match (updated, dated) {
            (Some(updated), _) if touched && recent => Verdict::Fire { at: updated.at },
            (_, Some(dated)) => Verdict::Prime { at: dated.at },
            (_, None) => Verdict::PrimeUndated { at: created.map_or(when.boundary, |created| created.at) },
        }
    }
}
