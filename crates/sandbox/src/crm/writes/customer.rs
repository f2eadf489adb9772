//! customer/update, customer/addnote and customer/blacklist (contract §5.5, §5.6).

use super::{answer, refused};
use crate::crm::check::{Field, Form, field, fields, need, state_in_country, text};
use crate::crm::params::Params;
use crate::crm::reply::{self, Reply};
use crate::state::moves::{CustomerChange, Refusal};
use crate::state::{BlacklistType, State};

const CUSTOMER: &[Field] = &[field("customerId", Form::Whole)];

/// What customer/update changes. Each takes the word NULL as well.
const FIELDS: &[Field] = &[
    text("firstName", 30),
    text("lastName", 30),
    text("companyName", 30),
    text("address1", 30),
    text("address2", 30),
    text("city", 30),
    text("shipFirstName", 30),
    text("shipLastName", 30),
    text("shipCompanyName", 30),
    text("shipAddress1", 30),
    text("shipAddress2", 30),
    text("shipCity", 30),
    text("postalCode", 20),
    text("shipPostalCode", 20),
    text("phoneNumber", 20),
    text("state", 6),
    text("shipState", 6),
    text("emailAddress", 255),
    text("custom1", 50),
    text("custom2", 50),
    text("custom3", 50),
    text("custom4", 50),
    text("custom5", 50),
];

const COUNTRIES: &[Field] = &[field("country", Form::Country), field("shipCountry", Form::Country)];

/// The word that clears a field.
const CLEARS: &str = "NULL";

/// Answers customer/update.
pub(crate) fn customer_update(state: &mut State, params: &Params) -> Reply {
    let customer_id = match customer(params, &[FIELDS]) {
        Ok(customer_id) => customer_id,
        Err(refusal) => return refusal,
    };
    // A country may be NULL, which is no country's form.
    let cleared = |field: &&Field| params.get(field.name()) == Some(CLEARS);
    let given: Vec<Field> = COUNTRIES.iter().filter(|field| !cleared(field)).copied().collect();
    let checked = fields(params, &[&given]).and_then(|()| places(state, customer_id, params));
    if let Err(refusal) = checked {
        return refusal;
    }
    let named = FIELDS.iter().chain(COUNTRIES).filter_map(|field| {
        let value = params.get(field.name())?;
        Some((field.name().to_owned(), if value == CLEARS { String::new() } else { value.to_owned() }))
    });
    let change = CustomerChange { fields: named.collect() };
    answer(state.update_customer(customer_id, &change), "customer updated")
}

/// Whether states and countries fit, those that are known filling in for those that are not given.
fn places(state: &State, customer_id: u64, params: &Params) -> Result<(), Reply> {
    let known = state.customer(customer_id).ok_or_else(|| refused(&Refusal::NoCustomer(customer_id)))?;
    let mut wrong = Vec::new();
    for (name, country, known) in
        [("state", "country", &known.buyer.bill), ("shipState", "shipCountry", &known.buyer.ship)]
    {
        let given = |name, known: &str| match params.get(name) {
            Some(CLEARS) => String::new(),
            Some(value) => value.to_owned(),
            None => known.to_owned(),
        };
        let (place, country) = (given(name, &known.state), given(country, &known.country));
        let asked = params.get(name).is_some() && !place.is_empty();
        if asked && !state_in_country(&place, &country) {
            wrong.push((name, reply::own(format_args!("is not a state of {country}"))));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(reply::invalid(wrong)) }
}

/// Answers customer/addnote.
pub(crate) fn customer_addnote(state: &mut State, params: &Params) -> Reply {
    let checked =
        need(params, &["customerId", "message"]).and_then(|()| customer(params, &[&[text("message", 500)]]));
    match checked {
        Ok(customer_id) => answer(state.add_note(customer_id, &params.text("message")), "note added"),
        Err(refusal) => refusal,
    }
}

/// The customer that the parameters name, once these fields are as they must be.
fn customer(params: &Params, groups: &[&[Field]]) -> Result<u64, Reply> {
    need(params, &["customerId"])?;
    fields(params, &[&[CUSTOMER], groups].concat())?;
    params.number("customerId").ok_or_else(|| reply::required(&["customerId"]))
}

/// Answers customer/blacklist: `blacklistType` and, under that name, the value. A place is `state` and `country`, or
/// both in one value, parted by a comma.
pub(crate) fn customer_blacklist(state: &mut State, params: &Params) -> Reply {
    let known = || BlacklistType::ALL.iter().map(|(_, word)| *word);
    let by = match params.get("blacklistType") {
        None => return reply::required(&["blacklistType"]),
        Some(word) => BlacklistType::parse(word),
    };
    let Some(by) = by else {
        return reply::not_one_of("blacklistType", known());
    };
    let place = || Some(format!("{},{}", params.get("state")?, params.get("country")?));
    let value = params.get(by.as_str()).map(str::to_owned);
    let value = value.or_else(|| place().filter(|_| by == BlacklistType::StateCountry));
    match value {
        None => reply::required(&[by.as_str()]),
        Some(value) => {
            state.ban(by, &value.replace(", ", ","));
            reply::done("blacklisted")
        }
    }
}
