//! Rows of purchase/query (contract §3.3).

use serde_json::{Value, json};

use super::orders::{address, card_expiry, carrier, ship_address};
use crate::clock::stamp;
use crate::config::Shape;
use crate::crm::variety::{Row, Variety};
use crate::money::Money;
use crate::state::{Fulfillment, Line, Order, PurchaseStatus, State, Transaction};

/// Days between two bills, as the row says it.
const BILLING_DAYS: u64 = 30;

/// One row: a line and the order that began it.
pub(crate) fn purchase_row(state: &State, order: &Order, line: &Line, variety: Variety) -> Value {
    let mut row = Row::default();
    let bills = bills(state, line);
    person(&mut row, order);
    product(&mut row, order, line, variety);
    cycles(&mut row, line, variety);
    account(&mut row, order);
    let billed: Money = bills.iter().filter(|bill| bill.took_money()).map(|bill| bill.amount).sum();
    let refunded: Money = bills.iter().map(|bill| bill.refunded).sum();
    row.put("displayName", line.name.as_str())
        .put("productName", line.name.as_str())
        .put("totalBilled", billed.to_string())
        .put("totalRefunded", refunded.to_string())
        .put("orderId", order.order_id.as_str())
        .put("clubName", Value::Null)
        .put("cancellationScheduled", u8::from(line.cancellation_scheduled))
        .put("pauseScheduled", 0)
        .put("currencyCode", "USD")
        .put("currencySymbol", "$")
        .put("transactions", bills.into_iter().map(transaction).collect::<Vec<Value>>())
        .put("fulfillments", parcels(state, order, line).map(parcel).collect::<Vec<Value>>());
    Value::Object(row.0)
}

fn person(row: &mut Row, order: &Order) {
    let mut bill = Row::default();
    address(&mut bill, &order.buyer.bill);
    for (key, value) in bill.0 {
        // The contacts stand between company and street.
        if key == "address1" {
            row.text("emailAddress", &order.buyer.email).text("phoneNumber", &order.buyer.phone);
        }
        row.put(&key, value);
    }
    let mut ship = Row::default();
    ship_address(&mut ship, &order.buyer.ship);
    for (key, value) in ship.0.into_iter().filter(|(key, _)| key != "shipCompanyName") {
        row.put(&key, value);
    }
}

fn product(row: &mut Row, order: &Order, line: &Line, variety: Variety) {
    let id = line.actual_purchase_id;
    row.put("purchaseId", line.purchase_id.as_str())
        .put("actualPurchaseId", id)
        .put("campaignId", variety.number(id, "campaignId", order.campaign_id.into()))
        .text("affId", order.extra("affId"))
        .put("productId", variety.number(id, "productId", line.product_id.into()))
        .put("actualProductId", line.actual_product_id.to_string())
        .put("productSku", line.sku.as_str())
        .put("clientProductId", Value::Null)
        .put("customerId", order.customer_id)
        .put("status", line.purchase_status.map_or("", PurchaseStatus::as_str))
        .text("cancelReason", &line.cancel_reason)
        .put("price", line.price.to_string())
        .put("shippingPrice", line.shipping.to_string());
}

fn cycles(row: &mut Row, line: &Line, variety: Variety) {
    let id = line.actual_purchase_id;
    row.put("lastCancellationDate", line.cancelled.map(stamp))
        .put("lastActivationDate", line.bought.map(stamp))
        .put("billingCycleType", if line.recurring { "RECURRING" } else { "ONE_TIME" })
        .put("billingIntervalDays", line.recurring.then_some(BILLING_DAYS))
        .put("billingCycleNumber", variety.number(id, "billingCycleNumber", line.cycle.into()))
        .put("nextBillDate", line.next_bill.map(|day| day.to_string()))
        .put("finalBillingCycle", Value::Null)
        .put("fulfillmentCycleNumber", line.cycle)
        .put("recycleBillingNumber", 0)
        .nulls(&["trialType", "trialPeriodDays", "trialPrice", "trialShippingPrice"])
        .put("productQty", line.qty)
        .put("memberId", Value::Null)
        .put("dateCreated", line.bought.map(stamp))
        .put("dateUpdated", line.changed.map(stamp));
}

fn account(row: &mut Row, order: &Order) {
    let card = order.payment.as_ref().and_then(|payment| payment.card.as_ref());
    let expiry = card.map(|card| card_expiry(card.year, card.month, Shape::Y2026)).unwrap_or_default();
    row.text("cardBin", card.map_or("", |card| card.bin.as_str()))
        .text("cardLast4", card.map_or("", |card| card.last4.as_str()))
        .text("cardExpiryDate", &expiry)
        .put("merchant", "Example MID")
        .put("merchantId", "53")
        .put("descriptor", "EXAMPLE*SHOP");
}

/// The transactions that are about the purchase, refunds of them aside.
fn bills<'a>(state: &'a State, line: &Line) -> Vec<&'a Transaction> {
    let about = |found: &&Transaction| {
        found.parent.is_none() && found.lines.iter().any(|other| other.purchase_id == line.purchase_id)
    };
    state.transactions().filter(about).collect()
}

fn transaction(found: &Transaction) -> Value {
    let chargeback = found.chargeback.as_ref();
    json!({
        "transactionId": found.transaction_id,
        "txnDate": stamp(found.created),
        "totalAmount": found.amount.to_string(),
        "responseType": found.response_type.as_str(),
        "responseText": found.response_text,
        "merchantTxnId": found.merchant_txn_id,
        "paySource": found.payment.as_ref().map(|payment| payment.source.as_str()),
        "merchantId": "53",
        "merchant": "Example MID",
        "amountRefunded": found.refunded.to_string(),
        "isChargedback": if chargeback.is_some() { "1" } else { "0" },
        "chargebackDate": chargeback.map(|back| back.date.to_string()),
        "chargebackReasonCode": chargeback.map(|back| back.reason_code.as_str()),
    })
}

/// The parcels that hold the purchase, of the order that began it and of later cycles.
fn parcels<'a>(state: &'a State, order: &'a Order, line: &'a Line) -> impl Iterator<Item = &'a Fulfillment> {
    let later = state.orders().filter(|other| other.first_order.as_ref() == Some(&order.order_id));
    std::iter::once(order).chain(later).flat_map(|order| {
        let lines = order.lines.iter().filter(|other| other.purchase_id == line.purchase_id);
        let ids: Vec<u64> = lines.map(|line| line.order_item_id).collect();
        let holds =
            move |parcel: &&Fulfillment| parcel.items.iter().any(|item| ids.contains(&item.order_item_id));
        order.fulfillments.iter().filter(holds)
    })
}

fn parcel(found: &Fulfillment) -> Value {
    let mut row = Row::default();
    row.put("fulfillmentId", found.fulfillment_id)
        .put("fulfillmentHouseId", Value::Null)
        .put("company", "System Fulfillment")
        .put("clientFulfillmentId", found.client_fulfillment_id.as_str())
        .text("trackingNumber", &found.tracking_number)
        .put("dateShipped", found.shipped.map(stamp))
        .put("dateDelivered", found.delivered.map(stamp))
        .put("shipCarrier", carrier(found))
        .text("shipMethod", &found.method)
        .put("responseText", Value::Null)
        .put("status", found.status.as_str())
        .put("dateReturned", found.returned.map(stamp))
        .text("rmaNumber", &found.rma_number)
        .put("dateCreated", stamp(found.created));
    Value::Object(row.0)
}
