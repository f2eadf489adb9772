//! What leads/import and order/import answer on success, in the order of the recorded samples.

use serde_json::{Value, json};

use super::orders::{AGENT_ID, CUSTOM, SOURCE_VALUES, address, ship_address};
use crate::clock::stamp;
use crate::config::Shape;
use crate::crm::params::Params;
use crate::crm::variety::Row;
use crate::state::{Line, Order, OrderStatus, PurchaseStatus, TxnType, catalog};

/// The lead as it was sent, and what became of it.
pub(crate) fn lead_reply(order: &Order, params: &Params, shape: Shape) -> Value {
    let mut row = Row::default();
    if shape == Shape::Y2026 {
        row.put("isProcessLead", true);
    }
    row.put("campaignId", order.campaign_id);
    let shown =
        |key: &str| !matches!(key, "loginId" | "password" | "campaignId" | "orderId") && !is_card(key);
    for (key, value) in params.iter().filter(|(key, value)| shown(key) && !value.is_empty()) {
        row.put(key, value);
    }
    row.put("orderStatus", order.status.as_str())
        .put("orderType", order.order_type.as_str())
        .put("agentUserId", AGENT_ID);
    for key in ["address2", "shipAddress2"] {
        if params.get(key).is_none() {
            row.put(key, "");
        }
    }
    if shape == Shape::Y2022 {
        row.put("newCustomFields", json!([]));
    }
    row.put("customerId", order.customer_id)
        .put("dateCreated", stamp(order.created))
        .put("dateUpdated", stamp(order.updated))
        .put("orderId", order.order_id.as_str());
    Value::Object(row.0)
}

fn is_card(key: &str) -> bool {
    key.starts_with("card") || key.starts_with("ach") || key == "iban"
}

/// The whole order as order/import shows it.
pub(crate) fn sale_reply(order: &Order, merchant_txn: Option<&str>, shape: Shape) -> Value {
    let mut row = Row::default();
    heading(&mut row, order);
    buyer(&mut row, order);
    payment(&mut row, order);
    prices(&mut row, order, merchant_txn);
    totals(&mut row, order, shape);
    let items: Vec<Value> = order.lines.iter().map(|line| item(order, line, merchant_txn)).collect();
    row.put("items", items).nulls(&["paypalUrl", "paypalSdkParams", "gatewayUrl", "gatewaySdkParams"]);
    Value::Object(row.0)
}

fn heading(row: &mut Row, order: &Order) {
    let extra = |name: &str| order.extra(name);
    row.put("taxExemption", Value::Null)
        .put("orderId", order.order_id.as_str())
        .nulls(&["vendorOrderId", "vendorPluginId"])
        .text("ipAddress", &order.buyer.ip)
        .texts(&["sourceId"], extra)
        .texts(SOURCE_VALUES, extra)
        .nulls(&["shipCarrier", "shipMethod", "profileName"])
        .put("dateCreated", stamp(order.created))
        .put("orderType", order.order_type.as_str())
        .put("orderStatus", order.status.as_str())
        .put("reviewStatus", order.review.map(crate::state::ReviewStatus::as_str))
        .put("campaignName", catalog::campaign_name(order.campaign_id))
        .put("orderValue", order.charge().to_string())
        .put("customerId", order.customer_id);
}

fn buyer(row: &mut Row, order: &Order) {
    let bill = &order.buyer.bill;
    row.put("name", format!("{} {}", bill.first_name, bill.last_name).trim())
        .text("emailAddress", &order.buyer.email)
        .text("phoneNumber", &order.buyer.phone);
    let mut place = Row::default();
    address(&mut place, bill);
    for (key, value) in place.0 {
        // The insurance stands between street and city.
        if key == "city" {
            row.put("shipmentInsured", 0)
                .put("shipmentInsurancePrice", Value::Null)
                .put("insuranceCharged", 0);
        }
        row.put(&key, value);
    }
    ship_address(row, &order.buyer.ship);
    row.texts(CUSTOM, |name| order.extra(name));
}

fn payment(row: &mut Row, order: &Order) {
    let card = order.payment.as_ref().and_then(|payment| payment.card.as_ref());
    let expiry = card.map(|card| format!("{:02}/{:02}", card.month, card.year % 100)).unwrap_or_default();
    row.text("paySource", order.payment.as_ref().map_or("", |payment| payment.source.as_str()))
        .text("cardType", card.map_or("", |card| card.kind.as_str()))
        .text("cardBin", card.map_or("", |card| card.bin.as_str()))
        .text("cardLast4", card.map_or("", |card| card.last4.as_str()))
        .text("cardExpiryDate", &expiry)
        .nulls(&[
            "achAccountHolderType",
            "achAccountType",
            "achRoutingNumber",
            "achNameOnAccount",
            "achAccountNumber",
        ])
        .text("couponCode", order.extra("couponCode"))
        .put("agentUserId", AGENT_ID);
}

fn prices(row: &mut Row, order: &Order, merchant_txn: Option<&str>) {
    row.put("basePrice", order.total().to_string())
        .put("baseShipping", order.shipping().to_string())
        .put("voiceLogNumber", Value::Null)
        .put("discountPrice", order.discount.to_string())
        .put("salesTax", order.tax.to_string())
        .text("salesUrl", order.extra("salesUrl"))
        .put("surcharge", Value::Null)
        .put("shipUpcharge", "0.00")
        .put("shipProfileId", Value::Null)
        .put("baseCurrencyCode", "USD")
        .put("baseCurrencySymbol", "$")
        .put("currencySymbol", "$")
        .put("currencyCode", "USD")
        .put("campaignId", order.campaign_id)
        .text("merchantTxnId", merchant_txn.unwrap_or_default())
        .put("ibanLast4", Value::Null)
        .put("originalCycleNumber", 1)
        .put("prepaidType", Value::Null)
        .put("cardIsPrepaid", 0)
        .put("cardIsDebit", 0)
        .put("accountHolder", Value::Null);
}

fn totals(row: &mut Row, order: &Order, shape: Shape) {
    let charge = order.charge();
    let total = if shape == Shape::Y2022 { charge.to_number() } else { json!(charge.to_string()) };
    let paid = (order.status != OrderStatus::Pending).then(|| order.paid.to_string());
    row.put("subTotal", (order.total() - order.tax).to_string())
        .put("shipTotal", order.shipping().to_string())
        .put("taxTotal", order.tax.to_string())
        .put("totalAmount", total)
        .put("totalDiscount", order.discount.to_string())
        .put("totalRefundRemaining", (charge - order.refunded).to_string())
        .put("amountPaid", paid);
}

fn item(order: &Order, line: &Line, merchant_txn: Option<&str>) -> Value {
    let mut row = Row::default();
    row.put("productId", line.product_id.to_string())
        .put("name", line.name.as_str())
        .put("qty", line.qty.to_string())
        .put("productSku", line.sku.as_str())
        .put("actualProductId", line.actual_product_id.to_string());
    blanks(
        &mut row,
        &["replacedByOrderItemId", "variantDetailId", "title", "variantSku", "externalProductId"],
    );
    row.put("shipping", line.shipping.to_string())
        .put("price", line.price.to_string())
        .put("merchantId", "53")
        .put("descriptor", "EXAMPLE*SHOP")
        .put("initialSalesTax", "0.00")
        .put("customSalesTax", "0.00")
        .put("purchaseId", line.purchase_id.as_str())
        .put("refundRemaining", (line.total() + line.shipping).to_string())
        .put("merchantTxnId", merchant_txn.unwrap_or_default());
    billing(&mut row, line);
    row.put("responseType", if order.status == OrderStatus::Partial { "" } else { "SUCCESS" });
    Value::Object(row.0)
}

fn billing(row: &mut Row, line: &Line) {
    row.put("purchaseStatus", line.purchase_status.map_or("", PurchaseStatus::as_str))
        .put("billingCycleType", if line.recurring { "RECURRING" } else { "ONE_TIME" })
        .put("finalBillingCycle", "")
        .put("isPreauthVoid", "0")
        .put("nextBillDate", line.next_bill.map(|day| day.to_string()).unwrap_or_default())
        .put("trialEnabled", "0");
    blanks(row, &["trialType", "trialAuthType"]);
    row.put("regularPrice", line.price.to_string())
        .put("productQty", line.qty.to_string())
        .put("cycle1_billDelay", if line.recurring { "30" } else { "" });
    for cycle in ["cycle2", "cycle3"] {
        row.put(&format!("{cycle}_price"), "0.00")
            .put(&format!("{cycle}_shipPrice"), "0.00")
            .put(&format!("{cycle}_isShippable"), "0")
            .put(&format!("{cycle}_billDelay"), "");
    }
    row.put("lastCustomCycle", "1")
        .put("purchaseCycle", line.cycle.to_string())
        .put("txnType", line.txn_type.map_or("", TxnType::as_str))
        .put("cancellationScheduled", u8::from(line.cancellation_scheduled).to_string())
        .put("cancelAfterDate", "")
        .put("pauseScheduled", "0")
        .put("billingCycleNumber", line.cycle.to_string())
        .put("staggerIntervalCycles", "")
        .put("staggerFulfillments", "0")
        .put("recycleFailedStatus", "0")
        .put("recycleReference", "0");
}

fn blanks(row: &mut Row, keys: &[&str]) {
    for key in keys {
        row.put(key, "");
    }
}
