//! The handle by which tests and the demo steer a sandbox and see what it saw.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::{Config, Error};
use crate::crm::{CrmRequest, Settings};
use crate::faults::{CrmFault, Fault, FaultPlan, FaultRule, SinkFault};
use crate::sink::{Received, SinkLog, SinkSummary};
use crate::state::moves::{CartLine, Checkout, Decline, Lead, Rebilled, Refusal};
use crate::state::{Address, Buyer, Card, Order, Payment, State, Transaction, catalog};

/// How many of the latest CRM requests are kept.
const KEPT_REQUESTS: usize = 10_000;

/// Steers a sandbox from within the process; clones steer the same one.
#[derive(Clone, Debug)]
pub struct Control(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: Settings,
    clock: Clock,
    state: Mutex<State>,
    faults: Mutex<FaultPlan>,
    sink: Mutex<SinkLog>,
    crm: Mutex<VecDeque<CrmRequest>>,
    sink_count: watch::Sender<u64>,
    crm_count: watch::Sender<u64>,
    stop: watch::Sender<bool>,
}

/// A poisoned lock means that a caller's closure panicked; the books are still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Control {
    /// An empty CRM and sink that no server shows yet.
    ///
    /// # Errors
    /// [`Error::Zone`].
    pub fn new(config: &Config) -> Result<Control, Error> {
        let zone = config.time_zone()?;
        Ok(Control(Arc::new(Shared {
            settings: Settings::of(config),
            clock: config.clock.clone(),
            state: Mutex::new(State::new(config.clock.clone(), zone, config.seed)),
            faults: Mutex::new(FaultPlan::new(config.faults.clone(), config.seed)),
            sink: Mutex::new(SinkLog::new(config.sink_records)),
            crm: Mutex::new(VecDeque::new()),
            sink_count: watch::Sender::new(0),
            crm_count: watch::Sender::new(0),
            stop: watch::Sender::new(false),
        })))
    }

    /// Reads or changes the CRM's state in any way, with no request in between.
    pub fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut lock(&self.0.state))
    }

    /// The present by the sandbox's clock.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    // Orders and transactions.

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
        self.with(|state| state.cancel(order_id))
    }

    /// Bills an order's subscription again.
    ///
    /// # Errors
    /// As [`State::rebill`].
    pub fn rebill(&self, order_id: &str) -> Result<Rebilled, Refusal> {
        self.with(|state| state.rebill(order_id))
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

    // Faults.

    /// Puts a fault in force.
    pub fn add_fault(&self, rule: FaultRule) {
        lock(&self.0.faults).add(rule);
    }

    /// Ends all faults, also the queued ones.
    pub fn clear_faults(&self) {
        lock(&self.0.faults).clear();
    }

    /// Lets a fault strike the next request, once. `on` narrows it to an endpoint (`order/query`) or a sink path
    /// (`/sink/chat` and below). Several queued faults strike one request each, in turn.
    pub fn fault_next(&self, on: Option<&str>, fault: Fault) {
        lock(&self.0.faults).queue(on.map(str::to_owned), fault);
    }

    /// How many queued faults have not struck yet.
    pub fn faults_queued(&self) -> usize {
        lock(&self.0.faults).queued()
    }

    // What was seen.

    /// The sink's latest records, oldest first.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.0.sink).records().cloned().collect()
    }

    /// Counts over all that the sink ever received.
    pub fn sink_summary(&self) -> SinkSummary {
        lock(&self.0.sink).summary()
    }

    /// Forgets what the sink received. Counts begin anew.
    pub fn clear_sink(&self) {
        lock(&self.0.sink).clear();
        self.0.sink_count.send_replace(0);
    }

    /// Waits until the sink has received `count` requests since the start or the last clearing.
    pub async fn wait_for_sink(&self, count: u64) {
        reached(&self.0.sink_count, count).await;
    }

    /// The latest requests that the CRM served, oldest first.
    pub fn crm_requests(&self) -> Vec<CrmRequest> {
        lock(&self.0.crm).iter().cloned().collect()
    }

    /// How many requests the CRM served in all.
    pub fn crm_count(&self) -> u64 {
        *self.0.crm_count.borrow()
    }

    /// Waits until the CRM has served `count` requests in all.
    pub async fn wait_for_crm(&self, count: u64) {
        reached(&self.0.crm_count, count).await;
    }

    // For the servers.

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn strike_crm(&self, endpoint: &str, page: u64) -> Vec<CrmFault> {
        lock(&self.0.faults).strike_crm(endpoint, page)
    }

    pub(crate) fn strike_sink(&self, path: &str) -> Vec<SinkFault> {
        lock(&self.0.faults).strike_sink(path)
    }

    pub(crate) fn record(&self, received: Received) {
        let count = lock(&self.0.sink).add(received);
        self.0.sink_count.send_replace(count);
    }

    pub(crate) fn served(&self, mut request: CrmRequest) {
        let mut kept = lock(&self.0.crm);
        let number = *self.0.crm_count.borrow() + 1;
        request.number = number;
        if kept.len() >= KEPT_REQUESTS {
            kept.pop_front();
        }
        kept.push_back(request);
        self.0.crm_count.send_replace(number);
    }

    pub(crate) fn set_stopping(&self, stopping: bool) {
        self.0.stop.send_replace(stopping);
    }

    pub(crate) fn stop_signal(&self) -> watch::Receiver<bool> {
        self.0.stop.subscribe()
    }

    /// Ends once the server is asked to stop.
    pub(crate) async fn stopping(&self) {
        // Fails only without a sender, and this handle holds it.
        let _ = self.0.stop.subscribe().wait_for(|stopping| *stopping).await;
    }
}

async fn reached(counter: &watch::Sender<u64>, count: u64) {
    // Fails only without a sender, and the borrow holds it.
    let _ = counter.subscribe().wait_for(|seen| *seen >= count).await;
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

/// One main offer of the order's campaign, paid with a live card.
fn sample_checkout(state: &State, order_id: &str) -> Result<Checkout, Refusal> {
    let order = state.order(order_id).ok_or_else(|| Refusal::NoOrder(order_id.to_owned()))?;
    let offer = catalog::campaign(order.campaign_id).and_then(|campaign| campaign.products.first());
    let offer = offer.ok_or(Refusal::NoProducts)?;
    let card = Card {
        kind: "VISA".to_owned(),
        bin: "411111".to_owned(),
        last4: "1111".to_owned(),
        month: 12,
        year: 2030,
    };
    let payment = Payment { source: "CREDITCARD".to_owned(), card: Some(card) };
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
    order.zip(transaction).ok_or(Refusal::NoOrder(order_id))
}
