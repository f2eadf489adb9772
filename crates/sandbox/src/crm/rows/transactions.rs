//! Rows of transactions/query (contract §3.2).

use serde_json::{Value, json};

use super::orders::{CUSTOM, SOURCE_VALUES, UTM};
use crate::clock::stamp;
use crate::crm::variety::{Row, Variety};
use crate::state::{Customer, ResponseType, Transaction, TxnType, catalog};

/// One row; `customFields` is added when asked for.
pub(crate) fn transaction_row(found: &Transaction, variety: Variety, custom_fields: bool) -> Value {
    let mut row = Row::default();
    heading(&mut row, found);
    order(&mut row, found, variety);
    buyer(&mut row, found);
    payment(&mut row, found, variety);
    let extra = |name: &str| found.extra.get(name).map_or("", String::as_str);
    row.texts(&["sourceTitle", "affId"], extra).texts(SOURCE_VALUES, extra).texts(CUSTOM, extra);
    if custom_fields {
        let named = found.extra.iter().filter_map(|(key, value)| Some((key.strip_prefix("custom_")?, value)));
        let named = named.map(|(key, value)| (key.to_owned(), json!(value))).collect();
        row.put("customFields", Value::Object(named));
    }
    row.texts(UTM, extra);
    aftermath(&mut row, found, variety);
    row.put("items", items(found));
    let mut row = row.0;
    found.patch.apply(&mut row);
    Value::Object(row)
}

fn heading(row: &mut Row, found: &Transaction) {
    let approved = found.response_type == ResponseType::Success;
    row.put("transactionId", found.transaction_id)
        .put("parentTxnId", found.parent)
        .put("merchant", "Example MID")
        .put("merchantDescriptor", "EXAMPLE*SHOP")
        .put("midNumber", "000000000001")
        .put("merchantId", 53)
        .put("dateCreated", stamp(found.created))
        .put("dateUpdated", stamp(found.updated))
        .put("txnType", found.txn_type.as_str())
        .put("responseType", found.response_type.as_str())
        .put("responseText", found.response_text.as_str())
        .put("3DTxnResult", Value::Null)
        .put("merchantTxnId", found.merchant_txn_id.as_str())
        .put("clientTxnId", found.client_txn_id.as_str())
        .text("authCode", if approved { "A10001" } else { "" })
        .nulls(&["avsResponse", "cvvResponse"])
        .put("totalAmount", found.amount.to_string())
        .put("surcharge", Value::Null);
}

fn order(row: &mut Row, found: &Transaction, variety: Variety) {
    let id = found.transaction_id;
    row.put("orderId", found.order_id.as_str())
        .put("actualOrderId", found.actual_order_id)
        .put("orderAgentName", Value::Null)
        .put("clientOrderId", found.order_id.as_str())
        .put("billingCycleNumber", variety.number(id, "billingCycleNumber", found.billing_cycle.into()))
        .put("recycleNumber", variety.number(id, "recycleNumber", found.recycle.into()))
        .put("campaignId", variety.digits(id, "campaignId", found.campaign_id.into()))
        .put("campaignName", catalog::campaign_name(found.campaign_id))
        .text(
            "campaignCategoryName",
            catalog::campaign(found.campaign_id).map_or("", |known| known.category),
        );
}

fn buyer(row: &mut Row, found: &Transaction) {
    let bill = &found.buyer.bill;
    row.text("firstName", &bill.first_name)
        .text("lastName", &bill.last_name)
        .put("orderType", found.order_type.as_str())
        .put("customerId", found.customer_id)
        .text("emailAddress", &found.buyer.email)
        .text("phoneNumber", &found.buyer.phone)
        .text("address1", &bill.address1)
        .text("address2", &bill.address2)
        .text("city", &bill.city)
        .text("state", &bill.state)
        .text("country", &bill.country)
        .text("postalCode", &bill.postal_code)
        .text("ipAddress", &found.buyer.ip);
}

fn payment(row: &mut Row, found: &Transaction, variety: Variety) {
    let card = found.payment.as_ref().and_then(|payment| payment.card.as_ref());
    let flag = |name| variety.number(found.transaction_id, name, 0.into());
    row.text("paySource", found.payment.as_ref().map_or("", |payment| payment.source.as_str()))
        .put("paySourceId", pay_source_id(found))
        .put("prepaidType", Value::Null)
        .text("cardBin", card.map_or("", |card| card.bin.as_str()))
        .text("cardLast4", card.map_or("", |card| card.last4.as_str()))
        .text("cardType", card.map_or("", |card| card.kind.as_str()))
        .put("cardIsPrepaid", flag("cardIsPrepaid"))
        .put("cardIsDebit", flag("cardIsDebit"))
        .nulls(&["achBankName", "achRoutingNumber", "achAccountNumber"]);
}

fn pay_source_id(found: &Transaction) -> Option<String> {
    let account = found.payment.as_ref()?;
    Some(Customer::pay_source_id(found.customer_id, account).to_string())
}

fn aftermath(row: &mut Row, found: &Transaction, variety: Variety) {
    let chargeback = found.chargeback.as_ref();
    let flag = Value::from(u8::from(chargeback.is_some()));
    let refunded = found.lines.first().filter(|_| found.txn_type == TxnType::Refund);
    row.put("isChargedback", variety.number(found.transaction_id, "isChargedback", flag))
        .put("chargebackAmount", chargeback.map(|back| back.amount.to_string()))
        .put("chargebackDate", chargeback.map(|back| back.date.to_string()))
        .put("chargebackReasonCode", chargeback.map(|back| back.reason_code.as_str()))
        .put("chargebackNote", Value::Null)
        .text("refundReason", &found.refund_reason)
        .put("refundItemId", refunded.map(|line| line.order_item_id))
        .put("refundProductName", refunded.map(|line| line.name.as_str()))
        .nulls(&["arn", "cascadeId"])
        .put("currencyCode", "USD")
        .put("currencySymbol", "$")
        .put("mcc", Value::Null);
}

fn items(found: &Transaction) -> Vec<Value> {
    let item = |line: &crate::state::Line| {
        json!({
            "productId": line.product_id.to_string(),
            "name": line.name,
            "qty": line.qty.to_string(),
            "price": line.price.to_string(),
        })
    };
    found.lines.iter().map(item).collect()
}
