//! What a test expects beside what came of its record.

mod course;
mod difference;
mod made;
mod parts;
mod values;

pub(super) use course::judge;
pub use difference::{Difference, Fix};

use difference::{At, RUN};

use super::case::{EachExpect, Expect, Outcome, StepExpect};
use super::occasion::Came;
use super::run::{Did, End, Rehearsal, Sent, Step};
use crate::value::Value;

/// All differences, in the order of the steps.
pub(super) fn compare(expect: &Expect, came: &Came) -> Vec<Difference> {
    let at = At::whole();
    let rehearsal = match came {
        Came::Rehearsed(rehearsal) => rehearsal,
        Came::Ignored(why) => return turned_away(&at, expect, why),
        Came::Unreadable(error) => return vec![unreadable(&at, expect, error)],
    };
    match expect {
        Expect::Run { error, steps, .. } => run(&at, error.as_deref(), steps, rehearsal, false),
        Expect::Filtered if matches!(rehearsal.end, End::Filtered { .. }) => Vec::new(),
        Expect::Filtered | Expect::Ignored | Expect::Known => {
            let difference = Difference::new(RUN, expected_words(expect), words(rehearsal));
            vec![difference.fix(&at, made::run(rehearsal))]
        }
    }
}

/// The trigger does not take the record.
fn turned_away(at: &At, expect: &Expect, why: &str) -> Vec<Difference> {
    if matches!(expect, Expect::Ignored) {
        return Vec::new();
    }
    let got = format!("the trigger does not take the record: {why}");
    let difference = Difference::new(&at.place, expected_words(expect), got)
        .help("give one that it takes, or expect `ignored`");
    vec![difference.fix(at, Value::text("ignored"))]
}

fn unreadable(at: &At, expect: &Expect, error: &str) -> Difference {
    Difference::new(&at.place, expected_words(expect), format!("given up: {error}"))
}

fn expected_words(expect: &Expect) -> String {
    match expect {
        Expect::Filtered => "filtered".to_owned(),
        Expect::Ignored => "ignored".to_owned(),
        Expect::Known => "known to the ledger".to_owned(),
        Expect::Run { error: Some(error), .. } => format!("given up before its first step: …{error}…"),
        Expect::Run { .. } => "to pass the filter".to_owned(),
    }
}

/// What became of a run, in few words.
fn words(rehearsal: &Rehearsal) -> String {
    match &rehearsal.end {
        End::Filtered { why } => format!("filtered by {why}"),
        End::Dead(failure) => format!("given up: {}", failure.reason),
        End::Delivered => {
            let done = rehearsal.steps.iter().filter(|step| !matches!(step.did, Did::Skipped { .. }));
            let done: Vec<&str> = done.map(|step| step.id.as_str()).collect();
            if done.is_empty() {
                "every step is skipped".to_owned()
            } else {
                format!("done: {}", done.join(", "))
            }
        }
    }
}

/// `lenient`: the run is said not to end well, so that what fails needs no further word.
fn run(
    at: &At,
    error: Option<&str>,
    steps: &[(String, StepExpect)],
    rehearsal: &Rehearsal,
    lenient: bool,
) -> Vec<Difference> {
    let mut found = Vec::new();
    // What stopped the run before its first step.
    let early = match &rehearsal.end {
        End::Dead(failure) if failure.step.is_none() => Some(failure.reason.as_str()),
        _ => None,
    };
    match (error, early) {
        (Some(error), Some(reason)) if reason.contains(error) => {}
        (None, None) => {}
        (None, Some(_)) if lenient => {}
        (Some(error), early) => {
            let expected = format!("given up before its first step: …{error}…");
            let difference = Difference::new(&at.place, expected, words(rehearsal));
            return vec![match early {
                Some(reason) => difference.fix(&at.key("$error"), Value::text(reason)),
                None => difference.fix(at, made::run(rehearsal)),
            }];
        }
        (None, Some(_)) => {
            let difference = Difference::new(&at.place, "to come to its steps", words(rehearsal));
            return vec![difference.fix(at, made::run(rehearsal))];
        }
    }
    if let End::Filtered { .. } = rehearsal.end {
        let difference = Difference::new(&at.place, "to pass the filter", words(rehearsal));
        return vec![difference.fix(at, Value::text("filtered"))];
    }
    for step in &rehearsal.steps {
        let expect = steps.iter().find(|(id, _)| *id == step.id).map(|(_, expect)| expect);
        unanswered(at, step, &mut found);
        let place = at.key(&step.id);
        match (expect, reason(step, rehearsal)) {
            (Some(expect), reason) => self::step(&place, expect, &step.did, reason, lenient, &mut found),
            // A failure that nobody has said anything of is no detail.
            (None, Some(reason)) if !lenient => found.push(unexpected(&place, &reason)),
            (None, _) => {}
        }
    }
    for (id, expect) in steps {
        let reached = rehearsal.steps.iter().any(|step| step.id == *id);
        if !reached && expect.outcome != Outcome::Skipped {
            let after = match &rehearsal.end {
                End::Dead(failure) => format!("the run was given up before it: {}", failure.reason),
                End::Delivered | End::Filtered { .. } if lenient => "the run did not come to it".to_owned(),
                End::Delivered | End::Filtered { .. } => "the run was not given up".to_owned(),
            };
            let place = at.key(id);
            let difference = Difference::new(&place.place, outcome_words(&expect.outcome), after);
            found.push(difference.fix(&place, Value::text("skipped")));
        }
    }
    found
}

/// The answers that a step reads and nobody gave.
fn unanswered(at: &At, step: &Step, found: &mut Vec<Difference>) {
    for needed in &step.needs {
        let reader = if *needed == step.id { "its `stop_if`".to_owned() } else { format!("`{}`", step.id) };
        let place = at.key(&format!("replies.{needed}")).place;
        // One answer serves all that read it.
        if !found.iter().any(|known| known.place == place) {
            let expected = format!("an answer, which {reader} reads");
            let help = format!("add `replies.{needed}` to the test");
            found.push(Difference::new(place, expected, "nothing").help(help));
        }
    }
}

/// Why a step was given up, or the run at it.
fn reason<'a>(step: &'a Step, rehearsal: &'a Rehearsal) -> Option<String> {
    match &step.did {
        Did::Broken(error) => return Some(error.to_string()),
        Did::Sent(sent) => {
            let refused = sent.iter().find_map(|sent| sent.refused.clone());
            if refused.is_some() {
                return refused;
            }
        }
        // Said by the answers that it lacks.
        Did::Unknown(_) | Did::Skipped { .. } => return None,
    }
    match &rehearsal.end {
        End::Dead(failure) if failure.step.as_deref() == Some(&step.id) => Some(failure.reason.clone()),
        _ => None,
    }
}

fn unexpected(at: &At, reason: &str) -> Difference {
    Difference::new(&at.place, "done", format!("given up: {reason}"))
        .help("where that is meant, expect `error:` with a part of the reason")
        .fix(at, made::failed(reason))
}

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Skipped => "skipped".to_owned(),
        Outcome::Failed(reason) => format!("given up: …{reason}…"),
    }
}

fn step(
    at: &At,
    expect: &StepExpect,
    did: &Did,
    reason: Option<String>,
    lenient: bool,
    found: &mut Vec<Difference>,
) {
    // What did not end well was sent all the same.
    let sent_at_least = lenient && expect.outcome == Outcome::Done && matches!(did, Did::Sent(_));
    if !sent_at_least && !outcome(at, expect, did, reason, found) {
        return;
    }
    let Did::Sent(sent) = did else { return };
    match &expect.each {
        None => {}
        Some(EachExpect::List(list)) => {
            let each = at.part("each");
            if list.len() != sent.len() {
                let keys: Vec<&str> = sent.iter().filter_map(|sent| sent.element.as_deref()).collect();
                let refused = sent.iter().find_map(|sent| sent.refused.as_ref());
                let refused = refused.map(|reason| format!(", given up there: {reason}")).unwrap_or_default();
                let got = format!("{}: {}{refused}", count(sent.len()), keys.join(", "));
                let difference = Difference::new(&each.place, count(list.len()), got);
                found.push(difference.fix(&each, made::elements(list, sent)));
                return;
            }
            for (number, (expect, sent)) in list.iter().zip(sent).enumerate() {
                let place = each.of_list(number).shown(format!("{}[{number}]", at.place));
                element(&place, expect, sent, lenient, found);
            }
        }
        Some(EachExpect::Keys(keys)) => {
            for (key, expect) in keys {
                let place = at.part("each").part(key).shown(format!("{}[{key}]", at.place));
                match sent.iter().find(|sent| sent.element.as_deref() == Some(key)) {
                    Some(sent) => element(&place, expect, sent, lenient, found),
                    None if expect.outcome == Outcome::Skipped => {}
                    None => {
                        let expected = outcome_words(&expect.outcome);
                        found.push(Difference::new(&place.place, expected, "nothing").fix(&place, None));
                    }
                }
            }
            let named = |sent: &Sent| keys.iter().any(|(key, _)| sent.element.as_ref() == Some(key));
            for other in sent.iter().filter(|sent| !named(sent) && !lenient) {
                let key = other.element.as_deref().unwrap_or_default();
                let place = at.part("each").part(key).shown(format!("{}[{key}]", at.place));
                found.extend(other.refused.clone().map(|reason| unexpected(&place, &reason)));
            }
        }
    }
    for sent in sent {
        let place = match &sent.element {
            Some(key) if !expect.parts.is_empty() => at.shown(format!("{}[{key}]", at.place)),
            _ => at.clone(),
        };
        parts::compare(&place, expect, &sent.request, found);
    }
}

fn count(elements: usize) -> String {
    if elements == 1 { "1 element".to_owned() } else { format!("{elements} elements") }
}

fn element(at: &At, expect: &StepExpect, sent: &Sent, lenient: bool, found: &mut Vec<Difference>) {
    let difference = match (&expect.outcome, &sent.refused) {
        (Outcome::Failed(wanted), Some(reason)) if reason.contains(wanted) => None,
        (Outcome::Done, None) => None,
        (Outcome::Done, Some(_)) if lenient => None,
        (Outcome::Done, Some(reason)) => Some(unexpected(at, reason)),
        (outcome, refused) => {
            let got =
                refused.as_ref().map_or_else(|| "done".to_owned(), |reason| format!("given up: {reason}"));
            let to = refused.as_ref().map_or_else(|| Value::text("done"), |reason| made::failed(reason));
            Some(Difference::new(&at.place, outcome_words(outcome), got).fix(at, to))
        }
    };
    match difference {
        Some(difference) => found.push(difference),
        None => parts::compare(at, expect, &sent.request, found),
    }
}

/// Whether a step ended as expected, so that its requests can be looked at.
fn outcome(
    at: &At,
    expect: &StepExpect,
    did: &Did,
    reason: Option<String>,
    found: &mut Vec<Difference>,
) -> bool {
    let (got, to) = match (did, &reason) {
        // Said by the answers that it lacks.
        (Did::Unknown(_), _) => return false,
        (_, Some(reason)) => (format!("given up: {reason}"), made::failed(reason)),
        (Did::Skipped { why }, None) => (format!("skipped: {why}"), Value::text("skipped")),
        (Did::Sent(_) | Did::Broken(_), None) => ("done".to_owned(), Value::text("done")),
    };
    let skipped = matches!(did, Did::Skipped { .. });
    // Elements say themselves which of them fail.
    let told = expect.each.is_some() && matches!(did, Did::Sent(_));
    let same = match (&expect.outcome, &reason) {
        (Outcome::Failed(wanted), Some(reason)) => reason.contains(wanted),
        (Outcome::Done, Some(_)) => told,
        (Outcome::Skipped, None) => skipped,
        (Outcome::Done, None) => !skipped,
        (Outcome::Failed(_), None) | (Outcome::Skipped, Some(_)) => false,
    };
    match (same, &expect.outcome, reason) {
        (true, ..) => true,
        (false, Outcome::Done, Some(reason)) => {
            found.push(unexpected(at, &reason));
            false
        }
        _ => {
            found.push(Difference::new(&at.place, outcome_words(&expect.outcome), got).fix(at, to));
            false
        }
    }
}
