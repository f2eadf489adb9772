//! Look-ups: all rows that match, up to a bound.

use crate::support::{LOGIN, NO_ORDERS, PASSWORD, Seen, Server, reply};
use axum::response::Response;
use jiff::civil::date;
use std::fmt::Write as _;
use zaprun_core::request::FindRequest;
use zaprun_core::trigger::Endpoint;
use zaprun_engine::ports::{CrmWriter, ReadError};

fn find(params: &[(&str, &str)]) -> FindRequest {
    FindRequest {
        connection: "crm".into(),
        endpoint: Endpoint::Transactions,
        params: params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        days: None,
    }
}

fn page(ids: impl IntoIterator<Item = u32>, total: &str) -> Response {
    let mut rows = String::new();
    for id in ids {
        let comma = if rows.is_empty() { "" } else { "," };
        write!(rows, r#"{comma}{{"transactionId":{id},"totalAmount":"19.90"}}"#).unwrap();
    }
    reply(200, format!(r#"{{"result":"SUCCESS","message":{{"totalResults":{total},"data":[{rows}]}}}}"#))
}

fn number(seen: &Seen) -> u32 {
    seen.field("page").unwrap().parse().unwrap()
}

/// Pages of `size` out of so many rows, as the CRM would cut them.
fn pages(rows: u32, size: u32) -> impl Fn(&Seen) -> Option<Response> {
    move |seen| {
        let first = (number(seen) - 1) * size;
        if first >= rows {
            return Some(reply(200, NO_ORDERS));
        }
        Some(page(first..rows.min(first + size), &format!("\"{rows}\"")))
    }
}

#[tokio::test]
async fn the_request_is_as_the_contract_says() {
    let server = Server::answering(|_| Some(reply(200, NO_ORDERS))).await;
    let crm = server.crm();
    let by_id = find(&[
        ("orderId", "8DF962A27F"),
        ("page", "9"),
        ("resultsPerPage", "1"),
        ("loginId", "x"),
        ("password", "x"),
    ]);
    assert_eq!(crm.find(&by_id).await.unwrap(), Vec::<bytes::Bytes>::new());
    let by_days = FindRequest {
        days: Some((date(2026, 3, 8), date(2026, 11, 1))),
        ..find(&[("cardLast4", "1111"), ("startDate", "01/01/2000"), ("dateRangeType", "dateUpdated")])
    };
    assert!(crm.find(&by_days).await.unwrap().is_empty());
    let created = FindRequest { days: Some((date(2026, 9, 1), date(2026, 9, 2))), ..find(&[]) };
    assert!(crm.find(&created).await.unwrap().is_empty());

    let seen = server.seen();
    let form =
        |at: usize| seen[at].form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    let login = [format!("loginId={LOGIN}"), format!("password={PASSWORD}")];
    let paging = ["page=1", "resultsPerPage=200", "sortDir=1"].map(str::to_owned);
    let with = |middle: &[&str]| {
        [&login[..], &middle.iter().map(|&field| field.to_owned()).collect::<Vec<_>>(), &paging[..]].concat()
    };
    assert_eq!(form(0), with(&["orderId=8DF962A27F"]));
    assert_eq!(
        form(1),
        with(&["cardLast4=1111", "dateRangeType=dateUpdated", "startDate=03/08/2026", "endDate=11/01/2026"])
    );
    assert_eq!(form(2), with(&["dateRangeType=dateCreated", "startDate=09/01/2026", "endDate=09/02/2026"]));
    assert_eq!(seen[0].uri, "/crm/transactions/query/");
}

#[tokio::test]
async fn all_pages_are_read_however_the_crm_cuts_them() {
    for (rows, size, asked) in [
        (0, 200, 1),
        (1, 200, 1),
        (199, 200, 1),
        // A full page says nothing of what may follow.
        (200, 200, 2),
        (201, 200, 2),
        (2000, 200, 11),
        // The CRM may not give as many rows a page as were asked for.
        (60, 25, 3),
    ] {
        let server = Server::answering(pages(rows, size)).await;
        let found = server.crm().find(&find(&[])).await.unwrap();
        assert_eq!((found.len(), server.seen().len()), (rows as usize, asked), "{rows} in pages of {size}");
        if rows > 0 {
            assert_eq!(found[0], r#"{"transactionId":0,"totalAmount":"19.90"}"#);
        }
    }
}

#[tokio::test]
async fn too_many_rows_are_an_error_that_says_what_to_do() {
    let server = Server::answering(pages(2001, 200)).await;
    let error = server.crm().find(&find(&[])).await.unwrap_err();
    assert_eq!(error, ReadError::TooMany { most: 2000 });
    assert_eq!(error.to_string(), "more than 2000 rows match; narrow it by an id, a status or fewer days");
    assert_eq!(server.seen().len(), 1, "it is known from the first page");

    // Where the CRM does not announce them.
    let unannounced = |seen: &Seen| {
        let first = (number(seen) - 1) * 200;
        Some(page(first..first + 200, "null"))
    };
    let server = Server::answering(unannounced).await;
    assert_eq!(server.crm().find(&find(&[])).await, Err(ReadError::TooMany { most: 2000 }));
}

#[tokio::test]
async fn rows_that_move_are_read_once_and_missed_ones_are_noticed() {
    // A row came in before the second page, so that the last of the first page comes again.
    let moved =
        |seen: &Seen| Some(if number(seen) == 1 { page(0..200, "250") } else { page(199..250, "251") });
    let found = Server::answering(moved).await.crm().find(&find(&[])).await;
    // 250 of 251 were seen: the new one may be what matters.
    assert_eq!(
        found,
        Err(ReadError::Transport { text: "rows moved while the CRM was read".into(), retry_after: None })
    );
    let moved =
        |seen: &Seen| Some(if number(seen) == 1 { page(0..200, "250") } else { page(199..250, "250") });
    assert_eq!(Server::answering(moved).await.crm().find(&find(&[])).await.unwrap().len(), 250);
    // A CRM that gives the same page for ever.
    let same = |_: &Seen| Some(page(0..200, "400"));
    let server = Server::answering(same).await;
    assert!(matches!(server.crm().find(&find(&[])).await, Err(ReadError::Transport { .. })));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_page_that_fails_fails_the_look_up() {
    let broken =
        |seen: &Seen| Some(if number(seen) == 1 { page(0..200, "300") } else { reply(504, "<html>") });
    let server = Server::answering(broken).await;
    assert!(matches!(server.crm().find(&find(&[])).await, Err(ReadError::Transport { .. })));
    assert_eq!(server.seen().len(), 2, "nothing is retried in here");
}

#[tokio::test]
async fn rows_keep_their_bytes_but_for_secrets() {
    let body = r#"{"result":"SUCCESS","message":{"totalResults":1,"data":[{"customerId":1, "eCommercePassword":"hunter2","note":1.50}]}}"#;
    let server = Server::start(vec![reply(200, body), reply(200, body)]).await;
    let crm = server.crm();
    let customers = FindRequest { endpoint: Endpoint::Customers, ..find(&[("customerId", "1")]) };
    assert_eq!(crm.find(&customers).await.unwrap(), [r#"{"customerId":1,"note":1.50}"#]);
    let orders = FindRequest { endpoint: Endpoint::Orders, ..find(&[("orderId", "1")]) };
    assert_eq!(
        crm.find(&orders).await.unwrap(),
        [r#"{"customerId":1, "eCommercePassword":"hunter2","note":1.50}"#]
    );
}
