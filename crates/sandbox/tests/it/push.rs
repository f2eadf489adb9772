//! Pushes arrive as the CRM's export profiles send them (contract §6, §8.9). The sink receives them.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;
use zaprun_sandbox::state::Route;
use zaprun_sandbox::{Config, Error, ExportProfile, Push, Sandbox};

use crate::bed::{Bed, rows, steady};
use crate::shop::{BUYER, CARD, PREPAID, fine, id};

/// Everything, to the sink.
fn to_sink(bed: &Bed) -> ExportProfile {
    ExportProfile::to(format!("{}/crm", bed.running.sink_url()))
}

/// The latest push of a route, once so many were tried.
async fn pushed(bed: &Bed, count: u64, route: Route) -> Push {
    bed.control.wait_for_pushes(count).await;
    bed.control.pushes().into_iter().rfind(|push| push.route == route).unwrap()
}

#[tokio::test]
async fn batches_leave_each_quarter_hour_with_the_values_of_then() {
    let bed = Bed::new().await;
    bed.control.add_export(to_sink(&bed)).unwrap();
    let order = bed.control.sale("ada@example.test").unwrap();
    assert_eq!((bed.control.pushes_waiting(), bed.control.pushes().len()), (2, 0));
    bed.clock.advance(SignedDuration::from_mins(5));
    bed.control.cancel(&order).unwrap();
    bed.clock.advance(SignedDuration::from_mins(6));
    assert_eq!(bed.control.pushes().len(), 0, "18:29:55 is before the half hour");
    bed.clock.advance(SignedDuration::from_secs(5));
    let sale = pushed(&bed, 3, Route::NewSale).await;
    assert_eq!(sale.fields["orderStatus"], "CANCELLED", "not as it was when it was sold");
    assert_eq!((sale.order_id.as_str(), sale.attempt, sale.status), (order.as_str(), 1, Some(200)));
    let routes: Vec<Route> = bed.control.pushes().iter().map(|push| push.route).collect();
    assert_eq!(routes, [Route::Partial, Route::NewSale, Route::Cancel]);
    assert_eq!(bed.control.pushes_waiting(), 0);
    bed.control.advance(SignedDuration::from_hours(24));
    assert_eq!(bed.control.pushes().len(), 3);
}

#[tokio::test]
async fn a_delay_waits_before_the_batch() {
    let bed = Bed::new().await;
    let late = ExportProfile { delay: Duration::from_secs(12 * 60), ..to_sink(&bed) };
    bed.control.add_export(late.only(&[Route::NewSale])).unwrap();
    bed.control.sale("ada@example.test").unwrap();
    bed.control.advance(SignedDuration::from_mins(12));
    assert_eq!((bed.control.pushes_waiting(), bed.control.pushes().len()), (1, 0));
    bed.control.advance(SignedDuration::from_mins(15));
    bed.control.wait_for_pushes(1).await;
    assert_eq!(bed.control.received().len(), 1);
}

#[tokio::test]
async fn a_get_has_the_fields_in_its_query_and_no_nulls() {
    let bed = Bed::new().await;
    let profile = ExportProfile::to(format!("{}/crm?shop=7", bed.running.sink_url()));
    bed.control.add_export(profile.at_once().set("event", "sale & more").only(&[Route::NewSale])).unwrap();
    let order = bed.control.sale("ada+1@example.test").unwrap();
    bed.control.wait_for_pushes(1).await;
    let received = bed.control.received().pop().unwrap();
    assert_eq!((received.method.as_str(), received.body.len()), ("GET", 0));
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(received.query.as_bytes()).into_owned().collect();
    let value = |name: &str| {
        let found: Vec<&str> =
            pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect();
        assert!(found.len() < 2, "{name}");
        found.first().copied().unwrap_or("absent").to_owned()
    };
    let expected = [
        ("shop", "7"),
        ("event", "sale & more"),
        ("clientOrderId", order.as_str()),
        ("emailAddress", "ada+1@example.test"),
        ("cardExpiryDate[date]", "2030-12-31 23:59:59.000000"),
        ("cardExpiryDate[timezone_type]", "3"),
        ("cardExpiryDate[timezone]", "America/New_York"),
        ("orderTotal", "49.99"),
        ("product1_sku", "VIT-01"),
        ("nextBillDate", "2026-10-16"),
        ("trackingNumber", "absent"),
        ("address2", "absent"),
        ("declineReason", "absent"),
    ];
    for (name, wanted) in expected {
        assert_eq!(value(name), wanted, "{name}");
    }
    let internal = bed.control.with(|state| state.order(&order).unwrap().actual_order_id.to_string());
    assert_eq!((value("orderId"), value("originalOrderId")), (internal.clone(), internal));
}

#[tokio::test]
async fn json_is_posted_with_static_headers_and_own_names() {
    let bed = Bed::new().await;
    let fields = [("order", "clientOrderId"), ("total", "orderTotal"), ("tracking", "trackingNumber")];
    let fields = fields.map(|(name, token)| (name.to_owned(), token.to_owned())).to_vec();
    let profile = ExportProfile { fields, ..to_sink(&bed) }.at_once().json().set("header:X-Key", "k1");
    bed.control.add_export(profile.only(&[Route::NewSale])).unwrap();
    let order = bed.control.sale("ada@example.test").unwrap();
    bed.control.wait_for_pushes(1).await;
    let received = bed.control.received().pop().unwrap();
    assert_eq!((received.method.as_str(), received.query.as_str()), ("POST", ""));
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("x-key"), Some("k1"));
    assert_eq!(received.json().unwrap().to_string(), format!(r#"{{"order":"{order}","total":"49.99"}}"#));
}

#[tokio::test]
async fn what_was_not_taken_is_sent_again() {
    let bed = Bed::new().await;
    bed.control.add_export(to_sink(&bed).at_once().only(&[Route::FullRefund])).unwrap();
    bed.control.add_fault("sink-503:first=1".parse().unwrap());
    let order = bed.control.sale("ada@example.test").unwrap();
    bed.control.refund(&order).unwrap();
    bed.control.wait_for_pushes(1).await;
    bed.control.add_fault("sink-cut:first=1".parse().unwrap());
    bed.clock.advance(SignedDuration::from_secs(1));
    bed.control.wait_for_pushes(2).await;
    assert_eq!(bed.control.pushes_waiting(), 1);
    bed.clock.advance(SignedDuration::from_secs(2));
    bed.control.wait_for_pushes(3).await;
    let tries: Vec<(u32, Option<u16>)> =
        bed.control.pushes().iter().map(|push| (push.attempt, push.status)).collect();
    assert_eq!(tries, [(1, Some(503)), (2, None), (3, Some(200))]);
    assert_eq!(bed.control.pushes_waiting(), 0);
    let queries: BTreeSet<String> = bed.control.received().into_iter().map(|one| one.query).collect();
    assert_eq!((bed.control.received().len(), queries.len()), (3, 1));

    let customer = bed.control.customer_of(&order).unwrap().to_string();
    let history = rows(&bed.call("customer/history", &[("customerId", &customer)]).await);
    let last = history.last().unwrap();
    assert_eq!((&last["type"], &last["message"]), (&"EXPORT".into(), &"full_refund exported: 200".into()));
    assert_eq!(history.len(), 3);
}

#[tokio::test]
async fn in_batches_a_refused_push_goes_with_the_next() {
    let bed = Bed::new().await;
    bed.control.add_export(to_sink(&bed).only(&[Route::NewSale])).unwrap();
    bed.control.add_fault("sink-500:first=1".parse().unwrap());
    bed.control.sale("ada@example.test").unwrap();
    bed.control.advance(SignedDuration::from_mins(12));
    bed.control.wait_for_pushes(1).await;
    bed.control.advance(SignedDuration::from_mins(14));
    assert_eq!((bed.control.pushes().len(), bed.control.pushes_waiting()), (1, 1));
    bed.control.advance(SignedDuration::from_mins(1));
    bed.control.wait_for_pushes(2).await;
    assert!(bed.control.pushes()[1].taken());
}

#[tokio::test]
async fn every_route_is_told() {
    let bed = Bed::new().await;
    bed.control.add_export(to_sink(&bed).at_once()).unwrap();
    let control = &bed.control;
    let lead = control.lead("d@example.test").unwrap();
    control.decline(&lead).unwrap();
    let sold = control.sale("a@example.test").unwrap();
    control.upsell(&sold).unwrap();
    control.decline_rebill(&sold).unwrap();
    let billed = control.rebill(&sold).unwrap();
    control.ship(&sold, "1Z1").unwrap();
    control.deliver(&sold).unwrap();
    let update = |more: &[(&'static str, &'static str)]| {
        [
            &[("orderId", sold.clone())],
            &more.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>()[..],
        ]
        .concat()
    };
    for change in [
        update(&[("fulfillmentStatus", "RMA_PENDING"), ("refundAmount", "1.00"), ("rmaNumber", "R1")]),
        update(&[("fulfillmentStatus", "RETURNED"), ("dateReturned", "9/16/2026")]),
    ] {
        let change: Vec<(&str, &str)> = change.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fine(&bed.call("fulfillment/update", &change).await);
    }
    control.charge_back(&sold).unwrap();
    control.refund(&sold).unwrap();
    let held = control.hold("h@example.test").unwrap();
    control.approve(&held).unwrap();
    control.cancel(&held).unwrap();
    // Four of them are leads before they are anything else.
    control.wait_for_pushes(18).await;
    let pushes = control.pushes();
    let told: BTreeSet<&str> = pushes.iter().map(|push| push.route.as_str()).collect();
    let all: BTreeSet<&str> = Route::ALL.iter().map(|(_, word)| *word).collect();
    assert_eq!(told, all);
    let field = |route: Route, name: &str| {
        let push = pushes.iter().rfind(|push| push.route == route).unwrap();
        push.fields.get(name).map_or(Value::Null, Value::clone)
    };
    assert_eq!(field(Route::Decline, "declineReason"), "Card Declined");
    assert_eq!(field(Route::Rebill, "clientOrderId"), billed.order_id.as_str());
    assert_eq!(field(Route::Rebill, "originalClientOrderId"), sold.as_str());
    assert_eq!(field(Route::Rebill, "billingCycleNumber"), "2");
    assert_eq!(field(Route::Shipped, "trackingNumber"), "1Z1");
    assert_eq!(field(Route::RmaReturned, "rmaNumber"), "R1");
    assert_eq!(field(Route::Chargeback, "chargebackReasonCode"), "10.4");
    assert_eq!(field(Route::FullRefund, "refundReason"), "customer request");
}

macro_rules! sample {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../samples/webhook_", $name, ".json"))).unwrap()
    };
}

/// Which of a recorded push's fields are absent or of another type here, but for those.
#[track_caller]
fn assert_like(push: &Push, sample: &Value, but: &[&str]) {
    let kind = |value: &Value| std::mem::discriminant(value);
    let odd = sample.as_object().unwrap().iter().filter(|(name, value)| {
        !but.contains(&name.as_str())
            && push.fields.get(name.as_str()).is_none_or(|found| kind(found) != kind(value))
    });
    let odd: Vec<&String> = odd.map(|(name, _)| name).collect();
    assert!(odd.is_empty(), "{odd:?} of {:#?}", push.fields);
}

/// That, and the words of a recorded push.
#[track_caller]
fn assert_says(push: &Push, sample: &Value, but: &[&str]) {
    assert_like(push, sample, but);
    for name in
        ["orderStatus", "recurringStatus", "declineReason", "billingCycleNumber", "responseType", "paySource"]
    {
        assert_eq!(push.fields.get(name), sample.get(name), "{name}");
    }
}

#[tokio::test]
async fn pushes_have_the_recorded_fields_and_types() {
    let bed = Bed::new().await;
    bed.control.add_export(to_sink(&bed).at_once().json()).unwrap();
    let more = [("phoneNumber", "5555550100"), ("custom1", "a"), ("custom2", "b"), ("product1_id", "15271")];
    let call = async |endpoint: &str, params: &[(&str, &str)]| bed.call(endpoint, params).await;
    id(&call("leads/import", &[BUYER, &more].concat()).await);
    let funnel = pushed(&bed, 1, Route::Partial).await;
    assert_says(&funnel, &sample!("partial_funnel"), &[]);
    id(&call("order/import", &[BUYER, CARD, &more, &[("forceQA", "1")]].concat()).await);
    let sale = pushed(&bed, 2, Route::NewSale).await;
    assert_says(&sale, &sample!("new_sale_creditcard"), &[]);

    // A prepaid order has no transaction here, and no parcel while it is in quality assurance.
    let buyer = [BUYER, PREPAID, &more, &[("emailAddress", "b@example.test")]].concat();
    let prepaid = id(&call("order/import", &buyer).await);
    let sale = pushed(&bed, 4, Route::NewSale).await;
    assert_says(&sale, &sample!("new_sale_prepaid"), &["actualTransactionId", "shipCarrier"]);
    fine(&call("order/qa", &[("orderId", &prepaid), ("action", "APPROVE")]).await);
    let capture = pushed(&bed, 5, Route::Capture).await;
    assert_says(&capture, &sample!("capture"), &["actualTransactionId"]);
    assert_ne!(
        capture.fields["clientPurchaseId"], sale.fields["clientPurchaseId"],
        "the purchase is a new one"
    );
    fine(&call("order/refund", &[("orderId", &prepaid), ("fullRefund", "1"), ("refundReason", "RDR")]).await);
    let refund = pushed(&bed, 6, Route::FullRefund).await;
    assert_like(&refund, &sample!("refunded"), &["actualTransactionId"]);
    for (name, value) in
        [("orderStatus", "REFUNDED"), ("refundReason", "RDR"), ("dateRefunded", "2026-09-16 14:18:55")]
    {
        assert_eq!(refund.fields[name], value);
    }
}

#[tokio::test]
async fn test_orders_history_and_rows_put_in_by_hand_are_no_news() {
    let clock = zaprun_sandbox::ManualClock::at(crate::bed::noon());
    let profile = ExportProfile::to("http://127.0.0.1:9/crm");
    let config = Config { clock: clock.clock(), history: 60, exports: vec![profile], ..steady() };
    let running = Sandbox::start(config).await.unwrap();
    assert_eq!(running.control().pushes_waiting(), 0);
    running.control().insert_order(|_| {}).unwrap();
    assert_eq!(running.control().pushes_waiting(), 0);

    let bed = Bed::new().await;
    bed.control.add_export(to_sink(&bed).at_once().only(&[Route::NewSale])).unwrap();
    let test = [BUYER, CARD, &[("cardNumber", "0000000000000000")]].concat();
    id(&bed.call("order/import", &test).await);
    assert_eq!(bed.control.pushes_waiting(), 0);
    let live = [BUYER, CARD, &[("emailAddress", "b@example.test")]].concat();
    id(&bed.call("order/import", &live).await);
    bed.control.wait_for_pushes(1).await;
    assert_eq!(bed.control.received().len(), 1);
}

#[tokio::test]
async fn a_push_under_way_when_the_sandbox_ends_waits_for_the_next_start() {
    let receiver = Bed::new().await;
    receiver.control.add_fault("sink-hang:first=1".parse().unwrap());
    let bed = Bed::new().await;
    bed.control.add_export(to_sink(&receiver).at_once().only(&[Route::NewSale])).unwrap();
    bed.control.sale("ada@example.test").unwrap();
    receiver.control.wait_for_sink(1).await;
    let control = bed.control.clone();
    bed.running.shutdown().await;
    assert_eq!((control.pushes_waiting(), control.pushes().len()), (1, 0));
    let again = Sandbox::resume(steady(), control.clone()).await.unwrap();
    control.wait_for_pushes(1).await;
    assert!(control.pushes()[0].taken());
    again.shutdown().await;
}

#[tokio::test]
async fn a_late_write_is_told_when_it_has_happened() {
    let bed = Bed::new().await;
    let order = bed.control.sale("ada@example.test").unwrap();
    bed.control.add_export(to_sink(&bed).at_once()).unwrap();
    bed.control.add_fault("late-write:10m".parse().unwrap());
    assert!(bed.raw("order/cancel", &[("orderId", &order), ("cancelReason", "x")]).await.is_err());
    assert_eq!(bed.control.pushes_waiting(), 0);
    // Nobody asks the CRM anything: the clock alone does it.
    bed.clock.advance(SignedDuration::from_mins(10));
    bed.control.wait_for_pushes(1).await;
    assert_eq!(bed.control.pushes()[0].fields["orderStatus"], "CANCELLED");
}

#[tokio::test]
async fn a_profile_that_could_never_be_sent_is_refused() {
    let bad = ExportProfile::to("ftp://example.test").at_once();
    let config = Config { exports: vec![bad.clone()], ..steady() };
    assert!(matches!(Sandbox::start(config).await, Err(Error::Export(_))));
    assert!(Bed::new().await.control.add_export(bad).is_err());
}
