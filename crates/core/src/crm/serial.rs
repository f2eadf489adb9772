//! Which writes must go one after the other.
//!
//! Each serial is one way in which writes can be about the same: a buyer, an order, a customer, a charge. While a write
//! has a serial no other that has it may look at the CRM or go out, since each could be taken for the other, or could
//! sell what the other is just selling. What a write is about may show only when the CRM is looked at; so a look adds
//! serials to those that the request names.

use super::{Endpoint, Repeat};
use crate::record::Row;

/// Parameters that name what a write is about.
const NAMES: [&str; 5] = ["orderId", "transactionId", "purchaseId", "fulfillmentId", "customerId"];

/// The serial of a buyer. Nothing where campaign or e-mail is not known.
pub fn of_buyer(connection: &str, campaign: Option<&str>, email: Option<&str>) -> Option<String> {
    let (campaign, email) = (campaign?.trim(), email?.trim().to_lowercase());
    (!campaign.is_empty() && !email.is_empty()).then(|| format!("{connection} {campaign} {email}"))
}

/// The serial of the buyer to whom an order's row belongs.
pub fn of_row(connection: &str, row: &Row) -> Option<String> {
    of_buyer(connection, row.text("campaignId").as_deref(), row.text("emailAddress").as_deref())
}

/// The serial of something that has an id, by the parameter's name: `orderId`. Nothing where there is no id.
pub fn of_id(connection: &str, name: &str, id: &str) -> Option<String> {
    let id = id.trim().to_uppercase();
    (!id.is_empty()).then(|| format!("{connection} {name} {id}"))
}

/// The serials that a request names: those of writes that make an order, and of those that move money.
pub(crate) fn of_request(
    connection: &str,
    endpoint: &Endpoint,
    params: &[(String, String)],
    repeat: Repeat,
) -> Vec<String> {
    let value = |name: &str| params.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    if !endpoint.makes_order() && repeat != Repeat::Never {
        return Vec::new();
    }
    let buyer = of_buyer(connection, value("campaignId"), value("emailAddress"));
    let ids = NAMES.iter().filter_map(|name| of_id(connection, name, value(name)?));
    buyer.into_iter().chain(ids).collect()
}
