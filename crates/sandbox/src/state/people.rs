//! Customers, their history, and the blacklist.

use super::{
    Banned, BlacklistType, Buyer, Customer, Entry, EntryKind, MAX_ORDERS, Order, Payment, State, take,
};

impl State {
    /// All customers, oldest first.
    pub fn customers(&self) -> impl DoubleEndedIterator<Item = &Customer> {
        self.customers.values()
    }

    /// The customer of this id.
    pub fn customer(&self, customer_id: u64) -> Option<&Customer> {
        self.customers.get(&customer_id)
    }

    /// Entries of all customers' histories, oldest first.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.history.iter()
    }

    /// The blacklist, oldest entry first.
    pub fn blacklist(&self) -> &[Banned] {
        &self.blacklist
    }

    /// Whether the blacklist knows this buyer, or a card of these first digits.
    pub fn is_blacklisted(&self, buyer: &Buyer, bin: Option<&str>) -> bool {
        self.blacklist.iter().any(|banned| banned.is_about(buyer, bin))
    }

    /// Whether the blacklist knows this customer, by any account on file too.
    pub fn is_customer_blacklisted(&self, customer: &Customer) -> bool {
        let bins = customer.accounts.iter().filter_map(|account| Some(account.card.as_ref()?.bin.as_str()));
        self.is_blacklisted(&customer.buyer, None)
            || bins.into_iter().any(|bin| self.is_blacklisted(&Buyer::default(), Some(bin)))
    }

    /// Puts a value on the blacklist, also one that is there already.
    pub fn ban(&mut self, by: BlacklistType, value: &str) {
        let since = self.now();
        self.blacklist.push(Banned { by, value: value.to_lowercase(), since });
    }

    /// Adds an entry to a customer's history. The oldest ones go once there are too many.
    pub fn log(&mut self, customer_id: u64, order_id: Option<String>, kind: EntryKind, text: &str) {
        if self.history.len() >= MAX_ORDERS {
            self.history.pop_front();
        }
        let (id, at) = (take(&mut self.next.history), self.now());
        self.history.push_back(Entry { id, customer_id, order_id, at, kind, text: text.to_owned() });
    }

    /// The customer of this buyer, who is made if need be; a known e-mail is the same person.
    pub(super) fn customer_of(&mut self, campaign_id: u64, buyer: &Buyer, dedup: bool) -> u64 {
        let key = buyer.contact();
        let known = self.by_contact.get(&key).copied();
        if let (true, Some(id)) = (dedup, known) {
            return id;
        }
        let customer_id = take(&mut self.next.customer);
        self.by_contact.insert(key, customer_id);
        self.insert_customer(customer_id, campaign_id, buyer);
        customer_id
    }

    /// Knows the customer of an order that came from elsewhere.
    pub(super) fn meet(&mut self, order: &Order) {
        if !self.customers.contains_key(&order.customer_id) {
            self.insert_customer(order.customer_id, order.campaign_id, &order.buyer);
        }
    }

    fn insert_customer(&mut self, customer_id: u64, campaign_id: u64, buyer: &Buyer) {
        let now = self.now();
        let customer = Customer {
            customer_id,
            created: now,
            updated: now,
            active: now,
            campaign_id,
            buyer: buyer.clone(),
            custom: Default::default(),
            accounts: Vec::new(),
        };
        self.customers.insert(customer_id, customer);
    }

    /// The order's customer has done something, and said this of themselves; an account that was charged is kept
    /// on file.
    pub(super) fn heard_of(&mut self, order: &Order, said: &Buyer) {
        let now = self.now();
        let Some(customer) = self.customers.get_mut(&order.customer_id) else { return };
        customer.active = now;
        let mut buyer = customer.buyer.clone();
        buyer.learn(said);
        if buyer != customer.buyer {
            customer.buyer = buyer;
            customer.updated = now;
        }
        let account = order.payment.as_ref().filter(|payment| payment.card.is_some());
        if let Some(account) = account {
            keep_account(customer, account);
        }
    }
}

/// The latest account is the last one.
fn keep_account(customer: &mut Customer, account: &Payment) {
    customer.accounts.retain(|known| known != account);
    customer.accounts.push(account.clone());
}
