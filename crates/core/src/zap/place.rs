//! From a place as messages name it to where it is written.

use crate::yaml::{Entry, NodeId, Tree};

/// The node at a place that a [`crate::mapping::MapError`] names, `actions[0].json.order`: the innermost that is there.
/// What stands below the zap, as within a text, is the node that holds it.
pub fn locate(tree: &Tree, place: &str) -> NodeId {
    let (mut node, mut rest) = (tree.root(), place);
    while let Some((inner, left)) = step(tree, node, rest) {
        (node, rest) = (inner, left);
    }
    node
}

fn step<'p>(tree: &Tree, node: NodeId, place: &'p str) -> Option<(NodeId, &'p str)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (number, rest) = rest.split_once(']')?;
        return Some((*tree.items(node).get(number.parse::<usize>().ok()?)?, rest));
    }
    let place = place.strip_prefix('.').unwrap_or(place);
    // A key may hold points itself, so the longest that fits is meant.
    let fits = |entry: &&Entry| {
        let rest = place.strip_prefix(written(entry));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let entry = tree.entries(node).iter().filter(fits).max_by_key(|entry| written(entry).len())?;
    let length = written(entry).len();
    (length > 0).then(|| (entry.value, &place[length..]))
}

/// A key as a request has it: `$$x` writes `$x`.
fn written(entry: &Entry) -> &str {
    if entry.key.starts_with("$$") { &entry.key[1..] } else { &entry.key }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;
    use crate::yaml;

    #[test]
    fn places_are_found_where_they_are_written() {
        let text = "actions:\n  - json: { a.b: { c: one }, a: two, $$if: three, l: [x, { y: four }] }\n";
        let mut sources = SourceMap::default();
        let tree = yaml::parse(&mut sources, "z.yaml", text.as_bytes()).tree.unwrap();
        let at = |place: &str| sources.slice(tree.span(locate(&tree, place))).to_owned();
        assert_eq!(at("actions[0].json.a.b.c"), "one");
        assert_eq!(at("actions[0].json.a"), "two");
        assert_eq!(at("actions[0].json.$if"), "three");
        assert_eq!(at("actions[0].json.l[1].y"), "four");
        // Below what is written, and beside it, the innermost is meant.
        assert_eq!(at("actions[0].json.a.z"), "two");
        assert_eq!(at("actions[0].json.l[7]"), "[x, { y: four }]");
        assert!(at("nothing").starts_with("actions:"));
    }
}
