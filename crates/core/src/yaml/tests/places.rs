//! From a range inside a text back to the file.

use super::*;

/// Where `needle` of the value under `a` was written.
fn placed(text: &str, needle: &str) -> String {
    let (sources, parsed) = read(text);
    let tree = parsed.tree.unwrap();
    let node = tree.get(tree.root(), "a").unwrap();
    let at = tree.text(node).unwrap().find(needle).unwrap();
    sources.slice(tree.place(node, at..at + needle.len())).to_owned()
}

#[test]
fn every_style_is_followed() {
    for text in [
        "a: x {{ record.id }} y\n",
        "a: 'x {{ record.id }} y'\n",
        "a: 'it''s {{ record.id }} y'\n",
        "a: \"x {{ record.id }} y\"\n",
        "a: \"tab\\t \\u00e9 \\\"q\\\" {{ record.id }} y\"\n",
        "a: |\n  first\n\n    deeper {{ record.id }}\n  last\n",
        "a: >-\n  folded\n  text {{ record.id }}\n\n  more\n",
        "a: |\r\n  first\r\n  second {{ record.id }}\r\n",
        "a: plain over\n  two lines {{ record.id }}\n",
        "a: \"quoted over\n  two \\\n  lines {{ record.id }}\"\n",
        "a: 'é {{ record.id }}'\n",
    ] {
        assert_eq!(placed(text, "record.id"), "record.id", "{text:?}");
        assert_eq!(placed(text, "{{ record.id }}"), "{{ record.id }}", "{text:?}");
    }
}

#[test]
fn a_place_is_within_the_right_line() {
    let (sources, parsed) = read("a: |\n  one\n  two {{ x }}\n  three {{ x }}\n");
    let tree = parsed.tree.unwrap();
    let node = tree.get(tree.root(), "a").unwrap();
    let at = tree.text(node).unwrap().rfind("{{ x }}").unwrap();
    let span = tree.place(node, at..at + 7);
    assert_eq!(sources.range(span).0.line, 4);
}

#[test]
fn what_cannot_be_followed_is_the_whole_scalar() {
    let (sources, parsed) = read("a: \"\\ud83d\\ude00 {{ x }}\"\nb: [1]\n");
    let tree = parsed.tree.unwrap();
    let node = tree.get(tree.root(), "a").unwrap();
    assert_eq!(sources.slice(tree.place(node, 5..12)), "\"\\ud83d\\ude00 {{ x }}\"");
    // A range outside the value, or of something that is no text.
    assert_eq!(tree.place(node, 5..5000), tree.span(node));
    let list = tree.get(tree.root(), "b").unwrap();
    assert_eq!(tree.place(list, 0..1), tree.span(list));
}

#[test]
fn a_place_never_cuts_a_character() {
    let (sources, parsed) = read(">-\n\r\n\u{85}");
    let tree = parsed.tree.unwrap();
    let text = sources.file(parsed.file).text.clone();
    for at in 0..tree.text(tree.root()).unwrap().len() {
        let place = tree.place(tree.root(), at..at + 1);
        assert!(text.get(place.start..place.end).is_some());
    }
}

#[test]
fn a_list_begins_at_its_first_dash() {
    for (text, list) in [
        ("a:\n- 1\n- 2\n", "- 1\n- 2"),
        ("a: # why\n- # one\n  1\n- 2\n", "- # one\n  1\n- 2"),
        ("a:\n- - 1\n  - 2\n- 3\n", "- - 1\n  - 2\n- 3"),
        ("a:\n  - - 1\n    - 2\n", "- - 1\n    - 2"),
        ("a: &x\n- b: 1\n", "- b: 1"),
        ("a:\n-\n  - 1\n", "-\n  - 1"),
        ("a:\r\n- 1\r\n- 2\r\nb: 1\r\n", "- 1\r\n- 2"),
        ("a: [1, 2]\n", "[1, 2]"),
    ] {
        let (sources, parsed) = read(text);
        let tree = parsed.tree.unwrap();
        let node = tree.get(tree.root(), "a").unwrap();
        assert_eq!(sources.slice(tree.span(node)), list, "{text:?}");
    }
    // In a map that stands in a list, too, and the inner list is its own.
    let (sources, parsed) = read("- a:\n  - 1\n  - 2\n- - 3\n");
    let tree = parsed.tree.unwrap();
    let spans =
        [tree.at("/0/a").unwrap().0, tree.at("/1").unwrap().0].map(|node| sources.slice(tree.span(node)));
    assert_eq!(spans, ["- 1\n  - 2", "- 3"]);
}
