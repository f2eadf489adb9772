//! One example zap for each kind of trigger and action, and for what has a page of its own.

use crate::rehearsal::Fixtures;

/// An example.
#[derive(Debug)]
pub(super) struct Example {
    /// The kind that it shows.
    pub(super) of: &'static str,
    /// The zap, with tests of its own.
    pub(super) text: &'static str,
}

macro_rules! examples {
    ($folder:literal: $($of:literal)+) => {
        &[$(Example { of: $of, text: include_str!(concat!("examples/", $folder, "/", $of, ".yaml")) }),+]
    };
}

/// The project that the examples are zaps of.
pub(super) const PROJECT: &str = include_str!("examples/zaprun.yaml");

/// The records of their tests.
pub(super) static FIXTURES: &[(&str, &str)] = &[
    ("order.json", include_str!("examples/fixtures/order.json")),
    ("transaction.json", include_str!("examples/fixtures/transaction.json")),
    ("customer.json", include_str!("examples/fixtures/customer.json")),
];

/// Of triggers: by the kind of event.
pub(super) static TRIGGERS: &[Example] = examples! { "triggers":
    "new_sale" "cancelled" "new_lead" "rebill" "declined" "refunded" "shipped"
    "decline" "refund" "chargeback"
    "new_customer"
    "webhook" "http" "schedule"
};

/// Of actions: by `type`, without `konnektive.`.
pub(super) static ACTIONS: &[Example] = examples! { "actions":
    "http" "query"
    "create_sale" "create_lead" "update_fulfillment" "cancel_order" "update_customer"
    "create_upsale" "confirm_order" "refund_order" "qa_order" "cancel_purchase" "refund_transaction"
    "blacklist_customer" "add_note"
};

/// Of what several kinds share.
pub(super) static MORE: &[Example] =
    examples! { "more": "steps" "mapping" "tests" "properties" "on_file" "preauthorised" };

/// The records of the examples' tests, beside each of them.
pub(super) struct Records;

/// The one there is.
pub(super) static RECORDS: Records = Records;

impl Fixtures for Records {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let found = FIXTURES.iter().find(|(name, _)| path.ends_with(&format!("/fixtures/{name}")));
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "no such file".to_owned())
    }
}

impl Example {
    /// What a page shows: the zap without its tests.
    pub(super) fn shown(&self) -> &'static str {
        self.text.split_once("\ntests:\n").map_or(self.text, |(zap, _)| zap)
    }
}

/// The example of a kind, as a page shows it. Tests see to it that there is one for each.
pub(super) fn find(among: &'static [Example], of: &str) -> &'static str {
    among.iter().find(|example| example.of == of).map_or("", Example::shown)
}

/// The same with its tests.
pub(super) fn find_whole(among: &'static [Example], of: &str) -> &'static str {
    among.iter().find(|example| example.of == of).map_or("", |example| example.text)
}
