//! Mappings: what a person writes under `json`, `form`, `query`, `headers` and `let`, compiled once and evaluated
//! for each record.
//!
//! A mapping is total: over any record it gives a value or a [`MapError`] that names the place in the zap.

mod compile;
mod elements;
mod error;
mod evaluate;
mod form;
mod leaf;
mod mapped;
mod trace;

pub(crate) use compile::{Compiler, Flow};
pub(crate) use elements::elements;
pub use error::MapError;
pub(crate) use evaluate::Slots;
pub(crate) use form::Form;
pub(crate) use leaf::{Decided, Leaf};
pub use mapped::Mapped;
pub use trace::{Source, member};
pub(crate) use trace::{Trace, is_fixed};

use std::sync::Arc;

use crate::expression::{Condition, Text};
use crate::value::Value;
use crate::yaml::NodeId;

/// A compiled mapping value.
#[derive(Debug)]
pub struct Mapping {
    part: Part,
    /// Where it stands in the zap, for messages: `actions[0].json.order`.
    place: Arc<str>,
    /// The node of the zap's tree that it was compiled from.
    node: NodeId,
}

#[derive(Debug)]
enum Part {
    Constant(Constant),
    Text(Text),
    List(Vec<Mapping>),
    Object {
        members: Vec<(Arc<str>, Mapping)>,
        drop_null: bool,
    },
    Each(Box<Each>),
    If(Box<If>),
    /// `$clear: true`
    Clear,
}

/// A scalar that is not text: it leaves as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Constant {
    value: Value,
    written: Box<str>,
}

/// `$each`, `$as`, `$map`.
#[derive(Debug)]
struct Each {
    source: Mapping,
    slots: Slots,
    element: Mapping,
}

/// `$if`, `$then`, `$else`.
#[derive(Debug)]
struct If {
    condition: Condition,
    then: Mapping,
    otherwise: Option<Mapping>,
}
