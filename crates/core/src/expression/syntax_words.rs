//! What the parser says of a template that it cannot read, in the words of this program.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What is wrong, and what to write instead. `detail` is the parser's, `range` the place it gives.
pub(super) fn syntax_words(source: &str, detail: &str, range: &Range<usize>) -> (String, String) {
    let said = |message: &str, help: &str| (message.to_owned(), help.to_owned());
    let at = source.get(range.clone()).unwrap_or("");
    let closes = source.get(range.start..).is_some_and(|rest| rest.starts_with("}}"));
    let (found, expected) = detail
        .strip_prefix("unexpected ")
        .map_or(("", ""), |rest| rest.split_once(", expected ").unwrap_or((rest, "")));
    match (found, expected) {
        ("end of variable block", _) if is_empty(source, range) => {
            said("there is nothing between the braces", "write what is meant: {{ record.orderId }}")
        }
        ("end of variable block", _) => said(
            "the expression ends too early",
            "write what belongs after its last word, or remove what is too much before `}}`",
        ),
        ("end of block", _) => {
            said("the statement ends too early", "write what belongs after its last word, before `%}`")
        }
        ("end of input", _) => unclosed(source),
        ("end of string", _) => {
            said("a quote is opened and never closed", "close the quote before the braces end")
        }
        ("`}`", "`)`" | "`]`" | "`,`") => {
            said("a bracket is opened and never closed", "close it before `}}`")
        }
        ("`}`", _) if closes => said(
            "the expression ends too early",
            "write what belongs after its last word, or close the bracket before `}}`",
        ),
        ("`}`", _) => said("a single `}` ends nothing", "an expression is closed by two: `}}`"),
        ("`)`" | "`]`", _) => {
            (format!("the {found} closes nothing"), "open it before, or remove it".to_owned())
        }
        (_, "end of variable block" | "end of block") if !at.is_empty() => (
            format!("nothing joins `{at}` to what stands before it"),
            "write an operator between them, such as `~`, `==` or `and`; text stands in quotes".to_owned(),
        ),
        _ if detail.starts_with("unexpected end of") => {
            said("something is opened and never closed", "close each bracket, quote and brace")
        }
        _ => (
            plain(detail),
            "look at the brackets, quotes and operators there; `zaprun reference names` has examples"
                .to_owned(),
        ),
    }
}

/// Without the parser's names of its tokens.
fn plain(detail: &str) -> String {
    let mut text = detail.to_owned();
    for (theirs, ours) in [
        ("end of variable block", "`}}`"),
        ("start of variable block", "`{{`"),
        ("end of block", "`%}`"),
        ("start of block", "`{%`"),
        ("end of input", "the end of the text"),
        ("template-data", "text"),
    ] {
        text = text.replace(theirs, ours);
    }
    text
}

/// Whether the braces that end at the place hold nothing.
fn is_empty(source: &str, range: &Range<usize>) -> bool {
    let before = source.get(..range.start).unwrap_or("");
    let before = before.trim_end_matches(['}', '-', '+']).trim_end();
    before.trim_end_matches(['-', '+']).ends_with("{{")
}

/// What a text opens and does not close: a statement, or braces.
fn unclosed(source: &str) -> (String, String) {
    static TAG: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\{%[-+]?\s*(\w+)[^%]*?(=)?[^%]*?%\}").ok());
    let braces = |open: &str, close: &str| {
        let (opened, closed) = (source.rfind(open), source.rfind(close));
        opened.is_some_and(|opened| closed.is_none_or(|closed| closed < opened))
    };
    for (open, close) in [("{{", "}}"), ("{%", "%}"), ("{#", "#}")] {
        if braces(open, close) {
            return (format!("`{open}` is opened and never closed"), format!("close it with `{close}`"));
        }
    }
    let mut open: Vec<&str> = Vec::new();
    for tag in TAG.as_ref().into_iter().flat_map(|tag| tag.captures_iter(source)) {
        let Some(word) = tag.get(1).map(|word| word.as_str()) else { continue };
        match word {
            "if" | "for" | "with" | "filter" | "raw" => open.push(word),
            "set" if tag.get(2).is_none() => open.push(word),
            _ if word.starts_with("end") => {
                open.pop();
            }
            _ => {}
        }
    }
    match open.last() {
        Some(word) => {
            (format!("`{{% {word} … %}}` is never closed"), format!("close it with `{{% end{word} %}}`"))
        }
        None => (
            "the text ends in the middle of an expression".to_owned(),
            "close each bracket, quote and brace".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::expression::syntax::parse_template;

    /// Message and help.
    fn told(source: &str) -> String {
        let problem = parse_template(source).err().and_then(|mut problems| problems.pop());
        problem.map_or_else(String::new, |problem| {
            format!("{} | {}", problem.message, problem.help.unwrap_or_default())
        })
    }

    #[test]
    fn every_syntax_error_says_what_to_write() {
        let sources = [
            "{{ record.firstName + }}",
            "{{ }}",
            "{{-  -}}",
            "{% if record.a %}yes",
            "{% if a %}{% for x in y %}{% endfor %}",
            "{{ record.a",
            "{% if record.a",
            "{{ record.a }",
            "{{ (record.a }}",
            "{{ record.a) }}",
            "{{ 'open }}",
            "{{ a b }}",
            "{{ a | }}",
            "{% if %}x{% endif %}",
            "{% endif %}",
            "{{ a[ }}",
            "{{ # }}",
        ];
        let lines: Vec<String> = sources.iter().map(|source| format!("{source}  {}", told(source))).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        {{ record.firstName + }}  the expression ends too early | write what belongs after its last word, or remove what is too much before `}}`
        {{ }}  there is nothing between the braces | write what is meant: {{ record.orderId }}
        {{-  -}}  there is nothing between the braces | write what is meant: {{ record.orderId }}
        {% if record.a %}yes  `{% if … %}` is never closed | close it with `{% endif %}`
        {% if a %}{% for x in y %}{% endfor %}  `{% if … %}` is never closed | close it with `{% endif %}`
        {{ record.a  `{{` is opened and never closed | close it with `}}`
        {% if record.a  `{%` is opened and never closed | close it with `%}`
        {{ record.a }  a single `}` ends nothing | an expression is closed by two: `}}`
        {{ (record.a }}  a bracket is opened and never closed | close it before `}}`
        {{ record.a) }}  the `)` closes nothing | open it before, or remove it
        {{ 'open }}  a quote is opened and never closed | close the quote before the braces end
        {{ a b }}  nothing joins `b` to what stands before it | write an operator between them, such as `~`, `==` or `and`; text stands in quotes
        {{ a | }}  the expression ends too early | write what belongs after its last word, or remove what is too much before `}}`
        {% if %}x{% endif %}  the statement ends too early | write what belongs after its last word, before `%}`
        {% endif %}  there is no statement `endif` | a text may use `if`, `for`, `set`, `with`, `filter` and `raw`
        {{ a[ }}  the expression ends too early | write what belongs after its last word, or close the bracket before `}}`
        {{ # }}  unexpected character | look at the brackets, quotes and operators there; `zaprun reference names` has examples
        ");
        for source in sources {
            let told = told(source);
            assert!(!told.is_empty() && !told.ends_with("| "), "{source}: {told}");
            assert!(!told.contains("variable block") && !told.contains("end of block"), "{source}: {told}");
        }
    }
}
