//! What a kind of event is.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Charges, Query};
use super::{
    cancelled::Cancelled, chargeback::Chargeback, decline::Decline, declined::Declined,
    new_customer::NewCustomer, new_lead::NewLead, new_sale::NewSale, rebill::Rebill, refund::Refund,
    refunded::Refunded, shipped::Shipped,
};
use crate::record::{Moment, Row, Schema};

/// A kind of event that is found by polling the CRM.
pub trait Kind: std::fmt::Debug + Sync {
    /// Its name, as the trigger writes it.
    fn name(&self) -> &'static str;
    /// What fires it, in a few words.
    fn summary(&self) -> &'static str;
    /// The rows it is made of.
    fn schema(&self) -> &'static Schema;
    /// The field that holds the natural id.
    fn key_field(&self) -> &'static str;
    /// The fields that [`Kind::takes`] and [`Kind::judge`] read.
    fn fields(&self) -> &'static [&'static str];
    /// What is asked of the CRM.
    fn queries(&self, options: Options) -> Vec<Query>;
    /// Whether the row belongs to the kind at all; the CRM's own filters are not relied on.
    fn takes(&self, row: &Row, options: Options) -> bool;
    /// Whether a row that the ledger does not hold is news.
    fn judge(&self, row: &Row, when: &When, zone: &TimeZone) -> Verdict;
    /// The verdict after a look-up of the order's transactions, where [`Kind::judge`] asked for one.
    fn judge_charges(&self, _row: &Row, _charges: &Charges, when: &When, _zone: &TimeZone) -> Verdict {
        Verdict::PrimeUndated { at: when.boundary }
    }
}

/// Every kind.
pub static KINDS: &[&dyn Kind] = &[
    &NewSale,
    &Cancelled,
    &NewLead,
    &Rebill,
    &Declined,
    &Refunded,
    &Shipped,
    &Decline,
    &Refund,
    &Chargeback,
    &NewCustomer,
];

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static dyn Kind> {
    KINDS.iter().copied().find(|kind| kind.name() == name)
}

/// What a trigger says beside its kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// `cycles: all`: rebills too.
    pub all_cycles: bool,
    /// `include_test: true`: orders of the test card too.
    pub include_test: bool,
    /// `include_bought: true`: leads that were already sold when first seen.
    pub include_bought: bool,
    /// `include_voids: true`: voids beside refunds.
    pub include_voids: bool,
}

/// The instants against which a row is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// What is older is primed.
    pub boundary: Timestamp,
    /// When the zap first ran.
    pub opened_at: Timestamp,
    /// The CRM's clock less ours, as measured in the zap's first walk: rows carry the CRM's time, boundaries ours.
    pub skew: SignedDuration,
}

impl When {
    /// The boundary by the CRM's clock.
    pub fn boundary_there(&self) -> Timestamp {
        self.boundary.saturating_add(self.skew).unwrap_or(self.boundary)
    }

    /// The first start by the CRM's clock.
    pub fn opened_there(&self) -> Timestamp {
        self.opened_at.saturating_add(self.skew).unwrap_or(self.opened_at)
    }
}

/// What becomes of a row that the ledger does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is news; `at` is `event.at`.
    Fire {
        /// When it happened.
        at: Timestamp,
    },
    /// It is older than the boundary.
    Prime {
        /// When it happened.
        at: Timestamp,
    },
    /// It is taken for old, since nothing dates it.
    PrimeUndated {
        /// The boundary, for want of better.
        at: Timestamp,
    },
    /// Only the order's transactions can tell.
    LookUp {
        /// The order.
        order_id: String,
    },
}

impl Verdict {
    /// Fires from the boundary on, else primed.
    pub(super) fn dated(moment: Moment, when: &When) -> Self {
        let at = moment.at;
        if moment.may_be_since(when.boundary_there()) { Verdict::Fire { at } } else { Verdict::Prime { at } }
    }

    /// The verdict by a date that may be missing.
    pub(super) fn by(moment: Option<Moment>, when: &When) -> Self {
        moment.map_or(Verdict::PrimeUndated { at: when.boundary }, |moment| Verdict::dated(moment, when))
    }

    /// Fires for an order of since the boundary, as of its last update. Rows from before the first run have no instant
    /// at which they were first seen, and happened when they began.
    pub(super) fn fire_as_seen(row: &Row, created: Moment, when: &When, zone: &TimeZone) -> Self {
        let seen =
            row.moment("dateUpdated", zone).filter(|updated| updated.may_be_since(when.opened_there()));
        Verdict::Fire { at: seen.unwrap_or(created).at }
    }

    /// Asks the transactions of an order from before the boundary. Money that moves moves dateUpdated too, so an order
    /// last touched before the boundary needs no look-up, which keeps a first run on a busy day to the pages it reads.
    pub(super) fn look_up_if_touched(row: &Row, created: Moment, when: &When, zone: &TimeZone) -> Self {
        let updated = row.moment("dateUpdated", zone);
        if updated.is_some_and(|updated| !updated.may_be_since(when.boundary_there())) {
            return Verdict::Prime { at: created.at };
        }
        row.text("orderId").map_or(Verdict::PrimeUndated { at: when.boundary }, |order_id| Verdict::LookUp {
            order_id: order_id.into_owned(),
        })
    }

    /// The verdict on an order for which nothing says when it came into its state: the last update may have been that,
    /// unless the order is old.
    pub(super) fn by_update(row: &Row, when: &When, zone: &TimeZone) -> Self {
        let created = row.moment("dateCreated", zone);
        let updated = row.moment("dateUpdated", zone);
        let recent = when.boundary_there().saturating_sub(UNDATED_REACH).unwrap_or(Timestamp::MIN);
        match (created, updated) {
            (Some(created), Some(updated))
                if created.at >= recent && updated.may_be_since(when.boundary_there()) =>
            {
                let seen = updated.may_be_since(when.opened_there());
                Verdict::Fire { at: if seen { updated.at } else { created.at } }
            }
            (created, _) => Verdict::PrimeUndated { at: created.map_or(when.boundary, |created| created.at) },
        }
    }
}

/// How long before the boundary an order may have begun whose state carries no date of its own.
const UNDATED_REACH: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A date that may have no time of day: midnight means some time of that day.
pub(super) fn some_time_that_day(moment: Moment, zone: &TimeZone) -> Moment {
    let local = zone.to_datetime(moment.at);
    if local.time() != Time::midnight() {
        return moment;
    }
    let ends = local.date().tomorrow().and_then(|day| day.to_zoned_datetime(zone.clone()));
    let latest = ends.map_or(moment.latest, |end| {
        end.timestamp().saturating_sub(SignedDuration::from_secs(1)).unwrap_or(moment.latest)
    });
    Moment { latest, ..moment }
}

/// Whether a row is about the CRM's test card.
pub(super) fn is_test(row: &Row) -> bool {
    row.text("cardType").as_deref() == Some("TESTCARD")
}
