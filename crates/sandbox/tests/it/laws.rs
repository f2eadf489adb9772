//! What holds for any input.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::runtime::Runtime;
use zaprun_sandbox::state::{FulfillmentStatus, OrderStatus, ResponseType, State, TxnType};
use zaprun_sandbox::{Config, Control, ManualClock, Money};

use crate::bed::{Bed, column, noon, steady, us_date};

/// The day in New York, by the rule of 2026 and not by a zone table: clocks go forward on 8 March at 7:00 UTC
/// and back on 1 November at 6:00 UTC.
fn new_york_day(at: Timestamp) -> Date {
    let summer =
        "2026-03-08T07:00:00Z".parse::<Timestamp>().unwrap().."2026-11-01T06:00:00Z".parse().unwrap();
    let hours = if summer.contains(&at) { 4 } else { 5 };
    let days = (at.as_second() - hours * 3600).div_euclid(86_400);
    date(1970, 1, 1).checked_add(days.days()).unwrap()
}

/// Instants of 2026, crowded around both changes of the clock and around midnights.
fn instants() -> impl Strategy<Value = Timestamp> {
    let start = "2026-01-01T05:00:00Z".parse::<Timestamp>().unwrap().as_second();
    let changes =
        ["2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"].map(|text| text.parse::<Timestamp>().unwrap());
    prop_oneof![
        (0..364 * 86_400_i64).prop_map(move |offset| start + offset),
        (0..2_usize, -90_000..90_000_i64)
            .prop_map(move |(which, offset)| changes[which].as_second() + offset),
        (0..360_i64, 4..6_i64, -2..3_i64)
            .prop_map(|(day, hour, second)| 1_767_225_600 + day * 86_400 + hour * 3600 + second),
    ]
    .prop_map(|second| Timestamp::from_second(second).unwrap())
}

#[test]
fn a_walk_over_the_pages_sees_each_row_once() {
    let runtime = Runtime::new().unwrap();
    let bed = runtime.block_on(Bed::new());
    let cases = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(cases, |(count in 0..430_usize, size in 1..260_u64, down in any::<bool>(), minutes in 1..9_i8)| {
        bed.control.with(State::clear);
        let mut expected = BTreeSet::new();
        for index in 0..count {
            // Few distinct seconds, so that many rows are equal in time.
            let minute = i8::try_from(index % 9).unwrap() % minutes;
            let order_id = bed.control.insert_order(|order| order.created = date(2026, 9, 16).at(9, minute, 0, 0));
            expected.insert(order_id.unwrap());
        }
        let (size_text, down) = (size.to_string(), if down { "0" } else { "1" });
        let mut seen = Vec::new();
        for page in 1.. {
            let page = page.to_string();
            let query = [("resultsPerPage", size_text.as_str()), ("page", &page), ("sortDir", down)];
            let reply = runtime.block_on(bed.today("order/query", &query));
            let ids = column(&reply, "orderId");
            let short = (ids.len() as u64) < size.min(200);
            seen.extend(ids);
            if short {
                break;
            }
        }
        prop_assert_eq!(seen.len(), count);
        prop_assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), expected);
    });
}

#[test]
fn a_window_holds_exactly_the_local_days_it_names() {
    let runtime = Runtime::new().unwrap();
    let bed = runtime.block_on(Bed::new());
    let cases = ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(cases, |(at in instants(), before in -2..3_i64, length in 0..3_i64)| {
        bed.control.with(State::clear);
        bed.clock.set(at);
        let order_id = bed.control.lead("ada@example.test").unwrap();
        let day = new_york_day(at);
        let from = day.checked_add(before.days()).unwrap();
        let to = from.checked_add(length.days()).unwrap();
        let range = [("startDate", us_date(from)), ("endDate", us_date(to))];
        let range: Vec<(&str, &str)> = range.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = runtime.block_on(bed.call("order/query", &range));
        let expected: Vec<String> = if (from..=to).contains(&day) { vec![order_id] } else { Vec::new() };
        prop_assert_eq!(column(&reply, "orderId"), expected, "{} in {}..={}", day, from, to);
    });
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Lead,
    Decline,
    Sell,
    Hold,
    Approve,
    Reject,
    Cancel,
    Refund(i64),
    RefundAll,
    Rebill,
    DeclineRebill,
    Ship,
    Upsell,
    DeclineUpsell,
    CancelPurchase,
    Deliver,
    Rma(i64),
    Confirm,
}

fn moves() -> impl Strategy<Value = Vec<(Move, usize)>> {
    let one = prop_oneof![
        3 => Just(Move::Lead),
        1 => Just(Move::Decline),
        3 => Just(Move::Sell),
        1 => Just(Move::Hold),
        1 => Just(Move::Approve),
        1 => Just(Move::Reject),
        1 => Just(Move::Cancel),
        1 => (-100..6000_i64).prop_map(Move::Refund),
        1 => Just(Move::RefundAll),
        1 => Just(Move::Rebill),
        1 => Just(Move::DeclineRebill),
        1 => Just(Move::Ship),
        2 => Just(Move::Upsell),
        1 => Just(Move::DeclineUpsell),
        1 => Just(Move::CancelPurchase),
        1 => Just(Move::Deliver),
        1 => (0..3000_i64).prop_map(Move::Rma),
        1 => Just(Move::Confirm),
    ];
    vec((one, 0..6_usize), 1..60)
}

/// Makes a move on an order, if it can be made; whether it was.
fn apply(control: &Control, order_id: &str, step: Move) -> bool {
    use zaprun_sandbox::state::moves::{CartLine, Checkout, Decline, ParcelChange, Parcels};
    let why = Decline { hard: true, text: "no".to_owned() };
    let payment = zaprun_sandbox::state::Payment { source: "CREDITCARD".to_owned(), card: None };
    let checkout = Checkout { payment, cart: vec![CartLine::of(15271)], qa: true, tax: Money::ZERO };
    match step {
        Move::Lead => true,
        Move::Decline => control.decline(order_id).is_ok(),
        Move::Sell => control.convert(order_id).is_ok(),
        Move::Hold => control.with(|state| state.sell(order_id, checkout)).is_ok(),
        Move::Approve => control.with(|state| state.approve(order_id)).is_ok(),
        Move::Reject => control.with(|state| state.reject(order_id)).is_ok(),
        Move::Cancel => control.cancel(order_id).is_ok(),
        Move::Refund(cents) => {
            control.with(|state| state.refund(order_id, Some(Money::from_cents(cents)), "")).is_ok()
        }
        Move::RefundAll => control.refund(order_id).is_ok(),
        Move::Rebill => control.rebill(order_id).is_ok(),
        Move::DeclineRebill => control.with(|state| state.decline_rebill(order_id, &why)).is_ok(),
        Move::Ship => control.ship(order_id, "1Z").is_ok(),
        Move::Upsell => control.upsell(order_id).is_ok(),
        Move::DeclineUpsell => {
            let cart = [CartLine::of(15272)];
            control.with(|state| state.decline_upsell(order_id, &cart, Money::ZERO, &why)).is_ok()
        }
        Move::CancelPurchase => {
            let line =
                control.with(|state| state.order(order_id).and_then(|order| order.lines.first().cloned()));
            line.is_some_and(|line| {
                control.with(|state| state.cancel_purchase(&line.purchase_id, "no", false)).is_ok()
            })
        }
        Move::Deliver => control.deliver(order_id).is_ok(),
        Move::Rma(cents) => {
            let change = ParcelChange {
                status: Some(FulfillmentStatus::RmaPending),
                refund: Some(Money::from_cents(cents)),
                ..ParcelChange::default()
            };
            control.with(|state| state.update_parcels(Parcels::Of(order_id), &change)).is_ok()
        }
        Move::Confirm => control.with(|state| state.confirm(order_id)).is_ok(),
    }
}

/// Whether an order may go from one status to another in one move.
fn allowed(from: OrderStatus, to: OrderStatus) -> bool {
    use OrderStatus::{Cancelled, Complete, Declined, Partial, Pending, Refunded};
    let next: &[OrderStatus] = match from {
        Partial => &[Pending, Complete, Cancelled],
        Pending => &[Complete, Declined],
        Complete => &[Refunded, Cancelled],
        // A rebill of a refunded order's subscription is money again, but no new status.
        _ => &[],
    };
    from == to || next.contains(&to)
}

/// A line lies in one parcel at most, and all of a sold order's lines lie in one.
fn check_parcels(order: &zaprun_sandbox::state::Order) -> Result<(), TestCaseError> {
    let mut packed: Vec<u64> = order
        .fulfillments
        .iter()
        .flat_map(|parcel| parcel.items.iter().map(|item| item.order_item_id))
        .collect();
    packed.sort_unstable();
    let mut lines: Vec<u64> = order.lines.iter().map(|line| line.order_item_id).collect();
    lines.sort_unstable();
    let sold = order.paid > Money::ZERO;
    prop_assert_eq!(packed, if sold { lines } else { Vec::new() });
    let ids: Vec<u64> = order.lines.iter().map(|line| line.actual_purchase_id).collect();
    let bought = order.lines.iter().all(|line| line.purchase_id.is_empty() == (line.actual_purchase_id == 0));
    prop_assert!(bought, "{:?}", ids);
    Ok(())
}

fn check_books(state: &State) -> Result<(), TestCaseError> {
    for order in state.orders() {
        prop_assert!(order.created <= order.updated);
        prop_assert!(order.refunded <= order.paid, "{order:?}");
        let sum = |wanted: fn(&zaprun_sandbox::state::Transaction) -> bool| {
            state
                .transactions_of(&order.order_id)
                .filter(|found| wanted(found))
                .map(|found| found.amount)
                .sum::<Money>()
        };
        prop_assert_eq!(sum(|found| found.took_money()), order.paid);
        let refunded = |found: &zaprun_sandbox::state::Transaction| {
            found.txn_type == TxnType::Refund && found.response_type == ResponseType::Success
        };
        prop_assert_eq!(sum(refunded), order.refunded);
        check_parcels(order)?;
        let customer = state.customer(order.customer_id);
        prop_assert!(customer.is_some_and(|customer| customer.created <= customer.active));
        if order.status == OrderStatus::Partial {
            prop_assert_eq!(order.paid, Money::ZERO);
            prop_assert!(order.payment.is_none());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_books_balance_after_any_moves(steps in moves()) {
        let clock = ManualClock::at(noon());
        let control = Control::new(&Config { clock: clock.clock(), ..steady() }).unwrap();
        let mut known = vec![control.lead("first@example.test").unwrap()];
        for (index, (step, which)) in steps.into_iter().enumerate() {
            clock.advance(SignedDuration::from_secs(1));
            if matches!(step, Move::Lead) {
                known.push(control.lead(&format!("buyer{index}@example.test")).unwrap());
                continue;
            }
            let order_id = known[which % known.len()].clone();
            let before = control.with(|state| state.order(&order_id).cloned().unwrap());
            let done = apply(&control, &order_id, step);
            let after = control.with(|state| state.order(&order_id).cloned().unwrap());
            prop_assert_eq!(&after.order_id, &before.order_id);
            prop_assert_eq!(after.actual_order_id, before.actual_order_id);
            prop_assert_eq!(after.created, before.created);
            prop_assert!(allowed(before.status, after.status), "{:?} {:?} {:?}", step, before.status, after.status);
            if done {
                prop_assert_eq!(after.updated, control.with(|state| state.now()), "{:?} moves dateUpdated", step);
            } else {
                prop_assert_eq!(&after, &before, "a refused {:?} changes nothing", step);
            }
            control.with(|state| check_books(state))?;
        }
    }

    #[test]
    fn any_text_for_a_fault_is_read_or_refused(text in "\\PC{0,40}") {
        let _ = text.parse::<zaprun_sandbox::FaultRule>();
    }

    #[test]
    fn amounts_survive_their_text(cents in -1_000_000_000_i64..1_000_000_000) {
        let amount = Money::from_cents(cents);
        prop_assert_eq!(Money::parse(&amount.to_string()), Some(amount));
    }
}
