//! The CRM's memory: orders, transactions, ids and the local clock.
//!
//! [`State`] keeps the books consistent (ids, indexes, order of insertion); what business does to an order is
//! in [`moves`]. Both the API and the generated stream change the state through the same moves.

mod books;
pub mod catalog;
mod model;
pub mod moves;
mod news;
mod people;

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::clock::Clock;

pub use model::{
    Address, Banned, BlacklistType, Buyer, Card, Chargeback, Customer, Entry, EntryKind, Fulfillment,
    FulfillmentStatus, Line, Order, OrderStatus, OrderType, ParcelItem, Patch, Payment, PurchaseStatus,
    ResponseType, ReviewStatus, Transaction, TxnType,
};
pub use news::{News, Route};

/// Bound of memory: a sandbox refuses further orders beyond it.
pub const MAX_ORDERS: usize = 250_000;

/// All the CRM knows.
#[derive(Debug)]
pub struct State {
    clock: Clock,
    zone: TimeZone,
    rng: fastrand::Rng,
    pinned: Option<DateTime>,
    orders: BTreeMap<u64, Order>,
    by_order_id: HashMap<String, u64>,
    transactions: BTreeMap<u64, Transaction>,
    by_order: HashMap<u64, Vec<u64>>,
    customers: BTreeMap<u64, Customer>,
    by_contact: HashMap<String, u64>,
    open_partials: HashMap<PartialKey, u64>,
    history: VecDeque<Entry>,
    blacklist: Vec<Banned>,
    news: VecDeque<News>,
    next: Counters,
}

/// What makes two leads the same one (contract §8.6): campaign, e-mail or else phone, address.
type PartialKey = (u64, String, String);

/// The next internal ids.
#[derive(Debug)]
struct Counters {
    order: u64,
    customer: u64,
    transaction: u64,
    order_item: u64,
    transaction_item: u64,
    fulfillment: u64,
    fulfillment_item: u64,
    merchant_txn: u64,
    purchase: u64,
    history: u64,
}

/// Takes the present number and moves on.
fn take(counter: &mut u64) -> u64 {
    let taken = *counter;
    *counter += 1;
    taken
}

impl State {
    /// An empty CRM whose account lives in `zone`; `seed` decides its public ids.
    pub fn new(clock: Clock, zone: TimeZone, seed: u64) -> State {
        State {
            clock,
            zone,
            rng: fastrand::Rng::with_seed(seed),
            pinned: None,
            orders: BTreeMap::new(),
            by_order_id: HashMap::new(),
            transactions: BTreeMap::new(),
            by_order: HashMap::new(),
            customers: BTreeMap::new(),
            by_contact: HashMap::new(),
            open_partials: HashMap::new(),
            history: VecDeque::new(),
            blacklist: Vec::new(),
            news: VecDeque::new(),
            next: Counters {
                order: 49_801,
                customer: 19_201,
                transaction: 900_001,
                order_item: 69_501,
                transaction_item: 60_201,
                fulfillment: 32_401,
                fulfillment_item: 39_801,
                merchant_txn: 43_401,
                purchase: 51_201,
                history: 70_001,
            },
        }
    }

    /// The present in the account's zone, in whole seconds.
    pub fn now(&self) -> DateTime {
        self.pinned.unwrap_or_else(|| self.clock.local(&self.zone))
    }

    /// The account's zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Lets every move happen at this local time until it is given `None`.
    pub fn pin(&mut self, at: Option<DateTime>) {
        self.pinned = at;
    }

    /// All orders, oldest id first.
    pub fn orders(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.orders.values()
    }

    /// The order of this public id.
    pub fn order(&self, order_id: &str) -> Option<&Order> {
        self.orders.get(self.by_order_id.get(order_id)?)
    }

    /// All transactions, oldest id first.
    pub fn transactions(&self) -> impl DoubleEndedIterator<Item = &Transaction> {
        self.transactions.values()
    }

    /// The transaction of this id.
    pub fn transaction(&self, transaction_id: u64) -> Option<&Transaction> {
        self.transactions.get(&transaction_id)
    }

    /// The order's transactions, oldest id first.
    pub fn transactions_of(&self, order_id: &str) -> impl Iterator<Item = &Transaction> {
        let ids = self.by_order_id.get(order_id).and_then(|internal| self.by_order.get(internal));
        ids.into_iter().flatten().filter_map(|id| self.transactions.get(id))
    }

    /// Changes an order in any way but its ids; `false` if there is none of this id. `dateUpdated` stays.
    pub fn edit_order(&mut self, order_id: &str, edit: impl FnOnce(&mut Order)) -> bool {
        let Some(order) = self.by_order_id.get(order_id).and_then(|id| self.orders.get_mut(id)) else {
            return false;
        };
        let internal = order.actual_order_id;
        edit(order);
        order.actual_order_id = internal;
        order_id.clone_into(&mut order.order_id);
        true
    }

    /// Changes a transaction in any way but its ids; `false` if there is none of this id.
    pub fn edit_transaction(&mut self, transaction_id: u64, edit: impl FnOnce(&mut Transaction)) -> bool {
        let Some(transaction) = self.transactions.get_mut(&transaction_id) else {
            return false;
        };
        let internal = transaction.actual_order_id;
        edit(transaction);
        transaction.transaction_id = transaction_id;
        transaction.actual_order_id = internal;
        true
    }

    /// Sets `dateUpdated` of an order to the present; `false` if there is none of this id.
    pub fn touch(&mut self, order_id: &str) -> bool {
        let now = self.now();
        self.edit_order(order_id, |order| order.updated = now)
    }

    /// Adds an order as it is. An order of the same public id is replaced.
    pub fn insert_order(&mut self, order: Order) {
        if let Some(replaced) = self.by_order_id.insert(order.order_id.clone(), order.actual_order_id)
            && replaced != order.actual_order_id
        {
            self.orders.remove(&replaced);
        }
        self.meet(&order);
        self.orders.insert(order.actual_order_id, order);
    }

    /// Adds a transaction as it is. One of the same id is replaced.
    pub fn insert_transaction(&mut self, transaction: Transaction) {
        let ids = self.by_order.entry(transaction.actual_order_id).or_default();
        if !ids.contains(&transaction.transaction_id) {
            ids.push(transaction.transaction_id);
        }
        self.transactions.insert(transaction.transaction_id, transaction);
    }

    /// Takes an order out; its transactions stay.
    pub fn remove_order(&mut self, order_id: &str) -> Option<Order> {
        let internal = self.by_order_id.remove(order_id)?;
        self.orders.remove(&internal)
    }

    /// Takes a transaction out.
    pub fn remove_transaction(&mut self, transaction_id: u64) -> Option<Transaction> {
        let removed = self.transactions.remove(&transaction_id)?;
        if let Some(ids) = self.by_order.get_mut(&removed.actual_order_id) {
            ids.retain(|id| *id != transaction_id);
        }
        Some(removed)
    }

    /// Forgets all that happened; ids go on counting.
    pub fn clear(&mut self) {
        self.orders.clear();
        self.by_order_id.clear();
        self.transactions.clear();
        self.by_order.clear();
        self.customers.clear();
        self.by_contact.clear();
        self.open_partials.clear();
        self.history.clear();
        self.blacklist.clear();
        self.news.clear();
    }

    /// A fresh public order id.
    fn order_id(&mut self) -> String {
        loop {
            let id = self.hex_id();
            if !self.by_order_id.contains_key(&id) {
                return id;
            }
        }
    }

    /// Ten upper-case hex digits.
    fn hex_id(&mut self) -> String {
        format!("{:010X}", self.rng.u64(..1 << 40))
    }
}
