//! The vocabulary in which endpoints are described.

use crate::record::Class;

/// A write endpoint of the CRM.
#[derive(Debug)]
pub struct Endpoint {
    /// The action's `type`: `konnektive.create_sale`.
    pub action: &'static str,
    /// The path as the vendor writes it, without slashes at its ends: `order/import`.
    pub path: &'static str,
    /// The name of the permission an API user needs (contract §1.2; the vendor's list is not public, so this is the
    /// name by the pattern of those that are known).
    pub permission: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Its parameters, in the vendor's order.
    pub params: &'static [Param],
    /// What the parameters say together.
    pub rules: &'static [Rule],
    /// Whether it may be repeated when nobody knows whether it happened (delivery, table of repeats).
    pub repeat: Repeat,
    /// What of a reply is useful to later steps, under `steps.ID.response`.
    pub reply: &'static [ReplyField],
}

impl Endpoint {
    /// Whether it makes an order, unless it is given one.
    pub fn makes_order(&self) -> bool {
        matches!(self.path, "leads/import" | "order/import")
    }
}

/// Descriptions are statics, one for each path.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Endpoint {}

/// One parameter, or a family of numbered ones.
#[derive(Debug)]
pub struct Param {
    /// The vendor's name. In a family `N` stands for the number, from 1 without gaps: `productN_id`. A name that ends
    /// in `*` stands for all that begin so: `custom_*`.
    pub name: &'static str,
    /// What it takes.
    pub ty: ParamType,
    /// Characters at most (contract §5); `None`: not documented.
    pub max: Option<usize>,
    /// Meaning in a few words.
    pub meaning: &'static str,
    /// Data class.
    pub class: Class,
}

/// What a parameter takes, and how its value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// An identifier, as text.
    Id,
    /// A whole-number identifier.
    Number,
    /// Free text.
    Text,
    /// An e-mail address.
    Email,
    /// Two letters, written in upper case.
    Country,
    /// One of these words.
    Enum(&'static [&'static str]),
    /// A day, written `m/d/Y` in the account's zone.
    Date,
    /// A yes or no, written 1 or 0.
    Flag,
    /// An amount, written in plain decimal notation.
    Money,
    /// A whole number from 1.
    Count,
    /// An object, written as JSON text.
    Json,
}

/// What parameters say together. Constants are checked when the zap is, values before they are sent.
#[derive(Debug)]
pub enum Rule {
    /// All of these are needed.
    Required(&'static [&'static str]),
    /// At least one of these is needed.
    AnyOf(&'static [&'static str]),
    /// At most one of these makes sense.
    AtMostOne(&'static [&'static str]),
    /// These are needed where a parameter has one of these values.
    RequiredIf {
        /// The parameter that decides.
        param: &'static str,
        /// The values for which they are needed.
        values: &'static [&'static str],
        /// What is needed then.
        needs: &'static [&'static str],
    },
    /// These are needed unless one of the others is given.
    RequiredUnless {
        /// Any of them lifts the need.
        given: &'static [&'static str],
        /// What is needed otherwise.
        needs: &'static [&'static str],
    },
}

/// Whether a write may be repeated when nobody knows whether it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Doing it twice gives the same.
    Safe,
    /// The CRM is looked at first; what did not happen is sent again.
    LookFirst,
    /// It moves money: sent again only with proof that it did not happen.
    Never,
}

/// A member of a reply's message that later steps can use.
#[derive(Debug)]
pub struct ReplyField {
    /// The vendor's name.
    pub name: &'static str,
    /// Meaning in a few words.
    pub meaning: &'static str,
}
