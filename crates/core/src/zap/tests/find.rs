//! Look-ups in the CRM.

use super::*;
use crate::request::FindRequest;

fn step(lines: &str) -> String {
    format!("actions:\n  - id: look\n    type: konnektive.query\n    connection: crm\n{lines}")
}

fn asked(zap: &Zap, record: &str) -> Result<FindRequest, MapError> {
    match zap.actions[0].plan(&scope(zap, record))? {
        Plan::One(request) => match *request {
            Request::Find(request) => Ok(request),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn shown(request: &FindRequest) -> String {
    let params: Vec<String> = request.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let days = request.days.map(|(first, last)| format!(" {first}..{last}")).unwrap_or_default();
    format!("{} {}{days}", request.endpoint.path(), params.join(" "))
}

/// The event is of 2026-09-16 14:25:31 in New York.
#[test]
fn days_and_filters_are_written_as_the_crm_takes_them() {
    let ask = |lines: &str, record: &str| asked(&zap(&step(lines)), record).map(|request| shown(&request));
    let record =
        r#"{"orderId":"8DF9","emailAddress":"ada@example.test","custom1":null,"custom2":"2026-09-01"}"#;
    assert_eq!(
        ask("    find: orders\n    by: { orderId: $.orderId }\n", record).unwrap(),
        "order/query orderId=8DF9"
    );
    assert_eq!(
        ask(
            "    find: transactions\n    by: { emailAddress: $.emailAddress, txnType: sale, isChargedback: false }\n    from: \"{{ event.at | date_add('-90d') }}\"\n",
            record
        )
        .unwrap(),
        "transactions/query emailAddress=ada@example.test txnType=SALE isChargedback=0 2026-06-18..2026-09-16"
    );
    assert_eq!(
        ask(
            "    find: customers\n    by: { country: us }\n    from: $.custom2\n    to: 2026-09-05\n",
            record
        )
        .unwrap(),
        "customer/query country=US 2026-09-01..2026-09-05"
    );
    let left_out = "    find: purchases\n    by: { orderId: $.orderId, status: { $if: \"{{ record.custom1 is not none }}\", $then: ACTIVE } }\n";
    assert_eq!(ask(left_out, record).unwrap(), "purchase/query orderId=8DF9");
    let error = |lines: &str| {
        let error = ask(lines, record).unwrap_err();
        let help = error.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{error}{help}")
    };
    insta::assert_snapshot!(
        [
            error("    find: orders\n    by: { orderId: $.custom1 }\n"),
            error("    find: orders\n    by: { orderId: { $if: \"{{ false }}\", $then: x } }\n"),
            error("    find: orders\n    by: { country: US }\n    from: 2026-09-20\n"),
            error("    find: orders\n    by: { country: US }\n    from: $.emailAddress\n"),
            error("    find: orders\n    by: { emailAddress: $.orderId }\n    from: 2026-09-01\n"),
        ]
        .join("\n"),
        @r"
        actions[0].by.orderId: `orderId` is missing, and without it other rows would be found | skip the step with `when:`, or leave the filter out on purpose with `$if`
        actions[0].by: a look-up needs days or one of orderId, customerId | add `from:`
        actions[0].from: the days end on 2026-09-16, before they begin on 2026-09-20 | write `to:` after `from:`
        actions[0].from: a day is wanted here, not another text | write 2026-09-16, or an instant: `{{ event.at | date_add('-90d') }}`
        actions[0].by.emailAddress: `emailAddress` is not an e-mail address
        "
    );
}

#[test]
fn what_the_crm_would_not_understand_is_found() {
    let found = |lines: &str| findings(&step(lines)).join("\n");
    insta::assert_snapshot!(
        [
            found("    find: orders\n    by: { emailAddress: $.emailAddress }\n"),
            found("    find: orders\n    by: { emailAdress: $.emailAddress, startDate: 2026-09-01, page: 2 }\n    from: soon\n"),
            found("    find: transactions\n    by: { orderId: $.orderId, responseType: OK }\n    to: 2026-09-01\n"),
            found("    find: orders\n    by: { orderId: $.orderId }\n    match: \"{{ item.orderStatu == 'COMPLETE' }}\"\n"),
            found("    find: customers\n    by: { customerId: 7 }\n    match: \"{{ item.eCommercePassword == 'x' }}\"\n"),
            found("    find: orders\n    by: { orderId: \"{{ item.purchaseId }}\" }\n    each: $.items\n    match: \"{{ item.totalAmount > 1 }}\"\n"),
            found("    find: leads\n    by: { orderId: x }\n    expect: two\n"),
        ]
        .join("\n--\n"),
        @r#"
        8:5 ZR0810 without days the CRM looks up orders by an id only | add `from:` with the first day, or one of orderId, customerId
        --
        8:11 ZR0801 query takes no `emailAdress` | did you mean `emailAddress`?
        8:40 ZR0801 `startDate` is not a filter | write the days as `from:` and `to:`, beside `by:`
        8:63 ZR0801 `page` is not a filter | remove it: all pages are read
        9:11 ZR0205 `soon` is not a day | write 2026-09-16, or an instant: "{{ event.at | date_add('-90d') }}"
        --
        8:45 ZR0803 `responseType` cannot have this value: `OK` | one of SUCCESS, HARD_DECLINE, SOFT_DECLINE
        9:5 ZR0210 `to` says nothing without `from` | add `from:`
        --
        9:16 ZR0404 `item` has no field `orderStatu` | did you mean `orderStatus`?
        --
        9:16 ZR0404 `item` has no field `eCommercePassword` | it has `customerId`, `firstName`, `lastName`, `companyName`, `address1`, `address2`, `city`, `state`, `country`, `postalCode`, `phoneNumber`, `emailAddress`, `billShipSame`, `shipFirstName` and 43 more
        --
        9:5 ZR0708 in `match`, `item` is the row that was found, not the element of `each` | give the element another name: `as: line`
        --
        7:11 ZR0204 `find` cannot be `leads` | write one of `orders`, `transactions`, `purchases`, `customers`
        9:13 ZR0204 `expect` cannot be `two` | write one of `one`, `any`
        "#
    );
}

fn found(zap: &Zap, rows: &[&str]) -> Result<String, String> {
    let answer = zap.actions[0].found(&scope(zap, r#"{"totalAmount":"19.90"}"#), None, rows);
    answer.map(|json| String::from_utf8(json).unwrap()).map_err(|error| error.to_string())
}

#[test]
fn one_row_is_one_row() {
    let one = zap(&step(
        "    find: transactions\n    by: { orderId: x }\n    match: \"{{ item.totalAmount == record.totalAmount and item.txnType == 'SALE' }}\"\n    expect: one\n",
    ));
    let row = |id: u32, amount: &str| {
        format!(r#"{{"transactionId":{id},"totalAmount":"{amount}","txnType":"SALE"}}"#)
    };
    let rows = [row(1, "19.90"), row(2, "5.00")];
    let answer = found(&one, &[&rows[0], &rows[1]]).unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["total"], 1);
    assert_eq!(answer["row"]["transactionId"], "1");
    assert_eq!(answer["rows"][0], answer["row"]);
    assert_eq!(answer["row"]["refundReason"], serde_json::Value::Null);
    assert_eq!(found(&one, &[&rows[1]]).unwrap_err(), "no transaction was found, and one is expected");
    assert_eq!(
        found(&one, &[&rows[0], &rows[0]]).unwrap_err(),
        "2 transactions were found, and one is expected"
    );
    assert_eq!(
        one.actions[0].found(&scope(&one, r#"{"totalAmount":"19.90"}"#), None, &[&rows[0], &rows[0]]),
        Err(Unfound::Ambiguous { row: "transaction", count: 2 })
    );
    let broken = found(&one, &[r#"{"totalAmount":"n/a"}"#]).unwrap_err();
    assert!(broken.starts_with("actions[0].match: "), "{broken}");
}

#[test]
fn any_number_of_rows_is_fine_unless_they_are_too_many() {
    let any = zap(&step("    find: orders\n    by: { customerId: 7 }\n"));
    assert_eq!(found(&any, &[]).unwrap(), r#"{"rows":[],"row":null,"total":0}"#);
    let two: serde_json::Value =
        serde_json::from_str(&found(&any, &[r#"{"orderId":"A"}"#, r#"{"orderId":"B"}"#]).unwrap()).unwrap();
    assert_eq!((&two["row"], &two["total"]), (&serde_json::Value::Null, &2.into()));
    assert_eq!(two["rows"][1]["orderId"], "B");
    let many = vec!["{}"; 501];
    assert_eq!(
        found(&any, &many).unwrap_err(),
        "501 orders were found, and at most 500 can be used: narrow `by:` or `match:`"
    );
    assert!(found(&any, &["[]"]).unwrap_err().starts_with("actions[0]: the row is not a JSON object"));
}

#[test]
fn secrets_of_a_row_go_nowhere() {
    let any = zap(&step("    find: customers\n    by: { customerId: 7 }\n"));
    let answer = found(
        &any,
        &[r#"{"customerId":7,"eCommerceLogin":"ada","eCommercePassword":"hunter2","paySources":[{"card":"x"}]}"#],
    )
    .unwrap();
    assert!(
        !answer.contains("hunter2") && !answer.contains("eCommerce") && !answer.contains("paySources\""),
        "{answer}"
    );
}

#[test]
fn later_steps_see_the_row_with_its_fields() {
    let body = |expression: &str| {
        format!(
            "{}  - {{ id: tell, type: http, connection: sink, json: {{ a: \"{{{{ {expression} }}}}\" }} }}\n",
            step("    find: orders\n    by: { orderId: x }\n    expect: one\n")
        )
    };
    let zap = zap(&body(
        "steps.look.response.row.totalAmount * 2 if steps.look.response.row.couponCode is none else 0",
    ));
    let mut scope = scope(&zap, "{}");
    let answer = zap.actions[0].found(&scope, None, &[r#"{"orderId":"A","totalAmount":"19.90"}"#]).unwrap();
    scope.set_step("look", StepFacts { outcome: "done", response: Some(&answer), element: None });
    let Plan::One(request) = zap.actions[1].plan(&scope).unwrap() else { panic!("one") };
    assert_eq!(super::body(request.http().unwrap()), r#"{"a":39.80}"#);
    let found = findings(&body("steps.look.response.row.totalAmont"));
    assert!(found[0].ends_with("did you mean `totalAmount`?"), "{found:?}");
    assert_eq!(findings(&body("steps.look.response.rows[0].orderId ~ steps.look.response.total")), [""; 0]);
    assert_eq!(findings(&body("steps.look.response.body")).len(), 1);
}

#[test]
fn under_each_the_row_is_judged_beside_its_element() {
    let zap = zap(&step(
        "    each: $.items\n    as: line\n    find: purchases\n    by: { purchaseId: \"{{ line.purchaseId }}\" }\n    match: \"{{ item.purchaseId == line.purchaseId }}\"\n",
    ));
    let scope = scope(&zap, r#"{"items":{"1":{"purchaseId":"A"},"2":{"purchaseId":"B"}}}"#);
    let total = |element: &str| {
        let answer = zap.actions[0].found(&scope, Some(element), &[r#"{"purchaseId":"A"}"#]).unwrap();
        serde_json::from_slice::<serde_json::Value>(&answer).unwrap()["total"].clone()
    };
    assert_eq!((total("1"), total("2")), (1.into(), 0.into()));
    assert!(zap.actions[0].found(&scope, Some("3"), &["{}"]).is_err());
}
