//! From source text to a query. jsonpath-rust parses; its leniency (functions of its own, `length` of several nodes,
//! values where truth is asked for) ends here.

use std::ops::Range;
use std::sync::Arc;

use jsonpath_rust::parser::model as theirs;

use super::query::{Comparison, Filter, Operand, Pattern, Query, Segment, Selector};
use crate::diagnostic::code;
use crate::expression::problem::Problem;
use crate::value::{Decimal, Value};

/// Longest path.
const MAX_SOURCE: usize = 4096;
/// Deepest nesting of brackets: the parser tries nested functions in several ways, each of which tries again.
const MAX_NESTING: usize = 8;

pub(super) fn parse(source: &str) -> Result<Query, Problem> {
    let whole = 0..source.len();
    if source.len() > MAX_SOURCE {
        return Err(Problem::new(&code::JSONPATH_SYNTAX, "path is longer than 4096 bytes", whole));
    }
    if nesting(source) > MAX_NESTING {
        return Err(Problem::new(&code::JSONPATH_SYNTAX, "path is nested deeper than 8 brackets", whole));
    }
    let parsed = jsonpath_rust::parser::parse_json_path(source).map_err(|error| {
        let message = "not a JSONPath (RFC 9535) to its last character";
        let problem = Problem::new(&code::JSONPATH_SYNTAX, message, place(source, &error.to_string()));
        problem.help(syntax_help(source))
    })?;
    if let Some(at) = misplaced_space(source) {
        let message = "not a JSONPath (RFC 9535) to its last character";
        let problem = Problem::new(&code::JSONPATH_SYNTAX, message, at..source.len());
        return Err(problem.help("a name with spaces is written `$[\"field name\"]`"));
    }
    query(&parsed.segments, true).map_err(|message| Problem::new(&code::JSONPATH_FUNCTION, message, whole))
}

fn syntax_help(source: &str) -> &'static str {
    if source.starts_with('$') {
        "write `$.field`, `$[\"field name\"]` or `$.items[*].field`; a literal dollar is written `$$`"
    } else {
        "a path begins with `$`"
    }
}

/// Deepest nesting of brackets outside of quotes.
fn nesting(source: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    let mut quote = None;
    let mut escaped = false;
    for byte in source.bytes() {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(delimiter), _) => quote = Some(delimiter).filter(|delimiter| *delimiter != byte),
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[') => open += 1,
            (None, b')' | b']') => open = open.saturating_sub(1),
            (None, _) => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// White space that the grammar's parser would skip, or take into a name: `$.a b`, `$[- 1]`, `$[?@.a == 1 .5]`.
fn misplaced_space(source: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    // What stood last before white space, and whether it ends a word that begins with a digit.
    let (mut last, mut in_number, mut space) = ('$', false, None);
    for (at, character) in source.char_indices() {
        if let Some(delimiter) = quote {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if character == delimiter => quote = None,
                _ => {}
            }
            last = delimiter;
            continue;
        }
        if matches!(character, ' ' | '\t' | '\n' | '\r') {
            space = space.or(Some(at));
            continue;
        }
        let apart = space.take();
        if apart.is_some() && torn(last, in_number, character) {
            return apart;
        }
        in_number = match (is_word(last) && apart.is_none(), is_word(character)) {
            (true, true) => in_number,
            _ => character.is_ascii_digit(),
        };
        if matches!(character, '"' | '\'') {
            quote = Some(character);
        }
        last = character;
    }
    space
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || !character.is_ascii()
}

/// Whether white space between the two tears a name or a number.
fn torn(before: char, in_number: bool, after: char) -> bool {
    matches!(before, '.' | '-' | '+')
        || (is_word(before) && (is_word(after) || matches!(after, '-' | '+') || (after == '.' && in_number)))
}

/// The place that the parser names in its frame (`--> 1:9`, counted in characters).
fn place(source: &str, frame: &str) -> Range<usize> {
    let column = frame.split_once("--> 1:").and_then(|(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok()
    });
    let start = column.and_then(|column| source.char_indices().nth(column.saturating_sub(1)));
    start.map_or(0..source.len(), |(at, _)| at..source.len())
}

type Converted<T> = Result<T, String>;

fn query(segments: &[theirs::Segment], from_root: bool) -> Converted<Query> {
    let segments: Converted<Vec<Segment>> = segments.iter().map(segment).collect();
    Ok(Query { from_root, segments: segments? })
}

fn segment(segment: &theirs::Segment) -> Converted<Segment> {
    match segment {
        theirs::Segment::Descendant(inner) => match self::segment(inner)? {
            Segment::Child(selectors) | Segment::Descend(selectors) => Ok(Segment::Descend(selectors)),
        },
        theirs::Segment::Selector(one) => Ok(Segment::Child(vec![selector(one)?])),
        theirs::Segment::Selectors(many) => {
            let selectors: Converted<Vec<Selector>> = many.iter().map(selector).collect();
            Ok(Segment::Child(selectors?))
        }
    }
}

fn selector(selector: &theirs::Selector) -> Converted<Selector> {
    Ok(match selector {
        theirs::Selector::Name(name) => Selector::Name(Arc::from(name.as_str())),
        theirs::Selector::Wildcard => Selector::Any,
        theirs::Selector::Index(at) => Selector::At(*at),
        theirs::Selector::Slice(start, stop, step) => Selector::Slice(*start, *stop, step.unwrap_or(1)),
        theirs::Selector::Filter(filter) => Selector::Filter(self::filter(filter)?),
    })
}

fn filter(filter: &theirs::Filter) -> Converted<Filter> {
    match filter {
        theirs::Filter::Or(parts) => {
            Ok(Filter::Or(parts.iter().map(self::filter).collect::<Converted<_>>()?))
        }
        theirs::Filter::And(parts) => {
            Ok(Filter::And(parts.iter().map(self::filter).collect::<Converted<_>>()?))
        }
        theirs::Filter::Atom(atom) => self::atom(atom),
    }
}

fn atom(atom: &theirs::FilterAtom) -> Converted<Filter> {
    match atom {
        theirs::FilterAtom::Filter { expr, not } => negated(filter(expr)?, *not),
        theirs::FilterAtom::Test { expr, not } => negated(test(expr)?, *not),
        theirs::FilterAtom::Comparison(comparison) => self::comparison(comparison),
    }
}

fn negated(filter: Filter, not: bool) -> Converted<Filter> {
    Ok(if not { Filter::Not(Box::new(filter)) } else { filter })
}

fn test(test: &theirs::Test) -> Converted<Filter> {
    match test {
        theirs::Test::RelQuery(segments) => Ok(Filter::Exists(query(segments, false)?)),
        theirs::Test::AbsQuery(absolute) => Ok(Filter::Exists(query(&absolute.segments, true)?)),
        theirs::Test::Function(function) => match &**function {
            theirs::TestFunction::Match(subject, pattern) => matches(subject, pattern, true),
            theirs::TestFunction::Search(subject, pattern) => matches(subject, pattern, false),
            theirs::TestFunction::Custom(name, _) => Err(no_function(name)),
            _ => Err("the result of `length`, `count` or `value` must be compared with something".to_owned()),
        },
    }
}

fn no_function(name: &str) -> String {
    format!("there is no function `{name}`; there are length, count, value, match and search")
}

fn matches(subject: &theirs::FnArg, pattern: &theirs::FnArg, whole: bool) -> Converted<Filter> {
    let name = if whole { "match" } else { "search" };
    let pattern = match argument(pattern, name)? {
        Operand::Literal(Value::Text(text)) => Pattern::compile(&text, whole),
        Operand::Literal(_) => Pattern::Never,
        computed => Pattern::Computed(computed),
    };
    Ok(Filter::Matches { subject: argument(subject, name)?, pattern, whole })
}

fn comparison(comparison: &theirs::Comparison) -> Converted<Filter> {
    let op = match comparison {
        theirs::Comparison::Eq(..) => Comparison::Eq,
        theirs::Comparison::Ne(..) => Comparison::Ne,
        theirs::Comparison::Gt(..) => Comparison::Gt,
        theirs::Comparison::Gte(..) => Comparison::Ge,
        theirs::Comparison::Lt(..) => Comparison::Lt,
        theirs::Comparison::Lte(..) => Comparison::Le,
    };
    let (left, right) = comparison.vals();
    Ok(Filter::Compare(op, operand(left)?, operand(right)?))
}

fn operand(comparable: &theirs::Comparable) -> Converted<Operand> {
    match comparable {
        theirs::Comparable::Literal(literal) => self::literal(literal).map(Operand::Literal),
        theirs::Comparable::Function(function) => self::function(function),
        theirs::Comparable::SingularQuery(singular) => {
            let (segments, from_root) = match singular {
                theirs::SingularQuery::Current(segments) => (segments, false),
                theirs::SingularQuery::Root(segments) => (segments, true),
            };
            let segments = segments.iter().map(|segment| {
                Segment::Child(vec![match segment {
                    theirs::SingularQuerySegment::Index(at) => Selector::At(*at),
                    theirs::SingularQuerySegment::Name(name) => Selector::Name(Arc::from(name.as_str())),
                }])
            });
            Ok(Operand::Query(Query { from_root, segments: segments.collect() }))
        }
    }
}

fn function(function: &theirs::TestFunction) -> Converted<Operand> {
    match function {
        theirs::TestFunction::Length(arg) => Ok(Operand::Length(Box::new(argument(arg, "length")?))),
        theirs::TestFunction::Count(arg) => nodes(arg, "count").map(Operand::Count),
        theirs::TestFunction::Value(arg) => nodes(arg, "value").map(Operand::Single),
        theirs::TestFunction::Match(..) | theirs::TestFunction::Search(..) => {
            Err("`match` and `search` are true or false and cannot be compared".to_owned())
        }
        theirs::TestFunction::Custom(name, _) => Err(no_function(name)),
    }
}

/// An argument that is one value: a literal, a singular query or a function's value.
fn argument(arg: &theirs::FnArg, name: &str) -> Converted<Operand> {
    match arg {
        theirs::FnArg::Literal(literal) => self::literal(literal).map(Operand::Literal),
        theirs::FnArg::Test(test) => match &**test {
            theirs::Test::Function(function) => self::function(function),
            _ => {
                let query = nodes(arg, name)?;
                if query.segments.iter().all(|segment| super::plain_step(segment).is_some()) {
                    Ok(Operand::Query(query))
                } else {
                    Err(format!("`{name}` takes one value, but its query may give several"))
                }
            }
        },
        theirs::FnArg::Filter(_) => Err(format!("`{name}` takes a value, not a condition")),
    }
}

/// An argument that is a query.
fn nodes(arg: &theirs::FnArg, name: &str) -> Converted<Query> {
    if let theirs::FnArg::Test(test) = arg {
        match &**test {
            theirs::Test::RelQuery(segments) => return query(segments, false),
            theirs::Test::AbsQuery(absolute) => return query(&absolute.segments, true),
            theirs::Test::Function(_) => {}
        }
    }
    Err(format!("`{name}` takes a query"))
}

fn literal(literal: &theirs::Literal) -> Converted<Value> {
    Ok(match literal {
        theirs::Literal::Int(number) => Value::from(*number),
        // The shortest text that reads back as this float: the digits as written, up to 15 of them.
        theirs::Literal::Float(number) => match Decimal::parse(&number.to_string()) {
            Ok(number) => Value::Number(number),
            Err(_) => return Err("number is out of range".to_owned()),
        },
        theirs::Literal::String(text) => Value::text(text.as_str()),
        theirs::Literal::Bool(truth) => Value::Bool(*truth),
        theirs::Literal::Null => Value::Null,
    })
}
