//! A realistic stream of business, the same for the same seed and state.

mod event;
mod people;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;

use crate::config::Rate;
use crate::control::Control;
use crate::money::Money;
use crate::state::catalog::{self, Campaign};
use crate::state::moves::{CartLine, Checkout, Decline, Lead, Refusal};
use crate::state::{Card, FulfillmentStatus, Payment, State, Transaction};
use people::pick;

pub use event::Event;

/// Orders that the stream remembers to come back to; older ones are left alone.
const REMEMBERED: usize = 2_000;

/// What the next event may be, with its weight of a hundred.
const MIX: &[(Kind, u32)] = &[
    (Kind::Lead, 20),
    (Kind::LeadBuys, 16),
    (Kind::Sale, 22),
    (Kind::Upsell, 2),
    (Kind::Decline, 12),
    (Kind::Rebill, 6),
    (Kind::RebillDecline, 3),
    (Kind::Refund, 5),
    (Kind::Cancel, 3),
    (Kind::Ship, 5),
    (Kind::Deliver, 1),
    (Kind::ChargeBack, 1),
    (Kind::TestSale, 1),
    (Kind::Hold, 2),
    (Kind::Approve, 1),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Lead,
    LeadBuys,
    Sale,
    Upsell,
    Decline,
    Rebill,
    RebillDecline,
    Refund,
    Cancel,
    Ship,
    Deliver,
    ChargeBack,
    TestSale,
    Hold,
    Approve,
}

const SOFT_TEXTS: &[&str] =
    &["Card Declined", "Insufficient funds", "Do Not Honor", "Gateway said: \"try again\" & wait"];
const HARD_TEXTS: &[&str] = &["Stolen card", "Pick up card", "Prepaid Credit Cards Are Not Accepted"];
const CHARGEBACK_CODES: &[&str] = &["10.4", "13.1", "4837"];
const REFUND_REASONS: &[&str] = &["customer request", "didn't like it", "arrived damaged – \"crushed\""];

/// Makes business happen in a CRM.
#[derive(Debug)]
pub struct Generator {
    rng: fastrand::Rng,
    buyers: u64,
    run: u32,
    leads: VecDeque<String>,
    sales: VecDeque<String>,
    held: VecDeque<String>,
}

impl Generator {
    /// A stream that this seed decides.
    pub fn new(seed: u64) -> Generator {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x5eed);
        // Buyers of two streams in one CRM are different people.
        let run = rng.u32(..);
        let (leads, sales, held) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Generator { rng, buyers: 0, run, leads, sales, held }
    }

    /// Makes one business event happen and says which. `None` once the CRM takes no more orders.
    pub fn step(&mut self, control: &Control) -> Option<Event> {
        control.with(|state| self.step_state(state))
    }

    /// Makes `count` events happen at even distances over the time before now.
    pub fn history(&mut self, control: &Control, count: u32, span: SignedDuration) {
        control.with(|state| {
            let now = state.now();
            let part = span / i32::try_from(count.max(1)).unwrap_or(i32::MAX);
            for index in 0..count {
                let before = part.saturating_mul(i32::try_from(count - index).unwrap_or(i32::MAX));
                state.pin(Some(now.saturating_sub(before)));
                self.step_state(state);
            }
            state.pin(None);
        });
    }

    fn step_state(&mut self, state: &mut State) -> Option<Event> {
        let kind = self.kind();
        let event = match kind {
            Kind::Lead => self.lead(state).ok(),
            Kind::LeadBuys => self.lead_buys(state),
            Kind::Sale => None,
            Kind::Upsell => self.upsell(state),
            Kind::Decline => self.decline(state).ok(),
            Kind::Rebill => self.rebill(state),
            Kind::RebillDecline => self.rebill_decline(state),
            Kind::Refund => self.refund(state),
            Kind::Cancel => self.cancel(state),
            Kind::Ship => self.ship(state),
            Kind::Deliver => self.deliver(state),
            Kind::ChargeBack => self.charge_back(state),
            Kind::TestSale => self.sale(state, true).ok(),
            Kind::Hold => self.hold(state).ok(),
            Kind::Approve => self.approve(state),
        };
        // What is not possible yet, or was undone by others meanwhile, gives way to a plain sale.
        event.or_else(|| self.sale(state, false).ok())
    }

    fn kind(&mut self) -> Kind {
        let mut left = self.rng.u32(..MIX.iter().map(|(_, weight)| *weight).sum::<u32>());
        for (kind, weight) in MIX {
            if left < *weight {
                return *kind;
            }
            left -= weight;
        }
        Kind::Sale
    }

    fn new_lead(&mut self, state: &mut State) -> Result<String, Refusal> {
        self.buyers += 1;
        let mut buyer = people::buyer(&mut self.rng, self.buyers);
        buyer.email = format!("{:08x}.{}", self.run, buyer.email);
        let campaign_id = self.campaign().map_or(0, |campaign| campaign.id);
        let lead = Lead { campaign_id, buyer, extra: self.origin(), ..Lead::default() };
        state.lead(lead)
    }

    fn campaign(&mut self) -> Option<&'static Campaign> {
        pick(&mut self.rng, catalog::CAMPAIGNS)
    }

    fn origin(&mut self) -> BTreeMap<String, String> {
        let mut extra = BTreeMap::new();
        let url = "https://shop.example.test/checkout?step=2&ref=a%20b";
        extra.insert("salesUrl".to_owned(), url.to_owned());
        if self.rng.bool() {
            extra.insert("affId".to_owned(), format!("AFF{}", self.rng.u8(1..20)));
            extra.insert("sourceValue1".to_owned(), "newsletter".to_owned());
            extra.insert("UTMSource".to_owned(), "mail".to_owned());
        }
        if self.rng.u8(..4) == 0 {
            extra.insert("custom1".to_owned(), "gift: \"Für Oma\"".to_owned());
        }
        extra
    }

    fn checkout(&mut self, state: &State, order_id: &str, test: bool) -> Checkout {
        let campaign = state.order(order_id).and_then(|order| catalog::campaign(order.campaign_id));
        let products = campaign.map_or(&[][..], |campaign| campaign.products);
        let offers: Vec<u64> =
            products.iter().filter(|product| !product.upsale).map(|product| product.id).collect();
        let upsales: Vec<u64> =
            products.iter().filter(|product| product.upsale).map(|product| product.id).collect();
        let mut cart: Vec<CartLine> =
            pick(&mut self.rng, &offers).map(|id| CartLine::of(*id)).into_iter().collect();
        if self.rng.u8(..5) == 0 {
            cart.iter_mut().for_each(|line| line.qty = 2);
        }
        if self.rng.u8(..3) == 0 {
            cart.extend(pick(&mut self.rng, &upsales).map(|id| CartLine::of(*id)));
        }
        Checkout { payment: self.payment(test), cart, qa: false, tax: Money::ZERO }
    }

    fn payment(&mut self, test: bool) -> Payment {
        let cards =
            [("VISA", "411111", "1111"), ("MASTERCARD", "555555", "4444"), ("AMEX", "378282", "0005")];
        let card = if test { Some(&("TESTCARD", "000000", "0000")) } else { pick(&mut self.rng, &cards) };
        let card = card.map(|(kind, bin, last4)| Card {
            kind: (*kind).to_owned(),
            bin: (*bin).to_owned(),
            last4: (*last4).to_owned(),
            month: 12,
            year: 2031,
        });
        Payment { source: "CREDITCARD".to_owned(), card }
    }

    fn lead(&mut self, state: &mut State) -> Result<Event, Refusal> {
        let order_id = self.new_lead(state)?;
        remember(&mut self.leads, order_id.clone());
        Ok(Event::Lead { order_id })
    }

    fn lead_buys(&mut self, state: &mut State) -> Option<Event> {
        let order_id = forget_any(&mut self.rng, &mut self.leads)?;
        self.sell(state, order_id, true, false).ok()
    }

    fn sale(&mut self, state: &mut State, test: bool) -> Result<Event, Refusal> {
        let order_id = self.new_lead(state)?;
        self.sell(state, order_id, false, test)
    }

    fn sell(
        &mut self,
        state: &mut State,
        order_id: String,
        was_lead: bool,
        test: bool,
    ) -> Result<Event, Refusal> {
        let checkout = self.checkout(state, &order_id, test);
        let transaction_id = state.sell(&order_id, checkout)?;
        if !test {
            remember(&mut self.sales, order_id.clone());
        }
        Ok(Event::Sale { order_id, transaction_id, was_lead, test })
    }

    fn decline(&mut self, state: &mut State) -> Result<Event, Refusal> {
        let again = if self.rng.bool() { forget_any(&mut self.rng, &mut self.leads) } else { None };
        let was_lead = again.is_some();
        let order_id = again.map_or_else(|| self.new_lead(state), Ok)?;
        let checkout = self.checkout(state, &order_id, false);
        let hard = self.rng.u8(..4) == 0;
        let text =
            pick(&mut self.rng, if hard { HARD_TEXTS } else { SOFT_TEXTS }).copied().unwrap_or_default();
        let transaction_id = state.decline(&order_id, checkout, &Decline { hard, text: text.to_owned() })?;
        // It stays a lead, and may buy with another card.
        remember(&mut self.leads, order_id.clone());
        Ok(Event::Declined { order_id, transaction_id, hard, was_lead })
    }

    fn rebill(&mut self, state: &mut State) -> Option<Event> {
        let first_order_id = self.subscriber(state)?;
        let billed = state.rebill(&first_order_id).ok()?;
        Some(Event::Rebilled {
            order_id: billed.order_id,
            first_order_id,
            transaction_id: billed.transaction_id,
        })
    }

    fn rebill_decline(&mut self, state: &mut State) -> Option<Event> {
        let order_id = self.subscriber(state)?;
        let text = pick(&mut self.rng, SOFT_TEXTS).copied().unwrap_or_default().to_owned();
        let transaction_id = state.decline_rebill(&order_id, &Decline { hard: false, text }).ok()?;
        Some(Event::RebillDeclined { order_id, transaction_id })
    }

    /// A sale with a running subscription.
    fn subscriber(&mut self, state: &State) -> Option<String> {
        self.known_sale(|order_id| {
            state.order(order_id).is_some_and(|order| order.lines.iter().any(|line| line.next_bill.is_some()))
        })
    }

    fn refund(&mut self, state: &mut State) -> Option<Event> {
        let order_id = forget_any(&mut self.rng, &mut self.sales)?;
        let left = state.order(&order_id)?.refundable();
        let full = self.rng.bool();
        let half = Money::from_cents(left.cents() / 2).max(Money::from_cents(1));
        let reason = pick(&mut self.rng, REFUND_REASONS).copied().unwrap_or_default();
        let transaction_ids = state.refund(&order_id, (!full).then_some(half), reason).ok()?;
        let full = state.order(&order_id)?.refundable() <= Money::ZERO;
        if !full {
            remember(&mut self.sales, order_id.clone());
        }
        Some(Event::Refunded { order_id, transaction_ids, full })
    }

    fn cancel(&mut self, state: &mut State) -> Option<Event> {
        let order_id = forget_any(&mut self.rng, &mut self.sales)?;
        state.cancel(&order_id, "customer request").ok()?;
        Some(Event::Cancelled { order_id })
    }

    /// A known sale for which this holds, found within a few tries.
    fn known_sale(&mut self, holds: impl Fn(&str) -> bool) -> Option<String> {
        let known: Vec<&String> = self.sales.iter().collect();
        let tries: Vec<&String> = (0..8).filter_map(|_| pick(&mut self.rng, &known).copied()).collect();
        tries.into_iter().find(|order_id| holds(order_id)).cloned()
    }

    fn upsell(&mut self, state: &mut State) -> Option<Event> {
        let order_id = self.known_sale(|_| true)?;
        let campaign = catalog::campaign(state.order(&order_id)?.campaign_id)?;
        let upsales: Vec<u64> =
            campaign.products.iter().filter(|product| product.upsale).map(|product| product.id).collect();
        let cart = [CartLine::of(*pick(&mut self.rng, &upsales)?)];
        let transaction_id = state.upsell(&order_id, &cart, Money::ZERO, None).ok()?;
        Some(Event::Upsold { order_id, transaction_id })
    }

    fn charge_back(&mut self, state: &mut State) -> Option<Event> {
        let open = |found: &&Transaction| found.took_money() && found.chargeback.is_none();
        let order_id =
            self.known_sale(|order_id| state.transactions_of(order_id).any(|found| open(&found)))?;
        let transaction_id = state.transactions_of(&order_id).find(open)?.transaction_id;
        let code = pick(&mut self.rng, CHARGEBACK_CODES).copied().unwrap_or_default();
        state.charge_back(transaction_id, code).ok()?;
        Some(Event::ChargedBack { order_id, transaction_id })
    }

    fn deliver(&mut self, state: &mut State) -> Option<Event> {
        let shipped = |order_id: &str| {
            let parcels = state.order(order_id).map(|order| order.fulfillments.as_slice());
            parcels.is_some_and(|parcels| {
                parcels.iter().any(|parcel| parcel.status == FulfillmentStatus::Shipped)
            })
        };
        let order_id = self.known_sale(shipped)?;
        state.deliver(&order_id).ok()?;
        Some(Event::Delivered { order_id })
    }

    fn ship(&mut self, state: &mut State) -> Option<Event> {
        let order_id = self.known_sale(|_| true)?;
        let tracking = format!("1Z{:016}", self.rng.u64(..10_000_000_000_000_000));
        state.ship(&order_id, &tracking).ok()?;
        Some(Event::Shipped { order_id })
    }

    fn hold(&mut self, state: &mut State) -> Result<Event, Refusal> {
        let order_id = self.new_lead(state)?;
        let mut checkout = self.checkout(state, &order_id, false);
        checkout.qa = true;
        state.sell(&order_id, checkout)?;
        remember(&mut self.held, order_id.clone());
        Ok(Event::Pending { order_id, was_lead: false })
    }

    fn approve(&mut self, state: &mut State) -> Option<Event> {
        let order_id = forget_any(&mut self.rng, &mut self.held)?;
        let transaction_id = state.approve(&order_id).ok()?;
        remember(&mut self.sales, order_id.clone());
        Some(Event::Approved { order_id, transaction_id })
    }
}

fn remember(known: &mut VecDeque<String>, order_id: String) {
    if known.len() >= REMEMBERED {
        known.pop_front();
    }
    known.push_back(order_id);
}

fn forget_any(rng: &mut fastrand::Rng, known: &mut VecDeque<String>) -> Option<String> {
    if known.is_empty() {
        return None;
    }
    known.swap_remove_back(rng.usize(..known.len()))
}

/// Makes events happen at this pace until `stop` turns true, its sender is gone, or the CRM is full. `seen` is
/// told of each event after it happened.
pub async fn run_generator(
    control: Control,
    rate: Rate,
    seed: u64,
    mut stop: watch::Receiver<bool>,
    mut seen: impl FnMut(Event) + Send,
) {
    let mut generator = Generator::new(seed);
    let mut beat = tokio::time::interval(rate.interval().max(Duration::from_micros(10)));
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stopping| *stopping) => return,
            _ = beat.tick() => {}
        }
        match generator.step(&control) {
            Some(event) => seen(event),
            None => return,
        }
    }
}
