//! Rendering.

use super::{Template, Write};
use crate::expression::ir::{Base, ForPart, Node, Part, ScopeEntry};
use crate::expression::problem::Fault;
use crate::expression::{EvalError, Evaluator, Frame, ops};
use crate::value::{ABSENT_UNKNOWN, Value};

pub(super) fn render(template: &Template, frame: &Frame<'_>) -> Result<String, EvalError> {
    render_with(template, frame, None)
}

pub(super) fn render_with(
    template: &Template,
    frame: &Frame<'_>,
    write: Option<&mut Write<'_>>,
) -> Result<String, EvalError> {
    let mut renderer = Renderer {
        write,
        captures: 0,
        evaluator: Evaluator::new(&template.source, *frame),
        locals: vec![ABSENT_UNKNOWN.clone(); template.locals],
        out: String::new(),
    };
    renderer.parts(&template.parts)?;
    Ok(renderer.out)
}

struct Renderer<'a, 'w, 'f> {
    /// Writes values in a way of its own, unless they are being captured for later.
    write: Option<&'w mut Write<'f>>,
    captures: usize,
    evaluator: Evaluator<'a>,
    locals: Vec<Value>,
    out: String,
}

type Done = Result<(), EvalError>;

impl Renderer<'_, '_, '_> {
    fn parts(&mut self, parts: &[Part]) -> Done {
        parts.iter().try_for_each(|part| self.part(part))
    }

    fn part(&mut self, part: &Part) -> Done {
        match part {
            Part::Text(text) => self.text(text),
            Part::Emit(node) => self.emit(node),
            Part::If { test, then, otherwise } => {
                let holds = self.evaluator.truth(test, &self.locals)?;
                self.parts(if holds { then } else { otherwise })
            }
            Part::For(each) => self.each(each),
            Part::Set(slot, node) => {
                let value = self.evaluator.eval(node, &self.locals)?.into_owned();
                self.set(*slot, value);
                Ok(())
            }
            Part::SetText { slot, text, body, filters } => {
                let value = self.captured(*text, body, filters.as_ref())?;
                self.set(*slot, value);
                Ok(())
            }
            Part::With { values, entry, body } => {
                self.enter(entry);
                for (slot, node) in values {
                    let value = self.evaluator.eval(node, &self.locals)?.into_owned();
                    self.set(*slot, value);
                }
                self.parts(body)
            }
            Part::Filtered { text, body, filters } => {
                self.captured(*text, body, Some(filters))?;
                self.emit_value(filters, *text)
            }
        }
    }

    fn text(&mut self, text: &str) -> Done {
        let room = self
            .evaluator
            .budget
            .spend(1)
            .and_then(|()| self.evaluator.budget.room(self.out.len(), text.len()));
        room.map_err(|fault| EvalError::from_fault(fault, "text", 0..self.evaluator.source.len()))?;
        self.out.push_str(text);
        Ok(())
    }

    fn emit(&mut self, node: &Node) -> Done {
        let value = self.evaluator.present(node, &self.locals)?.into_owned();
        self.append(&value).map_err(|fault| self.evaluator.fault(fault, node))
    }

    fn append(&mut self, value: &Value) -> Result<(), Fault> {
        match &mut self.write {
            Some(write) if self.captures == 0 => {
                let mut text = String::new();
                append(&self.evaluator, value, &mut text)?;
                write(&mut self.out, &text);
                self.evaluator.budget.room(self.out.len(), 0)
            }
            _ => append(&self.evaluator, value, &mut self.out),
        }
    }

    /// Writes what [`Self::captured`] left in the slot.
    fn emit_value(&mut self, node: &Node, slot: usize) -> Done {
        let value = self.locals.get(slot).unwrap_or(&ABSENT_UNKNOWN).clone();
        self.append(&value).map_err(|fault| self.evaluator.fault(fault, node))
    }

    /// The text of a body, filtered; it is also left in the slot.
    fn captured(&mut self, slot: usize, body: &[Part], filters: Option<&Node>) -> Result<Value, EvalError> {
        let outer = std::mem::take(&mut self.out);
        self.captures += 1;
        let rendered = self.parts(body);
        self.captures -= 1;
        let text = std::mem::replace(&mut self.out, outer);
        rendered?;
        self.set(slot, Value::from(text));
        let value = match filters {
            Some(filters) => self.evaluator.present(filters, &self.locals)?.into_owned(),
            None => self.locals.get(slot).cloned().unwrap_or_default(),
        };
        self.set(slot, value.clone());
        Ok(value)
    }

    fn set(&mut self, slot: usize, value: Value) {
        // Slots were counted when the template was compiled.
        if let Some(place) = self.locals.get_mut(slot) {
            *place = value;
        }
    }

    /// Names that a scope sets begin as what they mean outside.
    fn enter(&mut self, entry: &ScopeEntry) {
        for (slot, outer) in &entry.0 {
            let value = match outer {
                Some(Base::Root(root)) => self.evaluator.frame.values.get(*root).cloned(),
                Some(Base::Local(local)) => self.locals.get(*local).cloned(),
                None => None,
            };
            self.set(*slot, value.unwrap_or_else(|| ABSENT_UNKNOWN.clone()));
        }
    }

    fn each(&mut self, each: &ForPart) -> Done {
        let items = self.items(each)?;
        if items.is_empty() {
            return self.parts(&each.otherwise);
        }
        self.set(each.slots.length, Value::from(items.len()));
        for (at, item) in items.into_iter().enumerate() {
            self.evaluator.budget.spend(1).map_err(|fault| self.evaluator.fault(fault, &each.source))?;
            self.enter(&each.entry);
            self.assign(each, item)?;
            self.set(each.slots.index0, Value::from(at));
            self.parts(&each.body)?;
        }
        Ok(())
    }

    /// The items to loop over, those that the loop's condition keeps.
    fn items(&mut self, each: &ForPart) -> Result<Vec<Value>, EvalError> {
        let source = self.evaluator.present(&each.source, &self.locals)?;
        let items: Vec<Value> = match &*source {
            Value::List(items) => items.to_vec(),
            Value::Object(object) if each.unpack => object
                .iter()
                .map(|(name, value)| Value::list(vec![Value::text(name.clone()), value.clone()]))
                .collect(),
            Value::Object(object) => object.iter().map(|(name, _)| Value::text(name.clone())).collect(),
            other => {
                let fault = Fault::new(format!("a loop takes a list or an object, not {}", other.kind()));
                return Err(self.evaluator.fault(fault, &each.source));
            }
        };
        drop(source);
        self.evaluator
            .budget
            .spend(items.len())
            .map_err(|fault| self.evaluator.fault(fault, &each.source))?;
        let Some(keep) = &each.keep else { return Ok(items) };
        let mut kept = Vec::new();
        for item in items {
            self.enter(&each.entry);
            self.assign(each, item.clone())?;
            if self.evaluator.truth(keep, &self.locals)? {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    fn assign(&mut self, each: &ForPart, item: Value) -> Done {
        if !each.unpack {
            if let Some(slot) = each.targets.first() {
                self.set(*slot, item);
            }
            return Ok(());
        }
        let parts = item.as_list().filter(|parts| parts.len() == each.targets.len());
        let Some(parts) = parts else {
            let fault = Fault::new(format!("each item must be a list of {}", each.targets.len()));
            return Err(self
                .evaluator
                .fault(fault.help("loop over an object, or over `| items`"), &each.source));
        };
        for (slot, part) in each.targets.iter().zip(parts.to_vec()) {
            self.set(*slot, part);
        }
        Ok(())
    }
}

fn append(evaluator: &Evaluator<'_>, value: &Value, out: &mut String) -> Result<(), Fault> {
    evaluator.budget.room(out.len(), value.as_text().map_or(0, str::len))?;
    ops::append_text(value, out)
}
