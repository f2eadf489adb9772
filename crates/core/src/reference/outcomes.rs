//! The page about what follows when nobody knows whether something happened.

use super::markdown::{Doc, capital, word};
use super::{ENDING, Page, rules};
use crate::crm::{ENDPOINTS, Endpoint, Repeat};

/// The page.
pub(super) fn page() -> Page {
    let mut doc = Doc::new("Unknown outcomes");
    doc.block(WHAT);
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
    doc.section(&heading(Repeat::Safe));
    doc.block("Doing it twice gives the same. The attempt counts as one that failed, and is repeated as `retry` says.");
    doc.section(&heading(Repeat::LookFirst));
    doc.block(LOOKED);
    doc.section(&heading(Repeat::Never));
    doc.block(NEVER);
    doc.section("Held for a person");
    doc.block(HELD);
    doc.section("Sales");
    doc.list(SALES.iter().map(|&text| text.to_owned()));
    Page::new("unknown-outcomes", "What happens when the answer to a write was lost.", doc)
}

fn heading(repeat: Repeat) -> String {
    capital(rules::repeat_word(repeat))
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

const WHAT: &str = "A request left, and nobody knows whether it did anything: the connection was cut or timed out, the \
answer was 5xx, was no answer of the CRM's (HTML, half of it, a bare ERROR), or the process died meanwhile. To send it \
again may do it twice, not to send it may lose it. So an attempt is recorded before its first byte leaves, and what \
follows depends on what a repeat would do.";

const LOOKED: &str = "Before the write the CRM is read, and after it again: 10 seconds later, then more and more seldom, up \
to every 5 minutes. What is there now and was not before has happened: the step is done, with the ids that were found as \
its answer. What is surely not there is sent again. Where the CRM does not show what a write did, nothing can be told: after \
`settle_after` the run is held, or with `on_uncertain: retry` the write is sent again. The API user needs the permission to \
query what is looked at.";

const NEVER: &str = "Here it is not enough that nothing is to be seen, since a charge may still be on its way. Nothing is \
sent again until `settle_after` (15 minutes unless the action says otherwise) has passed since the attempt *and* two looks \
from then on have seen the same and nothing of it. Raise it for a gateway that shows charges late. Where that proof does \
not come, the run is held.";

const HELD: &str =
    "A held run waits for you. `zaprun runs list --status held` lists them, `zaprun runs show ID` shows the \
record, the request and what the looks saw. Look into the CRM, then say what became of it:

```console
$ zaprun runs resolve ID --as done      # it happened: the run goes on with the next step
$ zaprun runs resolve ID --as failed    # it did not: the step is given up
```

Until then no other sale of the same buyer begins: it could be taken for this one.";

const SALES: &[&str] = &[
    "A declined sale is answered without any id. So a sale without `orderId` imports the lead first, where a name is \
     given (`lead_first: auto`): a lead may be imported twice without harm, and its `orderId` is then known before money \
     moves. `lead_first: never` leaves that out.",
    "`correlate_in: custom5` writes the step's key into that custom field, so that a look finds the order without doubt. \
     Choose one that nothing else uses.",
    "Sales of one buyer in one campaign go one after the other.",
];
