//! What is shipped, arrives, and comes back.

use jiff::civil::DateTime;

use super::Refusal;
use crate::money::Money;
use crate::state::news::{News, Route};
use crate::state::{Fulfillment, FulfillmentStatus, Order, OrderStatus, State};

/// Which parcels a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parcels<'a> {
    /// All of an order.
    Of(&'a str),
    /// One, which must belong to the order if one is named.
    One {
        /// `fulfillmentId`.
        fulfillment_id: u64,
        /// The order.
        order_id: Option<&'a str>,
    },
}

/// A change of parcels; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParcelChange {
    /// The new status: SHIPPED, CANCELLED, RMA_PENDING or RETURNED.
    pub status: Option<FulfillmentStatus>,
    /// `trackingNumber`.
    pub tracking_number: Option<String>,
    /// `shipCarrier`.
    pub carrier: Option<String>,
    /// `shipMethod`.
    pub method: Option<String>,
    /// `rmaNumber`.
    pub rma_number: Option<String>,
    /// `dateShipped`.
    pub shipped: Option<DateTime>,
    /// `dateReturned`.
    pub returned: Option<DateTime>,
    /// Money that goes back with an RMA, on a repeat again.
    pub refund: Option<Money>,
}

impl State {
    /// Sends the order's waiting parcels. Those of test orders stay on HOLD for ever.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::Status`] unless the order is COMPLETE.
    pub fn ship(&mut self, order_id: &str, tracking_number: &str) -> Result<(), Refusal> {
        let order = self.in_status(order_id, &[OrderStatus::Complete])?;
        if order.is_test() {
            return Ok(());
        }
        let now = self.now();
        let change = ParcelChange {
            status: Some(FulfillmentStatus::Shipped),
            tracking_number: Some(tracking_number.to_owned()),
            shipped: Some(now),
            ..ParcelChange::default()
        };
        self.change(order, |parcel| parcel.status == FulfillmentStatus::Hold, &change);
        Ok(())
    }

    /// Lets the order's parcels that are under way arrive.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::NoParcel`] if none is under way.
    pub fn deliver(&mut self, order_id: &str) -> Result<(), Refusal> {
        let order = self.order(order_id).cloned().ok_or_else(|| Refusal::NoOrder(order_id.to_owned()))?;
        let under_way = |parcel: &Fulfillment| parcel.status == FulfillmentStatus::Shipped;
        if !order.fulfillments.iter().any(under_way) {
            return Err(Refusal::NoParcel(order_id.to_owned()));
        }
        let change = ParcelChange { status: Some(FulfillmentStatus::Delivered), ..ParcelChange::default() };
        self.change(order, under_way, &change);
        Ok(())
    }

    /// Changes parcels as fulfillment/update may: only what is on HOLD is shipped or cancelled, only what was shipped
    /// comes back, and what has the status already may have it again. All of an order's parcels that the change
    /// fits take it; one at least must.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`], [`Refusal::NoParcel`], [`Refusal::Parcel`], [`Refusal::TestParcel`], and those of
    /// [`State::refund`] for the money.
    pub fn update_parcels(&mut self, which: Parcels<'_>, change: &ParcelChange) -> Result<(), Refusal> {
        let (order, only) = self.parcels(which)?;
        let asked = |parcel: &&Fulfillment| only.is_none_or(|id| id == parcel.fulfillment_id);
        let fits = |parcel: &Fulfillment| change.status.is_none_or(|to| follows(parcel.status, to));
        let Some(first) = order.fulfillments.iter().find(asked) else {
            return Err(Refusal::NoParcel(order.order_id));
        };
        if !order.fulfillments.iter().filter(asked).any(fits) {
            let fulfillment_id = first.fulfillment_id;
            return Err(Refusal::Parcel { fulfillment_id, status: first.status });
        }
        if order.is_test() && change.status == Some(FulfillmentStatus::Shipped) {
            return Err(Refusal::TestParcel(order.order_id));
        }
        let order_id = order.order_id.clone();
        if let Some(amount) = change.refund.filter(|amount| *amount != Money::ZERO) {
            self.refund(&order_id, Some(amount), "RMA")?;
        }
        // Read again: the refund has changed it.
        let order = self.order(&order_id).cloned().ok_or(Refusal::NoOrder(order_id))?;
        self.change(
            order,
            |parcel| only.is_none_or(|id| id == parcel.fulfillment_id) && fits(parcel),
            change,
        );
        Ok(())
    }

    fn parcels(&self, which: Parcels<'_>) -> Result<(Order, Option<u64>), Refusal> {
        let known = |order_id: &str| {
            self.order(order_id).cloned().ok_or_else(|| Refusal::NoOrder(order_id.to_owned()))
        };
        match which {
            Parcels::Of(order_id) => Ok((known(order_id)?, None)),
            Parcels::One { fulfillment_id, order_id } => {
                let holds = |order: &&Order| {
                    order.fulfillments.iter().any(|parcel| parcel.fulfillment_id == fulfillment_id)
                };
                let order = match order_id {
                    Some(order_id) => Some(known(order_id)?).filter(|order| holds(&order)),
                    None => self.orders().find(holds).cloned(),
                };
                let order = order.ok_or_else(|| Refusal::NoParcel(fulfillment_id.to_string()))?;
                Ok((order, Some(fulfillment_id)))
            }
        }
    }

    fn change(&mut self, mut order: Order, takes: impl Fn(&Fulfillment) -> bool, change: &ParcelChange) {
        let now = self.now();
        order.updated = now;
        let mut changed = Vec::new();
        for parcel in order.fulfillments.iter_mut().filter(|parcel| takes(parcel)) {
            let before = parcel.status;
            apply(parcel, change, now);
            if before != parcel.status {
                changed.push((parcel.fulfillment_id, parcel.status));
            }
        }
        let told = changed.into_iter().filter_map(|(id, status)| Some((id, route(status)?)));
        let news: Vec<News> = told.map(|(id, route)| News::of(route, &order).parcel(id)).collect();
        self.insert_order(order);
        news.into_iter().for_each(|news| self.tell(news));
    }
}

/// Whether a parcel may go from one status to another.
fn follows(from: FulfillmentStatus, to: FulfillmentStatus) -> bool {
    use FulfillmentStatus::{Cancelled, Delivered, Hold, Returned, RmaPending, Shipped};
    let before: &[FulfillmentStatus] = match to {
        Shipped | Cancelled => &[Hold],
        RmaPending => &[Shipped, Delivered],
        Returned => &[Shipped, Delivered, RmaPending],
        _ => &[],
    };
    from == to || before.contains(&from)
}

fn apply(parcel: &mut Fulfillment, change: &ParcelChange, now: DateTime) {
    let texts = [
        (&mut parcel.tracking_number, &change.tracking_number),
        (&mut parcel.carrier, &change.carrier),
        (&mut parcel.method, &change.method),
        (&mut parcel.rma_number, &change.rma_number),
    ];
    for (known, given) in texts {
        if let Some(given) = given {
            given.clone_into(known);
        }
    }
    parcel.status = change.status.unwrap_or(parcel.status);
    parcel.shipped = change.shipped.or(parcel.shipped);
    parcel.returned = change.returned.or(parcel.returned);
    if parcel.status == FulfillmentStatus::Delivered {
        parcel.delivered = Some(now);
    }
    parcel.updated = now;
}

fn route(status: FulfillmentStatus) -> Option<Route> {
    match status {
        FulfillmentStatus::Shipped => Some(Route::Shipped),
        FulfillmentStatus::Delivered => Some(Route::Delivered),
        FulfillmentStatus::RmaPending => Some(Route::RmaIssued),
        FulfillmentStatus::Returned => Some(Route::RmaReturned),
        _ => None,
    }
}
