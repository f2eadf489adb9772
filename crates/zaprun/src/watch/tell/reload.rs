//! Reloads in words: one line each.

use zaprun_engine::report::{Event, Reload};

use super::{Told, Weight};
use crate::output::{count, thousands};

/// More names are not listed.
const NAMES: usize = 5;

/// A reload in words.
pub(super) fn tell(event: &Event) -> Told {
    match event {
        Event::Reloaded(reload) => reloaded(reload),
        Event::ReloadRefused { reason, hint } => {
            let text = format!("not reloaded, and what ran runs on: {reason}");
            let told = Told::new(Weight::Trouble, text).hint(hint.clone());
            Told { reload: Some("refused"), ..told }
        }
        _ => {
            let told = Told::new(Weight::Note, "nothing to reload: the project is as it runs");
            Told { reload: Some("nothing"), ..told }
        }
    }
}

fn reloaded(reload: &Reload) -> Told {
    let Reload { added, removed, changed, unchanged, connections, waiting } = reload;
    let zaps = [(added, "added"), (changed, "changed"), (removed, "removed")];
    let mut parts: Vec<String> = zaps
        .into_iter()
        .filter(|(names, _)| !names.is_empty())
        .map(|(names, what)| format!("{} {what}{}", thousands(names.len() as u64), listed(names)))
        .collect();
    parts.push(format!("{} unchanged", thousands(*unchanged)));
    if !connections.is_empty() {
        let number = count(connections.len() as u64, "connection", "connections");
        parts.push(format!("{number} changed{}", listed(connections)));
    }
    let wait = |(zap, runs): &(String, u64)| {
        format!("{} of `{zap}` wait until it runs again", count(*runs, "pending run", "pending runs"))
    };
    parts.extend(waiting.iter().map(wait));
    let told = Told::new(Weight::Note, format!("reloaded: {}", parts.join(", ")));
    Told { reload: Some("done"), ..told }
}

/// The names, where they are few.
fn listed(names: &[String]) -> String {
    match names.len() {
        0 => String::new(),
        few if few <= NAMES => format!(" ({})", names.join(", ")),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_is_one_line() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let reload = Reload {
            added: names(&["leads"]),
            removed: names(&["sales"]),
            changed: (0..6).map(|number| format!("z{number}")).collect(),
            unchanged: 3,
            connections: names(&["crm"]),
            waiting: vec![("sales".to_owned(), 2)],
        };
        let refused = Event::ReloadRefused { reason: "the project has 1 error".to_owned(), hint: None };
        let events = [
            Event::Reloaded(reload),
            Event::Reloaded(Reload { unchanged: 1, ..Reload::default() }),
            refused,
            Event::ReloadedNothing,
        ];
        let lines: Vec<String> = events.iter().map(|event| tell(event).text).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        reloaded: 1 added (leads), 6 changed, 1 removed (sales), 3 unchanged, 1 connection changed (crm), 2 pending runs of `sales` wait until it runs again
        reloaded: 1 unchanged
        not reloaded, and what ran runs on: the project has 1 error
        nothing to reload: the project is as it runs
        ");
    }
}
