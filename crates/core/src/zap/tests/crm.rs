//! Writes to the CRM: what is found before there is a record, and what is sent.

use super::*;
use crate::crm::Repeat;
use crate::request::CrmRequest;

fn write(action: &str, lines: &str) -> Zap {
    zap(&step(action, lines))
}

fn step(action: &str, lines: &str) -> String {
    format!("actions:\n  - id: send\n    type: konnektive.{action}\n    connection: crm\n{lines}")
}

fn found(action: &str, lines: &str) -> String {
    findings(&step(action, lines)).join("\n")
}

fn sent(zap: &Zap, record: &str) -> Result<CrmRequest, MapError> {
    let scope = scope(zap, record);
    match zap.actions[0].plan(&scope)? {
        Plan::One(request) => match *request {
            Request::Crm(request) => Ok(request),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn params(request: &CrmRequest) -> String {
    request.params.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn refused(zap: &Zap, record: &str) -> String {
    let error = sent(zap, record).unwrap_err();
    let help = error.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
    format!("{error}{help}")
}

#[test]
fn a_shipment_is_told_in_the_crms_own_forms() {
    let zap = write(
        "update_fulfillment",
        r#"
    map:
      orderId: $.orderId
      fulfillmentStatus: shipped
      trackingNumber: "{{ record.custom1 }}"
      dateShipped: "{{ record.dateCreated | datetime }}"
      shipCarrier: $.shipCarrier
"#,
    );
    let request = sent(
        &zap,
        r#"{"orderId":"8DF9","custom1":"1Z 999","dateCreated":"2026-09-16 23:30:00","shipCarrier":null}"#,
    )
    .unwrap();
    assert_eq!(
        params(&request),
        "orderId=8DF9 fulfillmentStatus=SHIPPED trackingNumber=1Z 999 dateShipped=09/16/2026"
    );
    assert_eq!((request.connection.as_str(), request.endpoint.path), ("crm", "fulfillment/update"));
    assert_eq!((request.repeat, request.serials, request.lead), (Repeat::LookFirst, Vec::new(), None));
    assert_eq!(request.settle_after.as_secs(), 900);
    assert_eq!(request.idempotency_key, key::step(Uuid::nil(), "send", None).to_string());
}

#[test]
fn days_are_those_of_the_account_that_is_written_to() {
    let zap = zap(
        "actions:\n  - id: send\n    type: konnektive.update_fulfillment\n    connection: eu\n    map: { orderId: $.orderId, fulfillmentStatus: RETURNED, dateReturned: \"{{ record.dateCreated | datetime }}\" }",
    );
    // Evening in New York is the next day in Berlin.
    let request = sent(&zap, r#"{"orderId":"8DF9","dateCreated":"2026-09-16 23:30:00"}"#).unwrap();
    assert_eq!(params(&request), "orderId=8DF9 fulfillmentStatus=RETURNED dateReturned=09/17/2026");
}

#[test]
fn what_is_known_before_there_is_a_record_is_found() {
    let found = [
        found("update_fulfillment", "    map: { orderID: $.orderId, fulfillmentStatus: SHIPD }\n"),
        found("update_fulfillment", "    map: { orderId: $.orderId, fulfillmentStatus: SHIPPED }\n"),
        found("cancel_order", "    map: { orderId: $.orderId, cancelReason: \"\", fullRefund: maybe }\n"),
        found(
            "create_lead",
            "    map: { campaignId: twelve, firstName: $.firstName, lastName: [a], country: USA, custom1: 1234567890123456789012345678901 }\n",
        ),
        found("create_lead", "    map: {}\n"),
        found("refund_order", "    map: { orderId: $.orderId, refundAmount: 5.005, fullRefund: true }\n"),
        found("refund_order", "    map: { orderId: $.orderId, refundAmount: 5, fullRefund: true }\n"),
        found("qa_order", "    map: { orderId: $.orderId, action: ACCEPT }\n"),
        found("create_upsale", "    map: { orderId: $.orderId, product1_identifier: 9, product2_id: 3 }\n"),
        found("add_note", "    map: { $if: \"{{ true }}\", customerId: 7, message: x, note: y }\n"),
    ];
    insta::assert_snapshot!(found.join("\n--\n"), @r#"
        7:12 ZR0801 update_fulfillment takes no `orderID` | did you mean `orderId`?
        7:51 ZR0803 `fulfillmentStatus` cannot have this value: `SHIPD` | did you mean `SHIPPED`? one of SHIPPED, RMA_PENDING, RETURNED, CANCELLED
        --
        7:5 ZR0802 update_fulfillment: `trackingNumber`, `dateShipped` are needed where `fulfillmentStatus` is SHIPPED | add `trackingNumber:`, `dateShipped:`
        --
        7:5 ZR0802 cancel_order: `cancelReason` is needed | add `cancelReason:`
        7:62 ZR0803 `fullRefund` is not true or false: `maybe`
        --
        7:5 ZR0802 create_lead: one of `emailAddress`, `phoneNumber` is needed | add `emailAddress:` or `phoneNumber:`
        7:24 ZR0803 `campaignId` is not a whole number: `twelve`
        7:66 ZR0803 `lastName` takes text, and this is a list
        7:80 ZR0803 `country` is not a country: `USA` | write its two letters: US
        7:94 ZR0115 `1234567890123456789012345678901` is larger than most JSON readers can hold exactly | write "1234567890123456789012345678901" in quotes when it is an identifier
        7:94 ZR0804 `custom1` has 31 characters, and the CRM takes 30 | cut it yourself where that is right: `| truncate_chars(30)`
        --
        7:5 ZR0802 create_lead: `campaignId`, `firstName`, `lastName` are needed | add `campaignId:`, `firstName:`, `lastName:`
        7:5 ZR0802 create_lead: one of `emailAddress`, `phoneNumber` is needed | add `emailAddress:` or `phoneNumber:`
        --
        7:5 ZR0805 refund_order: `refundAmount`, `fullRefund` exclude each other | remove `fullRefund:`
        7:46 ZR0803 `refundAmount` has more than 2 digits after the point: `5.005` | round it: `| round_money`
        --
        7:5 ZR0805 refund_order: `refundAmount`, `fullRefund` exclude each other | remove `fullRefund:`
        --
        7:40 ZR0803 `action` cannot have this value: `ACCEPT` | one of APPROVE, DECLINE
        --
        7:32 ZR0801 create_upsale takes no `product1_identifier` | did you mean `product1_id`?
        --
        7:12 ZR0705 `$if` has no place beside parameters | write it at the value of a parameter, or `when:` at the action
        7:58 ZR0801 add_note takes no `note` | it takes customerId, message
        "#);
}

#[test]
fn card_and_bank_data_is_refused_with_the_ways_that_remain() {
    let found = [
        found(
            "create_sale",
            "    map: { campaignId: 12, product1_id: 9, orderId: $.orderId, billShipSame: 1, paySource: CREDITCARD, cardNumber: $.custom1, iban: x }\n",
        ),
        found("add_note", "    map: { customerId: 7, message: \"paid with 4111 1111 1111 1111\" }\n"),
        findings("actions:\n  - { id: a, type: http, connection: sink, json: { note: \"4111111111111111\", cvv: 123, orderId: \"4111111111111111\" } }\n").join("\n"),
    ];
    insta::assert_snapshot!(found.join("\n--\n"), @r"
        7:92 ZR0806 `paySource` CREDITCARD needs card data, which does not pass through zaprun | ways that remain: ACCTONFILE with `customerId`, PREPAID, COD or a wallet, or an order whose card the CRM holds or has preauthorised: its `orderId`, and no `paySource`
        7:104 ZR0806 `cardNumber` is card data, which does not pass through zaprun | ways that remain: ACCTONFILE with `customerId`, PREPAID, COD or a wallet, or an order whose card the CRM holds or has preauthorised: its `orderId`, and no `paySource`
        7:127 ZR0806 `iban` is bank account data, which does not pass through zaprun | ways that remain: ACCTONFILE with `customerId`, PREPAID, COD or a wallet, or an order whose card the CRM holds or has preauthorised: its `orderId`, and no `paySource`
        --
        7:36 ZR0806 `message` holds a card number, which does not pass through zaprun | leave it out: the last four digits tell which card it was
        --
        4:58 ZR0806 this is a card number, which does not pass through zaprun | leave it out: the last four digits tell which card it was
        4:83 ZR0806 this is a card's security code, which does not pass through zaprun | leave it out: the last four digits tell which card it was
        ");
}

#[test]
fn card_data_in_a_record_goes_nowhere() {
    let record = r#"{"orderId":"8DF9","customerId":7,"custom1":"4111 1111 1111 1111"}"#;
    let note =
        write("add_note", "    map: { customerId: $.customerId, message: \"said {{ record.custom1 }}\" }\n");
    let error = sent(&note, record).unwrap_err();
    assert_eq!(
        error.to_string(),
        "actions[0].map.message: `message` holds a card number, which does not pass through zaprun"
    );
    assert_eq!(error.value, None);
    let http = |rest: &str| {
        let zap = zap(&format!("actions:\n  - id: send\n    type: http\n    connection: sink\n    {rest}\n"));
        requests(&zap, record).unwrap_err().to_string()
    };
    let holds = "the value holds a card number, which does not pass through zaprun";
    assert_eq!(http("json: { a: [{ note: $.custom1 }] }"), format!("actions[0].json.a[0].note: {holds}"));
    assert_eq!(http("json: $.custom1"), format!("actions[0].json: {holds}"));
    assert_eq!(http("json: \"{{ record }}\""), format!("actions[0].json.custom1: {holds}"));
    assert_eq!(http("form: { note: $.custom1 }"), format!("actions[0].form.note: {holds}"));
    assert_eq!(http("query: { note: $.custom1 }"), format!("actions[0].query.note: {holds}"));
    assert_eq!(http("headers: { X-Note: $.custom1 }"), format!("actions[0].headers.X-Note: {holds}"));
    assert_eq!(http("text: \"note: {{ record.custom1 }}\""), format!("actions[0].text: {holds}"));
    assert_eq!(
        http("json: { cvv: \"{{ record.customerId ~ '23' }}\" }"),
        "actions[0].json.cvv: the value holds a card's security code, which does not pass through zaprun"
    );
}

#[test]
fn values_that_cannot_be_converted_name_their_field() {
    let lead = write(
        "create_lead",
        "    map: { campaignId: 12, firstName: $.firstName, lastName: $.lastName, emailAddress: $.emailAddress, country: $.country, billShipSame: $.hasUpsell }\n",
    );
    let record = |country: &str, email: &str| {
        format!(
            r#"{{"firstName":"Ada","lastName":"Example","emailAddress":{email},"country":{country},"hasUpsell":true}}"#
        )
    };
    assert_eq!(
        params(&sent(&lead, &record(r#""us""#, r#""ada@example.test""#)).unwrap()),
        "campaignId=12 firstName=Ada lastName=Example emailAddress=ada@example.test country=US billShipSame=1"
    );
    insta::assert_snapshot!(
        [
            refused(&lead, &record(r#""America""#, r#""ada@example.test""#)),
            refused(&lead, &record("null", r#""ada""#)),
            refused(&lead, &record("null", "null")),
            refused(&lead, &record("\"\"", "\"\"")),
        ]
        .join("\n"),
        @r"
        actions[0].map.country: `country` is not a country | write its two letters: US
        actions[0].map.emailAddress: `emailAddress` is not an e-mail address
        actions[0].map: one of `emailAddress`, `phoneNumber` is needed
        actions[0].map: one of `emailAddress`, `phoneNumber` is needed
        "
    );
    let error = sent(&lead, &record(r#""America""#, "null")).unwrap_err();
    assert_eq!((error.value.as_deref(), error.to_string().contains("America")), (Some("America"), false));
}

#[test]
fn rules_hold_for_what_a_record_makes_of_the_map() {
    let zap = write(
        "update_fulfillment",
        r#"
    map:
      orderId: $.orderId
      fulfillmentStatus: "{{ record.custom1 }}"
      trackingNumber: $.custom2
      dateShipped: "2026-09-16"
"#,
    );
    let with = |status: &str, tracking: &str| {
        format!(r#"{{"orderId":"8DF9","custom1":"{status}","custom2":{tracking}}}"#)
    };
    assert!(sent(&zap, &with("SHIPPED", "\"1Z\"")).is_ok());
    assert!(sent(&zap, &with("CANCELLED", "null")).is_ok());
    assert_eq!(
        refused(&zap, &with("SHIPPED", "null")),
        "actions[0].map: `trackingNumber` is needed where `fulfillmentStatus` is SHIPPED"
    );
}

#[test]
fn a_field_is_emptied_on_purpose_only() {
    let zap = write(
        "update_customer",
        r#"
    map:
      customerId: $.customerId
      companyName: { $clear: true }
      address2: { $if: "{{ record.custom1 is none }}", $then: { $clear: true }, $else: $.custom1 }
      lastName: $.lastName
"#,
    );
    let record =
        |custom1: &str, last: &str| format!(r#"{{"customerId":7,"custom1":{custom1},"lastName":{last}}}"#);
    assert_eq!(
        params(&sent(&zap, &record("null", "null")).unwrap()),
        "customerId=7 companyName=NULL address2=NULL"
    );
    assert_eq!(
        params(&sent(&zap, &record("\"Floor 2\"", "\"Null\"")).unwrap()),
        "customerId=7 companyName=NULL address2=Floor 2 lastName=Null"
    );
    insta::assert_snapshot!(
        [
            refused(&zap, &record("null", "\"NULL\"")),
            found("update_customer", "    map: { customerId: { $clear: true }, companyName: \"NULL\", city: { $clear: false }, state: { $clear: true, x: 1 } }\n"),
            found("create_lead", "    map: { campaignId: 1, firstName: a, lastName: b, emailAddress: { $clear: true }, phoneNumber: [{ $clear: true }] }\n"),
        ]
        .join("\n--\n"),
        @r"
        actions[0].map.lastName: `lastName` is the text `NULL`, which the CRM takes for an order to empty the field | write `$clear: true` where it is to be emptied, and another text where it is meant
        --
        7:26 ZR0807 `customerId` is needed, and cannot be emptied | write its value
        7:55 ZR0808 `companyName` is the text `NULL`, which the CRM takes for an order to empty the field | write `$clear: true` where it is to be emptied, and another text where it is meant
        7:71 ZR0705 `$clear` is true, or not there | `zaprun reference mapping` shows where each `$` key stands; `$$` writes a `$`
        7:111 ZR0705 `x` cannot stand beside `$clear` | `zaprun reference mapping` shows where each `$` key stands; `$$` writes a `$`
        --
        7:70 ZR0807 create_lead cannot empty `emailAddress` | leave the parameter out; only update_customer empties fields
        7:102 ZR0703 `$clear` has no meaning here | it clears a field of the CRM; write null to send a null
        "
    );
}

const SALE: &str = r#"
    map:
      campaignId: 12
      paySource: PREPAID
      product1_id: 15271
      product1_qty: 2
      product1_price: 19.90
      firstName: $.firstName
      lastName: $.lastName
      emailAddress: Ada@Example.test
      phoneNumber: "5555550100"
      address1: 1 Sample Street
      city: Springfield
      state: NY
      country: us
      postalCode: 10001
      billShipSame: true
      salesTax: 1.50
      custom1: "{{ record.custom1 }}"
"#;
const BUYER: &str = r#"{"firstName":"Ada","lastName":"Example","custom1":"123456789012345678901234567890+"}"#;

#[test]
fn a_new_sale_imports_its_lead_first() {
    let zap = write("create_sale", SALE);
    let sale = sent(&zap, BUYER).unwrap();
    assert_eq!((sale.repeat, sale.endpoint.path), (Repeat::Never, "order/import"));
    assert_eq!(sale.param("country"), Some("US"));
    assert_eq!(sale.param("product1_price"), Some("19.90"));
    assert_eq!(sale.serials, ["crm 12 ada@example.test"]);
    let lead = sale.lead.unwrap();
    assert_eq!(
        params(&lead),
        "campaignId=12 product1_id=15271 product1_qty=2 product1_price=19.90 firstName=Ada lastName=Example emailAddress=Ada@Example.test phoneNumber=5555550100 address1=1 Sample Street city=Springfield state=NY country=US postalCode=10001 billShipSame=1"
    );
    assert_eq!((lead.endpoint.path, lead.repeat), ("leads/import", Repeat::LookFirst));
    assert_eq!(lead.serials, sale.serials);
    assert_ne!(lead.idempotency_key, sale.idempotency_key);
}

/// While it is open, an order of the same buyer may be what it makes.
#[test]
fn a_lead_goes_by_its_buyer_too() {
    let map = "campaignId: 12, firstName: $.firstName, lastName: Doe, emailAddress: Ada@Example.test";
    let request = |map: &str| sent(&write("create_lead", &format!("    map: {{ {map} }}\n")), BUYER).unwrap();
    let lead = request(map);
    assert_eq!((lead.repeat, lead.serials), (Repeat::LookFirst, vec!["crm 12 ada@example.test".to_owned()]));
    let by_phone = request(&map.replace("emailAddress: Ada@Example.test", "phoneNumber: \"5555550100\""));
    assert_eq!(by_phone.serials, [""; 0]);
}

#[test]
fn a_sale_goes_without_a_lead_where_there_is_one_or_none_is_wanted() {
    let lead = |zap: &Zap| sent(zap, BUYER).unwrap().lead;
    assert!(lead(&write("create_sale", &format!("    lead_first: never\n{SALE}"))).is_none());
    assert!(lead(&write("create_sale", &format!("    lead_first: auto\n{SALE}"))).is_some());
    let known = write("create_sale", &format!("{SALE}      orderId: D6C8C390A7\n"));
    assert!(lead(&known).is_none());
    let on_file = write(
        "create_sale",
        "    map: { campaignId: 12, paySource: ACCTONFILE, customerId: 7, product1_id: 9 }\n",
    );
    let sale = sent(&on_file, BUYER).unwrap();
    assert!(sale.lead.is_none());
    assert_eq!(sale.serials, ["crm customerId 7"]);
}

#[test]
fn the_key_travels_in_a_custom_field() {
    let zap = write("create_sale", &format!("    correlate_in: custom5\n    settle_after: 30m\n{SALE}"));
    let sale = sent(&zap, BUYER).unwrap();
    assert_eq!(sale.param("custom5"), Some(sale.idempotency_key.as_str()));
    assert_eq!(sale.correlate_in.as_deref(), Some("custom5"));
    assert_eq!(sale.settle_after.as_secs(), 1800);
    assert_eq!(sale.lead.unwrap().param("custom5"), None);
}

#[test]
fn values_decide_what_may_be_repeated() {
    let cancel = write(
        "cancel_order",
        "    map: { orderId: $.orderId, cancelReason: asked, fullRefund: \"{{ record.hasUpsell }}\" }\n",
    );
    let with = |refund| sent(&cancel, &format!(r#"{{"orderId":"8DF9","hasUpsell":{refund}}}"#)).unwrap();
    assert_eq!((with(true).repeat, with(true).serials), (Repeat::Never, vec!["crm orderId 8DF9".to_owned()]));
    assert_eq!((with(false).repeat, with(false).serials), (Repeat::LookFirst, Vec::new()));
}

#[test]
fn options_that_have_no_meaning_are_found() {
    let found = [
        found(
            "cancel_order",
            "    lead_first: never\n    correlate_in: custom1\n    map: { orderId: a, cancelReason: b }\n",
        ),
        found("create_sale", &format!("    correlate_in: custom1\n    on_uncertain: retry\n{SALE}")),
        found("update_customer", "    settle_after: 5m\n    map: { customerId: 7 }\n"),
        found(
            "cancel_order",
            "    on_uncertain: retry\n    map: { orderId: a, cancelReason: b, fullRefund: true }\n",
        ),
        found("cancel_order", "    on_uncertain: retry\n    map: { orderId: a, cancelReason: b }\n"),
        found("qa_order", "    on_uncertain: retry\n    map: { orderId: a, action: DECLINE }\n"),
    ];
    insta::assert_snapshot!(found.join("\n--\n"), @r#"
        7:5 ZR0210 `lead_first` says nothing about cancel_order | remove it: it belongs to create_sale
        8:5 ZR0210 `correlate_in` says nothing about cancel_order | remove it: it belongs to create_sale
        --
        7:5 ZR0209 `custom1` is in `map` already, and `correlate_in` would overwrite it | choose a custom field that is free
        8:5 ZR0809 create_sale moves money here, so it is never repeated without proof | remove `on_uncertain: retry`: the CRM is looked at, and what stays unclear waits for a person
        27:20 ZR0411 `record.custom1` is null in some rows, and the run is given up then | write `record.custom1 | default('')`, or let only those pass that have it: `filter: "{{ record.custom1 is defined }}"`
        --
        7:5 ZR0210 `settle_after` says nothing about update_customer, which can be repeated | remove it
        --
        7:5 ZR0809 cancel_order moves money here, so it is never repeated without proof | remove `on_uncertain: retry`: the CRM is looked at, and what stays unclear waits for a person
        --

        --
        "#);
}

#[test]
fn later_steps_see_the_ids_of_an_answer() {
    let body = |expression: &str| {
        format!(
            "{}\n  - {{ id: tell, type: http, connection: sink, json: {{ a: \"{{{{ {expression} }}}}\" }} }}\n",
            step("create_lead", "    map: { campaignId: 12, firstName: a, lastName: b, phoneNumber: c }")
        )
    };
    let zap = zap(&body("steps.send.response.orderId ~ steps.send.response.message.orderStatus"));
    assert!(zap.actions[0].reads_response());
    let mut scope = scope(&zap, "{}");
    scope.set_step(
        "send",
        StepFacts {
            outcome: "done",
            response: Some(br#"{"result":"SUCCESS","message":{"orderStatus":"PARTIAL"},"orderId":"D6"}"#),
            element: None,
        },
    );
    let Plan::One(request) = zap.actions[1].plan(&scope).unwrap() else { panic!("one") };
    assert_eq!(super::body(request.http().unwrap()), r#"{"a":"D6PARTIAL"}"#);
    assert_eq!(
        findings(&body("steps.send.response.orderid")).join("\n"),
        "8:62 ZR0404 `steps.send.response` has no field `orderid` | did you mean `orderId`?"
    );
    assert_eq!(findings(&body("steps.send.response.status")).len(), 1);
}

#[test]
fn each_element_is_written_under_its_own_key() {
    let zap = zap(
        "actions:\n  - id: stop\n    type: konnektive.cancel_purchase\n    connection: crm\n    each: $.items\n    as: line\n    when: \"{{ line.purchaseId is not none }}\"\n    map: { purchaseId: \"{{ line.purchaseId }}\", cancelReason: chargeback }",
    );
    let scope =
        scope(&zap, r#"{"items":{"1":{"purchaseId":"A"},"2":{"purchaseId":null},"3":{"purchaseId":"B"}}}"#);
    let Plan::Each(requests) = zap.actions[0].plan(&scope).unwrap() else { panic!("each") };
    let sent: Vec<(&str, &str)> = requests
        .iter()
        .map(|(key, request)| match request {
            Request::Crm(request) => (key.as_str(), request.param("purchaseId").unwrap()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sent, [("1", "A"), ("3", "B")]);
}

proptest! {
    /// Whatever a record holds, a write is refused or keeps to its description; and it is always the same.
    #[test]
    fn every_write_keeps_to_its_description(
        first in "\\PC{0,60}", country in "[a-zA-Z]{0,3}", email in "[a-z@. ]{0,12}", amount in "-?[0-9]{1,4}(\\.[0-9]{1,3})?",
        digits in "[0-9 -]{0,24}",
    ) {
        let zap = write(
            "create_sale",
            "    map: { campaignId: 12, orderId: $.orderId, product1_id: 9, product1_price: $.price, firstName: $.firstName, lastName: $.lastName, emailAddress: $.emailAddress, country: $.country, billShipSame: 1, custom1: $.custom1 }\n",
        );
        let record = serde_json::json!({
            "orderId": "D6", "firstName": first, "lastName": digits, "emailAddress": email, "country": country,
            "price": amount, "custom1": digits,
        })
        .to_string();
        let once = sent(&zap, &record);
        let again = sent(&zap, &record);
        prop_assert_eq!(once.as_ref().ok(), again.as_ref().ok());
        let Ok(request) = once else { return Ok(()) };
        for (name, value) in &request.params {
            let param = request.endpoint.param(name).unwrap();
            prop_assert!(param.max.is_none_or(|max| value.chars().count() <= max), "{}", name);
            prop_assert_eq!(crate::card::in_text(value), None);
        }
        prop_assert!(country.is_empty() || request.param("country").unwrap() == country.to_uppercase());
    }
}
