#![allow(clippy::unwrap_used, reason = "tests")]

use super::Template;
use crate::expression::Frame;
use crate::expression::testing::{open_scope, settings, words};

fn render(source: &str, context: &str) -> String {
    let (names, values) = open_scope(context);
    let settings = settings();
    match Template::compile(source, &names) {
        Err(problems) => format!("error: {}", words(&problems)),
        Ok(template) => template
            .render(&Frame { values: &values, settings: &settings })
            .unwrap_or_else(|error| format!("error: {}", error.message())),
    }
}

const CONTEXT: &str =
    r#"{"a":[{"n":"x","q":2},{"n":"y","q":0},{"n":"z","q":5}],"o":{"k":1,"l":2},"s":"text","z":null}"#;

#[test]
fn statements_do_what_they_say() {
    for (source, result) in [
        ("{% if s == 'text' %}a{% elif true %}b{% else %}c{% endif %}", "a"),
        (
            "{% for i in a %}{{ loop.index }}{{ i.n }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "1x, 2y, 3z",
        ),
        (
            "{% for i in a if i.q > 0 %}{{ loop.index0 }}/{{ loop.length }}{{ i.n }} {% else %}none{% endfor %}",
            "0/2x 1/2z ",
        ),
        ("{% for i in [] %}x{% else %}none{% endfor %}", "none"),
        ("{% for k, v in o | items %}{{ k }}={{ v }};{% endfor %}", "k=1;l=2;"),
        ("{% for k, v in o %}{{ k }}={{ v }};{% endfor %}", "k=1;l=2;"),
        ("{% for k in o %}{{ k }}{% endfor %}", "kl"),
        ("{% for i in a %}{{ loop.first }} {{ loop.revindex }} {% endfor %}", "true 3 false 2 false 1 "),
        ("{% set x = 1 %}{{ x }}{% set x = x + 1 %}{{ x }}", "12"),
        ("{% set x %}<{{ s }}>{% endset %}{{ x }}{{ x | length }}", "<text>6"),
        ("{% set x | upper %}{{ s }}{% endset %}{{ x }}", "TEXT"),
        ("{% with y = 2, w = y + 1 %}{{ y }}{{ w }}{% endwith %}", "23"),
        ("{% filter upper | replace('T', 't') %}a {{ s }}{% endfilter %}", "A tEXt"),
        ("{% raw %}{{ x }}{% endraw %}{# gone #}", "{{ x }}"),
        ("a {%- if true -%} b {%- endif -%} c", "abc"),
        ("line {{ s }}\n", "line text\n"),
    ] {
        assert_eq!(render(source, CONTEXT), result, "{source}");
    }
}

#[test]
fn names_set_inside_a_loop_stay_there() {
    let source = "{% set x = 'o' %}{% for i in a %}{{ x }}{% if i.q == 0 %}{% set x = i.n %}{% endif %}{{ x }} {% endfor %}{{ x }}";
    assert_eq!(render(source, CONTEXT), "oo oy oo o");
    let source = "{% for i in a %}{% if loop.first %}{% set x = 1 %}{% endif %}{{ x }}{% endfor %}";
    assert_eq!(render(source, CONTEXT), "error: `x` is missing");
    assert_eq!(render("{% with q = 1 %}{% endwith %}{{ q }}", CONTEXT), "error: unknown name `q`");
    assert_eq!(render("{% for s in [1] %}{{ s }}{% endfor %}{{ s }}", CONTEXT), "1text");
}

#[test]
fn loops_are_strict_about_what_they_loop_over() {
    assert_eq!(
        render("{% for i in s %}{% endfor %}", CONTEXT),
        "error: `s`: a loop takes a list or an object, not text"
    );
    assert_eq!(render("{% for i in z %}{% endfor %}", CONTEXT), "error: `z` is missing");
    assert_eq!(render("{% for i in a %}{{ loop.indx }}{% endfor %}", CONTEXT), "error: `loop` has no `indx`");
    assert_eq!(
        render("{% for i, j in [1] %}{% endfor %}", CONTEXT),
        "error: `[1]`: each item must be a list of 2"
    );
    assert_eq!(
        render("{% for i in a recursive %}{% endfor %}", CONTEXT),
        "error: a loop cannot be recursive"
    );
}

#[test]
fn literal_text_passes_byte_for_byte() {
    let literal = "é\u{1F600} <b>&amp;</b>\r\n\t\u{0}\"'\\ }} %} #} { { ";
    assert_eq!(render(&format!("{literal}{{{{ s }}}}{literal}"), CONTEXT), format!("{literal}text{literal}"));
}

#[test]
fn output_is_bounded() {
    let context = format!(r#"{{"t":"{}"}}"#, "a".repeat(200_000));
    assert_eq!(
        render("{{ t }}{{ t }}{{ t }}{{ t }}{{ t }}{{ t }}", &context),
        "error: `t`: text grows beyond 1 MiB"
    );
}

#[test]
fn all_problems_of_a_template_are_found() {
    let found = render("{{ a | nope }}{% if nope %}{{ s | uper }}{% endif %}", CONTEXT);
    assert_eq!(found, "error: unknown filter `nope`; unknown name `nope`; unknown filter `uper`");
}
