//! Writes move the state as contract §2.1 draws it.

use jiff::SignedDuration;
use serde_json::{Value, json};
use zaprun_sandbox::state::OrderStatus;
use zaprun_sandbox::{Config, CrmFault, Fault};

use crate::bed::{Bed, column, rows, steady};
use crate::shop::{BUYER, CARD, PREPAID, id, row};

#[tokio::test]
async fn a_lead_is_reused_until_it_buys_and_keeps_its_id_and_birth() {
    let bed = Bed::new().await;
    let lead = id(&bed.call("leads/import", BUYER).await);
    assert!(lead.len() == 10 && lead.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')), "{lead}");
    let created = row(&bed, &lead).await["dateCreated"].clone();
    bed.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(id(&bed.call("leads/import", BUYER).await), lead);
    let elsewhere = [BUYER, &[("ipAddress", "203.0.113.99")]].concat();
    assert_ne!(id(&bed.call("leads/import", &elsewhere).await), lead);

    bed.clock.advance(SignedDuration::from_mins(5));
    bed.control.fault_next(None, Fault::Crm(CrmFault::Decline("Card Declined".to_owned())));
    let declined = bed.call("order/import", &[BUYER, CARD].concat()).await;
    assert_eq!(declined, json!({"result": "ERROR", "message": "Transaction Declined: Card Declined"}));
    let partial = row(&bed, &lead).await;
    assert_eq!((&partial["orderStatus"], &partial["paySource"]), (&json!("PARTIAL"), &Value::Null));
    assert_eq!(partial["items"]["15273"]["purchaseStatus"], "");

    bed.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(id(&bed.call("order/import", &[BUYER, CARD].concat()).await), lead);
    let sold = row(&bed, &lead).await;
    assert_eq!((&sold["orderStatus"], &sold["dateCreated"]), (&json!("COMPLETE"), &created));
    assert_eq!(sold["dateUpdated"], "2026-09-16 14:33:55");
    assert_eq!((&sold["totalAmount"], &sold["baseShipping"]), (&json!("9.90"), &json!("4.95")));
    let charges = bed.call("transactions/query", &[("orderId", &lead)]).await;
    assert_eq!(column(&charges, "responseType"), ["SOFT_DECLINE", "SUCCESS"]);
    assert_eq!(column(&charges, "totalAmount"), ["14.85", "14.85"]);
    assert_ne!(id(&bed.call("leads/import", BUYER).await), lead, "a lead that bought is closed");
}

#[tokio::test]
async fn a_sale_goes_on_with_the_lead_it_names() {
    let bed = Bed::new().await;
    let lead = id(&bed.call("leads/import", BUYER).await);
    let sale: Vec<_> =
        [&[("orderId", lead.as_str()), ("campaignId", "12"), ("billShipSame", "1")], CARD].concat();
    assert_eq!(id(&bed.call("order/import", &sale).await), lead);
    assert_eq!(row(&bed, &lead).await["emailAddress"], "ada@example.test");
    let again = id(&bed.call("order/import", &sale).await);
    assert_ne!(again, lead, "sales are not de-duplicated");
    assert_eq!(bed.control.with(|state| state.orders().count()), 2);
    let unknown = [BUYER, CARD, &[("orderId", "FFFFFFFFFF")]].concat();
    assert_eq!(bed.call("order/import", &unknown).await["result"], "ERROR");
}

#[tokio::test]
async fn prepaid_goes_through_quality_assurance_without_transactions() {
    let bed = Bed::new().await;
    let order_id = id(&bed.call("order/import", &[BUYER, PREPAID].concat()).await);
    assert_eq!(row(&bed, &order_id).await["orderStatus"], "PENDING");
    let approved = bed.call("order/qa", &[("orderId", &order_id), ("action", "APPROVE")]).await;
    assert_eq!(approved["message"], "Order QA Approved");
    let sold = row(&bed, &order_id).await;
    assert_eq!((&sold["orderStatus"], &sold["reviewStatus"]), (&json!("COMPLETE"), &json!("APPROVED")));
    assert_eq!((&sold["totalAmount"], &sold["hasUpsell"]), (&json!("69.89"), &json!(true)));
    assert_eq!(rows(&bed.call("transactions/query", &[("orderId", &order_id)]).await).len(), 0);
    let late = bed.call("order/qa", &[("orderId", &order_id), ("action", "DECLINE")]).await;
    assert_eq!(late["message"], "Can only issue QA decline on orders in a Pending status");

    let other = [BUYER, PREPAID, &[("emailAddress", "b@example.test"), ("skipQA", "1")]].concat();
    assert_eq!(row(&bed, &id(&bed.call("order/import", &other).await)).await["orderStatus"], "COMPLETE");
    let bed = Bed::with(Config { prepaid_skips_qa: true, ..steady() }).await;
    let order_id = id(&bed.call("order/import", &[BUYER, PREPAID].concat()).await);
    assert_eq!(row(&bed, &order_id).await["orderStatus"], "COMPLETE");
}

#[tokio::test]
async fn quality_assurance_authorises_and_captures_or_voids() {
    let bed = Bed::new().await;
    let held = [BUYER, CARD, &[("forceQA", "1")]].concat();
    let good = id(&bed.call("order/import", &held).await);
    bed.call("order/qa", &[("orderId", &good), ("action", "APPROVE")]).await;
    let charges = bed.call("transactions/query", &[("orderId", &good)]).await;
    assert_eq!(column(&charges, "txnType"), ["AUTHORIZE", "CAPTURE"]);
    let bad = id(&bed.call("order/import", &held).await);
    bed.call("order/cancel", &[("orderId", &bad), ("cancelReason", "fraud")]).await;
    assert_eq!(row(&bed, &bad).await["orderStatus"], "DECLINED");
    let charges = bed.call("transactions/query", &[("orderId", &bad)]).await;
    assert_eq!(column(&charges, "txnType"), ["AUTHORIZE", "VOID"]);
}

#[tokio::test]
async fn cancelling_ends_purchases_and_waiting_parcels() {
    let bed = Bed::new().await;
    let order_id = bed.control.sale("ada@example.test").unwrap();
    assert_eq!(
        bed.call("order/cancel", &[("orderId", &order_id)]).await["message"],
        json!({"cancelReason": "is a required field"})
    );
    bed.clock.advance(SignedDuration::from_secs(65));
    let cancel = [("orderId", order_id.as_str()), ("cancelReason", "changed mind"), ("fullRefund", "1")];
    assert_eq!(bed.call("order/cancel", &cancel).await["result"], "SUCCESS");
    let row = row(&bed, &order_id).await;
    assert_eq!((&row["orderStatus"], &row["refundRemaining"]), (&json!("CANCELLED"), &json!("0.00")));
    let item = &row["items"]["15271"];
    assert_eq!((&item["purchaseStatus"], &item["nextBillDate"]), (&json!("CANCELLED"), &json!("")));
    assert_eq!(item["lastCancellationDate"], "2026-09-16 14:20:00");
    assert_eq!(row["fulfillments"][0]["status"], "CANCELLED");
    let charges = bed.call("transactions/query", &[("orderId", &order_id)]).await;
    assert_eq!(column(&charges, "txnType"), ["SALE", "REFUND"]);
    assert_eq!(bed.call("order/cancel", &cancel).await["result"], "ERROR");

    let later = bed.control.sale("b@example.test").unwrap();
    let cancel = [("orderId", later.as_str()), ("cancelReason", "later"), ("afterNextBill", "1")];
    assert_eq!(bed.call("order/cancel", &cancel).await["result"], "SUCCESS");
    assert_eq!(bed.control.with(|state| state.order(&later).unwrap().status), OrderStatus::Complete);
    let billed = bed.control.rebill(&later).unwrap();
    assert_ne!(billed.order_id, later);
    assert!(bed.control.rebill(&later).is_err(), "the next bill was the last");
}

#[tokio::test]
async fn refunds_never_exceed_what_was_paid() {
    let bed = Bed::new().await;
    let order_id = bed.control.sale("ada@example.test").unwrap();
    let refund = async |amount: &str| {
        bed.call("order/refund", &[("orderId", &order_id), ("refundAmount", amount)]).await["result"].clone()
    };
    assert_eq!(refund("20.00").await, "SUCCESS");
    assert_eq!(row(&bed, &order_id).await["orderStatus"], "COMPLETE");
    for amount in ["30.00", "0", "-1", "1e2", "lots"] {
        assert_eq!(refund(amount).await, "ERROR", "{amount}");
    }
    let sale =
        bed.control.with(|state| state.transactions_of(&order_id).next().unwrap().transaction_id.to_string());
    let rest = [("transactionId", sale.as_str()), ("fullRefund", "1"), ("refundReason", "all of it")];
    assert_eq!(bed.call("transactions/refund", &rest).await["result"], "SUCCESS");
    let row = row(&bed, &order_id).await;
    assert_eq!((&row["orderStatus"], &row["refundRemaining"]), (&json!("REFUNDED"), &json!("0.00")));
    let refunds = bed.call("transactions/query", &[("orderId", &order_id), ("txnType", "REFUND")]).await;
    assert_eq!(column(&refunds, "totalAmount"), ["20.00", "29.99"]);
    assert_eq!(column(&refunds, "parentTxnId"), [sale.clone(), sale.clone()]);
    assert_eq!(column(&refunds, "refundReason"), ["null", "all of it"]);
    assert_eq!(bed.call("transactions/refund", &rest).await["result"], "ERROR");
}

#[tokio::test]
async fn sales_are_checked_field_by_field() {
    let bed = Bed::new().await;
    let required = |fields: &[&str]| {
        let fields: serde_json::Map<String, Value> =
            fields.iter().map(|name| ((*name).to_owned(), json!("is a required field"))).collect();
        json!({"result": "ERROR", "message": fields})
    };
    assert_eq!(bed.call("order/import", &[]).await, required(&["campaignId", "paySource"]));
    let card = [BUYER, &[("paySource", "CREDITCARD"), ("product1_id", "15271")]].concat();
    let missing = ["cardNumber", "cardMonth", "cardYear", "cardSecurityCode"];
    assert_eq!(bed.call("order/import", &card).await, required(&missing));
    let wrong = [BUYER, CARD, &[("cardNumber", "4111-1111")]].concat();
    assert!(bed.call("order/import", &wrong).await["message"]["cardNumber"].is_string());
    let unpaid = [BUYER, CARD, &[("paySource", "IOU")]].concat();
    assert!(bed.call("order/import", &unpaid).await["message"]["paySource"].is_string());
    let nobody =
        [BUYER, &[("paySource", "ACCTONFILE"), ("customerId", "1"), ("product1_id", "15271")]].concat();
    assert_eq!(bed.call("order/import", &nobody).await["message"], "Customer not found");
    let gap = [BUYER, &[("paySource", "PREPAID"), ("product2_id", "15271")]].concat();
    assert_eq!(bed.call("order/import", &gap).await["message"], "No products exist in the order");
    assert_eq!(bed.control.with(|state| state.orders().count()), 0, "a refused sale leaves nothing");
    let items = [BUYER, &[("paySource", "PREPAID"), ("orderItems", r#"{"15271":3}"#)]].concat();
    assert_eq!(bed.call("order/import", &items).await["message"]["items"][0]["qty"], "3");
}
