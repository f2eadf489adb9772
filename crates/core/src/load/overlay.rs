//! Laying one file over another: maps merge, lists and scalars replace.

use std::collections::HashMap;

use crate::yaml::{Entry, Kind, NodeId, Tree};

/// The base with an overlay merged in. Every value keeps the place where it was written.
pub(super) fn merged(base: &Tree, overlay: &Tree) -> Tree {
    let mut tree = base.clone();
    let over = tree.absorb(overlay);
    let root = merge(&mut tree, base.root(), over);
    tree.set_root(root);
    tree
}

fn merge(tree: &mut Tree, base: NodeId, over: NodeId) -> NodeId {
    let (Kind::Map(below), Kind::Map(above)) = (&tree.node(base).kind, &tree.node(over).kind) else {
        return over;
    };
    let (mut entries, above) = (below.clone(), above.clone());
    let span = tree.span(over);
    let places: HashMap<Box<str>, usize> =
        entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
    for entry in above {
        match places.get(&entry.key).copied() {
            Some(at) => {
                let value = merge(tree, entries[at].value, entry.value);
                entries[at] = Entry { value, ..entry };
            }
            None => entries.push(entry),
        }
    }
    tree.add(Kind::Map(entries), span)
}
