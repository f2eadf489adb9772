//! What a test expects beside what came of its record.

mod parts;
mod values;

use super::case::{EachExpect, Expect, Outcome, StepExpect};
use super::occasion::Came;
use super::run::{Did, End, Rehearsal, Sent, Step};

/// In what a run is not as its test expects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: a step and the part of its request, `notify.json.order`, or `the run`.
    pub place: String,
    /// What the test expects there.
    pub expected: String,
    /// What is there.
    pub got: String,
    /// What to do about it, where that can be told.
    pub help: Option<String>,
}

/// A longer value is shown up to here.
const LONGEST: usize = 400;

impl Difference {
    pub(super) fn new(
        place: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Difference {
        Difference {
            place: place.into(),
            expected: clipped(expected.into()),
            got: clipped(got.into()),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Difference {
        self.help = Some(help.into());
        self
    }
}

fn clipped(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The place of what is not about a step.
const RUN: &str = "the run";

/// All differences, in the order of the steps.
pub(super) fn compare(expect: &Expect, came: &Came) -> Vec<Difference> {
    let rehearsal = match came {
        Came::Rehearsed(rehearsal) => rehearsal,
        Came::Ignored(_) if matches!(expect, Expect::Ignored) => return Vec::new(),
        Came::Ignored(why) => {
            let got = format!("the trigger does not take the record: {why}");
            return vec![
                Difference::new(RUN, expected_words(expect), got)
                    .help("give one that it takes, or expect `ignored`"),
            ];
        }
        Came::Unreadable(error) => {
            return vec![Difference::new(RUN, expected_words(expect), format!("given up: {error}"))];
        }
    };
    match expect {
        Expect::Run { error, steps } => run(error.as_deref(), steps, rehearsal),
        Expect::Filtered if matches!(rehearsal.end, End::Filtered { .. }) => Vec::new(),
        Expect::Filtered | Expect::Ignored => {
            vec![Difference::new(RUN, expected_words(expect), words(rehearsal))]
        }
    }
}

fn expected_words(expect: &Expect) -> String {
    match expect {
        Expect::Filtered => "filtered".to_owned(),
        Expect::Ignored => "ignored".to_owned(),
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

fn run(error: Option<&str>, steps: &[(String, StepExpect)], rehearsal: &Rehearsal) -> Vec<Difference> {
    let mut found = Vec::new();
    // What stopped the run before its first step.
    let early = match &rehearsal.end {
        End::Dead(failure) if failure.step.is_none() => Some(failure.reason.as_str()),
        _ => None,
    };
    match (error, early) {
        (Some(error), Some(reason)) if reason.contains(error) => {}
        (None, None) => {}
        (Some(error), _) => {
            let expected = format!("given up before its first step: …{error}…");
            return vec![Difference::new(RUN, expected, words(rehearsal))];
        }
        (None, Some(_)) => return vec![Difference::new(RUN, "to come to its steps", words(rehearsal))],
    }
    if let End::Filtered { .. } = rehearsal.end {
        return vec![Difference::new(RUN, "to pass the filter", words(rehearsal))];
    }
    for step in &rehearsal.steps {
        let expect = steps.iter().find(|(id, _)| *id == step.id).map(|(_, expect)| expect);
        unanswered(step, &mut found);
        match (expect, reason(step, rehearsal)) {
            (Some(expect), reason) => self::step(&step.id, expect, &step.did, reason, &mut found),
            // A failure that nobody has said anything of is no detail.
            (None, Some(reason)) => found.push(unexpected(&step.id, &reason)),
            (None, None) => {}
        }
    }
    for (id, expect) in steps {
        let reached = rehearsal.steps.iter().any(|step| step.id == *id);
        if !reached && expect.outcome != Outcome::Skipped {
            let after = match &rehearsal.end {
                End::Dead(failure) => format!("the run was given up before it: {}", failure.reason),
                End::Delivered | End::Filtered { .. } => "the run was not given up".to_owned(),
            };
            found.push(Difference::new(id, outcome_words(&expect.outcome), after));
        }
    }
    found
}

/// The answers that a step reads and nobody gave.
fn unanswered(step: &Step, found: &mut Vec<Difference>) {
    for needed in &step.needs {
        let reader = if *needed == step.id { "its `stop_if`".to_owned() } else { format!("`{}`", step.id) };
        let place = format!("replies.{needed}");
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

fn unexpected(place: &str, reason: &str) -> Difference {
    Difference::new(place, "done", format!("given up: {reason}"))
        .help("where that is meant, expect `error:` with a part of the reason")
}

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Skipped => "skipped".to_owned(),
        Outcome::Failed(reason) => format!("given up: …{reason}…"),
    }
}

fn step(place: &str, expect: &StepExpect, did: &Did, reason: Option<String>, found: &mut Vec<Difference>) {
    if !outcome(place, expect, did, reason, found) {
        return;
    }
    let Did::Sent(sent) = did else { return };
    match &expect.each {
        None => {}
        Some(EachExpect::List(list)) => {
            if list.len() != sent.len() {
                let keys: Vec<&str> = sent.iter().filter_map(|sent| sent.element.as_deref()).collect();
                let refused = sent.iter().find_map(|sent| sent.refused.as_ref());
                let refused = refused.map(|reason| format!(", given up there: {reason}")).unwrap_or_default();
                let got = format!("{}: {}{refused}", count(sent.len()), keys.join(", "));
                found.push(Difference::new(format!("{place}.each"), count(list.len()), got));
                return;
            }
            for (at, (expect, sent)) in list.iter().zip(sent).enumerate() {
                element(&format!("{place}[{at}]"), expect, sent, found);
            }
        }
        Some(EachExpect::Keys(keys)) => {
            for (key, expect) in keys {
                let place = format!("{place}[{key}]");
                match sent.iter().find(|sent| sent.element.as_deref() == Some(key)) {
                    Some(sent) => element(&place, expect, sent, found),
                    None if expect.outcome == Outcome::Skipped => {}
                    None => found.push(Difference::new(place, outcome_words(&expect.outcome), "nothing")),
                }
            }
            let named = |sent: &Sent| keys.iter().any(|(key, _)| sent.element.as_ref() == Some(key));
            for other in sent.iter().filter(|sent| !named(sent)) {
                let key = other.element.as_deref().unwrap_or_default();
                found.extend(
                    other.refused.clone().map(|reason| unexpected(&format!("{place}[{key}]"), &reason)),
                );
            }
        }
    }
    for sent in sent {
        let place = match &sent.element {
            Some(key) if !expect.parts.is_empty() => format!("{place}[{key}]"),
            _ => place.to_owned(),
        };
        parts::compare(&place, expect, &sent.request, found);
    }
}

fn count(elements: usize) -> String {
    if elements == 1 { "1 element".to_owned() } else { format!("{elements} elements") }
}

fn element(place: &str, expect: &StepExpect, sent: &Sent, found: &mut Vec<Difference>) {
    let difference = match (&expect.outcome, &sent.refused) {
        (Outcome::Failed(wanted), Some(reason)) if reason.contains(wanted) => None,
        (Outcome::Done, None) => None,
        (Outcome::Done, Some(reason)) => Some(unexpected(place, reason)),
        (outcome, refused) => {
            let got =
                refused.as_ref().map_or_else(|| "done".to_owned(), |reason| format!("given up: {reason}"));
            Some(Difference::new(place, outcome_words(outcome), got))
        }
    };
    match difference {
        Some(difference) => found.push(difference),
        None => parts::compare(place, expect, &sent.request, found),
    }
}

/// Whether a step ended as expected, so that its requests can be looked at.
fn outcome(
    place: &str,
    expect: &StepExpect,
    did: &Did,
    reason: Option<String>,
    found: &mut Vec<Difference>,
) -> bool {
    let got = match (did, &reason) {
        // Said by the answers that it lacks.
        (Did::Unknown(_), _) => return false,
        (_, Some(reason)) => format!("given up: {reason}"),
        (Did::Skipped { why }, None) => format!("skipped: {why}"),
        (Did::Sent(_) | Did::Broken(_), None) => "done".to_owned(),
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
            found.push(unexpected(place, &reason));
            false
        }
        _ => {
            found.push(Difference::new(place, outcome_words(&expect.outcome), got));
            false
        }
    }
}
