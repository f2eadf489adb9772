//! What a path finds in a value of which something is known; what it would look for in vain is reported.

use std::ops::Range;

use super::JsonPath;
use super::query::{Filter, Operand, Pattern, Query, Segment, Selector};
use crate::diagnostic::code;
use crate::expression::known::members;
use crate::expression::ops::mismatch_help;
use crate::expression::problem::Problem;
use crate::expression::{NoMember, Shape, Type};
use crate::value::{Kind, Value};

/// The shape of what a path finds, each member on the way checked as far as shapes are known, those that its filters
/// ask for too; of a path that may find several values, the shape of each. `of` names the root.
pub(crate) fn check(path: &JsonPath, root: &Type, of: &str) -> Result<Type, Problem> {
    Checker { source: path.source(), root, of, after: 0, last: None }.query(&path.0.query, root)
}

/// Goes through a path in the order in which it is written.
struct Checker<'a> {
    source: &'a str,
    root: &'a Type,
    of: &'a str,
    /// Where the next member is looked for in the source.
    after: usize,
    /// The member found last.
    last: Option<Range<usize>>,
}

impl Checker<'_> {
    fn query(&mut self, query: &Query, start: &Type) -> Result<Type, Problem> {
        let mut found = start.clone();
        for segment in &query.segments {
            found = match segment {
                Segment::Child(selectors) => self.child(query, selectors, &found)?,
                Segment::Descend(selectors) => {
                    // What lies at any depth may be anything.
                    for selector in selectors {
                        self.filter_of(selector, &Type::any())?;
                    }
                    Type::any().carrying(&found.all_carried())
                }
            };
        }
        Ok(found)
    }

    fn child(&mut self, query: &Query, selectors: &[Selector], of: &Type) -> Result<Type, Problem> {
        let mut found = Type::any();
        for selector in selectors {
            found = match selector {
                Selector::Name(name) => self.member(query, name, of)?,
                Selector::At(_) if of.gap.is_none() && of.kind() == Some(Kind::List) => of.item_at(),
                Selector::Any | Selector::At(_) | Selector::Slice(..) | Selector::Filter(_) => self.items(of),
            };
            self.filter_of(selector, &of.item())?;
        }
        Ok(if selectors.len() == 1 { found } else { Type::any().carrying(&of.all_carried()) })
    }

    /// What a selector of several, or of a position, finds: items of a list, or members of an object.
    fn items(&self, of: &Type) -> Type {
        match of.shape {
            Shape::Record(_) | Shape::Item(_) | Shape::Members(_) | Shape::Open(_) => {
                Type::any().carrying(&of.all_carried())
            }
            Shape::Any | Shape::Scalar(_) | Shape::List(_) => of.item(),
        }
    }

    fn member(&mut self, query: &Query, name: &str, of: &Type) -> Result<Type, Problem> {
        let range = written(self.source, name, self.after);
        self.after = range.as_ref().map_or(self.after, |range| range.end);
        self.last.clone_from(&range);
        let (message, help) = match of.member(name) {
            Ok(member) => return Ok(member),
            Err(NoMember::Unknown { likely }) => (
                format!("{} has no field `{name}`", self.owner(query, range.as_ref())),
                likely
                    .map(|likely| format!("did you mean `{likely}`?"))
                    .or_else(|| members(self.of, &of.shape)),
            ),
            Err(NoMember::Without(kind)) => {
                (format!("`{name}` is looked for in {kind}"), Some("end the path before it".to_owned()))
            }
        };
        let range = range.unwrap_or(0..self.source.len());
        Err(Problem::new(&code::UNKNOWN_MEMBER, message, range).maybe_help(help))
    }

    /// What stands before a member: the query so far, or the root.
    fn owner(&self, query: &Query, member: Option<&Range<usize>>) -> String {
        let before = member.and_then(|member| self.source.get(..member.start)).unwrap_or("");
        let before = before.trim_end_matches(['.', '[', '\'', '"']);
        let before =
            if query.from_root { before } else { before.get(before.rfind('@').unwrap_or(0)..).unwrap_or("") };
        match before {
            "" | "$" => self.of.to_owned(),
            before => format!("`{before}`"),
        }
    }

    fn filter_of(&mut self, selector: &Selector, item: &Type) -> Result<(), Problem> {
        if let Selector::Filter(filter) = selector { self.filter(filter, item) } else { Ok(()) }
    }

    fn filter(&mut self, filter: &Filter, item: &Type) -> Result<(), Problem> {
        match filter {
            Filter::Or(parts) | Filter::And(parts) => {
                parts.iter().try_for_each(|part| self.filter(part, item))
            }
            Filter::Not(part) => self.filter(part, item),
            Filter::Exists(query) => self.inner(query, item).map(|_| ()),
            Filter::Compare(_, left, right) => {
                let (left, right) = (self.operand(left, item)?, self.operand(right, item)?);
                self.compared(&left, &right)
            }
            Filter::Matches { subject, pattern, .. } => {
                self.operand(subject, item)?;
                if let Pattern::Computed(operand) = pattern {
                    self.operand(operand, item)?;
                }
                Ok(())
            }
        }
    }

    fn inner(&mut self, query: &Query, item: &Type) -> Result<Type, Problem> {
        let root = self.root;
        self.query(query, if query.from_root { root } else { item })
    }

    fn operand(&mut self, operand: &Operand, item: &Type) -> Result<Compared, Problem> {
        Ok(match operand {
            Operand::Literal(value) => Compared { kind: known(value.kind()), literal: Some(value.clone()) },
            Operand::Query(query) | Operand::Single(query) => {
                Compared { kind: self.inner(query, item)?.kind(), literal: None }
            }
            Operand::Count(query) => {
                self.inner(query, item)?;
                Compared { kind: Some(Kind::Number), literal: None }
            }
            Operand::Length(operand) => {
                self.operand(operand, item)?;
                Compared { kind: Some(Kind::Number), literal: None }
            }
        })
    }

    /// Reports sides of two kinds: RFC 9535 lets them differ in silence, and the filter would never hold.
    fn compared(&self, left: &Compared, right: &Compared) -> Result<(), Problem> {
        let (Some(one), Some(other)) = (left.kind, right.kind) else { return Ok(()) };
        // Two literals compare as they are written: odd, but nothing was meant that they miss.
        if one == other || (left.literal.is_some() && right.literal.is_some()) {
            return Ok(());
        }
        let message = format!("{one} cannot be compared with {other}");
        let digits = [left, right].into_iter().find_map(|side| match &side.literal {
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        });
        let help = match digits {
            Some(digits) if one == Kind::Text || other == Kind::Text => {
                Some(format!("write it in quotes: '{digits}'"))
            }
            _ if matches!((one, other), (Kind::Number, Kind::Text) | (Kind::Text, Kind::Number)) => {
                Some("write the number without quotes".to_owned())
            }
            _ => mismatch_help(one, other).map(str::to_owned),
        };
        let range = self.last.clone().unwrap_or(0..self.source.len());
        Err(Problem::new(&code::KIND_MISMATCH, message, range).maybe_help(help))
    }
}

/// One side of a comparison.
struct Compared {
    kind: Option<Kind>,
    literal: Option<Value>,
}

/// Anything may be compared with null.
fn known(kind: Kind) -> Option<Kind> {
    (kind != Kind::Missing).then_some(kind)
}

/// Where a path names a member, when it does so without escapes.
fn written(source: &str, name: &str, after: usize) -> Option<Range<usize>> {
    let mut found = source.get(after..)?.match_indices(name).map(|(at, _)| after + at);
    let start = found.find(|at| {
        let before = source.get(..*at).and_then(|before| before.chars().next_back());
        matches!(before, Some('.' | '\'' | '"'))
    })?;
    Some(start..start + name.len())
}

#[cfg(test)]
mod tests {
    use crate::expression::{Names, Shape, Text};
    use crate::record::ORDER;

    /// What is wrong with a path into an order, and the part of it that is meant.
    fn wrong(path: &str) -> Option<String> {
        let names = Names::new().with("record", Shape::Record(&ORDER));
        let problem = Text::compile(path, &names).err()?.pop()?;
        let at = path.get(problem.range.clone()).unwrap_or("?");
        Some(format!("{at}: {}, {}", problem.message, problem.help.as_deref().unwrap_or("-")))
    }

    #[test]
    fn what_a_filter_asks_for_must_be_there() {
        for path in [
            "$.items[?@.prise > 20].name",
            "$.items[?@['prise'] > 20].name",
            "$.items[?@.prise]",
            "$.items[?!(@.qty == 1 && @.prise)]",
            "$.items[?length(@.prise) > 1]",
            "$.items[?match(@.prise, 'a')]",
            "$.fulfillments[?@.items[?@.prise > 1]]",
        ] {
            assert_eq!(
                wrong(path).as_deref(),
                Some("prise: `@` has no field `prise`, did you mean `price`?"),
                "{path}"
            );
        }
        assert_eq!(
            wrong("$.items[?@.price > $.totalAmont]").as_deref(),
            Some("totalAmont: `$.items[?@.price > $` has no field `totalAmont`, did you mean `totalAmount`?")
        );
        assert_eq!(
            wrong("$..*[?@.any == 1].x[?$.orderID]").as_deref(),
            Some("orderID: `$..*[?@.any == 1].x[?$` has no field `orderID`, did you mean `orderId`?")
        );
        assert_eq!(
            wrong("$.items[0]['price','prise']").as_deref(),
            Some("prise: `$.items[0]['price',` has no field `prise`, did you mean `price`?")
        );
    }

    #[test]
    fn a_filter_compares_values_of_one_kind() {
        assert_eq!(
            wrong("$.items[?@.productId == 15310].name").as_deref(),
            Some("productId: text cannot be compared with a number, write it in quotes: '15310'")
        );
        assert_eq!(
            wrong("$.items[?'5.00' < @.price]").as_deref(),
            Some("price: text cannot be compared with a number, write the number without quotes")
        );
        assert_eq!(
            wrong("$.items[?count(@.name) == 'x']").as_deref(),
            Some("name: a number cannot be compared with text, write the number without quotes")
        );
        for fine in [
            "$.items[?@.productId == '15310' && @.price > 20.5].name",
            "$.items[?@.pauseScheduled == false]",
            "$.items[?@.name == null || @.price != null]",
            "$.items[?@.price >= $.totalAmount]",
            "$.items[?length(@.name) > 3 && search(@.name, 'a')]",
            "$..[?@.nothing == 1]",
            "$.items[*][?@ == 1]",
            "$.items[?1 == 'a']",
        ] {
            assert_eq!(wrong(fine), None, "{fine}");
        }
    }
}
