//! The page about paying without card data.

use super::examples::{self, find};
use super::markdown::{Doc, prose, word, words};
use super::{ENDING, Page, actions};
use crate::crm::{CREATE_SALE, ENDPOINTS, ParamType};

/// What a way of payment needs, and what it does.
pub(super) const WAYS: &[(&str, &str, &str)] = &[
    (
        "ACCTONFILE",
        "`customerId`; `paySourceId` for another account than the last",
        "the CRM charges the account that it has on file",
    ),
    (
        "PREPAID",
        "",
        "paid elsewhere: the CRM books the order and charges nothing. It goes into quality assurance, PENDING, unless `skipQA` or a setting of the account says otherwise",
    ),
    ("COD", "", "paid on delivery"),
    ("PAYPAL", "a buyer at a browser", REDIRECT),
    ("AMAZON", "a buyer at a browser", REDIRECT),
    ("APPLEPAY", "a buyer at a browser", REDIRECT),
    ("GOOGLEPAY", "a buyer at a browser", REDIRECT),
];

const REDIRECT: &str = "a wallet. Where the CRM wants the buyer sent to a page, it answers MERC_REDIRECT and the step is given up";

/// The page.
pub(super) fn page() -> Page {
    let mut doc = Doc::new("Paying without card data");
    doc.block(include_str!("prose/paying.md"));
    doc.section("Ways that remain");
    let actions: Vec<String> = ENDPOINTS
        .iter()
        .filter(|endpoint| actions::pays(endpoint))
        .map(|endpoint| format!("[{}](actions/{}{ENDING})", word(endpoint.action), endpoint.action))
        .collect();
    doc.block(&format!("For {}:", actions.join(" and ")));
    let held = [
        [
            "none".to_owned(),
            "`orderId` of a lead or of a preauthorised order".to_owned(),
            "the CRM charges the card that it holds for the order".to_owned(),
        ],
        [
            "none".to_owned(),
            "`preAuthBillerId` and `preAuthMerchantTxnId`".to_owned(),
            "a charge that was preauthorised at the gateway is captured".to_owned(),
        ],
    ];
    let row = |source: &&'static str| {
        let known = WAYS.iter().find(|(name, ..)| name == source);
        let (_, needs, does) = known.copied().unwrap_or((source, "", ""));
        [word(source), needs.to_owned(), prose(does)]
    };
    doc.table(["`paySource`", "needs", "what happens"], held.into_iter().chain(sources().iter().map(row)));
    doc.block("A customer who orders again, on the account that the CRM has on file:");
    doc.code("yaml", find(examples::MORE, "on_file"));
    doc.block("An order whose card was preauthorised, or taken with the lead by the shop's own page:");
    doc.code("yaml", find(examples::MORE, "preauthorised"));
    doc.section("What is refused");
    let refused = |names: &[&'static str]| words(names.iter().copied(), "and");
    doc.list([
        format!("As parameters of every action: {}.", refused(crate::crm::CARD)),
        format!("Bank accounts likewise: {}.", refused(crate::crm::BANK)),
        "As `paySource`: `CREDITCARD`, `CHECK` and `DIRECTDEBIT`, which need them.".to_owned(),
        "In any field: a number of 13 to 19 digits that is a card's by its beginning and its check digit, unless the \
         field is known to hold an id, a telephone number or an amount."
            .to_owned(),
    ]);
    doc.block(include_str!("prose/paying_refused.md"));
    Page::new("paying", "Which ways of payment remain for a sale, and why card numbers are refused.", doc)
}

/// The ways that the endpoint's description knows.
pub(super) fn sources() -> &'static [&'static str] {
    match CREATE_SALE.param("paySource").map(|param| param.ty) {
        Some(ParamType::Enum(known)) => known,
        _ => &[],
    }
}
