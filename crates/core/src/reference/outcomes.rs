//! The page about what follows when nobody knows whether something happened.

use super::markdown::{Doc, word};
use super::{ENDING, Page, rules};
use crate::crm::{ENDPOINTS, Endpoint, Repeat};

/// The page.
pub(super) fn page() -> Page {
    let mut doc = Doc::new("Unknown outcomes");
    doc.block(include_str!("prose/outcomes.md"));
    doc.section("What may be repeated");
    let http = [
        [
            "[`http`](actions/http.md): GET, PUT, DELETE".to_owned(),
            rules::repeat_word(Repeat::Safe).to_owned(),
            String::new(),
        ],
        [
            "[`http`](actions/http.md): POST, PATCH".to_owned(),
            "sent again with the same key; with `on_uncertain: hold` held".to_owned(),
            String::new(),
        ],
    ];
    doc.table(
        ["action", "after an unknown outcome", "except"],
        ENDPOINTS.iter().map(|endpoint| row(endpoint)).chain(http),
    );
    doc.block(include_str!("prose/outcomes_after.md"));
    Page::new("unknown-outcomes", "What happens when the answer to a write was lost.", doc)
}

fn row(endpoint: &Endpoint) -> [String; 3] {
    let except: Vec<String> = endpoint
        .repeat_if
        .iter()
        .map(|(given, repeat)| {
            format!("{} where {}", rules::repeat_word(*repeat), rules::given(endpoint, *given))
        })
        .collect();
    [
        format!("[{}](actions/{}{ENDING})", word(endpoint.action), endpoint.action),
        rules::repeat_word(endpoint.repeat).to_owned(),
        except.join("; "),
    ]
}
