//! What an endpoint asks of its parameters, in words.

use super::markdown::{word, words};
use crate::crm::{Endpoint, Given, Param, ParamType, Repeat, Rule, states};

/// What a parameter takes.
pub(super) fn takes(param: &Param) -> String {
    let takes = match param.ty {
        ParamType::Enum(known) => words(known.iter().copied(), "or"),
        other => other.words().to_owned(),
    };
    match param.max {
        // The words say it already.
        Some(most) if param.ty != ParamType::Country => format!("{takes}, at most {most} characters"),
        _ => takes,
    }
}

/// The rules as sentences, but for what the table of parameters shows.
pub(super) fn all(endpoint: &Endpoint) -> Vec<String> {
    endpoint.rules.iter().filter_map(|rule| sentence(endpoint, rule)).collect()
}

fn sentence(endpoint: &Endpoint, rule: &Rule) -> Option<String> {
    let all = |names: &[&'static str]| words(names.iter().copied(), "and");
    let any = |names: &[&'static str]| words(names.iter().copied(), "or");
    let are = |names: &[&str]| if names.len() == 1 { "is" } else { "are" };
    let at_most_one = |names: &[&str]| {
        endpoint.rules.iter().any(|rule| matches!(rule, Rule::AtMostOne(others) if *others == names))
    };
    let any_of = |names: &[&str]| {
        endpoint.rules.iter().any(|rule| matches!(rule, Rule::AnyOf(others) if *others == names))
    };
    Some(match *rule {
        Rule::Required(_) => return None,
        Rule::AnyOf(names) if at_most_one(names) => format!("Exactly one of {} is needed.", all(names)),
        Rule::AtMostOne(names) if any_of(names) => return None,
        Rule::AnyOf(names) => format!("At least one of {} is needed.", all(names)),
        Rule::AtMostOne(names) => format!("At most one of {} makes sense.", all(names)),
        Rule::RequiredIf { given: condition, needs } => {
            format!("Where {}, {} {} needed.", given(endpoint, condition), all(needs), are(needs))
        }
        Rule::RequiredUnless { given: conditions, needs } => {
            let conditions: Vec<String> =
                conditions.iter().map(|condition| given(endpoint, *condition)).collect();
            format!("Unless {}, {} {} needed.", conditions.join(" or "), all(needs), are(needs))
        }
        Rule::StateOf { state, country } => {
            let names = states::COUNTRIES.map(|(_, name, _)| name);
            format!("{} must belong to {}, where that is {}.", word(state), word(country), names.join(" or "))
        }
        Rule::Numbered(first) => {
            let others = endpoint.params().map(|param| param.name);
            let others: Vec<&str> = others.filter(|name| name.contains("N_") && *name != first).collect();
            format!(
                "Of {} the N runs from 1 without gaps; without it there is no {} of that number.",
                word(first),
                any(&others)
            )
        }
    })
}

/// `fulfillmentStatus` is `SHIPPED`
pub(super) fn given(endpoint: &Endpoint, given: Given) -> String {
    match given {
        Given::Param(name) => format!("{} is given", word(name)),
        Given::Value(name, values) => {
            let flag = endpoint.param(name).is_some_and(|param| param.ty == ParamType::Flag);
            let value = |value: &'static str| match value {
                "1" if flag => "true",
                "0" if flag => "false",
                other => other,
            };
            format!("{} is {}", word(name), words(values.iter().copied().map(value), "or"))
        }
    }
}

/// What follows when nobody knows whether the write happened.
pub(super) fn repeat(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::Safe => "**Sent again**: doing it twice gives the same.",
        Repeat::LookFirst => {
            "**Looked at first**: what the CRM shows to have happened counts as done, what did not happen is sent \
             again. Where a look cannot tell, the run is held for a person, or the write is repeated with \
             `on_uncertain: retry`."
        }
        Repeat::Never => {
            "**Never sent again without proof** that nothing happened, since it moves money: `settle_after` has \
             passed, and two looks at the CRM from then on show the same and nothing of it. Otherwise the run is held \
             for a person."
        }
    }
}

/// The same in two or three words, which are also the heading of its section.
pub(super) fn repeat_word(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::Safe => "sent again",
        Repeat::LookFirst => "looked at first",
        Repeat::Never => "never without proof",
    }
}

/// That heading as links name it.
pub(super) fn anchor(repeat: Repeat) -> String {
    repeat_word(repeat).replace(' ', "-")
}
