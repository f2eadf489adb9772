//! order/query and transactions/query (contract §1.6, §1.7, §3).

use serde_json::{Value, json};
use zaprun_sandbox::state::{OrderStatus, OrderType};
use zaprun_sandbox::{Config, ItemsForm, Shape};

use crate::bed::{Bed, column, local, rows, steady};

async fn ids(bed: &Bed, params: &[(&str, &str)]) -> Vec<String> {
    column(&bed.today("order/query", params).await, "orderId")
}

#[tokio::test]
async fn empty_results_are_errors_with_the_recorded_texts() {
    let bed = Bed::new().await;
    let nothing = |things: &str| json!({"result": "ERROR", "message": format!("No {things} matching those parameters could be found")});
    assert_eq!(bed.today("order/query", &[]).await, nothing("orders"));
    assert_eq!(bed.today("transactions/query", &[]).await, nothing("transactions"));
    assert_eq!(bed.call("order/query", &[("orderId", "0000000000")]).await, nothing("orders"));
}

#[tokio::test]
async fn days_are_whole_and_times_are_ignored_in_every_form() {
    let bed = Bed::new().await;
    let at = |text: &str| bed.control.insert_order(|order| order.created = local(text)).unwrap();
    at("2026-09-04T23:59:59");
    let first = at("2026-09-05T00:00:00");
    let last = at("2026-09-06T23:59:59");
    at("2026-09-07T00:00:00");
    let forms = [
        ("09/05/2026", "09/06/2026"),
        ("9/5/2026", "9/6/2026"),
        ("09/05/26", "09/06/26"),
        ("2026-09-05", "2026-09-06"),
        ("2026-09-05 12:00:00", "2026-09-06 12:30:00"),
    ];
    for (start, end) in forms {
        let reply = bed.call("order/query", &[("startDate", start), ("endDate", end)]).await;
        assert_eq!(column(&reply, "orderId"), [first.as_str(), last.as_str()], "{start}");
    }
    let reply = bed.call("order/query", &[("startDate", "soon"), ("endDate", "09/06/2026")]).await;
    assert_eq!(reply["message"]["startDate"], "is not a valid date");
    let reply = bed.call("order/query", &[("startDate", "09/06/2026")]).await;
    assert_eq!(reply["message"], json!({"endDate": "is a required field"}));
}

#[tokio::test]
async fn the_window_is_about_the_timestamp_asked_for() {
    let bed = Bed::new().await;
    let order_id = bed.control.insert_order(|order| order.created = local("2026-09-01T10:00:00")).unwrap();
    assert_eq!(ids(&bed, &[]).await, [""; 0]);
    assert_eq!(ids(&bed, &[("dateRangeType", "dateUpdated")]).await, [order_id]);
    let reply = bed.today("order/query", &[("dateRangeType", "someday")]).await;
    assert_eq!(reply["result"], "ERROR");
}

#[tokio::test]
async fn rows_sort_by_creation_even_when_the_window_is_about_updates() {
    let bed = Bed::new().await;
    let at = |created: &str| bed.control.insert_order(|order| order.created = local(created)).unwrap();
    let (late, early) = (at("2026-09-16T12:00:00"), at("2026-09-15T12:00:00"));
    let tie = at("2026-09-16T12:00:00");
    let up = [early.clone(), late.clone(), tie.clone()];
    assert_eq!(ids(&bed, &[("dateRangeType", "dateUpdated")]).await, up);
    assert_eq!(ids(&bed, &[("dateRangeType", "dateUpdated"), ("sortDir", "1")]).await, up);
    assert_eq!(ids(&bed, &[("dateRangeType", "dateUpdated"), ("sortDir", "0")]).await, [tie, late, early]);
}

#[tokio::test]
async fn pages_default_to_25_and_end_at_200() {
    let bed = Bed::new().await;
    for _ in 0..230 {
        bed.control.insert_order(|_| {}).unwrap();
    }
    let reply = bed.today("order/query", &[]).await;
    assert_eq!((rows(&reply).len(), &reply["message"]["resultsPerPage"]), (25, &json!(25)));
    let reply = bed.today("order/query", &[("resultsPerPage", "1000")]).await;
    assert_eq!((rows(&reply).len(), &reply["message"]["resultsPerPage"]), (200, &json!(200)));
    assert_eq!(reply["message"]["totalResults"], 230);
    let reply = bed.today("order/query", &[("resultsPerPage", "200"), ("page", "2")]).await;
    assert_eq!((rows(&reply).len(), &reply["message"]["page"]), (30, &json!(2)));
    for page in ["0", "-1", "x", ""] {
        assert_eq!(rows(&bed.today("order/query", &[("page", page)]).await).len(), 25);
    }
    let reply = bed.today("order/query", &[("page", "18446744073709551615")]).await;
    assert_eq!(reply["result"], "ERROR");
}

#[tokio::test]
async fn filters_narrow_orders() {
    let bed = Bed::new().await;
    let insert = |edit: fn(&mut zaprun_sandbox::state::Order)| bed.control.insert_order(edit).unwrap();
    let refunded = insert(|order| order.status = OrderStatus::Refunded);
    let rebill = insert(|order| order.order_type = OrderType::Recurring);
    let other = insert(|order| order.campaign_id = 15);
    let mail = insert(|order| order.buyer.email = "Zoë@Example.test".to_owned());
    let bare = insert(|order| order.lines.clear());

    assert_eq!(ids(&bed, &[("orderStatus", "REFUNDED")]).await, [refunded]);
    assert_eq!(ids(&bed, &[("orderType", "RECURRING")]).await, [rebill.as_str()]);
    assert_eq!(ids(&bed, &[("campaignId", "15")]).await, [other.as_str()]);
    assert_eq!(ids(&bed, &[("campaignId", "12, 15")]).await.len(), 5);
    assert_eq!(ids(&bed, &[("emailAddress", "zoë@example.TEST")]).await, [mail]);
    let with_product = ids(&bed, &[("campaignProductId", "15271,1")]).await;
    assert!(with_product.len() == 4 && !with_product.contains(&bare));
    assert_eq!(ids(&bed, &[("orderId", &other), ("campaignId", "12")]).await, [""; 0]);
    let customer = rows(&bed.call("order/query", &[("orderId", &rebill)]).await)[0]["customerId"].to_string();
    assert_eq!(rows(&bed.call("order/query", &[("customerId", &customer)]).await).len(), 5);
    for (name, value) in [("orderStatus", "SOLD"), ("campaignId", "x"), ("customerId", "1.5")] {
        assert!(bed.today("order/query", &[(name, value)]).await["message"][name].is_string());
    }
}

#[tokio::test]
async fn filters_narrow_transactions_and_order_type_does_not() {
    let bed = Bed::new().await;
    let lead = bed.control.lead("a@example.test").unwrap();
    let declined = bed.control.decline(&lead).unwrap().to_string();
    let sale = bed.control.convert(&lead).unwrap().unwrap().to_string();
    let refund = bed.control.refund(&lead).unwrap()[0].to_string();
    bed.control.with(|state| state.charge_back(sale.parse().unwrap(), "4837")).unwrap();
    let find = async |params: &[(&str, &str)]| {
        column(&bed.today("transactions/query", params).await, "transactionId")
    };

    assert_eq!(find(&[]).await, [declined.clone(), sale.clone(), refund.clone()]);
    assert_eq!(find(&[("orderType", "RECURRING")]).await.len(), 3);
    assert_eq!(find(&[("responseType", "SOFT_DECLINE")]).await, [declined]);
    assert_eq!(find(&[("responseType", "HARD_DECLINE")]).await, [""; 0]);
    assert_eq!(find(&[("txnType", "REFUND"), ("responseType", "SUCCESS")]).await, [refund.as_str()]);
    assert_eq!(find(&[("isChargedback", "1")]).await, [sale.as_str()]);
    assert_eq!(find(&[("isChargedback", "0")]).await.len(), 2);
    assert_eq!(find(&[("transactionId", &refund)]).await, [refund.as_str()]);
    let by_order = bed.call("transactions/query", &[("orderId", &lead)]).await;
    assert_eq!(rows(&by_order).len(), 3);
    assert_eq!(rows(&by_order)[2]["parentTxnId"].to_string(), sale);
    assert_eq!(rows(&by_order)[2]["totalAmount"], "49.99");
}

#[tokio::test]
async fn the_query_is_echoed_without_credentials() {
    let bed = Bed::new().await;
    bed.control.sale("ada@example.test").unwrap();
    let reply =
        bed.today("order/query", &[("orderStatus", "COMPLETE"), ("dateRangeType", "dateUpdated")]).await;
    let expected = json!({
        "page": 1, "sortDir": 1, "resultsPerPage": 25, "sortBy": "dateCreated",
        "startDate": "09/16/2026", "endDate": "09/16/2026", "orderStatus": "COMPLETE", "dateRangeType": "dateUpdated",
    });
    assert_eq!(reply["message"]["queryArgs"].to_string(), expected.to_string());
    assert!(!reply.to_string().contains("\"sandbox\""));
}

#[tokio::test]
async fn custom_fields_come_when_asked_for_and_patches_last() {
    let bed = Bed::new().await;
    let order_id = bed
        .control
        .insert_order(|order| {
            order.extra.insert("custom_Size".to_owned(), "XL".to_owned());
            order.patch.set.insert("totalAmount".to_owned(), json!(1e3));
            order.patch.remove.push("emailAddress".to_owned());
        })
        .unwrap();
    let row = rows(&bed.call("order/query", &[("orderId", &order_id)]).await)[0].clone();
    assert!(row.get("customFields").is_none() && row.get("emailAddress").is_none());
    assert_eq!(row["totalAmount"], json!(1e3));
    let reply = bed.call("order/query", &[("orderId", &order_id), ("includeCustomFields", "1")]).await;
    assert_eq!(rows(&reply)[0]["customFields"], json!({"Size": "XL"}));
}

#[tokio::test]
async fn types_vary_by_row_but_never_between_two_reads() {
    let bed = Bed::with(Config { seed: 9, ..Config::default() }).await;
    for _ in 0..60 {
        bed.control.insert_order(|_| {}).unwrap();
    }
    let query = [("resultsPerPage", "200")];
    let reply = bed.today("order/query", &query).await;
    assert_eq!(reply, bed.today("order/query", &query).await);
    let forms = |pick: fn(&Value) -> &Value| {
        let rows = rows(&reply);
        let odd = rows.iter().filter(|row| pick(row).is_string() || pick(row).is_array()).count();
        assert!(odd > 0 && odd < rows.len(), "{odd}");
    };
    forms(|row| &row["items"]);
    forms(|row| &row["campaignId"]);
    forms(|row| row["items"].get("15271").unwrap_or_else(|| &row["items"][0]).get("price").unwrap());
}

#[tokio::test]
async fn items_and_shapes_follow_the_configuration() {
    let bed = Bed::with(Config { items: ItemsForm::List, shape: Shape::Y2016, ..steady() }).await;
    let lead = bed.control.lead("lead@example.test").unwrap();
    let sale = bed.control.sale("ada@example.test").unwrap();
    let row = rows(&bed.call("order/query", &[("orderId", &sale)]).await)[0].clone();
    assert_eq!(row["items"][0]["price"], "49.99");
    assert_eq!(row["cardExpiryDate"], "2030-12-31 00:00:00");
    assert!(
        row.get("actualOrderId").is_none()
            && row.get("hasUpsell").is_none()
            && row.get("sourceValue5").is_some()
    );
    let row = rows(&bed.call("order/query", &[("orderId", &lead)]).await)[0].clone();
    assert_eq!(
        (&row["paySource"], &row["items"], &row["orderStatus"]),
        (&Value::Null, &json!([]), &json!("PARTIAL"))
    );
}
