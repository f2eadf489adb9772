//! Upsales, confirming, purchases, accounts on file and preauthorised cards (contract §5.2, §5.6).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::bed::{Bed, column, rows};
use crate::shop::{BUYER, CARD, PREPAID, complaints, fine, first, id, refused, row};

async fn sale(bed: &Bed) -> String {
    id(&bed.call("order/import", &[BUYER, CARD].concat()).await)
}

#[tokio::test]
async fn an_upsale_joins_the_order_and_is_charged_each_time() {
    let bed = Bed::new().await;
    let order = sale(&bed).await;
    bed.clock.advance(SignedDuration::from_mins(3));
    let upsale = [("orderId", order.as_str()), ("productId", "15272"), ("productPrice", "10.00")];
    let reply = bed.call("upsale/import", &upsale).await;
    assert_eq!(id(&reply), order);
    assert_eq!(reply["message"]["items"][1]["price"], "10.00");
    let sold = row(&bed, &order).await;
    assert_eq!((&sold["hasUpsell"], &sold["dateUpdated"]), (&json!(true), &json!("2026-09-16 14:21:55")));
    assert_eq!(sold["items"]["15272"]["productType"], "UPSALE");
    assert_eq!((&sold["totalAmount"], &sold["refundRemaining"]), (&json!("19.90"), &json!("24.85")));
    assert_eq!(sold["fulfillments"].as_array().unwrap().len(), 1, "it joins the parcel that waits");
    assert_eq!(sold["fulfillments"][0]["items"].as_array().unwrap().len(), 2);

    fine(&bed.call("upsale/import", &upsale).await);
    let again = row(&bed, &order).await;
    assert_eq!(again["items"]["15272"]["qty"], 2, "nothing de-duplicates");
    assert_eq!(bed.control.charges(&order).len(), 3);
    let charges = bed.call("transactions/query", &[("orderId", &order)]).await;
    assert_eq!(column(&charges, "totalAmount"), ["14.85", "10.00", "10.00"]);
    assert_eq!(column(&charges, "orderType"), ["NEW_SALE", "NEW_SALE", "NEW_SALE"]);

    let several = [("orderId", order.as_str()), ("product1_id", "15271"), ("productSalesTax", "1.10")];
    fine(&bed.call("upsale/import", &several).await);
    assert_eq!(row(&bed, &order).await["salesTax"], "1.10");
    let replace = [("orderId", order.as_str()), ("productId", "15271"), ("replaceProductId", "15272")];
    fine(&bed.call("upsale/import", &replace).await);
    let replaced = row(&bed, &order).await["items"]["15272"].clone();
    assert_eq!(replaced["purchaseStatus"], "CANCELLED");
    assert_ne!(replaced["replacedByOrderItemId"], "");
}

#[tokio::test]
async fn what_ships_after_the_parcel_left_gets_one_of_its_own() {
    let bed = Bed::new().await;
    let order = sale(&bed).await;
    bed.control.ship(&order, "1Z1").unwrap();
    fine(&bed.call("upsale/import", &[("orderId", &order), ("productId", "15272")]).await);
    let parcels = bed.call("fulfillment/query", &[("orderId", &order)]).await;
    assert_eq!(column(&parcels, "status"), ["SHIPPED", "HOLD"]);
    assert_eq!(rows(&parcels)[1]["items"][0]["productId"], "15272");
    assert_eq!(rows(&parcels)[1]["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn upsales_are_checked_refused_declined_and_held() {
    let bed = Bed::new().await;
    let order = sale(&bed).await;
    assert_eq!(complaints(&bed.call("upsale/import", &[]).await), ["orderId"]);
    let only = [("orderId", order.as_str())];
    assert_eq!(complaints(&bed.call("upsale/import", &only).await), ["productId"]);
    let wrong = [
        ("orderId", order.as_str()),
        ("productId", "15272"),
        ("productQty", "two"),
        ("productPrice", "1,5"),
        ("productShipPrice", "x"),
    ];
    let named = complaints(&bed.call("upsale/import", &wrong).await);
    assert_eq!(named, ["productPrice", "productQty", "productShipPrice"]);
    let absent = [("orderId", order.as_str()), ("productId", "1")];
    assert_eq!(bed.call("upsale/import", &absent).await["message"], "No products exist in the order");
    refused(&bed.call("upsale/import", &[("orderId", "FFFFFFFFFF"), ("productId", "15272")]).await);
    let lead = bed.control.lead("lead@example.test").unwrap();
    refused(&bed.call("upsale/import", &[("orderId", &lead), ("productId", "15272")]).await);

    bed.control.add_fault("decline:Insufficient funds,first=1,on=upsale/import".parse().unwrap());
    let upsale = [("orderId", order.as_str()), ("productId", "15272")];
    let declined = bed.call("upsale/import", &upsale).await;
    assert_eq!(declined["message"], "Transaction Declined: Insufficient funds");
    assert_eq!(row(&bed, &order).await["hasUpsell"], false);
    let charges = bed.call("transactions/query", &[("orderId", &order)]).await;
    assert_eq!(column(&charges, "responseType"), ["SUCCESS", "SOFT_DECLINE"]);

    let held = id(&bed.call("order/import", &[BUYER, CARD, &[("forceQA", "1")]].concat()).await);
    fine(&bed.call("upsale/import", &[("orderId", &held), ("productId", "15272")]).await);
    assert_eq!(bed.control.charges(&held), [0; 0]);
    fine(&bed.call("order/qa", &[("orderId", &held), ("action", "APPROVE")]).await);
    let charges = bed.call("transactions/query", &[("orderId", &held)]).await;
    assert_eq!(column(&charges, "txnType"), ["AUTHORIZE", "AUTHORIZE", "CAPTURE", "CAPTURE"]);
    assert_eq!(column(&charges, "totalAmount"), ["14.85", "19.90", "14.85", "19.90"]);
    assert_eq!(row(&bed, &held).await["refundRemaining"], "34.75");
}

#[tokio::test]
async fn an_order_is_confirmed_once_it_is_sold() {
    let bed = Bed::new().await;
    let order = sale(&bed).await;
    assert_eq!(complaints(&bed.call("order/confirm", &[]).await), ["orderId"]);
    fine(&bed.call("order/confirm", &[("orderId", &order)]).await);
    fine(&bed.call("order/confirm", &[("orderId", &order)]).await);
    assert!(bed.control.with(|state| state.order(&order).unwrap().confirmed.is_some()));
    let lead = bed.control.lead("lead@example.test").unwrap();
    refused(&bed.call("order/confirm", &[("orderId", &lead)]).await);
    refused(&bed.call("order/confirm", &[("orderId", "FFFFFFFFFF")]).await);
}

#[tokio::test]
async fn a_purchase_ends_alone() {
    let bed = Bed::new().await;
    let order = id(&bed.call("order/import", &[BUYER, PREPAID, &[("skipQA", "1")]].concat()).await);
    let purchases = bed.call("purchase/query", &[("orderId", &order)]).await;
    assert_eq!(column(&purchases, "status"), ["ACTIVE", "COMPLETE"]);
    let purchase = column(&purchases, "purchaseId")[0].clone();
    assert_eq!(complaints(&bed.call("purchase/cancel", &[("cancelReason", "x")]).await), ["purchaseId"]);
    let long = [("purchaseId", purchase.as_str()), ("cancelReason", &"x".repeat(101)), ("fullRefund", "yes")];
    assert_eq!(complaints(&bed.call("purchase/cancel", &long).await), ["cancelReason", "fullRefund"]);
    refused(&bed.call("purchase/cancel", &[("purchaseId", "0000000000")]).await);

    let later = [("purchaseId", purchase.as_str()), ("afterNextBill", "1")];
    fine(&bed.call("purchase/cancel", &later).await);
    assert_eq!(first(&bed, "purchase/query", &[("purchaseId", &purchase)]).await["cancellationScheduled"], 1);
    bed.clock.advance(SignedDuration::from_secs(5));
    let now = [("purchaseId", purchase.as_str()), ("cancelReason", "chargeback"), ("fullRefund", "1")];
    fine(&bed.call("purchase/cancel", &now).await);
    let found = first(&bed, "purchase/query", &[("purchaseId", &purchase)]).await;
    assert_eq!((&found["status"], &found["cancelReason"]), (&json!("CANCELLED"), &json!("chargeback")));
    assert_eq!(found["lastCancellationDate"], "2026-09-16 14:19:00");
    let sold = row(&bed, &order).await;
    assert_eq!((&sold["orderStatus"], &sold["refundRemaining"]), (&json!("COMPLETE"), &json!("19.90")));
    refused(&bed.call("purchase/cancel", &now).await);
    assert!(bed.control.rebill(&order).is_err());
}

#[tokio::test]
async fn purchases_are_found_by_status_customer_and_day() {
    let bed = Bed::new().await;
    let order = sale(&bed).await;
    let kit = [BUYER, CARD, &[("product1_id", "15271")]].concat();
    let subscription = id(&bed.call("order/import", &kit).await);
    bed.clock.advance(SignedDuration::from_hours(48));
    bed.control.rebill(&subscription).unwrap();
    let ids = |reply: &Value| column(reply, "orderId");
    assert_eq!(ids(&bed.today("purchase/query", &[]).await), [order.as_str(), &subscription]);
    assert_eq!(ids(&bed.today("purchase/query", &[("status", "ACTIVE")]).await), [subscription.as_str()]);
    let updated = [("startDate", "9/18/2026"), ("endDate", "9/18/2026"), ("dateRangeType", "dateUpdated")];
    assert_eq!(ids(&bed.call("purchase/query", &updated).await), [subscription.as_str()]);
    let customer = bed.control.customer_of(&order).unwrap().to_string();
    let found = bed.call("purchase/query", &[("customerId", &customer)]).await;
    assert_eq!(column(&found, "billingCycleNumber"), ["1", "2"]);
    assert_eq!(rows(&found)[1]["transactions"].as_array().unwrap().len(), 2);
    assert_eq!(rows(&found)[1]["fulfillments"].as_array().unwrap().len(), 2, "each cycle ships");
    assert_eq!(
        (&rows(&found)[1]["totalBilled"], &rows(&found)[1]["totalRefunded"]),
        (&json!("199.96"), &json!("0.00"))
    );
    assert_eq!(complaints(&bed.call("purchase/query", &[]).await), ["endDate", "startDate"]);
    let nothing = bed.call("purchase/query", &[("purchaseId", "nope")]).await;
    assert_eq!(nothing["message"], "No purchases matching those parameters could be found");
}

#[tokio::test]
async fn an_account_on_file_pays_for_its_customer() {
    let bed = Bed::new().await;
    let order = sale(&bed).await;
    let customer = bed.control.customer_of(&order).unwrap().to_string();
    let on_file = |more: &[(&'static str, &str)]| {
        let own: &[(&str, &str)] =
            &[("campaignId", "12"), ("paySource", "ACCTONFILE"), ("product1_id", "15271")];
        [own, more]
            .concat()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect::<Vec<_>>()
    };
    let call = async |params: Vec<(String, String)>| {
        let params: Vec<(&str, &str)> =
            params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        bed.call("order/import", &params).await
    };
    let again = call(on_file(&[("customerId", &customer)])).await;
    let sold = row(&bed, &id(&again)).await;
    assert_eq!((&sold["paySource"], &sold["cardLast4"]), (&json!("CREDITCARD"), &json!("1111")));
    assert_eq!(
        (&sold["customerId"].to_string(), &sold["emailAddress"]),
        (&customer, &json!("ada@example.test"))
    );
    let charge = first(&bed, "transactions/query", &[("orderId", sold["orderId"].as_str().unwrap())]).await;
    let source = charge["paySourceId"].as_str().unwrap();
    fine(&call(on_file(&[("customerId", &customer), ("paySourceId", source)])).await);
    refused(&call(on_file(&[("customerId", &customer), ("paySourceId", "1")])).await);
    assert_eq!(complaints(&call(on_file(&[])).await), ["customerId"]);
    assert_eq!(call(on_file(&[("customerId", "1")])).await["message"], "Customer not found");

    let other = [("emailAddress", "bob@example.test"), ("skipQA", "1")];
    let prepaid = id(&bed.call("order/import", &[BUYER, PREPAID, &other].concat()).await);
    let without = bed.control.customer_of(&prepaid).unwrap().to_string();
    refused(&call(on_file(&[("customerId", &without)])).await);
    assert_eq!(bed.control.sales_of("ada@example.test").len(), 3);
}

#[tokio::test]
async fn a_preauthorised_lead_needs_no_card() {
    let bed = Bed::new().await;
    let nobody = bed.call("order/preauth", &CARD[3..]).await;
    assert_eq!(nobody["message"], "Customer not found");
    let lead = id(&bed.call("leads/import", BUYER).await);
    let order = [("orderId", lead.as_str())];
    let missing = complaints(&bed.call("order/preauth", &order).await);
    assert_eq!(missing, ["cardMonth", "cardNumber", "cardSecurityCode", "cardYear"]);
    fine(&bed.call("order/preauth", &[&order[..], CARD].concat()).await);
    let sale = [("orderId", lead.as_str()), ("campaignId", "12"), ("product1_id", "15271")];
    assert_eq!(id(&bed.call("order/import", &sale).await), lead);
    let charges = bed.call("transactions/query", &[("orderId", &lead)]).await;
    assert_eq!(
        (column(&charges, "txnType"), column(&charges, "cardLast4")),
        (vec!["CAPTURE".to_owned()], vec!["1111".to_owned()])
    );
    refused(&bed.call("order/preauth", &[&order[..], CARD].concat()).await);

    let lead = bed.control.lead("b@example.test").unwrap();
    let sale = [("orderId", lead.as_str()), ("campaignId", "12"), ("product1_id", "15271")];
    assert_eq!(complaints(&bed.call("order/import", &sale).await), ["paySource"]);
    bed.control.preauthorise(&lead).unwrap();
    fine(&bed.call("order/import", &sale).await);
}

#[tokio::test]
async fn every_way_to_pay_wants_what_belongs_to_it() {
    let bed = Bed::new().await;
    let pay = async |source: &str, more: &[(&str, &str)]| {
        let own: &[(&str, &str)] = &[("paySource", source), ("product1_id", "15271")];
        bed.call("order/import", &[BUYER, own, more].concat()).await
    };
    assert_eq!(
        complaints(&pay("CHECK", &[]).await),
        ["achAccountNumber", "achAccountType", "achRoutingNumber"]
    );
    let ach = [("achAccountType", "CHECKING"), ("achRoutingNumber", "021000021"), ("achAccountNumber", "1")];
    fine(&pay("CHECK", &ach).await);
    assert_eq!(complaints(&pay("DIRECTDEBIT", &[]).await), ["accountHolder", "ddbic", "iban"]);
    let debit = [("iban", "DE02"), ("ddbic", "X"), ("accountHolder", "Ada")];
    fine(&pay("DIRECTDEBIT", &debit).await);
    let elsewhere = [("preAuthBillerId", "7"), ("preAuthMerchantTxnId", "pi_1")];
    fine(&pay("CREDITCARD", &elsewhere).await);
    for source in ["PAYPAL", "AMAZON", "APPLEPAY", "GOOGLEPAY"] {
        fine(&pay(source, &[]).await);
    }
    let delivery = id(&pay("COD", &[]).await);
    assert_eq!(row(&bed, &delivery).await["orderStatus"], "COD_PENDING");
    assert_eq!(bed.control.charges(&delivery), [0; 0]);
}

#[tokio::test]
async fn sales_and_leads_name_every_field_that_is_wrong() {
    let bed = Bed::new().await;
    let long = "x".repeat(256);
    let wrong: Vec<(&str, &str)> = [
        "lastName",
        "companyName",
        "emailAddress",
        "phoneNumber",
        "address1",
        "address2",
        "city",
        "postalCode",
        "state",
        "country",
        "shipCity",
        "shipCountry",
        "billShipSame",
        "ipAddress",
        "affId",
        "sourceValue3",
        "sessionId",
        "custom2",
        "disableCustomerDedup",
    ]
    .map(|name| (name, long.as_str()))
    .to_vec();
    let lead = [&[("campaignId", "twelve"), ("firstName", "Ada")], wrong.as_slice()].concat();
    let mut expected: Vec<&str> = wrong.iter().map(|(name, _)| *name).chain(["campaignId"]).collect();
    expected.sort_unstable();
    assert_eq!(complaints(&bed.call("leads/import", &lead).await), expected);

    let sale =
        [BUYER, CARD, &[("product1_qty", "some"), ("product1_price", "cheap"), ("product1_shipPrice", "-")]]
            .concat();
    let named = complaints(&bed.call("order/import", &sale).await);
    assert_eq!(named, ["product1_price", "product1_qty", "product1_shipPrice"]);
    let sale = [BUYER, CARD, &[("custom1", &long[..51]), ("salesTax", "x"), ("forceQA", "2")]].concat();
    assert_eq!(complaints(&bed.call("order/import", &sale).await), ["custom1", "forceQA", "salesTax"]);
    let fits = [BUYER, &[("custom1", &long[..30]), ("firstName", &long[..50])]].concat();
    fine(&bed.call("leads/import", &fits).await);
    let sale = [BUYER, CARD, &[("custom1", &long[..50])]].concat();
    fine(&bed.call("order/import", &sale).await);
    assert_eq!(
        complaints(&bed.call("leads/import", &[BUYER, &[("custom1", &long[..31])]].concat()).await),
        ["custom1"]
    );
    let nobody = [("campaignId", "12"), ("firstName", "Ada"), ("lastName", "Example")];
    assert_eq!(complaints(&bed.call("leads/import", &nobody).await), ["emailAddress"]);
}

#[tokio::test]
async fn refunds_are_checked_and_may_end_the_purchases() {
    let bed = Bed::new().await;
    let order = id(&bed.call("order/import", &[BUYER, CARD, &[("product1_id", "15271")]].concat()).await);
    assert_eq!(complaints(&bed.call("order/refund", &[]).await), ["orderId"]);
    assert_eq!(complaints(&bed.call("order/refund", &[("orderId", &order)]).await), ["refundAmount"]);
    assert_eq!(complaints(&bed.call("transactions/refund", &[]).await), ["transactionId"]);
    let wrong = [("transactionId", "x"), ("refundAmount", "all"), ("externalRefund", "maybe")];
    let named = complaints(&bed.call("transactions/refund", &wrong).await);
    assert_eq!(named, ["externalRefund", "refundAmount", "transactionId"]);
    refused(&bed.call("transactions/refund", &[("transactionId", "1"), ("fullRefund", "1")]).await);
    let charge = bed.control.charges(&order)[0].to_string();
    let refund = [
        ("transactionId", charge.as_str()),
        ("refundAmount", "5.00"),
        ("cancelPurchase", "1"),
        ("refundMerchantTxnId", "re_1"),
    ];
    fine(&bed.call("transactions/refund", &refund).await);
    let back = first(&bed, "transactions/query", &[("orderId", &order), ("txnType", "REFUND")]).await;
    assert_eq!((&back["merchantTxnId"], &back["totalAmount"]), (&json!("re_1"), &json!("5.00")));
    let sold = row(&bed, &order).await;
    assert_eq!(sold["items"]["15271"]["purchaseStatus"], "CANCELLED");
    assert_eq!(sold["orderStatus"], "COMPLETE");
}
