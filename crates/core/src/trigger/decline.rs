//! A declined charge.

use jiff::tz::TimeZone;

use super::kind::is_test;
use super::{DateRange, Endpoint, Kind, Options, Query, Verdict, When};
use crate::record::{Row, Schema, TRANSACTION};

/// Declines, soft and hard. The CRM ignores `orderType` here (contract §3.2), so the cycle is told by the row.
#[derive(Debug)]
pub(super) struct Decline;

impl Kind for Decline {
    fn name(&self) -> &'static str {
        "decline"
    }

    fn summary(&self) -> &'static str {
        "a charge was declined; once per transaction"
    }

    fn schema(&self) -> &'static Schema {
        &TRANSACTION
    }

    fn key_field(&self) -> &'static str {
        "transactionId"
    }

    fn fields(&self) -> &'static [&'static str] {
        &[
            "transactionId",
            "txnType",
            "responseType",
            "billingCycleNumber",
            "recycleNumber",
            "cardType",
            "dateCreated",
        ]
    }

    fn queries(&self, _options: Options) -> Vec<Query> {
        // Several values in one request are not attested (contract §4), so soft and hard are asked apart.
        ["SOFT_DECLINE", "HARD_DECLINE"]
            .map(|answer| Query {
                endpoint: Endpoint::Transactions,
                seen_through: DateRange::Created,
                params: vec![("responseType", answer.to_owned())],
            })
            .into()
    }

    fn takes(&self, row: &Row, options: Options) -> bool {
        let declined = matches!(row.text("responseType").as_deref(), Some("SOFT_DECLINE" | "HARD_DECLINE"));
        // A refused refund is no decline.
        let charge = matches!(row.text("txnType").as_deref(), Some("SALE" | "AUTHORIZE" | "CAPTURE"));
        let first = row.count("billingCycleNumber").is_none_or(|cycle| cycle <= 1)
            && row.count("recycleNumber").is_none_or(|again| again == 0);
        declined && charge && (options.all_cycles || first) && (options.include_test || !is_test(row))
    }

    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict {
        Verdict::by(row.moment("dateCreated", zone), when)
    }
}
