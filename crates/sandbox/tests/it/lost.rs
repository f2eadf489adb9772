//! Writes whose answer was lost, for each endpoint that writes (contract §7).

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use zaprun_sandbox::{CrmFault, CrmRequest, Fault};

use crate::bed::Bed;
use crate::shop::{BUYER, CARD, row};

type Params = Vec<(&'static str, String)>;

/// A CRM in which each write can be carried out, and the parameters for all of them.
async fn ready() -> (Bed, Vec<(&'static str, Params)>) {
    let bed = Bed::new().await;
    let control = &bed.control;
    let sold = |email: &str| control.sale(email).unwrap();
    let (upsold, confirmed, cancelled, refunded, sent, charged) = (
        sold("u@example.test"),
        sold("c@example.test"),
        sold("x@example.test"),
        sold("r@example.test"),
        sold("s@example.test"),
        sold("t@example.test"),
    );
    let held = control.hold("h@example.test").unwrap();
    let lead = control.lead("p@example.test").unwrap();
    let customer = control.customer_of(&upsold).unwrap().to_string();
    let charge = control.charges(&charged)[0].to_string();
    let purchase = control.with(|state| state.order(&confirmed).unwrap().lines[0].purchase_id.clone());
    let text = |params: &[(&'static str, &str)]| -> Params {
        params.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    let shipped = [
        ("orderId", sent.as_str()),
        ("fulfillmentStatus", "SHIPPED"),
        ("trackingNumber", "1Z"),
        ("dateShipped", "9/16/2026"),
    ];
    let writes = vec![
        ("leads/import", text(BUYER)),
        ("order/preauth", text(&[&[("orderId", lead.as_str())], CARD].concat())),
        ("order/import", text(&[BUYER, CARD].concat())),
        ("upsale/import", text(&[("orderId", &upsold), ("productId", "15272")])),
        ("order/confirm", text(&[("orderId", &confirmed)])),
        ("order/qa", text(&[("orderId", &held), ("action", "APPROVE")])),
        ("order/cancel", text(&[("orderId", &cancelled), ("cancelReason", "x")])),
        ("order/refund", text(&[("orderId", &refunded), ("fullRefund", "1")])),
        ("purchase/cancel", text(&[("purchaseId", &purchase), ("cancelReason", "x")])),
        ("transactions/refund", text(&[("transactionId", &charge), ("refundAmount", "1.00")])),
        ("fulfillment/update", text(&shipped)),
        ("customer/update", text(&[("customerId", &customer), ("city", "Elsewhere")])),
        ("customer/addnote", text(&[("customerId", &customer), ("message", "note")])),
        ("customer/blacklist", text(&[("blacklistType", "cardBin"), ("cardBin", "999999")])),
    ];
    (bed, writes)
}

fn pairs(params: &Params) -> Vec<(&str, &str)> {
    params.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// All that the books say.
fn books(bed: &Bed) -> String {
    bed.control.with(|state| {
        let (orders, transactions) =
            (state.orders().collect::<Vec<_>>(), state.transactions().collect::<Vec<_>>());
        let (customers, history) =
            (state.customers().collect::<Vec<_>>(), state.history().collect::<Vec<_>>());
        format!("{orders:?}{transactions:?}{customers:?}{history:?}{:?}", state.blacklist())
    })
}

fn last(bed: &Bed) -> CrmRequest {
    bed.control.writes().pop().unwrap()
}

#[tokio::test]
async fn the_write_happens_and_its_answer_is_lost() {
    let (bed, writes) = ready().await;
    let lost = [CrmFault::LostAnswer, CrmFault::LostAnswer504, CrmFault::LostAnswerBare];
    for (number, (endpoint, params)) in writes.iter().enumerate() {
        let before = books(&bed);
        let fault = lost[number % lost.len()].clone();
        bed.control.fault_next(Some(endpoint), Fault::Crm(fault.clone()));
        let answer = bed.raw(endpoint, &pairs(params)).await;
        match fault {
            CrmFault::LostAnswer => assert!(answer.is_err(), "{endpoint}"),
            CrmFault::LostAnswer504 => {
                let (status, body) = answer.unwrap();
                assert!(status == 504 && body.starts_with(b"<html>"), "{endpoint}");
            }
            _ => assert_eq!(answer.unwrap(), (200, json!({"result": "ERROR"}).to_string().into_bytes())),
        }
        assert_ne!(books(&bed), before, "{endpoint}");
        let write = last(&bed);
        assert_eq!((write.endpoint.as_str(), write.result.as_deref()), (*endpoint, Some("SUCCESS")));
        assert_eq!(write.done, Some(bed.control.now()));
    }
    assert_eq!(bed.control.writes().len(), writes.len());
}

#[tokio::test]
async fn the_write_happens_after_its_answer_was_lost() {
    let (bed, writes) = ready().await;
    let before = books(&bed);
    for (number, (endpoint, params)) in writes.iter().enumerate() {
        let after = Duration::from_secs(600);
        let fault = if number % 2 == 0 { CrmFault::LateWrite(after) } else { CrmFault::LateWrite504(after) };
        bed.control.fault_next(None, Fault::Crm(fault));
        let answer = bed.raw(endpoint, &pairs(params)).await;
        assert_eq!(answer.is_err(), number % 2 == 0, "{endpoint}");
        assert!(answer.is_err() || answer.unwrap().0 == 504);
        let write = last(&bed);
        assert_eq!((write.endpoint.as_str(), write.result, write.done), (*endpoint, None, None));
    }
    assert_eq!(bed.control.writes_late(), writes.len());
    assert_eq!(books(&bed), before);
    bed.clock.advance(SignedDuration::from_secs(599));
    assert_eq!(books(&bed), before, "not yet");
    bed.clock.advance(SignedDuration::from_secs(61));
    assert_ne!(books(&bed), before);
    assert_eq!(bed.control.writes_late(), 0);
    let due = bed.control.now() - SignedDuration::from_secs(60);
    for write in bed.control.writes() {
        assert_eq!((write.result.as_deref(), write.done), (Some("SUCCESS"), Some(due)), "{}", write.endpoint);
    }
    let sale = bed.control.sales_of("ada@example.test");
    assert_eq!(sale.len(), 1, "the lead and the sale are one order");
    assert_eq!(
        row(&bed, &sale[0]).await["dateUpdated"],
        "2026-09-16 14:28:55",
        "it happened when it was due"
    );
}

#[tokio::test]
async fn a_late_write_meets_the_crm_as_it_is_by_then() {
    let bed = Bed::new().await;
    let order = bed.control.sale("ada@example.test").unwrap();
    bed.control.add_fault("late-write:first=1,on=order/cancel".parse().unwrap());
    let cancel = [("orderId", order.as_str()), ("cancelReason", "x")];
    assert!(bed.raw("order/cancel", &cancel).await.is_err());
    assert_eq!(bed.call("order/cancel", &cancel).await["result"], "SUCCESS");
    bed.control.advance(SignedDuration::from_mins(10));
    let late = bed.control.writes_to("order/cancel")[0].clone();
    assert_eq!((late.result.as_deref(), late.done), (Some("ERROR"), None));

    // What the caller may not do is not done later either.
    bed.control.add_fault("late-write".parse().unwrap());
    let wrong =
        bed.client.post(bed.url("order/cancel/?loginId=sandbox&password=wrong&orderId=1")).send().await;
    assert!(wrong.is_err());
    assert_eq!(bed.control.writes_late(), 0);
    assert_eq!(
        bed.call("order/query", &[("orderId", &order)]).await["result"],
        "SUCCESS",
        "reads are no writes"
    );
}

#[tokio::test]
async fn what_prevents_an_answer_prevents_the_write() {
    let (bed, writes) = ready().await;
    let before = books(&bed);
    let faults = ["html-504:", "bare-error:", "empty-body:", "no-permission:", "refuse:Order is locked,"];
    for (number, (endpoint, params)) in writes.iter().enumerate() {
        let fault = faults[number % faults.len()];
        bed.control.clear_faults();
        bed.control.add_fault(format!("{fault}on={endpoint}").parse().unwrap());
        let (_, body) = bed.raw(endpoint, &pairs(params)).await.unwrap();
        if fault.starts_with("refuse") {
            assert_eq!(
                body,
                json!({"result": "ERROR", "message": "Order is locked"}).to_string().into_bytes()
            );
        }
        assert_eq!(last(&bed).done, None, "{endpoint}");
    }
    assert_eq!(books(&bed), before);
}

#[tokio::test]
async fn a_slow_answer_comes_after_the_write() {
    let bed = Bed::new().await;
    bed.control.add_fault("slow:1h,on=order/import".parse().unwrap());
    let sale =
        bed.client.post(bed.url("order/import/")).header("content-type", "application/x-www-form-urlencoded");
    let credentials = [("loginId", "sandbox"), ("password", "sandbox")];
    let body = crate::bed::form(credentials.iter().chain(BUYER).chain(CARD));
    let waiting = tokio::spawn(sale.body(body).send());
    bed.control.wait_for_crm(1).await;
    assert_eq!(bed.control.sales_of("ada@example.test").len(), 1);
    assert!(!waiting.is_finished());
    waiting.abort();
    assert_eq!(last(&bed).result.as_deref(), Some("SUCCESS"));
}

#[tokio::test]
async fn a_redirected_sale_stays_a_lead() {
    let bed = Bed::new().await;
    bed.control.fault_next(None, Fault::Crm(CrmFault::Redirect));
    let reply = bed.call("order/import", &[BUYER, CARD].concat()).await;
    assert_eq!(reply["result"], "MERC_REDIRECT");
    assert!(reply["message"]["url"].as_str().unwrap().starts_with("https://"));
    assert_eq!(bed.control.charges_of("ada@example.test"), [0; 0]);
    assert_eq!(bed.call("order/import", &[BUYER, CARD].concat()).await["result"], "SUCCESS");
    assert_eq!(bed.control.with(|state| state.orders().count()), 1);
}

#[tokio::test]
async fn an_empty_form_is_refused_by_every_write_and_changes_nothing() {
    let (bed, writes) = ready().await;
    let before = books(&bed);
    for (endpoint, _) in &writes {
        let reply = bed.call(endpoint, &[]).await;
        assert_eq!(reply["result"], "ERROR", "{endpoint}");
        assert!(!reply["message"].to_string().contains("no endpoint"), "{endpoint}");
    }
    assert_eq!(books(&bed), before);
    assert!(bed.control.writes().iter().all(|write| write.done.is_none()));
}
