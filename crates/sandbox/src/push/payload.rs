//! The fields of a push: the CRM's tokens with their values at the time of sending (contract §6).

use serde_json::{Map, Value, json};

use super::ExportProfile;
use crate::clock::stamp;
use crate::money::Money;
use crate::state::{
    Card, Fulfillment, FulfillmentStatus, Line, Order, OrderStatus, PurchaseStatus, ResponseType, State,
    Transaction, catalog,
};
use crate::state::{News, Route};

/// Most products that have tokens of their own.
const PRODUCTS: usize = 5;

/// What a push is about, as the books have it now.
struct Facts<'a> {
    state: &'a State,
    order: &'a Order,
    first: &'a Order,
    line: Option<&'a Line>,
    transaction: Option<&'a Transaction>,
    parcel: Option<&'a Fulfillment>,
    route: Route,
}

/// The profile's fields, nothing of what is null; none if the order is gone.
pub(super) fn fields(state: &State, news: &News, profile: &ExportProfile) -> Option<Map<String, Value>> {
    let order = state.order(&news.order_id)?;
    let first = order.first_order.as_ref().and_then(|id| state.order(id)).unwrap_or(order);
    let line = order.lines.iter().find(|line| Some(line.order_item_id) == news.order_item_id);
    let parcel = order.fulfillments.iter().find(|parcel| Some(parcel.fulfillment_id) == news.fulfillment_id);
    let about = news.transaction_id.and_then(|id| state.transaction(id));
    let facts = Facts {
        state,
        order,
        first,
        line: line.or_else(|| order.lines.first()).filter(|line| !line.purchase_id.is_empty()),
        transaction: about.or_else(|| state.transactions_of(&order.order_id).last()),
        parcel: parcel.or_else(|| order.fulfillments.last()),
        route: news.route,
    };
    let mut tokens = facts.tokens();
    tokens.retain(|_, value| !value.is_null());
    tokens.sort_keys();
    let mut fields = if profile.fields.is_empty() {
        tokens
    } else {
        let mapped = profile.fields.iter();
        mapped.filter_map(|(name, token)| Some((name.clone(), tokens.get(token)?.clone()))).collect()
    };
    fields.extend(profile.fixed().map(|(name, value)| (name.to_owned(), json!(value))));
    Some(fields)
}

/// A text, null when empty.
fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

impl Facts<'_> {
    fn tokens(&self) -> Map<String, Value> {
        let mut tokens = Map::new();
        let groups =
            [self.of_order(), self.of_buyer(), self.of_line(), self.of_transaction(), self.of_parcel()];
        for group in groups {
            let Value::Object(group) = group else { continue };
            tokens.extend(group);
        }
        for (index, line) in self.order.lines.iter().take(PRODUCTS).enumerate() {
            tokens.extend(product(index + 1, line));
        }
        for name in ["sourceId", "salesUrl"].into_iter().chain(FREE.iter().copied()) {
            tokens.insert(name.to_owned(), text(self.order.extra(name)));
        }
        tokens
    }

    fn is_lead(&self) -> bool {
        self.order.status == OrderStatus::Partial
    }

    fn of_order(&self) -> Value {
        let order = self.order;
        // A lead's totals come as numbers.
        let amount =
            |amount: Money| if self.is_lead() { amount.to_number() } else { json!(amount.to_string()) };
        json!({
            "orderId": order.actual_order_id,
            "clientOrderId": order.order_id,
            "originalOrderId": (!self.is_lead()).then(|| self.first.actual_order_id.to_string()),
            "originalClientOrderId": (!self.is_lead()).then_some(self.first.order_id.as_str()),
            "dateCreated": stamp(order.created),
            "timeCreated": order.created.strftime("%H:%M:%S").to_string(),
            "orderStatus": order.status.as_str(),
            "orderTotal": amount(order.charge()),
            "totalPrice": order.lines.iter().map(Line::total).sum::<Money>().to_string(),
            "totalShipping": amount(order.shipping()),
            "totalDiscount": order.discount.to_string(),
            "salesTax": order.tax.to_string(),
            "currencyCode": "USD",
            "campaignId": order.campaign_id,
            "campaignName": catalog::campaign_name(order.campaign_id),
            "hasUpsells": u8::from(order.lines.iter().any(|line| line.product_type == "UPSALE")),
        })
    }

    fn of_buyer(&self) -> Value {
        let (bill, ship, buyer) = (&self.order.buyer.bill, &self.order.buyer.ship, &self.order.buyer);
        json!({
            "customerId": self.order.customer_id,
            "firstName": text(&bill.first_name),
            "lastName": text(&bill.last_name),
            "companyName": text(&bill.company_name),
            "address1": text(&bill.address1),
            "address2": text(&bill.address2),
            "city": text(&bill.city),
            "state": text(&bill.state),
            "country": text(&bill.country),
            "postalCode": text(&bill.postal_code),
            "shipFirstName": text(&ship.first_name),
            "shipLastName": text(&ship.last_name),
            "shipCompanyName": text(&ship.company_name),
            "shipAddress1": text(&ship.address1),
            "shipAddress2": text(&ship.address2),
            "shipCity": text(&ship.city),
            "shipState": text(&ship.state),
            "shipCountry": text(&ship.country),
            "shipPostalCode": text(&ship.postal_code),
            "emailAddress": text(&buyer.email),
            "phoneNumber": text(&buyer.phone),
            "ipAddress": text(&buyer.ip),
        })
    }

    fn of_line(&self) -> Value {
        let Some(line) = self.line else {
            let once = self.is_lead().then_some("ONE_TIME");
            return json!({
                "billingCycleNumber": once,
                "recurringStatus": once,
                "recurringPrice": once.map(|_| ""),
            });
        };
        json!({
            "purchaseId": line.actual_purchase_id.to_string(),
            "clientPurchaseId": line.purchase_id,
            "billingCycleNumber": line.cycle.to_string(),
            "recurringStatus": line.purchase_status.map(PurchaseStatus::as_str),
            "recurringPrice": line.price.to_string(),
            "basePrice": line.price.to_string(),
            "nextBillDate": self.next_bill(line),
            "replacedByOrderItemId": line.replaced_by,
        })
    }

    /// On a rebill's own order the turn stays with the order that began the subscription.
    fn next_bill(&self, line: &Line) -> Option<String> {
        let began = self.state.purchase(&line.purchase_id).and_then(|(_, line)| line.next_bill);
        line.next_bill.or(began).map(|day| day.to_string())
    }

    fn of_transaction(&self) -> Value {
        let order = self.order;
        let payment = order.payment.as_ref();
        let tried = self.transaction.and_then(|found| found.payment.as_ref());
        let card =
            payment.or(tried.filter(|_| self.route == Route::Decline)).and_then(|paid| paid.card.as_ref());
        let found = self.transaction.filter(|_| !self.is_lead() || self.route == Route::Decline);
        let prepaid = payment.is_some_and(|payment| payment.source == "PREPAID");
        let response = found.map(|found| found.response_type.as_str());
        let refund = order.last_refund.as_ref();
        let chargeback = found.and_then(|found| found.chargeback.as_ref());
        json!({
            "paySource": payment.map(|payment| payment.source.as_str()),
            "cardType": card.map(|card| card.kind.as_str()),
            "cardLast4": card.map(|card| card.last4.as_str()),
            "cardExpiryDate": card.and_then(|card| self.expiry(card)),
            "actualTransactionId": found.map(|found| found.transaction_id),
            "transactionId": found.map(|found| found.merchant_txn_id.as_str()),
            "clientTxnId": found.map(|found| found.client_txn_id.as_str()),
            "gatewayTitle": found.map(|_| "Example Gateway"),
            "responseType": response.or(prepaid.then_some(ResponseType::Success.as_str())),
            "declineReason": self.decline_reason(found, prepaid),
            "dateRefunded": refund.map(|(at, _)| stamp(*at)),
            "refundReason": refund.map_or(Value::Null, |(_, reason)| text(reason)),
            "chargebackAmount": chargeback.map(|back| back.amount.to_string()),
            "chargebackDate": chargeback.map(|back| back.date.to_string()),
            "chargebackReasonCode": chargeback.map(|back| back.reason_code.as_str()),
        })
    }

    /// Also set where nothing was declined, which is noise that the recorded pushes have as well.
    fn decline_reason(&self, found: Option<&Transaction>, prepaid: bool) -> Option<String> {
        if let Some(found) = found.filter(|found| found.response_type != ResponseType::Success) {
            return Some(found.response_text.clone());
        }
        let noise = match self.order.status {
            OrderStatus::Partial => "Unknown Error",
            _ if prepaid => "Payment marked as Prepaid",
            OrderStatus::Pending => "Requires Capture",
            _ => return None,
        };
        Some(noise.to_owned())
    }

    /// As PHP writes a date object.
    fn expiry(&self, card: &Card) -> Option<Value> {
        let last = jiff::civil::Date::new(card.year, card.month, 1).ok()?.last_of_month();
        let zone = self.state.zone().iana_name().unwrap_or("UTC");
        Some(json!({"date": format!("{last} 23:59:59.000000"), "timezone_type": 3, "timezone": zone}))
    }

    fn of_parcel(&self) -> Value {
        // In quality assurance there is no parcel yet, and the recorded pushes say HOLD.
        let hold = (self.order.status == OrderStatus::Pending).then_some(FulfillmentStatus::Hold.as_str());
        let Some(parcel) = self.parcel else {
            return json!({"fulfillmentStatus": hold});
        };
        json!({
            "fulfillmentStatus": parcel.status.as_str(),
            "trackingNumber": text(&parcel.tracking_number),
            "shipCarrier": if parcel.carrier.is_empty() { "Default" } else { &parcel.carrier },
            "shipMethod": text(&parcel.method),
            "rmaNumber": text(&parcel.rma_number),
        })
    }
}

/// Free fields that are tokens under their own names.
const FREE: &[&str] = &[
    "sourceValue1",
    "sourceValue2",
    "sourceValue3",
    "sourceValue4",
    "sourceValue5",
    "custom1",
    "custom2",
    "custom3",
    "custom4",
    "custom5",
];

fn product(number: usize, line: &Line) -> impl Iterator<Item = (String, Value)> {
    let values = [
        ("name", text(&line.name)),
        ("sku", text(&line.sku)),
        ("campaignProductId", json!(line.product_id)),
        ("price", json!(line.price.to_string())),
        ("qty", json!(line.qty)),
        ("recurringstatus", json!(line.purchase_status.map(PurchaseStatus::as_str))),
        ("billingCycleNumber", json!(line.cycle.to_string())),
    ];
    values.into_iter().map(move |(name, value)| (format!("product{number}_{name}"), value))
}

/// The fields as a query string, objects as PHP writes them: `cardExpiryDate[date]=…`.
pub(super) fn query(fields: &Map<String, Value>) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        match value {
            Value::Object(parts) => {
                for (part, value) in parts {
                    pairs.append_pair(&format!("{name}[{part}]"), &plain(value));
                }
            }
            value => {
                pairs.append_pair(name, &plain(value));
            }
        }
    }
    pairs.finish()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        other => other.to_string(),
    }
}
