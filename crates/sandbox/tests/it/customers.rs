//! customer/update, notes, history, the blacklist, and customer/query (contract §3.4, §3.5, §5.5, §5.6).

use jiff::SignedDuration;
use serde_json::{Value, json};
use zaprun_sandbox::state::BlacklistType;

use crate::bed::{Bed, column, rows};
use crate::shop::{BUYER, CARD, complaints, fine, first, id, refused, row};

async fn customer(bed: &Bed, email: &str) -> String {
    let order = bed.control.sale(email).unwrap();
    bed.control.customer_of(&order).unwrap().to_string()
}

async fn update(bed: &Bed, customer: &str, change: &[(&str, &str)]) -> Value {
    bed.call("customer/update", &[&[("customerId", customer)], change].concat()).await
}

async fn shown(bed: &Bed, customer: &str) -> Value {
    first(bed, "customer/query", &[("customerId", customer)]).await
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_null_clears() {
    let bed = Bed::new().await;
    let ada = customer(&bed, "ada@example.test").await;
    let order = bed.control.sale("ada@example.test").unwrap();
    fine(&update(&bed, &ada, &[("companyName", "Ada Ltd"), ("custom3", "gold")]).await);
    let before = shown(&bed, &ada).await;
    assert_eq!((&before["companyName"], &before["custom3"]), (&json!("Ada Ltd"), &json!("gold")));
    bed.clock.advance(SignedDuration::from_mins(1));
    let change =
        [("phoneNumber", "5555550199"), ("companyName", "NULL"), ("custom3", "NULL"), ("shipCity", "")];
    fine(&update(&bed, &ada, &change).await);
    let after = shown(&bed, &ada).await;
    let changed: Vec<&String> = after
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, value)| before[name.as_str()] != **value)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        changed,
        ["companyName", "phoneNumber", "billShipSame", "dateUpdated", "mostRecentActivity", "custom3"]
    );
    assert_eq!((&after["companyName"], &after["shipCity"]), (&Value::Null, &json!("Springfield")));
    assert_eq!(row(&bed, &order).await["phoneNumber"], "5555550100", "orders keep what they were made with");
    fine(&update(&bed, &ada, &[]).await);
}

#[tokio::test]
async fn an_update_is_checked_field_by_field() {
    let bed = Bed::new().await;
    let ada = customer(&bed, "ada@example.test").await;
    assert_eq!(complaints(&bed.call("customer/update", &[]).await), ["customerId"]);
    assert_eq!(complaints(&update(&bed, "ada", &[]).await), ["customerId"]);
    assert_eq!(update(&bed, "1", &[("city", "X")]).await["message"], "Customer not found");
    let long = "x".repeat(256);
    let limits = [
        ("firstName", 30),
        ("lastName", 30),
        ("companyName", 30),
        ("address1", 30),
        ("address2", 30),
        ("city", 30),
        ("shipFirstName", 30),
        ("shipLastName", 30),
        ("shipCompanyName", 30),
        ("shipAddress1", 30),
        ("shipAddress2", 30),
        ("shipCity", 30),
        ("postalCode", 20),
        ("shipPostalCode", 20),
        ("phoneNumber", 20),
        ("emailAddress", 255),
        ("custom1", 50),
        ("custom5", 50),
    ];
    for (name, most) in limits {
        let fits = update(&bed, &ada, &[(name, &long[..most])]).await;
        assert_eq!(fits["result"], "SUCCESS", "{name}");
        assert_eq!(complaints(&update(&bed, &ada, &[(name, &long[..=most])]).await), [name]);
    }
    let places = [("country", "us"), ("shipCountry", "USA"), ("state", "TOOLONG")];
    assert_eq!(complaints(&update(&bed, &ada, &places).await), ["state"], "forms of one group come at once");
    assert_eq!(complaints(&update(&bed, &ada, &places[..2]).await), ["country", "shipCountry"]);
    assert_eq!(
        complaints(&update(&bed, &ada, &[("state", "ON"), ("shipState", "QC")]).await),
        ["shipState", "state"]
    );
    fine(&update(&bed, &ada, &[("state", "ON"), ("country", "CA")]).await);
    assert_eq!(complaints(&update(&bed, &ada, &[("state", "NY")]).await), ["state"]);
    fine(&update(&bed, &ada, &[("state", "NULL"), ("country", "NULL")]).await);
}

#[tokio::test]
async fn a_customer_with_a_new_email_is_still_the_same_one() {
    let bed = Bed::new().await;
    let ada = customer(&bed, "ada@example.test").await;
    fine(&update(&bed, &ada, &[("emailAddress", "ada@new.test")]).await);
    assert_eq!(customer(&bed, "ada@new.test").await, ada);
    assert_ne!(customer(&bed, "ada@example.test").await, ada);
    let again = [BUYER, &[("emailAddress", "ada@new.test"), ("disableCustomerDedup", "1")]].concat();
    let other = id(&bed.call("leads/import", &again).await);
    assert_ne!(bed.control.customer_of(&other).unwrap().to_string(), ada);
}

#[tokio::test]
async fn notes_are_added_each_time_and_shown() {
    let bed = Bed::new().await;
    let ada = customer(&bed, "ada@example.test").await;
    let empty = bed.call("customer/history", &[("customerId", &ada)]).await;
    assert_eq!((&empty["result"], &empty["message"]["totalResults"]), (&json!("SUCCESS"), &json!(0)));
    assert_eq!(complaints(&bed.call("customer/addnote", &[]).await), ["customerId", "message"]);
    let long = "x".repeat(501);
    let note = [("customerId", ada.as_str()), ("message", long.as_str())];
    assert_eq!(complaints(&bed.call("customer/addnote", &note).await), ["message"]);
    let nobody = [("customerId", "1"), ("message", "hello")];
    assert_eq!(bed.call("customer/addnote", &nobody).await["message"], "Customer not found");
    let note = [("customerId", ada.as_str()), ("message", "chargeback: \"fraud\"")];
    fine(&bed.call("customer/addnote", &note).await);
    fine(&bed.call("customer/addnote", &note).await);
    assert_eq!(bed.control.notes(ada.parse().unwrap()), ["chargeback: \"fraud\"", "chargeback: \"fraud\""]);
    let history = bed.call("customer/history", &[("customerId", &ada)]).await;
    assert_eq!(column(&history, "message").len(), 2);
    assert_eq!(column(&bed.today("customer/history", &[]).await, "type"), ["NOTE", "NOTE"]);
    assert_eq!(shown(&bed, &ada).await["notes"].as_array().unwrap().len(), 2);
    let without = first(&bed, "customer/query", &[("customerId", &ada), ("excludeHistory", "1")]).await;
    assert_eq!(without["notes"], json!([]));
}

#[tokio::test]
async fn a_blacklisted_buyer_buys_no_more() {
    let bed = Bed::new().await;
    assert_eq!(complaints(&bed.call("customer/blacklist", &[]).await), ["blacklistType"]);
    let unknown = [("blacklistType", "name"), ("name", "Ada")];
    assert_eq!(complaints(&bed.call("customer/blacklist", &unknown).await), ["blacklistType"]);
    for (kind, _) in BlacklistType::ALL.iter().map(|(kind, word)| (*kind, *word)) {
        let reply = bed.call("customer/blacklist", &[("blacklistType", kind.as_str())]).await;
        assert_eq!(complaints(&reply), [kind.as_str()]);
    }
    let values = [
        ("cardBin", "411111"),
        ("stateCountry", "NY,US"),
        ("emailAddress", "ADA@example.test"),
        ("phoneNumber", "5555550100"),
        ("ipAddress", "203.0.113.10"),
    ];
    for (kind, value) in values {
        let bed = Bed::new().await;
        let more = [("state", "NY"), ("phoneNumber", "5555550100")];
        let sale = [BUYER, CARD, &more].concat();
        let order = id(&bed.call("order/import", &sale).await);
        let customer = bed.control.customer_of(&order).unwrap().to_string();
        assert_eq!(shown(&bed, &customer).await["isBlacklisted"], 0);
        fine(&bed.call("customer/blacklist", &[("blacklistType", kind), (kind, value)]).await);
        assert_eq!(shown(&bed, &customer).await["isBlacklisted"], 1, "{kind}");
        refused(&bed.call("order/import", &sale).await);
        refused(&bed.call("upsale/import", &[("orderId", &order), ("productId", "15272")]).await);
        assert_eq!(bed.control.sales_of("ada@example.test"), [order.as_str()], "{kind}");
        let other = [
            ("emailAddress", "bob@example.test"),
            ("phoneNumber", "5"),
            ("state", "OR"),
            ("ipAddress", "203.0.113.77"),
            ("cardNumber", "5555555555554444"),
        ];
        fine(&bed.call("order/import", &[&sale[..], &other].concat()).await);
        fine(&bed.call("customer/blacklist", &[("blacklistType", kind), (kind, value)]).await);
        assert_eq!(bed.control.with(|state| state.blacklist().len()), 2, "nothing de-duplicates");
    }
    let place = [("blacklistType", "stateCountry"), ("state", "NY"), ("country", "US")];
    fine(&bed.call("customer/blacklist", &place).await);
}

#[tokio::test]
async fn customers_are_found_by_contact_order_and_day() {
    let bed = Bed::new().await;
    let ada = customer(&bed, "ada@example.test").await;
    let grada = customer(&bed, "grada@example.test").await;
    let order = bed.control.sale("ada@example.test").unwrap();
    let find =
        async |params: &[(&str, &str)]| column(&bed.today("customer/query", params).await, "customerId");
    assert_eq!(find(&[]).await, [ada.as_str(), &grada]);
    assert_eq!(find(&[("emailAddress", "ada@example.test")]).await, [ada.as_str(), &grada], "a part will do");
    let exact = [("emailAddress", "ADA@example.test"), ("exactEmailMatch", "1")];
    assert_eq!(find(&exact).await, [ada.as_str()]);
    let by_order = bed.call("customer/query", &[("orderId", &order)]).await;
    assert_eq!(column(&by_order, "customerId"), [ada.as_str()]);
    assert_eq!(find(&[("lastName", "example"), ("customerId", &grada)]).await, [grada.as_str()]);
    assert_eq!(complaints(&bed.call("customer/query", &[]).await), ["endDate", "startDate"]);
    let nobody = bed.call("customer/query", &[("customerId", "1")]).await;
    assert_eq!(nobody["message"], "No customers matching those parameters could be found");

    bed.clock.advance(SignedDuration::from_hours(24));
    bed.control.sale("ada@example.test").unwrap();
    let next = [("startDate", "9/17/2026"), ("endDate", "9/17/2026")];
    let find = async |kind: &str| {
        let query = [&next[..], &[("dateRangeType", kind)]].concat();
        column(&bed.call("customer/query", &query).await, "customerId")
    };
    assert_eq!(find("mostRecentActivity").await, [ada.as_str()]);
    assert_eq!((find("dateCreated").await, find("dateUpdated").await), (Vec::new(), Vec::new()));
    let reply = bed.today("order/query", &[("dateRangeType", "mostRecentActivity")]).await;
    assert_eq!(complaints(&reply), ["dateRangeType"]);
    assert_eq!(rows(&by_order)[0]["paySources"][0]["cardLast4"], "1111");
}
