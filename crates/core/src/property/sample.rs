//! All that one case gives: a record, and what the world answers.

use proptest::strategy::{BoxedStrategy, Strategy, Union};

use super::example::known;
use super::members::Mode;
use super::outlined::{self, outlined};
use super::replies::{self, Told};
use super::rows::Rows;
use super::values::World;
use super::vary;
use crate::record::ReadSet;
use crate::rehearsal::Given;
use crate::value::Value;
use crate::zap::{CrmTrigger, ScheduleTrigger, Trigger, Zap};

/// What one case gives.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) given: Given,
    /// The places that are odd.
    pub(super) odd: Vec<String>,
}

pub(super) type Samples = BoxedStrategy<Sample>;

/// What makes the cases of one mode; nothing where there is nothing to start from.
pub(super) fn samples(zap: &Zap, examples: &[&Given], mode: Mode, world: &World) -> Option<Samples> {
    match &zap.trigger {
        Trigger::Crm(trigger) => Some(rows(zap, trigger, examples, mode, world)),
        Trigger::Webhook(_) | Trigger::Http(_) => {
            let varied = varied(zap, examples, mode, world);
            let made = outlined(zap).then(|| made(zap, examples, mode, world));
            match (made, varied) {
                (Some(made), Some(varied)) => Some(Union::new([made, varied]).boxed()),
                (made, varied) => made.or(varied),
            }
        }
        Trigger::Schedule(trigger) => Some(ticks(zap, trigger, examples, mode, world)),
    }
}

fn rows(zap: &Zap, trigger: &CrmTrigger, examples: &[&Given], mode: Mode, world: &World) -> Samples {
    let known = |field: &str| known(zap, examples, field);
    let rows = Rows { kind: trigger.kind(), mode, world, known: &known };
    let mut read = zap.reads.clone();
    read.union(&trigger.fields());
    // Who sees the record whole may look at anything.
    if zap.reads_raw() || !zap.properties.is_empty() {
        read = ReadSet::All;
    }
    let row = rows.row(trigger.schema(), &read, &rows.pinned(trigger));
    let told = told(zap, examples, &rows);
    (row, told)
        .prop_map(|(row, told)| {
            let given = Given { record: row.value, replies: told.replies, ..Given::default() };
            Sample { given, odd: [row.odd, told.odd].concat() }
        })
        .boxed()
}

/// The replies of any of the tests, or those that can be made up.
fn told(zap: &Zap, examples: &[&Given], rows: &Rows<'_>) -> BoxedStrategy<Told> {
    if examples.is_empty() {
        return replies::told(zap, None, rows);
    }
    Union::new(examples.iter().map(|example| replies::told(zap, Some(example), rows))).boxed()
}

/// Records by what is said of them, in requests such as the first test's.
fn made(zap: &Zap, examples: &[&Given], mode: Mode, world: &World) -> Samples {
    let nothing = |_: &str| Vec::new();
    let told = told(zap, examples, &Rows { kind: "", mode, world, known: &nothing });
    let seen: Vec<&Value> =
        examples.iter().filter_map(|given| given.record.as_ref().or(given.query.as_ref())).collect();
    let base: Given = examples.first().map(|given| (*given).clone()).unwrap_or_default();
    // Without a body the query is the record.
    let is_query = base.record.is_none() && base.query.is_some();
    (outlined::record(&zap.outline, &seen, mode), told)
        .prop_map(move |(record, told)| {
            let mut given = Given { replies: told.replies, ..base.clone() };
            match is_query {
                true => given.query = record.value,
                false => given.record = record.value,
            }
            Sample { given, odd: [record.odd, told.odd].concat() }
        })
        .boxed()
}

fn varied(zap: &Zap, examples: &[&Given], mode: Mode, world: &World) -> Option<Samples> {
    let nothing = |_: &str| Vec::new();
    let rows = Rows { kind: "", mode, world, known: &nothing };
    // Without a body the query is the record.
    fn record(given: &Given) -> Option<&Value> {
        given.record.as_ref().or(given.query.as_ref())
    }
    let of = |example: &&Given| {
        let own = record(example)?;
        let others: Vec<&Value> =
            examples.iter().filter_map(|other| record(other)).filter(|other| *other != own).collect();
        let made = (vary::varied(own, &others, mode), replies::told(zap, Some(example), &rows));
        let base: Given = (*example).clone();
        Some(made.prop_map(move |(record, told)| {
            let mut given = Given { replies: told.replies, ..base.clone() };
            match given.record {
                Some(_) => given.record = record.value,
                None => given.query = record.value,
            }
            Sample { given, odd: [record.odd, told.odd].concat() }
        }))
    };
    let all: Vec<Samples> = examples.iter().filter_map(of).map(Strategy::boxed).collect();
    (!all.is_empty()).then(|| Union::new(all).boxed())
}

/// Times at which a schedule fires, over three years.
fn ticks(zap: &Zap, trigger: &ScheduleTrigger, examples: &[&Given], mode: Mode, world: &World) -> Samples {
    let nothing = |_: &str| Vec::new();
    let told = told(zap, examples, &Rows { kind: "", mode, world, known: &nothing });
    let trigger = trigger.clone();
    // From 2025 to 2027.
    (1_735_689_600_i64..1_830_297_600, told)
        .prop_map(move |(second, told)| {
            let at = jiff::Timestamp::from_second(second).ok();
            let tick = at.and_then(|at| trigger.latest(at));
            Sample { given: Given { tick, replies: told.replies, ..Given::default() }, odd: told.odd }
        })
        .boxed()
}
