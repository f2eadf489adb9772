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
    /// Its parameters in groups, in the vendor's order; [`Endpoint::params`] gives them one by one.
    pub groups: &'static [&'static [Param]],
    /// What the parameters say together.
    pub rules: &'static [Rule],
    /// Whether the text `NULL` empties a field there (contract §5.5), so that `$clear` has a meaning.
    pub clears: bool,
    /// Whether it may be repeated when nobody knows whether it happened (delivery, table of repeats).
    pub repeat: Repeat,
    /// What certain values make of that; the first that applies counts.
    pub repeat_if: &'static [(Given, Repeat)],
    /// What of a reply is useful to later steps, under `steps.ID.response`.
    pub reply: &'static [ReplyField],
    /// Whether it can make an order that was not there.
    pub(super) new_order: bool,
}

/// Descriptions are statics, one for each path.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Endpoint {}

impl Endpoint {
    /// An endpoint of which nothing more is said: it is looked at before it is repeated.
    pub(super) const fn new(
        action: &'static str,
        path: &'static str,
        permission: &'static str,
        summary: &'static str,
    ) -> Self {
        Endpoint {
            action,
            path,
            permission,
            summary,
            groups: &[],
            rules: &[],
            clears: false,
            repeat: Repeat::LookFirst,
            repeat_if: &[],
            reply: &[],
            new_order: false,
        }
    }

    /// Its parameters, in the vendor's order.
    pub fn params(&self) -> impl Iterator<Item = &'static Param> + use<> {
        self.groups.iter().copied().flatten()
    }

    /// The parameter of that name, through families and patterns too.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        let exact = self.params().find(|param| param.name == name);
        exact.or_else(|| self.params().find(|param| param.covers(name)))
    }

    /// Whether it can make an order that was not there.
    pub fn makes_order(&self) -> bool {
        self.new_order
    }

    /// The action's name without its prefix: `create_sale`.
    pub fn short_name(&self) -> &'static str {
        self.action.strip_prefix("konnektive.").unwrap_or(self.action)
    }

    /// Whether a parameter must always be there.
    pub fn requires(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::Required(names) if names.contains(&name)))
    }
}

/// One parameter, or a family of numbered ones.
#[derive(Debug)]
pub struct Param {
    /// The vendor's name. In a family `N_` stands for the number, from 1 without gaps: `productN_id`. A name that ends
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

/// The most that a number in a family's name is.
const MANY: u32 = 99;

impl Param {
    pub(super) const fn new(name: &'static str, ty: ParamType, meaning: &'static str) -> Self {
        Param { name, ty, max: None, meaning, class: Class::Plain }
    }

    /// At most so many characters.
    pub(super) const fn max(mut self, characters: usize) -> Self {
        self.max = Some(characters);
        self
    }

    /// Personal data.
    pub(super) const fn personal(mut self) -> Self {
        self.class = Class::Personal;
        self
    }

    /// Payment data short of card numbers.
    pub(super) const fn payment(mut self) -> Self {
        self.class = Class::Card;
        self
    }

    /// The number that a member of the family has in its name.
    pub fn number_of(&self, name: &str) -> Option<u32> {
        let (before, after) = self.name.split_once("N_")?;
        let digits = name.strip_prefix(before)?.strip_suffix(after)?.strip_suffix('_')?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        let number = digits.parse().ok().filter(|_| plain)?;
        (number <= MANY).then_some(number)
    }

    /// The member of the family with that number.
    pub fn numbered(&self, number: u32) -> String {
        self.name.replacen("N_", &format!("{number}_"), 1)
    }

    /// Whether the name is of this family or pattern.
    pub(crate) fn covers(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(start) => name.strip_prefix(start).is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            }),
            None => self.number_of(name).is_some(),
        }
    }
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
    /// A telephone number.
    Phone,
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
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// All of these are needed.
    Required(&'static [&'static str]),
    /// At least one of these is needed.
    AnyOf(&'static [&'static str]),
    /// At most one of these makes sense. A flag counts where it is set.
    AtMostOne(&'static [&'static str]),
    /// These are needed where something is given.
    RequiredIf {
        /// What decides.
        given: Given,
        /// What is needed then.
        needs: &'static [&'static str],
    },
    /// These are needed unless something is given.
    RequiredUnless {
        /// Any of them lifts the need.
        given: &'static [Given],
        /// What is needed otherwise.
        needs: &'static [&'static str],
    },
    /// The state is one of the country's, as far as its states are known ([`super::states`]). What is emptied, or not
    /// given, is not looked at.
    StateOf {
        /// The state or province.
        state: &'static str,
        /// The country.
        country: &'static str,
    },
    /// A family of numbered parameters: numbers run from 1 without gaps, and no member stands without this one.
    Numbered(&'static str),
}

/// Something that a rule hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// The parameter is there.
    Param(&'static str),
    /// The parameter has one of these values, as they are sent.
    Value(&'static str, &'static [&'static str]),
}

impl Given {
    /// The parameter that decides.
    pub fn param(self) -> &'static str {
        match self {
            Given::Param(name) | Given::Value(name, _) => name,
        }
    }
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

/// A member of a reply's message that later steps can use; ids are text there, however the CRM writes them.
#[derive(Debug)]
pub struct ReplyField {
    /// The vendor's name.
    pub name: &'static str,
    /// Meaning in a few words.
    pub meaning: &'static str,
    /// Whether every reply of a write that was done has it.
    pub always: bool,
}

/// One entry of a table of replies.
pub(super) const fn reply(name: &'static str, meaning: &'static str) -> ReplyField {
    ReplyField { name, meaning, always: true }
}

/// One that the reply lacks at times.
pub(super) const fn perhaps(name: &'static str, meaning: &'static str) -> ReplyField {
    ReplyField { name, meaning, always: false }
}
