//! Every write against the stand-in CRM, which was written from the contract and knows nothing of the adapter: the
//! answer is lost, nothing happened, it happens ten minutes later.

use crate::support::{konnektive_with, request};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::{Clock, CrmWriter, Refusal, Seen, Sight, WriteOutcome};
use zaprun_konnektive::{Konnektive, WriteAccess};
use zaprun_sandbox::{Config, Control, CrmFault, Fault, ItemsForm, ManualClock, Running, Sandbox, Shape};

const EMAIL: &str = "ada@example.test";

const BUYER: &[(&str, &str)] = &[
    ("campaignId", "12"),
    ("firstName", "Ada"),
    ("lastName", "Example"),
    ("emailAddress", EMAIL),
    ("address1", "1 Sample Street"),
    ("city", "Springfield"),
    ("state", "NY"),
    ("country", "US"),
    ("postalCode", "10001"),
    ("shipAddress1", "1 Sample Street"),
    ("shipCity", "Springfield"),
    ("shipState", "NY"),
    ("shipCountry", "US"),
    ("shipPostalCode", "10001"),
];

/// The sandbox's hand, as the adapter's clock.
struct Hand(ManualClock);

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        self.0.clock().now()
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

struct Bed {
    running: Running,
    control: Control,
    clock: ManualClock,
    crm: Konnektive,
}

impl Bed {
    async fn new(shape: Shape) -> Bed {
        let clock = ManualClock::at("2026-09-16T18:18:55Z".parse().unwrap());
        let config = Config { shape, items: ItemsForm::Seeded, clock: clock.clock(), ..Config::default() };
        let running = Sandbox::start(config).await.unwrap();
        let crm = konnektive_with(&running.base_url(), "sandbox", "sandbox", Arc::new(Hand(clock.clone())));
        Bed { control: running.control(), running, clock, crm }
    }

    fn advance(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    async fn look(&self, request: &CrmRequest, before: Option<&str>) -> Sight {
        self.crm.look(request, before).await.unwrap()
    }

    async fn write(&self, request: &CrmRequest) -> WriteOutcome {
        let turn = self.crm.turn().await;
        self.crm.write_in_turn(request, turn).await
    }
}

/// A write, and what has to be there before.
struct Case {
    action: &'static str,
    params: fn(&Control) -> Vec<(&'static str, String)>,
    /// Whether a look can tell what became of it.
    shows: bool,
    correlate_in: Option<&'static str>,
}

const fn case(action: &'static str, params: fn(&Control) -> Vec<(&'static str, String)>) -> Case {
    Case { action, params, shows: true, correlate_in: None }
}

fn buyer(more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    BUYER.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn of(more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    more.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// The buyer's sale, its parcels off hold.
fn sale(control: &Control) -> String {
    control.sale(EMAIL).unwrap()
}

fn charge(control: &Control, order: &str) -> String {
    control.charges(order)[0].to_string()
}

fn customer(control: &Control) -> String {
    let order = sale(control);
    control.customer_of(&order).unwrap().to_string()
}

fn purchase(control: &Control) -> String {
    let order = sale(control);
    control.with(|state| state.order(&order).unwrap().lines[0].purchase_id.clone())
}

fn cases() -> Vec<Case> {
    vec![
        // A card that is preauthorised on the lead.
        case("konnektive.create_sale", |control| {
            let lead = control.lead(EMAIL).unwrap();
            control.preauthorise(&lead).unwrap();
            buyer(&[("orderId", &lead), ("product1_id", "15271"), ("paySource", "CREDITCARD")])
        }),
        case("konnektive.create_sale", |control| {
            let lead = control.lead(EMAIL).unwrap();
            buyer(&[("orderId", &lead), ("product1_id", "15271"), ("paySource", "PREPAID")])
        }),
        // Without an order's id: by the buyer, who has bought before.
        case("konnektive.create_sale", |control| {
            sale(control);
            buyer(&[("product1_id", "15273"), ("paySource", "PREPAID"), ("skipQA", "1")])
        }),
        Case {
            correlate_in: Some("custom5"),
            ..case("konnektive.create_sale", |_| buyer(&[("product1_id", "15271"), ("paySource", "PREPAID")]))
        },
        case("konnektive.create_lead", |_| buyer(&[("phoneNumber", "5555550100")])),
        case("konnektive.create_lead", |control| {
            let lead = control.lead(EMAIL).unwrap();
            buyer(&[("orderId", &lead), ("companyName", "Example & Sons")])
        }),
        case("konnektive.create_upsale", |control| {
            of(&[("orderId", &sale(control)), ("productId", "15272")])
        }),
        case("konnektive.update_fulfillment", |control| {
            let order = sale(control);
            of(&[
                ("orderId", &order),
                ("fulfillmentStatus", "SHIPPED"),
                ("trackingNumber", "1Z999"),
                ("dateShipped", "09/16/2026"),
            ])
        }),
        case("konnektive.update_fulfillment", |control| {
            of(&[("orderId", &sale(control)), ("fulfillmentStatus", "CANCELLED")])
        }),
        case("konnektive.cancel_order", |control| {
            of(&[("orderId", &sale(control)), ("cancelReason", "asked")])
        }),
        case("konnektive.cancel_order", |control| {
            of(&[("orderId", &sale(control)), ("cancelReason", "asked"), ("fullRefund", "1")])
        }),
        case("konnektive.cancel_order", |control| {
            of(&[("orderId", &control.hold(EMAIL).unwrap()), ("cancelReason", "asked")])
        }),
        case("konnektive.cancel_order", |control| {
            of(&[("orderId", &sale(control)), ("cancelReason", "asked"), ("afterNextBill", "1")])
        }),
        case("konnektive.cancel_purchase", |control| {
            of(&[("purchaseId", &purchase(control)), ("cancelReason", "asked")])
        }),
        case("konnektive.cancel_purchase", |control| {
            of(&[("purchaseId", &purchase(control)), ("cancelReason", "asked"), ("fullRefund", "1")])
        }),
        case("konnektive.refund_order", |control| of(&[("orderId", &sale(control)), ("fullRefund", "1")])),
        case("konnektive.refund_order", |control| {
            of(&[("orderId", &sale(control)), ("refundAmount", "1.00")])
        }),
        case("konnektive.refund_transaction", |control| {
            let txn = charge(control, &sale(control));
            of(&[("transactionId", &txn), ("fullRefund", "1")])
        }),
        case("konnektive.refund_transaction", |control| {
            let txn = charge(control, &sale(control));
            of(&[("transactionId", &txn), ("refundAmount", "1.00")])
        }),
        case("konnektive.qa_order", |control| {
            of(&[("orderId", &control.hold(EMAIL).unwrap()), ("action", "APPROVE")])
        }),
        case("konnektive.qa_order", |control| {
            of(&[("orderId", &control.hold(EMAIL).unwrap()), ("action", "DECLINE")])
        }),
        case("konnektive.update_customer", |control| {
            of(&[
                ("customerId", &customer(control)),
                ("city", "Shelbyville"),
                ("phoneNumber", "555-555-0199"),
            ])
        }),
        case("konnektive.add_note", |control| {
            of(&[("customerId", &customer(control)), ("message", "Chargeback <alert> & refund")])
        }),
        Case {
            shows: false,
            ..case("konnektive.confirm_order", |control| of(&[("orderId", &sale(control))]))
        },
        Case {
            shows: false,
            ..case("konnektive.blacklist_customer", |_| {
                of(&[("blacklistType", "emailAddress"), ("emailAddress", EMAIL)])
            })
        },
    ]
}

impl Case {
    async fn set(&self, shape: Shape) -> (Bed, CrmRequest, String) {
        let bed = Bed::new(shape).await;
        let params = (self.params)(&bed.control);
        let params: Vec<(&str, &str)> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut request = request(self.action, &params);
        request.correlate_in = self.correlate_in.map(str::to_owned);
        bed.advance(5);
        let before = bed.look(&request, None).await;
        assert_eq!(before.seen == Seen::NotHappened, self.shows, "{} {before:?}", self.action);
        assert!(!before.state.contains("ada") && !before.state.contains("Springfield"), "{}", before.state);
        (bed, request, before.state)
    }
}

fn unknown(outcome: &WriteOutcome) -> bool {
    matches!(outcome, WriteOutcome::Unknown { .. })
}

#[tokio::test]
async fn a_write_is_done_and_then_seen_to_be() {
    for case in cases() {
        let (bed, request, before) = case.set(Shape::Y2026).await;
        let outcome = bed.write(&request).await;
        assert!(matches!(outcome, WriteOutcome::Done(_)), "{} {outcome:?}", case.action);
        bed.advance(1);
        let seen = bed.look(&request, Some(&before)).await.seen;
        assert_eq!(matches!(seen, Seen::Happened { .. }), case.shows, "{} {seen:?}", case.action);
        bed.running.shutdown().await;
    }
}

#[tokio::test]
async fn a_lost_answer_is_found_again() {
    let lost = [CrmFault::LostAnswer, CrmFault::LostAnswer504, CrmFault::LostAnswerBare];
    for fault in lost.into_iter().chain([CrmFault::Truncated, CrmFault::Cut, CrmFault::NonUtf8]) {
        for case in cases() {
            let (bed, request, before) = case.set(Shape::Y2022).await;
            bed.control.fault_next(Some(request.endpoint.path), Fault::Crm(fault.clone()));
            let outcome = bed.write(&request).await;
            assert!(unknown(&outcome), "{} {outcome:?}", case.action);
            bed.advance(2);
            let seen = bed.look(&request, Some(&before)).await.seen;
            match (&seen, case.shows) {
                (Seen::Happened { response }, true) => {
                    let answer: serde_json::Value = serde_json::from_slice(response).unwrap();
                    assert_eq!(answer["result"], "SUCCESS");
                    if case.action.starts_with("konnektive.create_") {
                        assert!(answer["orderId"].is_string(), "{} {answer}", case.action);
                    }
                }
                (Seen::Unclear { .. }, false) => {}
                _ => panic!("{} {seen:?}", case.action),
            }
            bed.running.shutdown().await;
        }
    }
}

#[tokio::test]
async fn what_did_not_happen_is_not_taken_for_done() {
    for fault in [CrmFault::Html504, CrmFault::BareError, CrmFault::EmptyBody] {
        for case in cases() {
            let (bed, request, before) = case.set(Shape::Y2026).await;
            bed.control.fault_next(Some(request.endpoint.path), Fault::Crm(fault.clone()));
            let outcome = bed.write(&request).await;
            assert!(unknown(&outcome), "{} {outcome:?}", case.action);
            let mut states = Vec::new();
            for _ in 0..2 {
                bed.advance(16);
                let sight = bed.look(&request, Some(&before)).await;
                assert_eq!(sight.seen == Seen::NotHappened, case.shows, "{} {sight:?}", case.action);
                states.push(sight.state);
            }
            assert_eq!(states, [before.clone(), before], "{}", case.action);
            bed.running.shutdown().await;
        }
    }
}

#[tokio::test]
async fn what_happens_later_changes_the_state() {
    let late = Duration::from_secs(600);
    for fault in [CrmFault::LateWrite(late), CrmFault::LateWrite504(late)] {
        for case in cases().into_iter().filter(|case| case.shows) {
            let (bed, request, before) = case.set(Shape::Y2026).await;
            bed.control.fault_next(Some(request.endpoint.path), Fault::Crm(fault.clone()));
            let outcome = bed.write(&request).await;
            assert!(unknown(&outcome), "{} {outcome:?}", case.action);
            bed.advance(5);
            let early = bed.look(&request, Some(&before)).await;
            assert_eq!((early.seen, &early.state), (Seen::NotHappened, &before), "{}", case.action);
            bed.advance(6);
            let sight = bed.look(&request, Some(&before)).await;
            assert!(matches!(sight.seen, Seen::Happened { .. }), "{} {sight:?}", case.action);
            assert_ne!(sight.state, before);
            bed.running.shutdown().await;
        }
    }
}

#[tokio::test]
async fn a_lost_decline_is_told_with_the_gateways_words() {
    for case in cases().into_iter().take(4) {
        let (bed, request, before) = case.set(Shape::Y2026).await;
        let path = Some(request.endpoint.path);
        bed.control.fault_next(path, Fault::Crm(CrmFault::Decline("Card Declined".to_owned())));
        let outcome = bed.write(&request).await;
        assert!(
            matches!(&outcome, WriteOutcome::Refused { class: Refusal::Declined, reason, .. } if reason == "Transaction Declined: Card Declined"),
            "{outcome:?}"
        );
        // Just now: a cascade may follow.
        let seen = bed.look(&request, Some(&before)).await.seen;
        assert!(matches!(seen, Seen::Unclear { .. }), "{seen:?}");
        bed.advance(2);
        let seen = bed.look(&request, Some(&before)).await.seen;
        assert_eq!(seen, Seen::Refused { reason: "Transaction Declined: Card Declined".to_owned() });
        bed.running.shutdown().await;
    }
}

#[tokio::test]
async fn a_sold_lead_is_not_sold_twice() {
    let bed = Bed::new(Shape::Y2026).await;
    let order = bed.control.sale(EMAIL).unwrap();
    let params = buyer(&[("orderId", &order), ("product1_id", "15271"), ("paySource", "PREPAID")]);
    let params: Vec<(&str, &str)> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let seen = bed.look(&request("konnektive.create_sale", &params), None).await.seen;
    assert_eq!(seen, Seen::Refused { reason: format!("order {order} is sold already (COMPLETE)") });
}

#[tokio::test]
async fn trials_write_nothing_and_find_a_missing_permission() {
    let bed = Bed::new(Shape::Y2026).await;
    let order = bed.control.sale(EMAIL).unwrap();
    let picture = |control: &Control| {
        control.with(|state| (format!("{:?}", state.order(&order)), state.orders().count()))
    };
    let before = picture(&bed.control);
    for probe in bed.crm.probe_writes(zaprun_core::crm::ENDPOINTS).await {
        assert_eq!(probe.access, WriteAccess::Allowed, "{}", probe.endpoint.path);
    }
    assert_eq!(picture(&bed.control), before);
    bed.control.fault_next(Some("order/cancel"), Fault::Crm(CrmFault::NoPermission));
    let cancel = zaprun_core::crm::endpoint("konnektive.cancel_order").unwrap();
    let probes = bed.crm.probe_writes(&[cancel]).await;
    assert!(!matches!(probes[0].access, WriteAccess::Allowed), "{probes:?}");
}
