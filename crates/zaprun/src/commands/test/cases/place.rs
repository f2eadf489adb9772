//! Where in the zap's file a failure stands.

use zaprun_core::property::Failure;
use zaprun_core::source::SourceMap;
use zaprun_core::yaml::{self, Tree};

/// The line of each failure in the file of its zap.
pub(super) fn lines(text: &str, failures: &[Failure]) -> Vec<usize> {
    let mut sources = SourceMap::default();
    let tree = yaml::parse(&mut sources, "zap", text.as_bytes()).tree;
    let line = |failure: &Failure| {
        let tree = tree.as_ref()?;
        let pointer = match (&failure.place, &failure.subject) {
            (Some(place), _) => pointer(place),
            (None, Some(name)) => subject(tree, name)?,
            (None, None) => return mentioned(text, failure.field.as_deref()?),
        };
        let (pointer, node, key) = nearest(tree, &pointer)?;
        // The key that leads to a member of a list is the list's.
        let is_item = pointer.rsplit('/').next().is_some_and(|last| last.parse::<usize>().is_ok());
        let at = key.filter(|_| !is_item).unwrap_or_else(|| tree.span(node));
        Some(sources.range(at).0.line)
    };
    failures.iter().map(|failure| line(failure).unwrap_or(1)).collect()
}

/// `actions[0].json.order` as the pointer that trees are searched by.
fn pointer(place: &str) -> String {
    let mut pointer = String::new();
    for part in place.split(['.', '[', ']']).filter(|part| !part.is_empty()) {
        yaml::push_key(&mut pointer, part);
    }
    pointer
}

/// The first line that names a field, in an expression or in a path.
fn mentioned(text: &str, field: &str) -> Option<usize> {
    let name = field.rsplit('.').next()?;
    let at = [field.to_owned(), format!("$.{name}"), format!("'{name}'")];
    text.lines().position(|line| at.iter().any(|named| line.contains(named.as_str()))).map(|line| line + 1)
}

/// The property or the step of that name.
fn subject(tree: &Tree, name: &str) -> Option<String> {
    [("properties", "name"), ("actions", "id"), ("on_failure", "id")].iter().find_map(|(list, key)| {
        let items = tree.items(tree.get(tree.root(), list)?);
        let named = |node| tree.get(node, key).and_then(|node| tree.text(node)) == Some(name);
        let at = items.iter().position(|node| named(*node))?;
        Some(format!("/{list}/{at}"))
    })
}

/// What the pointer leads to, or what it is in: a place may name a member that has no line of its own.
fn nearest<'p>(
    tree: &Tree,
    pointer: &'p str,
) -> Option<(&'p str, yaml::NodeId, Option<zaprun_core::source::Span>)> {
    let mut pointer = pointer;
    loop {
        if let Some((node, key)) = tree.at(pointer) {
            return Some((pointer, node, key));
        }
        pointer = pointer.rsplit_once('/')?.0;
    }
}
