//! Business at the push of a button.

use super::Control;
use crate::money::Money;
use crate::state::moves::{CartLine, Checkout, Decline, Lead, Rebilled, Refusal};
use crate::state::{Address, Buyer, Card, Order, Payment, State, Transaction, catalog};

impl Control {
    /// A new lead of this e-mail in the first campaign; its orderId. An open lead of that e-mail is re-used.
    ///
    /// # Errors
    /// [`Refusal::Full`].
    pub fn lead(&self, email: &str) -> Result<String, Refusal> {
        let lead = Lead { campaign_id: first_campaign(), buyer: sample_buyer(email), ..Lead::default() };
        self.with(|state| state.lead(lead))
    }

    /// Turns a lead into a sale of its campaign's main offer; the transaction.
    ///
    /// # Errors
    /// As [`State::sell`].
    pub fn convert(&self, order_id: &str) -> Result<Option<u64>, Refusal> {
        self.with(|state| {
            let checkout = sample_checkout(state, order_id)?;
            state.sell(order_id, checkout)
        })
    }

    /// A lead and its sale at once; its orderId.
    ///
    /// # Errors
    /// As [`State::lead`] and [`State::sell`].
    pub fn sale(&self, email: &str) -> Result<String, Refusal> {
        let order_id = self.lead(email)?;
        self.convert(&order_id)?;
        Ok(order_id)
    }

    /// A soft decline on a lead, which stays a lead; the transaction.
    ///
    /// # Errors
    /// As [`State::decline`].
    pub fn decline(&self, order_id: &str) -> Result<u64, Refusal> {
        self.with(|state| {
            let checkout = sample_checkout(state, order_id)?;
            state.decline(order_id, checkout, &Decline { hard: false, text: "Card Declined".to_owned() })
        })
    }

    /// Gives all the order's money back; the refunds.
    ///
    /// # Errors
    /// As [`State::refund`].
    pub fn refund(&self, order_id: &str) -> Result<Vec<u64>, Refusal> {
        self.with(|state| state.refund(order_id, None, "customer request"))
    }

    /// Cancels an order.
    ///
    /// # Errors
    /// As [`State::cancel`].
    pub fn cancel(&self, order_id: &str) -> Result<(), Refusal> {
        self.with(|state| state.cancel(order_id, "customer request"))
    }

    /// Bills an order's subscription again.
    ///
    /// # Errors
    /// As [`State::rebill`].
    pub fn rebill(&self, order_id: &str) -> Result<Rebilled, Refusal> {
        self.with(|state| state.rebill(order_id))
    }

    /// A sale that waits for quality assurance; its orderId.
    ///
    /// # Errors
    /// As [`State::lead`] and [`State::sell`].
    pub fn hold(&self, email: &str) -> Result<String, Refusal> {
        let order_id = self.lead(email)?;
        self.with(|state| {
            let checkout = Checkout { qa: true, ..sample_checkout(state, &order_id)? };
            state.sell(&order_id, checkout)
        })?;
        Ok(order_id)
    }

    /// Lets an order through quality assurance; the charge.
    ///
    /// # Errors
    /// As [`State::approve`].
    pub fn approve(&self, order_id: &str) -> Result<Option<u64>, Refusal> {
        self.with(|state| state.approve(order_id))
    }

    /// Turns an order down in quality assurance.
    ///
    /// # Errors
    /// As [`State::reject`].
    pub fn reject(&self, order_id: &str) -> Result<(), Refusal> {
        self.with(|state| state.reject(order_id))
    }

    /// Keeps a card on a lead that the bank let through, so that a sale of it needs no card.
    ///
    /// # Errors
    /// As [`State::preauthorise`].
    pub fn preauthorise(&self, order_id: &str) -> Result<(), Refusal> {
        self.with(|state| state.preauthorise(order_id, sample_card()))
    }

    /// Sells the campaign's upsale, or its main offer again where there is none, on a sale; the charge.
    ///
    /// # Errors
    /// As [`State::upsell`].
    pub fn upsell(&self, order_id: &str) -> Result<Option<u64>, Refusal> {
        self.with(|state| {
            let order = state.order(order_id).ok_or_else(|| Refusal::NoOrder(order_id.to_owned()))?;
            let products = catalog::campaign(order.campaign_id).map_or(&[][..], |campaign| campaign.products);
            let upsale = products.iter().find(|product| product.upsale).or(products.first());
            let cart: Vec<CartLine> = upsale.map(|product| CartLine::of(product.id)).into_iter().collect();
            state.upsell(order_id, &cart, Money::ZERO, None)
        })
    }

    /// Turns an order's next bill down; the transaction.
    ///
    /// # Errors
    /// As [`State::decline_rebill`].
    pub fn decline_rebill(&self, order_id: &str) -> Result<u64, Refusal> {
        let why = Decline { hard: false, text: "Insufficient funds".to_owned() };
        self.with(|state| state.decline_rebill(order_id, &why))
    }

    /// The bank takes the money of an order's latest charge back; that charge.
    ///
    /// # Errors
    /// [`Refusal::NoOrder`] also for an order without a charge, and as [`State::charge_back`].
    pub fn charge_back(&self, order_id: &str) -> Result<u64, Refusal> {
        self.with(|state| {
            let charge = state.transactions_of(order_id).filter(|found| found.took_money()).last();
            let charge = charge.map(|found| found.transaction_id);
            let charge = charge.ok_or_else(|| Refusal::NoOrder(order_id.to_owned()))?;
            state.charge_back(charge, "10.4").map(|()| charge)
        })
    }

    /// Sends an order's waiting parcels.
    ///
    /// # Errors
    /// As [`State::ship`].
    pub fn ship(&self, order_id: &str, tracking_number: &str) -> Result<(), Refusal> {
        self.with(|state| state.ship(order_id, tracking_number))
    }

    /// Lets an order's parcels arrive.
    ///
    /// # Errors
    /// As [`State::deliver`].
    pub fn deliver(&self, order_id: &str) -> Result<(), Refusal> {
        self.with(|state| state.deliver(order_id))
    }

    /// Sets an order's `dateUpdated` to the present; `false` if there is none of this id.
    pub fn touch(&self, order_id: &str) -> bool {
        self.with(|state| state.touch(order_id))
    }

    /// Adds an order: a sale made now, as `edit` leaves it (times, status, buyer …); its orderId. It has a
    /// transaction only if one is inserted.
    ///
    /// # Errors
    /// [`Refusal::Full`].
    pub fn insert_order(&self, edit: impl FnOnce(&mut Order)) -> Result<String, Refusal> {
        self.with(|state| {
            let (order, _) = sample_sale(state)?;
            let order_id = order.order_id.clone();
            state.insert_order(order);
            state.edit_order(&order_id, edit);
            Ok(order_id)
        })
    }

    /// Adds a transaction: a successful sale made now, as `edit` leaves it; its id. It belongs to no stored order
    /// unless `edit` names one in `order_id`.
    ///
    /// # Errors
    /// [`Refusal::Full`].
    pub fn insert_transaction(&self, edit: impl FnOnce(&mut Transaction)) -> Result<u64, Refusal> {
        self.with(|state| {
            let (_, mut transaction) = sample_sale(state)?;
            let id = transaction.transaction_id;
            edit(&mut transaction);
            transaction.transaction_id = id;
            if let Some(order) = state.order(&transaction.order_id) {
                transaction.actual_order_id = order.actual_order_id;
            }
            state.insert_transaction(transaction);
            Ok(id)
        })
    }

    /// Takes an order out; `false` if there was none of this id.
    pub fn remove_order(&self, order_id: &str) -> bool {
        self.with(|state| state.remove_order(order_id).is_some())
    }

    /// Takes a transaction out; `false` if there was none of this id.
    pub fn remove_transaction(&self, transaction_id: u64) -> bool {
        self.with(|state| state.remove_transaction(transaction_id).is_some())
    }
}

fn first_campaign() -> u64 {
    catalog::CAMPAIGNS.first().map_or(0, |campaign| campaign.id)
}

/// Ada with this e-mail.
fn sample_buyer(email: &str) -> Buyer {
    let bill = Address {
        first_name: "Ada".to_owned(),
        last_name: "Example".to_owned(),
        company_name: String::new(),
        address1: "1 Sample Street".to_owned(),
        address2: String::new(),
        city: "Springfield".to_owned(),
        state: "NY".to_owned(),
        country: "US".to_owned(),
        postal_code: "10001".to_owned(),
    };
    let (phone, ip) = ("5555550100".to_owned(), "203.0.113.10".to_owned());
    Buyer { ship: bill.clone(), bill, email: email.to_owned(), phone, ip }
}

fn sample_card() -> Card {
    Card {
        kind: "VISA".to_owned(),
        bin: "411111".to_owned(),
        last4: "1111".to_owned(),
        month: 12,
        year: 2030,
    }
}

/// One main offer of the order's campaign, paid with a live card.
fn sample_checkout(state: &State, order_id: &str) -> Result<Checkout, Refusal> {
    let order = state.order(order_id).ok_or_else(|| Refusal::NoOrder(order_id.to_owned()))?;
    let offer = catalog::campaign(order.campaign_id).and_then(|campaign| campaign.products.first());
    let offer = offer.ok_or(Refusal::NoProducts)?;
    let payment = Payment { source: "CREDITCARD".to_owned(), card: Some(sample_card()) };
    Ok(Checkout { payment, cart: vec![CartLine::of(offer.id)], qa: false, tax: Default::default() })
}

/// A sale and its transaction, both taken out of the state again.
fn sample_sale(state: &mut State) -> Result<(Order, Transaction), Refusal> {
    let lead =
        Lead { campaign_id: first_campaign(), buyer: sample_buyer("ada@example.test"), ..Lead::default() };
    let mut order = state.blank(lead.campaign_id, &lead.buyer, false)?;
    order.buyer = lead.buyer;
    let order_id = order.order_id.clone();
    state.insert_order(order);
    let checkout = sample_checkout(state, &order_id)?;
    let transaction = state.sell(&order_id, checkout)?;
    let transaction = transaction.and_then(|id| state.remove_transaction(id));
    let order = state.remove_order(&order_id);
    // It is put in by hand, so that nobody is told of a sale.
    state.take_news();
    order.zip(transaction).ok_or(Refusal::NoOrder(order_id))
}
