//! Filters that change text.

use super::args::param;
use super::{Call, Example, Fallback, FilterSpec, Out, Output, ParamType, example};
use crate::expression::problem::Fault;
use crate::value::{Kind, Value};

const TEXT: &[Kind] = &[Kind::Text];
const IS_TEXT: Output = Output::Is(Kind::Text);

const fn plain(
    name: &'static str,
    summary: &'static str,
    examples: &'static [Example],
    run: fn(&Call<'_>, &Value) -> Result<Value, Fault>,
) -> FilterSpec {
    FilterSpec { input: TEXT, output: IS_TEXT, examples, ..FilterSpec::new(name, summary, run) }
}

/// One that makes no text longer. A letter whose capital is two letters is not thought of.
const fn no_longer(
    name: &'static str,
    summary: &'static str,
    examples: &'static [Example],
    run: fn(&Call<'_>, &Value) -> Result<Value, Fault>,
) -> FilterSpec {
    FilterSpec { no_longer: true, ..plain(name, summary, examples, run) }
}

pub(super) static FILTERS: &[FilterSpec] = &[
    no_longer(
        "upper",
        "Writes all letters as capitals.",
        &[
            example("'ada' | upper", "{}", r#""ADA""#),
            example("['a', 'b'] | upper", "{}", r#"["A","B"]"#),
            example("5 | upper", "{}", "error: `upper` takes text"),
        ],
        |_, value| Ok(Value::from(text(value).to_uppercase())),
    ),
    no_longer(
        "lower",
        "Writes all letters small.",
        &[example("'ADA' | lower", "{}", r#""ada""#)],
        |_, value| Ok(Value::from(text(value).to_lowercase())),
    ),
    no_longer(
        "capitalize",
        "Writes the first letter as a capital and all others small.",
        &[example("'aDA lovelace' | capitalize", "{}", r#""Ada lovelace""#)],
        |_, value| Ok(Value::from(capitalized(text(value)))),
    ),
    no_longer(
        "title",
        "Writes the first letter of each word as a capital and all others small.",
        &[example("'aDA of LOVELACE' | title", "{}", r#""Ada Of Lovelace""#)],
        |_, value| Ok(Value::from(by_words(text(value), |_| true))),
    ),
    no_longer(
        "titlecase",
        "Writes each word that is all capitals or all small with one leading capital; `McDonald` stays as it is.",
        &[
            example("\"SIOBHAN o'NEIL-smith\" | titlecase", "{}", r#""Siobhan O'Neil-Smith""#),
            example("'ann McDonald' | titlecase", "{}", r#""Ann McDonald""#),
        ],
        |_, value| Ok(Value::from(name_case(text(value)))),
    ),
    FilterSpec {
        params: &[param(
            "chars",
            ParamType::Text,
            Fallback::Nothing,
            "characters to remove; white space if not given",
        )],
        ..no_longer(
            "trim",
            "Removes white space, or the given characters, from both ends.",
            &[example("'  a b ' | trim", "{}", r#""a b""#), example("'--a--' | trim('-')", "{}", r#""a""#)],
            |call, value| {
                Ok(Value::text(match call.given_text(0) {
                    Some(chars) => text(value).trim_matches(|character| chars.contains(character)),
                    None => text(value).trim(),
                }))
            },
        )
    },
    FilterSpec {
        params: &[
            param("old", ParamType::Text, Fallback::Required, "the text to replace"),
            param("new", ParamType::Text, Fallback::Required, "the text to put instead"),
        ],
        ..plain(
            "replace",
            "Replaces each occurrence of a text.",
            &[example("'a-b-c' | replace('-', '')", "{}", r#""abc""#)],
            replace,
        )
    },
    FilterSpec {
        params: &[
            param("pattern", ParamType::Pattern, Fallback::Required, "the regular expression"),
            param(
                "replacement",
                ParamType::Text,
                Fallback::Required,
                "the text to put instead; `$1` is the first group",
            ),
        ],
        ..plain(
            "regex_replace",
            "Replaces each match of a regular expression.",
            &[
                example("'(555) 010-0199' | regex_replace('[^0-9]', '')", "{}", r#""5550100199""#),
                example(
                    "'Ada Lovelace' | regex_replace('(\\\\w+) (\\\\w+)', '$2, $1')",
                    "{}",
                    r#""Lovelace, Ada""#,
                ),
                example("'a' | regex_replace('(', '')", "{}", "error: is no regular expression"),
            ],
            regex_replace,
        )
    },
    FilterSpec {
        params: &[
            param("pattern", ParamType::Pattern, Fallback::Required, "the regular expression"),
            param("group", ParamType::Whole, Fallback::Whole(0), "the group to give; 0 is the whole match"),
        ],
        output: Output::Any,
        may_find_nothing: true,
        ..plain(
            "regex_search",
            "Gives the first match of a regular expression, or nothing.",
            &[
                example("'order A-17 shipped' | regex_search('A-([0-9]+)', 1)", "{}", r#""17""#),
                example("'none' | regex_search('[0-9]+') | default('-')", "{}", r#""-""#),
            ],
            regex_search,
        )
    },
    FilterSpec {
        params: &[
            param(
                "separator",
                ParamType::Text,
                Fallback::Nothing,
                "where to cut; at white space if not given",
            ),
            param("max", ParamType::Whole, Fallback::Nothing, "most cuts"),
        ],
        output: Output::Is(Kind::List),
        ..plain(
            "split",
            "Cuts text into a list.",
            &[
                example("'a,b,c' | split(',')", "{}", r#"["a","b","c"]"#),
                example(
                    "'  Ada  King Lovelace' | split(none, 1)",
                    "{}",
                    "error: argument `separator` is missing",
                ),
                example("'a=b=c' | split('=', 1)", "{}", r#"["a","b=c"]"#),
                example("' Ada   Lovelace ' | split", "{}", r#"["Ada","Lovelace"]"#),
            ],
            split,
        )
    },
    FilterSpec {
        output: Output::Is(Kind::List),
        ..plain(
            "lines",
            "Cuts text into its lines.",
            &[example("'a\\nb' | lines", "{}", r#"["a","b"]"#)],
            |_, value| Ok(Value::list(text(value).lines().map(Value::from).collect())),
        )
    },
    FilterSpec {
        params: &[
            param("width", ParamType::Whole, Fallback::Required, "spaces to put before each line"),
            param("first", ParamType::Bool, Fallback::Bool(false), "whether the first line is indented too"),
            param("blank", ParamType::Bool, Fallback::Bool(false), "whether empty lines are indented too"),
        ],
        ..plain(
            "indent",
            "Puts spaces before each line but the first.",
            &[example("'a\\nb' | indent(2)", "{}", r#""a\n  b""#)],
            indent,
        )
    },
    FilterSpec {
        params: &[
            param("length", ParamType::Whole, Fallback::Required, "most characters, the ending included"),
            param("end", ParamType::Text, Fallback::Text("…"), "what stands for the rest"),
        ],
        ..plain(
            "truncate_chars",
            "Shortens text to so many characters.",
            &[
                example("'a long note' | truncate_chars(6)", "{}", r#""a lon…""#),
                example("'short' | truncate_chars(5)", "{}", r#""short""#),
                example("'a long note' | truncate_chars(6, '')", "{}", r#""a long""#),
            ],
            truncate,
        )
    },
    no_longer(
        "striptags",
        "Removes HTML tags and comments, and joins white space.",
        &[example("'<p>Hello <b>Ada</b><!-- x -->\\n!</p>' | striptags", "{}", r#""Hello Ada !""#)],
        |_, value| Ok(Value::from(strip_tags(text(value)))),
    ),
    no_longer(
        "norm_email",
        "Trims an e-mail address and writes it small.",
        &[example("' Ada@Example.TEST ' | norm_email", "{}", r#""ada@example.test""#)],
        |_, value| Ok(Value::from(text(value).trim().to_lowercase())),
    ),
    FilterSpec {
        output: Output::Any,
        may_find_nothing: true,
        ..plain(
            "extract_email",
            "Gives the first e-mail address in a text, or nothing.",
            &[
                example(
                    "'write to Ada <ada@example.test>, please' | extract_email",
                    "{}",
                    r#""ada@example.test""#,
                ),
                example("'no address' | extract_email | default('-')", "{}", r#""-""#),
            ],
            |_, value| Ok(extract_email(text(value))),
        )
    },
];

/// The input's kind was checked.
pub(super) fn text(value: &Value) -> &str {
    value.as_text().unwrap_or_default()
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect(),
        None => String::new(),
    }
}

/// Capitalises the words for which `change` holds; words are cut at white space, hyphens and other punctuation but
/// apostrophes.
fn by_words(text: &str, change: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let ends_word = |character: char| !(character.is_alphanumeric() || matches!(character, '\'' | '’'));
    for word in text.split_inclusive(ends_word) {
        if change(word) { out.push_str(&capitalized(word)) } else { out.push_str(word) }
    }
    out
}

fn name_case(text: &str) -> String {
    let one_case = |word: &str| {
        let letters = || word.chars().filter(|character| character.is_alphabetic());
        // A single leading small letter with capitals after an apostrophe (o'NEIL) is one name in two cases.
        letters().all(char::is_uppercase) || letters().all(char::is_lowercase) || word.contains(['\'', '’'])
    };
    let mut out = String::with_capacity(text.len());
    let mut after_apostrophe = false;
    let mut letters_before = 0;
    for character in by_words(text, one_case).chars() {
        // O'Neil and D'Arcy, but Ada's.
        if after_apostrophe && letters_before == 1 {
            out.extend(character.to_uppercase());
        } else {
            out.push(character);
        }
        after_apostrophe = matches!(character, '\'' | '’');
        match character {
            _ if after_apostrophe => {}
            _ if character.is_alphabetic() => letters_before += 1,
            _ => letters_before = 0,
        }
    }
    out
}

fn replace(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let (old, new) = (call.text(0), call.text(1));
    if old.is_empty() {
        return Err(Fault::new("the text to replace is empty"));
    }
    let mut out = Out::new(call.budget);
    for (at, part) in text(value).split(old).enumerate() {
        if at > 0 {
            out.push(new)?;
        }
        out.push(part)?;
    }
    Ok(out.finish())
}

fn regex_replace(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let (pattern, replacement, text) = (call.pattern(0)?, call.text(1), text(value));
    let mut out = Out::new(call.budget);
    let mut from = 0;
    for found in pattern.captures_iter(text) {
        call.budget.spend(1)?;
        let Some(whole) = found.get(0) else { continue };
        out.push(text.get(from..whole.start()).unwrap_or(""))?;
        let mut expanded = String::new();
        found.expand(replacement, &mut expanded);
        out.push(&expanded)?;
        from = whole.end();
    }
    out.push(text.get(from..).unwrap_or(""))?;
    Ok(out.finish())
}

fn regex_search(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let found = call.pattern(0)?.captures(text(value));
    let group = usize::try_from(call.whole(1)).ok();
    let group = found.and_then(|found| found.get(group?).map(|group| Value::from(group.as_str())));
    Ok(group.unwrap_or_else(nothing))
}

/// A filter's way to find nothing; `default` sees it.
pub(super) fn nothing() -> Value {
    crate::value::ABSENT_UNKNOWN.clone()
}

fn split(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let text = text(value);
    let most = call.given_whole(1).map(|most| usize::try_from(most).unwrap_or(0).saturating_add(1));
    let parts: Vec<Value> = match (call.given_text(0), most) {
        (Some(""), _) => return Err(Fault::new("the separator is empty")),
        (Some(separator), Some(most)) => text.splitn(most, separator).map(Value::from).collect(),
        (Some(separator), None) => text.split(separator).map(Value::from).collect(),
        (None, _) => {
            let mut words: Vec<&str> = text.split_whitespace().collect();
            let most = most.unwrap_or(usize::MAX);
            if words.len() > most {
                let rest = words.get(most - 1).and_then(|word| text.get(offset(text, word)..)).unwrap_or("");
                words.truncate(most - 1);
                words.push(rest.trim_end());
            }
            words.into_iter().map(Value::from).collect()
        }
    };
    Ok(Value::list(parts))
}

/// Where a part of a text begins in it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

fn indent(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let width = usize::try_from(call.whole(0)).unwrap_or(0);
    call.budget.room(0, width)?;
    let spaces = " ".repeat(width);
    let mut out = Out::new(call.budget);
    for (at, line) in text(value).split_inclusive('\n').enumerate() {
        let blank = line.trim_end().is_empty();
        if (at > 0 || call.flag(1)) && (!blank || call.flag(2)) {
            out.push(&spaces)?;
        }
        out.push(line)?;
    }
    Ok(out.finish())
}

fn truncate(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let length = usize::try_from(call.whole(0)).map_err(|_| Fault::new("the length is negative"))?;
    let text = text(value);
    if text.chars().count() <= length {
        return Ok(value.clone());
    }
    let end: Vec<char> = call.text(1).chars().collect();
    let kept = length.saturating_sub(end.len());
    Ok(Value::from(text.chars().take(kept).chain(end).take(length).collect::<String>()))
}

fn strip_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (before, tag) = rest.split_at(open);
        out.push_str(before);
        let end = if tag.starts_with("<!--") {
            tag.find("-->").map(|at| at + 3)
        } else if tag[1..].starts_with(|next: char| next.is_alphabetic() || matches!(next, '/' | '!' | '?')) {
            tag.find('>').map(|at| at + 1)
        } else {
            out.push('<');
            Some(1)
        };
        // An open tag without an end hides the rest.
        rest = end.and_then(|end| tag.get(end..)).unwrap_or("");
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn extract_email(text: &str) -> Value {
    let in_address =
        |character: char| character.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-@".contains(character);
    let found = text
        .split(|character| !in_address(character))
        .map(|word| {
            word.trim_matches(|character: char| !character.is_alphanumeric() && !"_+".contains(character))
        })
        .find(|word| match word.split_once('@') {
            Some((local, domain)) => {
                !local.is_empty()
                    && domain.contains('.')
                    && !domain.contains("..")
                    && domain.chars().all(|character| character.is_alphanumeric() || ".-".contains(character))
            }
            None => false,
        });
    found.map_or_else(nothing, Value::from)
}
