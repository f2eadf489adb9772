//! What scalars, lists and maps are read as.

use super::*;

fn kind(text: &str) -> Kind {
    let tree = tree(&format!("a: {text}\n"));
    tree.node(tree.get(tree.root(), "a").unwrap()).kind.clone()
}

#[test]
fn numbers_keep_their_digits() {
    for digits in ["0", "-0", "19.90", "1e5", "1E+5", "-2.50e-3", "12345678901234567890123", "1e999", "0.10"]
    {
        assert_eq!(kind(digits), Kind::Number(digits.into()));
    }
}

#[test]
fn nothing_and_booleans() {
    for nothing in ["", "~", "null", "Null", "NULL"] {
        assert_eq!(kind(nothing), Kind::Null, "{nothing:?}");
    }
    for (text, value) in [("true", true), ("TRUE", true), ("False", false)] {
        assert_eq!(kind(text), Kind::Bool(value));
    }
    for text in ["\"true\"", "'null'", "\"\"", "'~'", "\"12\""] {
        assert!(matches!(kind(text), Kind::Text { .. }), "{text}");
    }
}

#[test]
fn pointers_lead_to_values_and_keys() {
    let tree = tree("a:\n  b/c: [x, {d~e: y}]\n");
    let (node, key) = tree.at("/a/b~1c/1/d~0e").unwrap();
    assert_eq!(tree.text(node), Some("y"));
    assert_eq!(key.unwrap().start, 15);
    assert_eq!(tree.at(""), Some((tree.root(), None)));
    assert_eq!(tree.at("/a/x"), None);
    assert_eq!(tree.at("/a/b~1c/2"), None);
    let mut pointers = Vec::new();
    tree.walk(tree.root(), &mut |_, pointer| pointers.push(pointer.to_owned()));
    assert_eq!(pointers, ["", "/a", "/a/b~1c", "/a/b~1c/0", "/a/b~1c/1", "/a/b~1c/1/d~0e"]);
}

#[test]
fn spans_cover_what_was_written() {
    let text = "list:\n  - one\n  - 'two'\nflow: {a: [1, 2]}\nblock: |\n  x\n\nend: 1\n";
    let (sources, parsed) = read(text);
    let tree = parsed.tree.unwrap();
    let slice = |pointer: &str| sources.slice(tree.span(tree.at(pointer).unwrap().0)).to_owned();
    assert_eq!(slice("/list"), "- one\n  - 'two'");
    assert_eq!(slice("/list/1"), "'two'");
    assert_eq!(slice("/flow"), "{a: [1, 2]}");
    assert_eq!(slice("/flow/a"), "[1, 2]");
    assert_eq!(slice("/block"), "x");
    assert_eq!(slice("/end"), "1");
}

#[test]
fn variables_are_not_shown() {
    let secret = Kind::Text { value: "hunter2".into(), style: Style::Variable };
    assert_eq!(format!("{secret:?}"), "Text(from a variable)");
    assert_eq!(format!("{:?}", tree("a: 1")), "Tree of 2 nodes");
}
