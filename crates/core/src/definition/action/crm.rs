//! A write to the CRM.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Common, OnUncertain, Retry, common};
use crate::definition::formats::{Duration, Word};
use crate::yaml::{MapRef, NodeRef, Spanned};

common! {
    /// A write to the CRM.
    pub struct CrmAction {
        /// The connection of type konnektive to write to.
        pub connection: Spanned<String>,
        /// The endpoint's parameters by the vendor's names: values of the mapping.
        pub map: MapRef,
        /// What to do when nobody knows whether the write happened and no look at the CRM can tell: hold (default), or
        /// retry, where no money is at stake.
        pub on_uncertain: Option<Spanned<OnUncertain>>,
        /// How long after an unknown outcome a look at the CRM may conclude that nothing happened, where money is at
        /// stake. Default: 15m.
        pub settle_after: Option<Spanned<Duration>>,
        /// For create_sale: whether the lead is imported first, so that the order's id is known before money moves.
        /// Default: auto, which does where a name is given and no orderId.
        pub lead_first: Option<Spanned<LeadFirst>>,
        /// The custom field that carries the idempotency key, so that the order can be found again: custom1 to custom5.
        pub correlate_in: Option<Spanned<CorrelateIn>>,
    }
}

/// Whether a sale's lead is imported first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadFirst {
    /// Where a name is given and no orderId.
    Auto,
    /// Not at all.
    Never,
}

/// A custom field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrelateIn {
    /// `custom1`
    Custom1,
    /// `custom2`
    Custom2,
    /// `custom3`
    Custom3,
    /// `custom4`
    Custom4,
    /// `custom5`
    Custom5,
}

impl CorrelateIn {
    /// The parameter's name.
    pub fn as_str(self) -> &'static str {
        match self {
            CorrelateIn::Custom1 => "custom1",
            CorrelateIn::Custom2 => "custom2",
            CorrelateIn::Custom3 => "custom3",
            CorrelateIn::Custom4 => "custom4",
            CorrelateIn::Custom5 => "custom5",
        }
    }
}

crate::definition::formats_of_words!(
    LeadFirst,
    "LeadFirst",
    "Whether a sale's lead is imported first.",
    ["auto", "never"]
);
crate::definition::formats_of_words!(
    CorrelateIn,
    "CorrelateIn",
    "The custom field that carries the idempotency key.",
    ["custom1", "custom2", "custom3", "custom4", "custom5"]
);
