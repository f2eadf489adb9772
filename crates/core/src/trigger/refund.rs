//! Money given back.

use jiff::tz::TimeZone;

use super::kind::is_test;
use super::{DateRange, Endpoint, Kind, Options, Query, Verdict, When};
use crate::record::{Row, Schema, TRANSACTION};

/// Refunds that succeeded, and voids where they are asked for.
#[derive(Debug)]
pub(super) struct Refund;

impl Kind for Refund {
    fn name(&self) -> &'static str {
        "refund"
    }

    fn summary(&self) -> &'static str {
        "money was given back; once per transaction"
    }

    fn schema(&self) -> &'static Schema {
        &TRANSACTION
    }

    fn key_field(&self) -> &'static str {
        "transactionId"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["transactionId", "txnType", "responseType", "cardType", "dateCreated"]
    }

    fn queries(&self, options: Options) -> Vec<Query> {
        let mut queries = vec![query("REFUND")];
        if options.include_voids {
            queries.push(query("VOID"));
        }
        queries
    }

    fn takes(&self, row: &Row, options: Options) -> bool {
        let given_back = match row.text("txnType").as_deref() {
            Some("REFUND") => true,
            Some("VOID") => options.include_voids,
            _ => false,
        };
        let succeeded = row.text("responseType").as_deref() == Some("SUCCESS");
        given_back && succeeded && (options.include_test || !is_test(row))
    }

    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict {
        Verdict::by(row.moment("dateCreated", zone), when)
    }
}

fn query(kind: &str) -> Query {
    Query {
        endpoint: Endpoint::Transactions,
        seen_through: DateRange::Created,
        params: vec![("txnType", kind.to_owned()), ("responseType", "SUCCESS".to_owned())],
    }
}
