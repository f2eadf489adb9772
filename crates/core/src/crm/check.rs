//! What parameters say together: the same rules over what is known before there is a record, and over what is sent.

use std::collections::BTreeSet;

use super::{CLEARED, Endpoint, Given, Repeat, Rule, states};

/// A parameter that is given, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held<'a> {
    pub(crate) name: &'a str,
    /// The value as it is sent; nothing while it depends on the record.
    pub(crate) value: Option<&'a str>,
    /// Whether it will be there whatever the record.
    pub(crate) sure: bool,
}

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Breach {
    /// These are needed, or any of them, and why.
    Missing { names: Vec<String>, any: bool, because: Option<String> },
    /// These exclude each other.
    Together { names: Vec<String> },
    /// The state is none of the country's.
    Foreign { state: String, country: String },
}

impl Breach {
    /// Whether it is about the same parameters as another.
    pub(crate) fn is_about(&self, other: &Breach) -> bool {
        match (self, other) {
            (Breach::Missing { names, any, .. }, Breach::Missing { names: others, any: also, .. }) => {
                names == others && any == also
            }
            (one, other) => one == other,
        }
    }

    /// What is wrong, in words.
    pub(crate) fn message(&self) -> String {
        match self {
            Breach::Missing { names, any, because } => {
                let needed = match (names.as_slice(), any) {
                    ([only], _) => format!("`{only}` is needed"),
                    (several, true) => format!("one of {} is needed", listed(several)),
                    (several, false) => format!("{} are needed", listed(several)),
                };
                because.as_ref().map_or(needed.clone(), |because| format!("{needed} {because}"))
            }
            Breach::Together { names } => format!("{} exclude each other", listed(names)),
            Breach::Foreign { state, country } => format!("`{state}` is not a state of {country}"),
        }
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Whether something holds, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
    Perhaps,
}

/// Every rule of an endpoint that does not hold, whatever is not yet known.
pub(crate) fn broken(endpoint: &Endpoint, held: &[Held<'_>]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for rule in endpoint.rules {
        check(endpoint, rule, held, &mut breaches);
    }
    breaches
}

fn check(endpoint: &Endpoint, rule: &Rule, held: &[Held<'_>], breaches: &mut Vec<Breach>) {
    let missing = |needs: &[&str], because: Option<String>, breaches: &mut Vec<Breach>| {
        let gone = needs.iter().filter(|need| !is_given(held, need));
        let names: Vec<String> = gone.map(|need| (*need).to_owned()).collect();
        if !names.is_empty() {
            breaches.push(Breach::Missing { names, any: false, because });
        }
    };
    match rule {
        Rule::Required(needs) => missing(needs, None, breaches),
        Rule::AnyOf(names) => {
            if !names.iter().any(|name| is_given(held, name)) {
                let names = names.iter().map(|name| (*name).to_owned()).collect();
                breaches.push(Breach::Missing { names, any: true, because: None });
            }
        }
        Rule::AtMostOne(names) => {
            let set: Vec<String> = names
                .iter()
                .filter(|name| counts(endpoint, held, name))
                .map(|name| (*name).to_owned())
                .collect();
            if set.len() > 1 {
                breaches.push(Breach::Together { names: set });
            }
        }
        Rule::RequiredIf { given, needs } => {
            if holds(held, *given) == Holds::Yes {
                missing(needs, Some(format!("where {}", words(*given))), breaches);
            }
        }
        Rule::RequiredUnless { given, needs } => {
            if given.iter().all(|given| holds(held, *given) == Holds::No) {
                let lifts: Vec<String> = given.iter().map(|given| words(*given)).collect();
                missing(needs, Some(format!("unless {}", lifts.join(" or "))), breaches);
            }
        }
        Rule::Numbered(anchor) => numbered(endpoint, anchor, held, breaches),
        Rule::StateOf { state, country } => {
            let value = |name: &str| {
                let value = find(held, name)?.value.map(|value| value.trim().to_uppercase())?;
                Some(value).filter(|value| !value.is_empty() && value != CLEARED)
            };
            if let (Some(code), Some(country)) = (value(state), value(country))
                && states::of(&country).is_some_and(|known| !known.contains(&code.as_str()))
            {
                breaches.push(Breach::Foreign { state: (*state).to_owned(), country });
            }
        }
    }
}

/// Numbers run from 1 without gaps, and no member of the families stands without the anchor of its number.
fn numbered(endpoint: &Endpoint, anchor: &str, held: &[Held<'_>], breaches: &mut Vec<Breach>) {
    let Some(anchor) = endpoint.params().find(|param| param.name == anchor) else { return };
    let families: Vec<_> = endpoint.params().filter(|param| param.name.contains("N_")).collect();
    let number = |name: &str| families.iter().find_map(|family| family.number_of(name));
    let used: BTreeSet<u32> = held.iter().filter_map(|held| number(held.name)).collect();
    let Some(last) = used.last() else { return };
    for number in 1..=*last {
        let name = anchor.numbered(number);
        if !is_given(held, &name) {
            let why = if used.contains(&number) {
                format!("where another parameter is numbered {number}")
            } else {
                "as numbers run from 1 without gaps".to_owned()
            };
            breaches.push(Breach::Missing { names: vec![name], any: false, because: Some(why) });
        }
    }
}

fn find<'h>(held: &'h [Held<'h>], name: &str) -> Option<&'h Held<'h>> {
    held.iter().find(|held| held.name == name)
}

/// Whether it is there and, as far as that is known, not empty.
fn is_given(held: &[Held<'_>], name: &str) -> bool {
    find(held, name).is_some_and(|held| held.value != Some(""))
}

/// Whether it surely counts among those that exclude each other.
fn counts(endpoint: &Endpoint, held: &[Held<'_>], name: &str) -> bool {
    let Some(held) = find(held, name).filter(|held| held.sure) else { return false };
    match endpoint.param(name).map(|param| param.ty) {
        Some(super::ParamType::Flag) => held.value == Some("1"),
        _ => held.value != Some(""),
    }
}

fn holds(held: &[Held<'_>], given: Given) -> Holds {
    let Some(held) = find(held, given.param()) else { return Holds::No };
    let there = if held.sure { Holds::Yes } else { Holds::Perhaps };
    match (given, held.value) {
        (_, Some("")) => Holds::No,
        (Given::Param(_), _) => there,
        (Given::Value(..), None) => Holds::Perhaps,
        (Given::Value(_, values), Some(value)) if values.contains(&value) => there,
        (Given::Value(..), Some(_)) => Holds::No,
    }
}

fn words(given: Given) -> String {
    match given {
        Given::Param(name) => format!("`{name}` is given"),
        Given::Value(name, values) => format!("`{name}` is {}", values.join(" or ")),
    }
}

impl Endpoint {
    /// What may follow an unknown outcome, by what is asked of it.
    pub(crate) fn repeat_of(&self, params: &[(String, String)]) -> Repeat {
        let held: Vec<Held<'_>> =
            params.iter().map(|(name, value)| Held { name, value: Some(value), sure: true }).collect();
        let decided = self.repeat_if.iter().find(|(given, _)| holds(&held, *given) == Holds::Yes);
        decided.map_or(self.repeat, |(_, repeat)| *repeat)
    }
}
