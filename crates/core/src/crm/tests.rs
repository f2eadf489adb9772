//! The descriptions are sound, and each of their rules holds what it says.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::collections::HashSet;

use super::*;
use crate::expression::Settings;
use crate::value::Value;

/// A write that is complete, by each endpoint's description.
pub(crate) fn complete(action: &str) -> Vec<(&'static str, &'static str)> {
    match action {
        "create_sale" => vec![
            ("campaignId", "12"),
            ("paySource", "PREPAID"),
            ("product1_id", "15271"),
            ("firstName", "Ada"),
            ("lastName", "Example"),
            ("emailAddress", "ada@example.test"),
            ("phoneNumber", "5555550100"),
            ("address1", "1 Sample Street"),
            ("city", "Springfield"),
            ("state", "NY"),
            ("country", "US"),
            ("postalCode", "10001"),
            ("billShipSame", "1"),
        ],
        "create_lead" => vec![
            ("campaignId", "12"),
            ("firstName", "Ada"),
            ("lastName", "Example"),
            ("emailAddress", "ada@example.test"),
        ],
        "update_fulfillment" => vec![
            ("orderId", "D6C8C390A7"),
            ("fulfillmentStatus", "SHIPPED"),
            ("trackingNumber", "1Z"),
            ("dateShipped", "09/16/2026"),
        ],
        "cancel_order" => vec![("orderId", "D6C8C390A7"), ("cancelReason", "asked")],
        "update_customer" => vec![("customerId", "7")],
        "create_upsale" => vec![("orderId", "D6C8C390A7"), ("productId", "9")],
        "confirm_order" => vec![("orderId", "D6C8C390A7")],
        "refund_order" => vec![("orderId", "D6C8C390A7"), ("refundAmount", "5.00")],
        "qa_order" => vec![("orderId", "D6C8C390A7"), ("action", "APPROVE")],
        "cancel_purchase" => vec![("purchaseId", "BA50DC775D")],
        "refund_transaction" => vec![("transactionId", "900001"), ("fullRefund", "1")],
        "blacklist_customer" => vec![("blacklistType", "emailAddress"), ("emailAddress", "ada@example.test")],
        "add_note" => vec![("customerId", "7"), ("message", "called")],
        _ => Vec::new(),
    }
}

fn named(action: &str) -> &'static Endpoint {
    endpoint(&format!("konnektive.{action}")).unwrap()
}

fn breaches(action: &str, params: &[(&str, &str)]) -> Vec<String> {
    let held: Vec<Held<'_>> =
        params.iter().map(|(name, value)| Held { name, value: Some(value), sure: true }).collect();
    broken(named(action), &held).iter().map(Breach::message).collect()
}

/// The complete write with some parameters taken out and others put in.
fn changed<'a>(action: &str, without: &[&str], with: &[(&'a str, &'a str)]) -> Vec<String> {
    let mut params: Vec<(&str, &str)> =
        complete(action).into_iter().filter(|(name, _)| !without.contains(name)).collect();
    params.extend(with);
    breaches(action, &params)
}

#[test]
fn descriptions_are_sound() {
    let mut paths = HashSet::new();
    for endpoint in ENDPOINTS {
        assert!(
            endpoint.action.starts_with("konnektive.") && paths.insert(endpoint.path),
            "{}",
            endpoint.path
        );
        assert!(endpoint.params().count() > 0 && endpoint.summary.ends_with('.'), "{}", endpoint.path);
        let mut names = HashSet::new();
        for param in endpoint.params() {
            assert!(names.insert(param.name), "{} {}", endpoint.path, param.name);
            assert!(!param.meaning.is_empty(), "{}", param.name);
            assert_eq!(refused_param(param.name), None);
        }
        let known = |name: &str| assert!(endpoint.param(name).is_some(), "{}: {name}", endpoint.path);
        for rule in endpoint.rules {
            match rule {
                Rule::Required(names) | Rule::AnyOf(names) | Rule::AtMostOne(names) => {
                    assert!(!names.is_empty());
                    names.iter().for_each(|name| known(name));
                }
                Rule::RequiredIf { given, needs } => {
                    known(given.param());
                    needs.iter().for_each(|name| known(name));
                }
                Rule::RequiredUnless { given, needs } => {
                    given.iter().for_each(|given| known(given.param()));
                    needs.iter().for_each(|name| known(name));
                }
                Rule::StateOf { state, country } => {
                    known(state);
                    known(country);
                }
                Rule::Numbered(anchor) => assert!(endpoint.params().any(|param| param.name == *anchor)),
            }
        }
        for given in endpoint.repeat_if.iter().map(|(given, _)| *given).chain(values_of(endpoint)) {
            known(given.param());
            let Given::Value(name, values) = given else { continue };
            let words = match endpoint.param(name).unwrap().ty {
                ParamType::Flag => &["0", "1"][..],
                ParamType::Enum(words) => words,
                other => panic!("{name} is {other:?}"),
            };
            assert!(values.iter().all(|value| words.contains(value)), "{name}");
        }
    }
}

fn values_of(endpoint: &Endpoint) -> impl Iterator<Item = Given> {
    endpoint.rules.iter().flat_map(|rule| match rule {
        Rule::RequiredIf { given, .. } => vec![*given],
        Rule::RequiredUnless { given, .. } => given.to_vec(),
        _ => Vec::new(),
    })
}

#[test]
fn a_complete_write_keeps_every_rule_and_converts() {
    for endpoint in ENDPOINTS {
        let params = complete(endpoint.short_name());
        assert!(!params.is_empty(), "{}", endpoint.action);
        assert_eq!(breaches(endpoint.short_name(), &params), [""; 0], "{}", endpoint.action);
        for (name, value) in params {
            let param = endpoint.param(name).unwrap();
            let written =
                write(param, name, &Value::text(value), &Settings::default(), endpoint.clears).unwrap();
            assert_eq!(written, value, "{name}");
        }
    }
}

#[test]
fn every_required_parameter_is_asked_for() {
    for endpoint in ENDPOINTS {
        let action = endpoint.short_name();
        for rule in endpoint.rules {
            let Rule::Required(names) = rule else { continue };
            for name in *names {
                let wanted = format!("`{name}` is needed");
                assert!(changed(action, &[name], &[]).contains(&wanted), "{action} {name}");
                // Empty is as good as not there.
                assert!(changed(action, &[name], &[(name, "")]).contains(&wanted));
            }
        }
    }
}

#[test]
fn a_shipment_needs_what_its_state_says() {
    let with = |status: &'static str| vec![("orderId", "D6C8C390A7"), ("fulfillmentStatus", status)];
    let of = |status| breaches("update_fulfillment", &with(status));
    assert_eq!(
        of("SHIPPED"),
        ["`trackingNumber`, `dateShipped` are needed where `fulfillmentStatus` is SHIPPED"]
    );
    assert_eq!(
        of("RMA_PENDING"),
        ["`refundAmount`, `rmaNumber` are needed where `fulfillmentStatus` is RMA_PENDING"]
    );
    assert_eq!(of("RETURNED"), ["`dateReturned` is needed where `fulfillmentStatus` is RETURNED"]);
    assert_eq!(of("CANCELLED"), [""; 0]);
    assert_eq!(breaches("update_fulfillment", &[]), ["one of `orderId`, `fulfillmentId` is needed"]);
    assert_eq!(
        breaches("update_fulfillment", &[("fulfillmentId", "1")]),
        ["`fulfillmentStatus` is needed where `fulfillmentId` is given"]
    );
    assert_eq!(breaches("update_fulfillment", &[("orderId", "1"), ("shipCarrier", "UPS")]), [""; 0]);
}

#[test]
fn a_sale_needs_a_buyer_unless_the_crm_knows_one() {
    let buyer = [
        "firstName",
        "lastName",
        "emailAddress",
        "phoneNumber",
        "address1",
        "city",
        "state",
        "country",
        "postalCode",
    ];
    let needed = changed("create_sale", &buyer, &[]);
    assert_eq!(needed.len(), 1);
    assert!(
        needed[0].starts_with("`firstName`, `lastName`,")
            && needed[0].ends_with("is given or `paySource` is ACCTONFILE"),
        "{needed:?}"
    );
    assert_eq!(changed("create_sale", &buyer, &[("orderId", "D6C8C390A7")]), [""; 0]);
    let on_file = [("paySource", "ACCTONFILE"), ("customerId", "7")];
    assert_eq!(
        changed("create_sale", &[&buyer[..], &["paySource", "billShipSame"]].concat(), &on_file),
        [""; 0]
    );
    assert_eq!(
        changed("create_sale", &["paySource"], &on_file[..1]),
        ["`customerId` is needed where `paySource` is ACCTONFILE"]
    );
}

#[test]
fn a_sale_needs_an_address_to_ship_to() {
    let needed = "`shipAddress1`, `shipCity`, `shipPostalCode`, `shipCountry` are needed unless `billShipSame` is 1 or `paySource` is ACCTONFILE";
    assert_eq!(changed("create_sale", &["billShipSame"], &[]), [needed]);
    assert_eq!(changed("create_sale", &["billShipSame"], &[("billShipSame", "0")]), [needed]);
    // Also where the lead has one: the live service asks all the same.
    assert_eq!(changed("create_sale", &["billShipSame"], &[("orderId", "D6C8C390A7")]), [needed]);
    let ship = [("shipAddress1", "x"), ("shipCity", "x"), ("shipPostalCode", "x"), ("shipCountry", "US")];
    assert_eq!(changed("create_sale", &["billShipSame"], &ship), [""; 0]);
}

#[test]
fn a_sale_is_paid_for_in_a_way_without_card_data() {
    let unpaid = changed("create_sale", &["paySource"], &[]);
    assert_eq!(
        unpaid,
        ["`paySource` is needed unless `orderId` is given or `preAuthMerchantTxnId` is given"]
    );
    assert_eq!(changed("create_sale", &["paySource"], &[("orderId", "D6C8C390A7")]), [""; 0]);
    assert_eq!(changed("create_sale", &["paySource"], &[("preAuthMerchantTxnId", "43419")]), [""; 0]);
    let param = CREATE_SALE.param("paySource").unwrap();
    let source = |text: &str| write(param, "paySource", &Value::text(text), &Settings::default(), false);
    for word in ["ACCTONFILE", "PREPAID", "COD", "PAYPAL", "AMAZON", "APPLEPAY", "GOOGLEPAY"] {
        assert_eq!(source(word).as_deref(), Ok(word));
    }
    for (word, data) in [
        ("CREDITCARD", "card"),
        ("creditcard", "card"),
        ("CHECK", "bank account"),
        ("DIRECTDEBIT", "bank account"),
    ] {
        let wrong = source(word).unwrap_err();
        assert_eq!(wrong.kind, WrongKind::Card);
        assert_eq!(
            wrong.message,
            format!("`paySource` {word} needs {data} data, which does not pass through zaprun")
        );
        assert_eq!(wrong.help.as_deref(), Some(WAYS_TO_PAY));
    }
    for name in
        ["cardNumber", "CARDNUMBER", "cardMonth", "cardYear", "cardExpiryDate", "cardSecurityCode", "cvv"]
    {
        assert_eq!(
            refused_param(name).unwrap(),
            format!("`{name}` is card data, which does not pass through zaprun")
        );
    }
    for name in [
        "achAccountType",
        "achRoutingNumber",
        "achAccountNumber",
        "achAccountHolderType",
        "achNameOnAccount",
        "iban",
        "ddbic",
        "accountHolder",
    ] {
        assert_eq!(
            refused_param(name).unwrap(),
            format!("`{name}` is bank account data, which does not pass through zaprun")
        );
    }
}

#[test]
fn products_are_numbered_without_gaps() {
    let sale = |with: &[(&'static str, &'static str)]| changed("create_sale", &["product1_id"], with);
    assert_eq!(sale(&[]), ["one of `product1_id`, `orderItems` is needed"]);
    assert_eq!(sale(&[("orderItems", "{}")]), [""; 0]);
    assert_eq!(
        sale(&[("orderItems", "{}"), ("product1_id", "1")]),
        ["`product1_id`, `orderItems` exclude each other"]
    );
    assert_eq!(sale(&[("product1_id", "1"), ("product2_id", "2"), ("product2_qty", "3")]), [""; 0]);
    assert_eq!(
        sale(&[("product1_id", "1"), ("product3_id", "3")]),
        ["`product2_id` is needed as numbers run from 1 without gaps"]
    );
    assert_eq!(
        sale(&[("product1_id", "1"), ("product2_price", "3")]),
        ["`product2_id` is needed where another parameter is numbered 2"]
    );
    assert_eq!(
        sale(&[("product1_id", "1"), ("variant2_id", "3")]),
        ["`product2_id` is needed where another parameter is numbered 2"]
    );
    assert_eq!(
        changed("create_lead", &[], &[("product2_id", "1")]),
        ["`product1_id` is needed as numbers run from 1 without gaps"]
    );
    assert_eq!(
        changed("create_upsale", &["productId"], &[]),
        ["one of `productId`, `product1_id` is needed"]
    );
    assert_eq!(
        changed("create_upsale", &[], &[("product1_id", "1")]),
        ["`productId`, `product1_id` exclude each other"]
    );
}

#[test]
fn money_goes_back_in_part_or_in_full() {
    for action in ["refund_order", "refund_transaction"] {
        let of =
            |with: &[(&'static str, &'static str)]| changed(action, &["refundAmount", "fullRefund"], with);
        assert_eq!(of(&[]), ["one of `refundAmount`, `fullRefund` is needed"]);
        assert_eq!(of(&[("refundAmount", "5")]), [""; 0]);
        assert_eq!(of(&[("fullRefund", "1")]), [""; 0]);
        assert_eq!(of(&[("fullRefund", "0"), ("refundAmount", "5")]), [""; 0]);
        assert_eq!(
            of(&[("fullRefund", "1"), ("refundAmount", "5")]),
            ["`refundAmount`, `fullRefund` exclude each other"]
        );
    }
}

#[test]
fn a_state_belongs_to_its_country() {
    let update = |with: &[(&'static str, &'static str)]| changed("update_customer", &[], with);
    for (state, country) in [
        ("NY", "US"),
        ("ny", "us"),
        ("ON", "CA"),
        ("NSW", "AU"),
        ("LND", "GB"),
        ("NULL", "US"),
        ("NY", "NULL"),
        ("", "US"),
        ("NY", ""),
    ] {
        assert_eq!(update(&[("state", state), ("country", country)]), [""; 0], "{state} {country}");
    }
    assert_eq!(update(&[("state", "ON"), ("country", "us")]), ["`state` is not a state of US"]);
    assert_eq!(update(&[("shipState", "NY"), ("shipCountry", "CA")]), ["`shipState` is not a state of CA"]);
    // What the customer has beside is not known.
    assert_eq!(update(&[("state", "ON")]), [""; 0]);
    assert_eq!(update(&[("state", "ON"), ("shipCountry", "US")]), [""; 0]);
}

#[test]
fn other_rules() {
    assert_eq!(
        changed("create_lead", &["emailAddress"], &[]),
        ["one of `emailAddress`, `phoneNumber` is needed"]
    );
    assert_eq!(changed("create_lead", &["emailAddress"], &[("phoneNumber", "1")]), [""; 0]);
    assert_eq!(
        changed("create_sale", &[], &[("forceQA", "1"), ("skipQA", "1")]),
        ["`forceQA`, `skipQA` exclude each other"]
    );
    assert_eq!(changed("create_sale", &[], &[("forceQA", "1"), ("skipQA", "0")]), [""; 0]);
    for kind in ["cardBin", "stateCountry", "emailAddress", "phoneNumber", "ipAddress"] {
        assert_eq!(
            breaches("blacklist_customer", &[("blacklistType", kind)]),
            [format!("`{kind}` is needed where `blacklistType` is {kind}")]
        );
        assert_eq!(breaches("blacklist_customer", &[("blacklistType", kind), (kind, "x")]), [""; 0]);
    }
}

#[test]
fn what_is_not_known_yet_is_left_to_the_run() {
    let fulfillment = named("update_fulfillment");
    let held = |name, value, sure| Held { name, value, sure };
    let order = held("orderId", None, true);
    assert!(broken(fulfillment, &[order, held("fulfillmentStatus", None, true)]).is_empty());
    // It may be left out, and then its state is not needed.
    assert!(broken(fulfillment, &[order, held("fulfillmentId", None, false)]).is_empty());
    assert_eq!(broken(fulfillment, &[order, held("fulfillmentId", None, true)]).len(), 1);
    let refund = named("refund_order");
    let both = [order, held("refundAmount", None, true), held("fullRefund", None, true)];
    assert!(broken(refund, &both).is_empty());
}

#[test]
fn names_are_found_through_families() {
    let of = |name: &str| CREATE_SALE.param(name).map(|param| param.name);
    assert_eq!(of("product1_id"), Some("productN_id"));
    assert_eq!(of("product12_shipPrice"), Some("productN_shipPrice"));
    assert_eq!(of("variant3_id"), Some("variantN_id"));
    assert_eq!(of("custom_Color"), Some("custom_*"));
    assert_eq!(of("custom1"), Some("custom1"));
    for name in [
        "product_id",
        "product0_id",
        "product01_id",
        "product100_id",
        "productN_id2",
        "product1_",
        "custom_",
        "custom_a b",
        "custom6",
        "phonenumber",
    ] {
        assert_eq!(of(name), None, "{name}");
    }
}

#[test]
fn what_moves_money_is_never_repeated_without_proof() {
    let of = |action: &str, params: &[(&str, &str)]| {
        let params: Vec<_> =
            params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        named(action).repeat_of(&params)
    };
    for action in ["create_sale", "create_upsale", "refund_order", "refund_transaction"] {
        assert_eq!(of(action, &[]), Repeat::Never, "{action}");
    }
    for action in [
        "create_lead",
        "update_fulfillment",
        "cancel_order",
        "cancel_purchase",
        "confirm_order",
        "add_note",
        "blacklist_customer",
    ] {
        assert_eq!(of(action, &[]), Repeat::LookFirst, "{action}");
    }
    assert_eq!(of("update_customer", &[]), Repeat::Safe);
    for action in ["cancel_order", "cancel_purchase"] {
        assert_eq!(of(action, &[("fullRefund", "1")]), Repeat::Never);
        assert_eq!(of(action, &[("fullRefund", "0")]), Repeat::LookFirst);
    }
    assert_eq!(of("update_fulfillment", &[("refundAmount", "5")]), Repeat::Never);
    assert_eq!(of("qa_order", &[("action", "APPROVE")]), Repeat::Never);
    assert_eq!(of("qa_order", &[("action", "DECLINE")]), Repeat::LookFirst);
}

#[test]
fn lookups_are_sound() {
    for lookup in LOOKUPS {
        let names: HashSet<&str> = lookup.params().map(|param| param.name).collect();
        assert_eq!(names.len(), lookup.params().count(), "{}", lookup.find);
        assert!(lookup.ids.iter().all(|id| names.contains(id)), "{}", lookup.find);
        assert_eq!(super::lookup(lookup.endpoint).find, lookup.find);
        assert_eq!(lookup.endpoint.schema().name, lookup.row);
    }
}
