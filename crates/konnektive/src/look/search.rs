//! Finding the orders of a buyer whose order's id is not known.

use super::Look;
use super::facts::{Order, Txn, same, text, unreadable};
use super::order::Ledger;
use crate::find::Ask;
use crate::form::Days;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use zaprun_core::trigger::{DateRange, Endpoint};
use zaprun_core::value::Value;
use zaprun_engine::ports::ReadError;

/// Days before the first look whose orders are looked at: the CRM's clock may differ from ours around midnight.
const DAYS: i32 = 1;

/// The first day that is looked at, as a state keeps it: later looks must see the same days.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Since(pub(super) Date);

impl TryFrom<String> for Since {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Since, jiff::Error> {
        text.parse().map(Since)
    }
}

impl From<Since> for String {
    fn from(since: Since) -> String {
        since.0.to_string()
    }
}

/// What orders are found by.
pub(super) struct Search<'a> {
    campaign: Option<&'a str>,
    customer: Option<&'a str>,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    /// A parameter that the request fills with its own key.
    key: Option<(&'a str, &'a str)>,
}

impl<'a> Search<'a> {
    /// What the request offers; `None` where nothing would find it again.
    pub(super) fn of(look: &'a Look<'_>) -> Option<Search<'a>> {
        let search = Search {
            campaign: look.param("campaignId"),
            customer: look.param("customerId"),
            email: look.param("emailAddress"),
            phone: look.param("phoneNumber"),
            key: look.request.correlate_in.as_deref().map(|name| {
                let given = look.param(name).unwrap_or(&look.request.idempotency_key);
                (name, given)
            }),
        };
        (search.names_buyer() || search.key.is_some()).then_some(search)
    }

    /// Whether orders of others are left out.
    pub(super) fn names_buyer(&self) -> bool {
        self.names_payer() || self.phone.is_some()
    }

    /// Whether charges of others are left out: transactions are not told apart by telephone.
    pub(super) fn names_payer(&self) -> bool {
        self.customer.is_some() || self.email.is_some()
    }

    /// Whether the request's own order would carry its key.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether the order carries the request's key; `None` where there is none, or the CRM does not show the field.
    pub(super) fn carries_key(&self, order: &Order) -> Option<bool> {
        let (name, key) = self.key?;
        match order.row.value(name) {
            Value::Absent(_) => None,
            _ => Some(same(&text(&order.row, name), key)),
        }
    }

    /// The filters that the CRM is given. It does not say how it compares telephone numbers, so those are compared here.
    fn filters(&self, campaign: bool) -> Vec<(&'a str, &'a str)> {
        let campaign = self.campaign.filter(|_| campaign);
        [("customerId", self.customer), ("emailAddress", self.email), ("campaignId", campaign)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    fn takes(&self, order: &Order) -> bool {
        let agrees = |name: &str, wanted: Option<&str>| {
            let has = text(&order.row, name);
            wanted.is_none_or(|wanted| has.is_empty() || has.eq_ignore_ascii_case(wanted))
        };
        let phone = self.phone.filter(|_| self.email.is_none() && self.customer.is_none());
        let phone = phone.is_none_or(|wanted| same_phone(&text(&order.row, "phoneNumber"), wanted));
        agrees("customerId", self.customer)
            && agrees("emailAddress", self.email)
            && agrees("campaignId", self.campaign)
            && phone
            // Rebills make orders of their own.
            && !text(&order.row, "orderType").eq_ignore_ascii_case("RECURRING")
    }

    fn takes_txn(&self, txn: &Txn) -> bool {
        let agrees = |has: &str, wanted: Option<&str>| {
            wanted.is_none_or(|wanted| has.is_empty() || has.eq_ignore_ascii_case(wanted))
        };
        agrees(&txn.customer, self.customer)
            && agrees(&txn.email, self.email)
            && agrees(&txn.campaign, self.campaign)
            && !txn.rebill
            && txn.charges()
    }
}

impl Look<'_> {
    /// The first day that matters to a request which has not been sent yet.
    pub(super) fn first_day(&self) -> Since {
        Since(self.crm.today().saturating_sub(DAYS.days()))
    }

    /// The days from the first one to tomorrow: where the account's zone is not what we think, it may have begun there.
    pub(super) fn days_since(&self, since: Since, by: DateRange) -> Days {
        Days { first: since.0, last: self.crm.today().saturating_add(1.day()), by: by.field() }
    }

    /// The buyer's orders that were touched since that day.
    pub(super) async fn orders_of(&self, search: &Search<'_>, since: Since) -> Result<Vec<Order>, ReadError> {
        // A sale moves `dateUpdated` of a lead that may be old (contract §2.1).
        let days = Some(self.days_since(since, DateRange::Updated));
        let ask = Ask { path: Endpoint::Orders.path(), filters: search.filters(true), days };
        let found = self.rows(ask).await?;
        let mut orders: Vec<Order> = Vec::new();
        for raw in &found.rows {
            let order = Order::of(raw)?;
            if !search.takes(&order) || orders.iter().any(|known| known.is(&order.id())) {
                continue;
            }
            if order.id().is_empty() {
                return Err(unreadable());
            }
            orders.push(order);
        }
        Ok(orders)
    }

    /// The buyer's charges since that day, rebills left out.
    pub(super) async fn charges_of(&self, search: &Search<'_>, since: Since) -> Result<Ledger, ReadError> {
        let days = Some(self.days_since(since, DateRange::Created));
        let ask = Ask { path: Endpoint::Transactions.path(), filters: search.filters(false), days };
        let mut ledger = self.ledger_by(ask).await?;
        ledger.txns.retain(|txn| search.takes_txn(txn));
        Ok(ledger)
    }
}

/// Whether two telephone numbers are the same but for their writing and a country's code.
pub(super) fn same_phone(one: &str, other: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (one, other) = (digits(one), digits(other));
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    short.len() >= 7 && long.ends_with(&short)
}
