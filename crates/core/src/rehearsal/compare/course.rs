//! What a test expects beside what came of its records in the engine.

use super::{At, Difference, expected_words, made, run, turned_away, unreadable, words};
use crate::rehearsal::case::{Ending, Expect, Expected};
use crate::rehearsal::course::{Judged, Played, PlayedRun, Turned};
use crate::rehearsal::run::End;
use crate::value::Value;

/// All differences, in the order of the records.
pub(in crate::rehearsal) fn judge(expected: &Expected, played: &[Played]) -> Vec<Difference> {
    match expected {
        Expected::One(expect) => {
            played.first().map_or_else(Vec::new, |played| one(&At::whole(), expect, played))
        }
        Expected::Each(each) => {
            let place =
                |at: usize| At { place: format!("records[{at}]: the run"), pointer: format!("/{at}") };
            let all = each.iter().zip(played).enumerate();
            all.flat_map(|(at, (expect, played))| one(&place(at), expect, played)).collect()
        }
        Expected::Totals { totals, attempts } => {
            let at = At::whole();
            let mut found = Vec::new();
            for (word, wanted) in totals {
                let got = played.iter().filter(|played| played.word() == word).count() as u64;
                counted(&at.key("$totals").part(word), *wanted, got, &mut found);
            }
            for (step, wanted) in attempts {
                let got = played.iter().filter_map(Played::run).map(|run| run.asked(step)).sum();
                counted(&at.key("$attempts").part(step), *wanted, got, &mut found);
            }
            found
        }
    }
}

fn counted(at: &At, wanted: u64, got: u64, found: &mut Vec<Difference>) {
    if wanted != got {
        let to = Value::from(usize::try_from(got).unwrap_or(usize::MAX));
        found.push(Difference::new(&at.place, wanted.to_string(), got.to_string()).fix(at, to));
    }
}

fn one(at: &At, expect: &Expect, played: &Played) -> Vec<Difference> {
    let ran = match played {
        Played::Turned(Turned::Ignored(why)) => return turned_away(at, expect, why),
        Played::Turned(Turned::Unreadable(error)) => return vec![unreadable(at, expect, error)],
        Played::Known if matches!(expect, Expect::Known) => return Vec::new(),
        Played::Known => {
            let got = "the ledger holds it already, so nothing is done";
            let difference = Difference::new(&at.place, expected_words(expect), got);
            return vec![difference.fix(at, Value::text("known"))];
        }
        Played::Run(run) => run,
    };
    match expect {
        Expect::Filtered if ran.judged == Judged::Filtered => Vec::new(),
        Expect::Filtered | Expect::Ignored | Expect::Known => {
            let difference = Difference::new(&at.place, expected_words(expect), ended(ran));
            vec![difference.fix(at, whole(ran))]
        }
        Expect::Run { error, steps, ending } => {
            let mut found = Vec::new();
            if !outcome(at, ending, error.is_some(), ran, &mut found) {
                return found;
            }
            if ran.judged != Judged::Filtered {
                found.extend(run(at, error.as_deref(), steps, &ran.rehearsal, ending.is_bad()));
            }
            if let Some(reason) = ending.reason.as_deref().filter(|reason| !ran.detail.contains(*reason)) {
                let at = at.key("$reason");
                let difference = Difference::new(&at.place, format!("…{reason}…"), ran.detail.as_str());
                found.push(difference.fix(&at, Value::text(ran.detail.as_str())));
            }
            for (step, wanted) in &ending.attempts {
                counted(&at.key("$attempts").part(step), *wanted, ran.asked(step), &mut found);
            }
            found
        }
    }
}

/// Whether a run ended as expected, so that its steps can be looked at.
fn outcome(at: &At, ending: &Ending, error: bool, ran: &PlayedRun, found: &mut Vec<Difference>) -> bool {
    let got = ran.judged.word();
    match ending.outcome.as_deref() {
        Some(wanted) if wanted == got => true,
        Some(wanted) => {
            let at = at.key("$outcome");
            found.push(Difference::new(&at.place, wanted, ended(ran)).fix(&at, Value::text(got)));
            false
        }
        None => match ran.judged {
            // Steps, `$error` and the filter are compared as ever.
            Judged::Delivered | Judged::Dead => true,
            Judged::Filtered => {
                let expected = if error { "to be given up" } else { "to pass the filter" };
                let difference = Difference::new(&at.place, expected, ended(ran));
                found.push(difference.fix(at, Value::text("filtered")));
                false
            }
            Judged::Held | Judged::Pending => {
                let difference = Difference::new(&at.place, "to come to an end", ended(ran))
                    .help(format!("where that is meant, expect `$outcome: {got}`"));
                found.push(difference.fix(&at.key("$outcome"), Value::text(got)));
                false
            }
        },
    }
}

/// How a run ended, in few words.
fn ended(ran: &PlayedRun) -> String {
    match ran.judged {
        Judged::Delivered | Judged::Dead => format!("{}: {}", ran.judged.word(), words(&ran.rehearsal)),
        Judged::Filtered => match &ran.rehearsal.end {
            End::Filtered { why } if ran.word == "filter" => format!("filtered by {why}"),
            _ => format!("filtered by `{}`: {}", ran.word, ran.detail),
        },
        Judged::Held | Judged::Pending => format!("{} ({}): {}", ran.judged.word(), ran.word, ran.detail),
    }
}

/// What a test would say of a run as a whole.
fn whole(ran: &PlayedRun) -> Option<Value> {
    match ran.judged {
        Judged::Filtered => Some(Value::text("filtered")),
        Judged::Delivered | Judged::Dead => made::run(&ran.rehearsal),
        Judged::Held | Judged::Pending => {
            Some(Value::object(vec![("$outcome".into(), Value::text(ran.judged.word()))]))
        }
    }
}
