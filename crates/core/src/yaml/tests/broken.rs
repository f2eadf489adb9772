//! Files that are not what they should be, and what a person is told.

use super::*;

#[test]
fn syntax() {
    insta::assert_snapshot!(shown("text: Order: {{ record.orderId }}\n"), @r"
    1:12 `:` ZR0104 a `:` is not expected here | put text that holds `: ` in quotes, or check the indentation of the line
    no tree
    ");
    insta::assert_snapshot!(shown("a: [1, 2\nb: 1\n"), @r"
    2:2 `:` ZR0104 a `:` is not expected here | put text that holds `: ` in quotes, or check the indentation of the line
    no tree
    ");
    insta::assert_snapshot!(shown("a: \"x\nb: 1\n"), @r#"
    1:4 `"` ZR0104 a quote is opened here and never closed | close the quote
    no tree
    "#);
    insta::assert_snapshot!(shown("a: 1\n b: 2\n"), @r"
    2:3 `:` ZR0104 a `:` is not expected here | put text that holds `: ` in quotes, or check the indentation of the line
    no tree
    ");
    insta::assert_snapshot!(shown("a:\n  b: 1\n c: 2\n"), @r"
    3:2 `c` ZR0104 a `key: value` is expected here | check the indentation and the `:` of this line and the one above
    no tree
    ");
    insta::assert_snapshot!(shown("a: @x\n"), @r"
    1:4 `@` ZR0104 text cannot begin with `@` | put the text in quotes
    no tree
    ");
    insta::assert_snapshot!(shown("a: 'x' y\n"), @r"
    1:8 `y` ZR0104 something follows the closing quote | put the whole text in one pair of quotes
    no tree
    ");
    insta::assert_snapshot!(shown("a: \"\\q\"\n"), @r#"
    1:4 `"` ZR0104 an escape that does not exist stands in double quotes | write `\\` for a backslash, or use single quotes
    no tree
    "#);
    insta::assert_snapshot!(shown("- a\nb: 1\n"), @r"
    2:1 `b` ZR0104 a `- ` of a list does not fit here | indent every `-` of one list alike, with a space after it
    no tree
    ");
    insta::assert_snapshot!(shown("a: {b: 1]\n"), @r"
    1:4 `{` ZR0104 `{` is closed by `]` | close each bracket with its like
    no tree
    ");
    insta::assert_snapshot!(shown("%YAML 3.0\n---\na: 1\n"), @r"
    1:1 `%` ZR0104 this is not YAML | check the indentation and the quotes of this line and the one above
    no tree
    ");
}

#[test]
fn tabs() {
    insta::assert_snapshot!(shown("a:\n\tb: 1\n"), @r"
    2:1 `	` ZR0105 a tab stands where YAML wants spaces | indent with spaces, two for each level
    no tree
    ");
    insta::assert_snapshot!(shown("a:\n  b: 1\n\tc: 1\n"), @r"
    3:1 `	` ZR0105 a tab stands where YAML wants spaces | indent with spaces, two for each level
    no tree
    ");
    assert_eq!(shown("a: 1\t# fine\n"), "");
}

#[test]
fn unquoted_templates() {
    insta::assert_snapshot!(shown("a: {{ x }}\nb: 1\nc: {{ y | default('z', true) }}\n"), @r#"
    1:4 `{{ x }}` ZR0106 `{{ … }}` without quotes is a YAML map, not a template | write "{{ x }}"
    3:4 `{{ y | default('z', true) }}` ZR0106 `{{ … }}` without quotes is a YAML map, not a template | write "{{ y | default('z', true) }}"
    "#);
    insta::assert_snapshot!(shown("a: {{ x }} and {{ y }} # why\n"), @r#"
    1:4 `{{ x }} and {{ y }}` ZR0106 `{{ … }}` without quotes is a YAML map, not a template | write "{{ x }} and {{ y }}"
    no tree
    "#);
    insta::assert_snapshot!(shown("a: {{ record[\"x\"] }}\n"), @r#"
    1:4 `{{ record["x"] }}` ZR0106 `{{ … }}` without quotes is a YAML map, not a template | write '{{ record["x"] }}'
    no tree
    "#);
    insta::assert_snapshot!(shown("- {{ x }}\n"), @r#"1:3 `{{ x }}` ZR0106 `{{ … }}` without quotes is a YAML map, not a template | write "{{ x }}""#);
    insta::assert_snapshot!(shown("{{ key }}: 1\n"), @r#"1:1 `{{ key }}` ZR0106 `{{ … }}` without quotes is a YAML map, not a template | write "{{ key }}""#);
    // What was meant is what is read.
    let (_, parsed) = read("a: {{ x }}\n");
    let tree = parsed.tree.unwrap();
    assert_eq!(tree.text(tree.get(tree.root(), "a").unwrap()), Some("{{ x }}"));
}

#[test]
fn keys() {
    insta::assert_snapshot!(shown("a: 1\nb: 2\na: 3\na: 4\n"), @r"
    3:1 `a` ZR0107 the key `a` occurs twice in one map | keep one of the two
    4:1 `a` ZR0107 the key `a` occurs twice in one map | keep one of the two
    ");
    insta::assert_snapshot!(shown("a: {x: 1, \"x\": 2}\n"), @r#"1:11 `"x"` ZR0107 the key `x` occurs twice in one map | keep one of the two"#);
    insta::assert_snapshot!(shown("1: a\ntrue: b\nnull: c\n~: d\n: e\n"), @r#"
    1:1 `1` ZR0109 the key `1` is read as text | write "1" in quotes
    2:1 `true` ZR0109 the key `true` is read as text | write "true" in quotes
    3:1 `null` ZR0109 a key is empty | write a text before the `:`, in quotes if need be
    4:1 `~` ZR0109 a key is empty | write a text before the `:`, in quotes if need be
    5:1 `` ZR0109 a key is empty | write a text before the `:`, in quotes if need be
    "#);
    insta::assert_snapshot!(shown("? [a, b]\n: c\n? {d: e}\n: f\n"), @r"
    1:3 `[a, b]` ZR0109 a key must be text | write a text before the `:`
    3:3 `{d: e}` ZR0109 a key must be text | write a text before the `:`
    ");
    assert_eq!(shown("on: a\nno: b\n\"1\": c\n01: d\n"), "");
}

#[test]
fn documents() {
    insta::assert_snapshot!(shown("a: 1\n---\nb: 1\n"), @r"
    2:1 `---` ZR0108 a second document begins here | write one document per file, without `---` between them
    no tree
    ");
    assert_eq!(shown("---\na: 1\n...\n"), "");
    for empty in ["", "# only a comment\n", "\n\n", "---\n", "\u{feff}"] {
        let (_, parsed) = read(empty);
        assert_eq!(parsed.diagnostics, Vec::new(), "{empty:?}");
        assert!(parsed.tree.is_none_or(|tree| tree.node(tree.root()).kind == Kind::Null), "{empty:?}");
    }
}

#[test]
fn encodings() {
    insta::assert_snapshot!(shown(b"a: 1\nb: \xff\xfe\nc: 1\n"), @r"
    2:4 `�` ZR0101 a.yaml is not UTF-8 text | save the file as UTF-8
    no tree
    ");
    insta::assert_snapshot!(shown(b"\xff\xfea\x00:\x00"), @r"
    ZR0101 a.yaml is UTF-16, not UTF-8 | save the file as UTF-8
    no tree
    ");
    insta::assert_snapshot!(shown("a: x\0y\nb: 1\n"), @r#"
    1:5 `<NUL>` ZR0117 a control character (U+0000) stands in the file | remove it, or write "\x00" inside double quotes
    no tree
    "#);
    insta::assert_snapshot!(shown("a: 1\n\u{feff}b: 1\n"), @r"
    2:1 `<BOM>` ZR0104 a byte-order mark stands inside the file | remove the invisible character
    no tree
    ");
    let with_mark = tree("\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\n");
    assert_eq!(with_mark.text(with_mark.get(with_mark.root(), "b").unwrap()), Some("x\ny\n"));
}

#[test]
fn limits() {
    insta::assert_snapshot!(shown("x".repeat(10 * 1024 * 1024)), @r"
    ZR0102 a.yaml has 10485760 bytes, more than the 1048576 that are read | a definition is a few kilobytes; keep records and tables in files of their own
    no tree
    ");
    insta::assert_snapshot!(shown(format!("a: [{}1{}]\n", "[".repeat(70), "]".repeat(70))), @r"
    1:68 `[` ZR0111 lists and maps stand more than 64 deep | write fewer levels
    no tree
    ");
    insta::assert_snapshot!(shown(format!("[{}]\n", "1,".repeat(MAX_NODES))), @r"
    1:1 `[` ZR0111 the file holds more than 100000 values | split the file, or use fewer aliases
    no tree
    ");
    let deep: String = (0..80).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    insta::assert_snapshot!(shown(deep), @r"
    65:65 `a` ZR0111 lists and maps stand more than 64 deep | write fewer levels
    no tree
    ");
}

#[test]
fn findings_are_bounded_but_errors_are_not_crowded_out() {
    let warnings: String = (0..500).map(|n| format!("k{n}: 0{n}1\n")).collect();
    let errors: String = (0..500).map(|_| "k1: 1\n").collect();
    let (_, parsed) = read(warnings + &errors);
    assert_eq!((parsed.traps.len(), parsed.diagnostics.len()), (MAX_FINDINGS, MAX_FINDINGS));
}

#[test]
fn aliases() {
    let shared = tree("a: &x {k: 1.50}\nb: *x\nc: [*x, *x]\n");
    let a = shared.get(shared.root(), "a").unwrap();
    assert_eq!(shared.get(shared.root(), "b"), Some(a));
    insta::assert_snapshot!(shown("hosts: [*.example.com]\n"), @r"
    1:9 `*` ZR0112 `*` begins an alias, and no anchor of that name comes before it | put text that begins with `*` in quotes
    no tree
    ");
    insta::assert_snapshot!(shown("a: &x [*x]\n"), @r"
    1:8 `*x` ZR0112 an alias stands inside the value it names | write the value out
    no tree
    ");
    insta::assert_snapshot!(shown("a: &x [1]\n*x : 1\n"), @"2:1 `*x` ZR0109 a key must be text | write a text before the `:`, in quotes if need be");
    let bomb: String = std::iter::once("a0: &a0 [x, x]\n".to_owned())
        .chain((1..40).map(|n| format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1)))
        .collect();
    insta::assert_snapshot!(shown(bomb), @r"
    15:18 `*` ZR0111 the file holds more than 100000 values | split the file, or use fewer aliases
    no tree
    ");
    let nested: String = std::iter::once("a0: &a0 [x]\n".to_owned())
        .chain((1..80).map(|n| format!("a{n}: &a{n} [*a{}]\n", n - 1)))
        .collect();
    insta::assert_snapshot!(shown(nested), @r"
    64:12 `*` ZR0111 lists and maps stand more than 64 deep | split the file, or use fewer aliases
    no tree
    ");
}

#[test]
fn merge_keys() {
    let merged = tree("base: &b {x: 1, y: 2}\nother: &o {y: 3, z: 4}\nall: {y: 9, <<: [*b, *o]}\n");
    let all = merged.get(merged.root(), "all").unwrap();
    let keys: Vec<&str> = merged.entries(all).iter().map(|entry| &*entry.key).collect();
    assert_eq!(keys, ["y", "x", "z"]);
    assert_eq!(merged.node(merged.get(all, "y").unwrap()).kind, Kind::Number("9".into()));
    assert_eq!(tree("a: {\"<<\": 1}\n").entries(NodeId(1)).len(), 1);
    insta::assert_snapshot!(shown("a: {<<: 1}\n"), @r#"1:5 `<<` ZR0112 `<<` takes in maps, and this is none | write `<<: *name` where `&name` stands before a map, or "<<" for a key of that name"#);
    let bomb: String = std::iter::once("a0: &a0 {k0: 1}\n".to_owned())
        .chain((1..60).map(|n| format!("a{n}: &a{n} {{<<: *a{}, k{n}: *a{}}}\n", n - 1, n - 1)))
        .collect();
    assert!(shown(bomb).contains("ZR0111"));
}

#[test]
fn tags() {
    assert_eq!(tree("!!str 12").node(NodeId(0)).kind, tree("\"12\"").node(NodeId(0)).kind.plain());
    insta::assert_snapshot!(shown("a: !zip 01234\nb: !!int \"3\"\nc: !x [1]\n"), @r#"
    1:4 `!zip` ZR0110 the tag `!zip` is not understood | remove it; text that looks like a number is written in quotes
    2:4 `!!int` ZR0110 the tag `!!int` is not understood | remove it; text that looks like a number is written in quotes
    3:4 `!x` ZR0110 the tag `!x` is not understood | remove it; text that looks like a number is written in quotes
    1:9 `01234` ZR0114 `01234` begins with a zero: it is read as text | write "01234" in quotes for text, or 1234 for a number
    "#);
}

impl Kind {
    /// The same text, written plain.
    fn plain(&self) -> Kind {
        match self {
            Kind::Text { value, .. } => Kind::Text { value: value.clone(), style: Style::Plain },
            other => other.clone(),
        }
    }
}
