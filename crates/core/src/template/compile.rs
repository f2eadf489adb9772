//! From pieces of text to a compiled template: scopes and slots of local names.

use std::sync::Arc;

use super::Template;
use crate::expression::ir::{ForPart, LoopSlots, Node, Part, ScopeEntry};
use crate::expression::narrow::Facts;
use crate::expression::resolve::{Meaning, Resolver, Scope};
use crate::expression::tree::{Loop, Piece, Tree};
use crate::expression::{Names, Problem, TextBounds, Type, syntax};
use crate::value::Kind;

pub(super) fn compile(source: &str, dropped: usize, names: &Names) -> Result<Template, Vec<Problem>> {
    let text = source.get(dropped..).unwrap_or("");
    let placed = |problems: Vec<Problem>| {
        let place = |mut problem: Problem| {
            problem.range = problem.range.start + dropped..problem.range.end + dropped;
            problem
        };
        problems.into_iter().map(place).collect::<Vec<_>>()
    };
    let pieces = syntax::parse_template(text).map_err(placed)?;
    let mut resolver = Resolver::new(text, names);
    let parts = resolver.parts(&pieces);
    if !resolver.problems.is_empty() {
        return Err(placed(resolver.problems));
    }
    let doubts = placed(resolver.doubts);
    let mut of = Type { text: bounds(&parts), ..Type::scalar(Kind::Text) };
    of.carries = resolver.emitted;
    Ok(Template {
        source: Arc::from(text),
        dropped,
        parts,
        locals: resolver.locals,
        reads: resolver.reads,
        doubts,
        of: Box::new(of),
    })
}

impl Resolver<'_> {
    fn parts(&mut self, pieces: &[Piece]) -> Vec<Part> {
        pieces.iter().map(|piece| self.part(piece)).collect()
    }

    fn part(&mut self, piece: &Piece) -> Part {
        match piece {
            Piece::Text(text) => Part::Text(text.as_str().into()),
            Piece::Emit(tree) => {
                let (node, of) = self.expr(tree);
                self.check_text(tree, &of);
                self.need(&node, &of);
                self.emitted.add(&of.all_carried());
                Part::Emit(node)
            }
            Piece::If(branch) => {
                let test = self.expr(&branch.test).0;
                let Facts { holding, failing } = self.facts(&test);
                let then = self.given(holding, |this| this.parts(&branch.then));
                let otherwise = self.given(failing, |this| this.parts(&branch.otherwise));
                Part::If { test, then, otherwise }
            }
            Piece::For(each) => Part::For(Box::new(self.for_part(each))),
            Piece::Set { target, value } => {
                let (node, of) = self.expr(value);
                Part::Set(self.declare(target, of), node)
            }
            Piece::SetText { target, filters, body } => {
                let text = self.new_slot();
                let body = self.scoped(|this| this.parts(body)).1;
                let filters = filters.as_ref().map(|filters| self.block_filters(filters, text));
                Part::SetText { slot: self.declare(target, Type::any()), text, body, filters }
            }
            Piece::With { assignments, body } => self.with_part(assignments, body),
            Piece::Filtered { filters, body } => {
                let text = self.new_slot();
                let body = self.parts(body);
                Part::Filtered { text, body, filters: self.block_filters(filters, text) }
            }
        }
    }

    fn check_text(&mut self, tree: &Tree, of: &Type) {
        let Some(kind) = of.kind().filter(|kind| kind.is_container()) else { return };
        let label = self.label(&tree.range);
        let message = format!("`{label}` is {kind} and has no text form");
        let problem = Problem::new(&crate::diagnostic::code::KIND_MISMATCH, message, tree.range.clone());
        self.report(problem.help("write it with `| tojson`, or join a list with `| join(', ')`"));
    }

    fn block_filters(&mut self, filters: &Tree, text: usize) -> Node {
        let outer = self.block_text.replace(text);
        let (node, of) = self.expr(filters);
        // What is filtered was noted where it stands, and this is what the filters' arguments hold.
        self.emitted.add(&of.all_carried());
        self.block_text = outer;
        node
    }

    fn scoped<T>(&mut self, within: impl FnOnce(&mut Self) -> T) -> (ScopeEntry, T) {
        self.scopes.push(Scope::default());
        let result = within(self);
        let scope = self.scopes.pop().unwrap_or_default();
        (scope.entry, result)
    }

    fn with_part(&mut self, assignments: &[(String, Tree)], body: &[Piece]) -> Part {
        let (entry, (values, body)) = self.scoped(|this| {
            let mut values = Vec::new();
            for (target, value) in assignments {
                let (node, of) = this.expr(value);
                values.push((this.declare(target, of), node));
            }
            (values, this.parts(body))
        });
        Part::With { values, entry, body }
    }

    fn for_part(&mut self, each: &Loop) -> ForPart {
        let (source, of) = self.expr(&each.source);
        self.need(&source, &of);
        if let Some(kind) = of.kind().filter(|kind| !kind.is_container()) {
            let message = format!(
                "a loop goes over a list or an object, and `{}` is {kind}",
                self.label(&each.source.range)
            );
            self.report(Problem::new(
                &crate::diagnostic::code::KIND_MISMATCH,
                message,
                each.source.range.clone(),
            ));
        }
        let slots = LoopSlots { index0: self.new_slot(), length: self.new_slot() };
        let (entry, (targets, keep, body)) = self.scoped(|this| {
            let item = if each.unpack { Type::any().carrying(&of.all_carried()) } else { item_type(&of) };
            let targets = each.targets.iter().map(|target| this.declare(target, item.clone())).collect();
            let keep = each.keep.as_ref().map(|keep| this.expr(keep).0);
            if let Some(scope) = this.scopes.last_mut() {
                scope.names.insert("loop".to_owned(), Meaning::Loop(slots));
            }
            let kept = keep.as_ref().map(|keep| this.facts(keep)).unwrap_or_default().holding;
            let body = this.given(kept, |this| this.parts(&each.body));
            (targets, keep, body)
        });
        let (_, otherwise) = self.scoped(|this| this.parts(&each.otherwise));
        ForPart { source, targets, unpack: each.unpack, keep, slots, entry, body, otherwise }
    }
}

/// Looping over an object gives its names.
fn item_type(of: &Type) -> Type {
    match of.kind() {
        Some(Kind::Object) => Type::scalar(Kind::Text).carrying(&of.carries),
        _ => of.item(),
    }
}

/// The text is at least as long as what is written out and always there, and of a known length where nothing else is.
fn bounds(parts: &[Part]) -> TextBounds {
    let mut min = 0_usize;
    let mut max = Some(0_usize);
    for part in parts {
        match part {
            Part::Text(text) => {
                let length = text.chars().count();
                min = min.saturating_add(length);
                max = max.map(|max| max.saturating_add(length));
            }
            Part::If { then, otherwise, .. } => {
                let (then, otherwise) = (bounds(then), bounds(otherwise));
                min = min.saturating_add(then.min.min(otherwise.min));
                let longer = then.max.zip(otherwise.max).map(|(then, otherwise)| then.max(otherwise));
                max = max.zip(longer).map(|(max, longer)| max.saturating_add(longer));
            }
            Part::With { body, .. } => {
                let body = bounds(body);
                min = min.saturating_add(body.min);
                max = max.zip(body.max).map(|(max, more)| max.saturating_add(more));
            }
            Part::Set(..) | Part::SetText { .. } => {}
            Part::Emit(_) | Part::For(_) | Part::Filtered { .. } => max = None,
        }
    }
    TextBounds { words: None, min, max }
}
