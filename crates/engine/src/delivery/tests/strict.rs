//! `order: strict`: what is dead or held keeps later runs of its natural id waiting.

use super::kit::{HOLD, World, lost, order, reply};
use crate::ports::{Clock, Resolution, RunState, Store};

/// A lead and a sale of one order, of which the first is held, or dead.
fn world(strict: bool, first: crate::ports::SendOutcome) -> World {
    let order_key = if strict { "order: strict\n" } else { "order: relaxed\n" };
    let world = World::new(&[&format!("{HOLD}{order_key}")]);
    world.target.answers(vec![first]);
    world.commit(0, "new_lead", &[order("A")]);
    world.once().unwrap().unwrap();
    world.commit(0, "new_sale", &[order("A"), order("B")]);
    world.once().unwrap().unwrap();
    world
}

/// States of the lead, of the sale of the same order, and of another sale.
fn states(world: &World) -> [RunState; 3] {
    let runs = world.store.all_runs();
    [runs[0].state, runs[1].state, runs[2].state]
}

#[test]
fn a_held_run_keeps_later_ones_of_its_order_waiting_until_a_person_has_settled_it() {
    let world = world(true, lost());
    assert_eq!(states(&world), [RunState::Held, RunState::Pending, RunState::Delivered]);
    world.store.resolve(world.store.all_runs()[0].id, Resolution::Done);
    world.clock.drive(world.store.obey(world.clock.now(), Vec::new())).unwrap().unwrap();
    world.once().unwrap().unwrap();
    assert_eq!(states(&world), [RunState::Delivered; 3]);
}

#[test]
fn a_dead_run_keeps_them_waiting_too() {
    assert_eq!(
        states(&world(true, reply(422))),
        [RunState::Dead, RunState::Pending, RunState::Delivered],
        "and an engine with nothing else to do does not turn in circles"
    );
}

#[test]
fn without_it_they_go_on() {
    assert_eq!(states(&world(false, lost())), [RunState::Held, RunState::Delivered, RunState::Delivered]);
    assert_eq!(states(&world(false, reply(422))), [RunState::Dead, RunState::Delivered, RunState::Delivered]);
}
