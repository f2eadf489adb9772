//! Scalars that read otherwise than their authors may think.

use super::*;

#[test]
fn words_that_were_booleans() {
    insta::assert_snapshot!(shown("a: no\nb: On\nc: [yes, off]\nd: \"no\"\ne: true\nf: nope\n"), @r#"
    1:4 `no` ZR0113 `no` without quotes is text here and a boolean to other YAML readers | write false for a boolean, or "no" in quotes for text
    2:4 `On` ZR0113 `On` without quotes is text here and a boolean to other YAML readers | write true for a boolean, or "On" in quotes for text
    3:5 `yes` ZR0113 `yes` without quotes is text here and a boolean to other YAML readers | write true for a boolean, or "yes" in quotes for text
    3:10 `off` ZR0113 `off` without quotes is text here and a boolean to other YAML readers | write false for a boolean, or "off" in quotes for text
    "#);
}

#[test]
fn numbers() {
    insta::assert_snapshot!(shown("a: 0123\nb: 00\nc: -007\nd: 0\ne: 0.5\nf: \"0123\"\n"), @r#"
    1:4 `0123` ZR0114 `0123` begins with a zero: it is read as text | write "0123" in quotes for text, or 123 for a number
    2:4 `00` ZR0114 `00` begins with a zero: it is read as text | write "00" in quotes for text, or 0 for a number
    3:4 `-007` ZR0114 `-007` begins with a zero: it is read as text | write "-007" in quotes for text, or -7 for a number
    "#);
    insta::assert_snapshot!(shown("a: 9007199254740992\nb: 9007199254740993\nc: -99999999999999999999999\nd: 1e30\n"), @r#"
    2:4 `9007199254740993` ZR0115 `9007199254740993` is larger than most JSON readers can hold exactly | write "9007199254740993" in quotes when it is an identifier
    3:4 `-99999999999999999999999` ZR0115 `-99999999999999999999999` is larger than most JSON readers can hold exactly | write "-99999999999999999999999" in quotes when it is an identifier
    "#);
    insta::assert_snapshot!(
        shown("a: .5\nb: 5.\nc: +5\nd: 1_000\ne: 0x1F\nf: 0o17\ng: .inf\nh: -.Inf\ni: .nan\nj: -.5e3\nk: 0b11\n"),
        @r#"
    1:4 `.5` ZR0116 `.5` is a number to YAML, but JSON has no such number | write 0.5 for a number, or ".5" in quotes for text
    2:4 `5.` ZR0116 `5.` is a number to YAML, but JSON has no such number | write 5.0 for a number, or "5." in quotes for text
    3:4 `+5` ZR0116 `+5` is a number to YAML, but JSON has no such number | write 5 for a number, or "+5" in quotes for text
    4:4 `1_000` ZR0116 `1_000` is a number to YAML, but JSON has no such number | write 1000 for a number, or "1_000" in quotes for text
    5:4 `0x1F` ZR0116 `0x1F` is a number to YAML, but JSON has no such number | write "0x1F" in quotes for text, or a plain decimal number
    6:4 `0o17` ZR0116 `0o17` is a number to YAML, but JSON has no such number | write "0o17" in quotes for text, or a plain decimal number
    7:4 `.inf` ZR0116 `.inf` is a number to YAML, but JSON has no such number | write ".inf" in quotes for text, or a plain decimal number
    8:4 `-.Inf` ZR0116 `-.Inf` is a number to YAML, but JSON has no such number | write "-.Inf" in quotes for text, or a plain decimal number
    9:4 `.nan` ZR0116 `.nan` is a number to YAML, but JSON has no such number | write ".nan" in quotes for text, or a plain decimal number
    10:4 `-.5e3` ZR0116 `-.5e3` is a number to YAML, but JSON has no such number | write -0.5e3 for a number, or "-.5e3" in quotes for text
    11:4 `0b11` ZR0116 `0b11` is a number to YAML, but JSON has no such number | write "0b11" in quotes for text, or a plain decimal number
    "#
    );
}

#[test]
fn what_only_resembles_a_number_is_text() {
    for text in
        ["12:30:45", "2026-09-16", "1.2.3", "127.0.0.1", "1e", "1e5x", "--1", "0x", "_1", ".", "e5", "12-34"]
    {
        let tree = tree(&format!("a: {text}\n"));
        assert_eq!(tree.text(tree.get(tree.root(), "a").unwrap()), Some(text));
        assert_eq!(shown(format!("a: {text}\n")), "", "{text}");
    }
}
