//! Orders as `order/query` gives them (contract §3.1): 78 members, about 2.2 KB, `items` an object.
//!
//! The same index gives the same order, so that every run measures the same input.

use std::fmt::Write;

use fastrand::Rng;
use jiff::civil::{Date, Time};

/// The id of the first order. Ids are ten digits, which are hexadecimal digits too.
pub const FIRST_ID: u64 = 1_000_000_000;

const SEED: u64 = 0x5A41_5052;
const SECONDS_OF_A_DAY: u64 = 86_400;

const PEOPLE: [(&str, &str); 8] = [
    ("Ada", "Keller"),
    ("Bruno", "O'Hara"),
    ("Chloé", "Moreau"),
    ("Dmitri", "Novak"),
    ("Esra", "Yıldız"),
    ("Frank \"Finn\"", "Baker"),
    ("Grace", "Oduya"),
    ("Hugo", "Lindqvist"),
];
const PLACES: [(&str, &str, &str, &str); 5] = [
    ("Portland", "OR", "US", "97201"),
    ("Albany", "NY", "US", "12207"),
    ("Québec", "QC", "CA", "G1R 4P5"),
    ("Boulder", "CO", "US", "80302"),
    ("Savannah", "GA", "US", "31401"),
];
const PRODUCTS: [&str; 5] =
    ["Trail Mix 12 pack", "Night Cream 50 ml", "Desk Lamp \"Arc\"", "Yoga Mat", "Green Tea 1/4 lb"];

/// The order of an index, as JSON, made at a given second of a day.
pub fn order(index: u64, day: Date, second: u64) -> String {
    let mut rng = Rng::with_seed(SEED ^ index);
    let at = local(day, second);
    let (items, cents) = items(&mut rng);
    let mut json = Members::new();
    head(&mut json, index, &at, cents);
    buyer(&mut json, &mut rng, index);
    payment(&mut json, &mut rng, cents);
    tracking(&mut json, &mut rng);
    json.raw("items", &items);
    json.end()
}

/// So many orders, spread evenly over one day.
pub fn orders(count: u64, day: Date) -> impl Iterator<Item = String> {
    (0..count).map(move |index| order(index, day, index * SECONDS_OF_A_DAY / count))
}

fn local(day: Date, second: u64) -> String {
    let part = |value: u64| i8::try_from(value).unwrap_or_default();
    let second = second % SECONDS_OF_A_DAY;
    let time = Time::new(part(second / 3_600), part(second / 60 % 60), part(second % 60), 0);
    format!("{day} {}", time.unwrap_or_default())
}

fn head(json: &mut Members, index: u64, at: &str, cents: u64) {
    let id = (FIRST_ID + index).to_string();
    json.text("orderId", &id);
    json.raw("actualOrderId", &(40_000 + index).to_string());
    json.text("clientOrderId", &id);
    json.text("shipCarrier", "Default");
    json.text("shipMethod", "Ground");
    json.text("dateCreated", at);
    json.text("dateUpdated", at);
    json.text("orderType", "NEW_SALE");
    json.text("orderStatus", "COMPLETE");
    json.text("reviewStatus", "APPROVED");
    json.text("totalAmount", &money(cents));
    json.text("refundRemaining", &money(cents));
    json.text("campaignName", "Spring Funnel");
    json.text("campaignCategoryName", "Household");
    json.raw("customerId", &(19_000 + index).to_string());
}

fn buyer(json: &mut Members, rng: &mut Rng, index: u64) {
    let (first, last) = PEOPLE[rng.usize(..PEOPLE.len())];
    let (city, state, country, postal) = PLACES[rng.usize(..PLACES.len())];
    let street = format!("{} Orchard Street", rng.u32(1..2_000));
    json.text("name", &format!("{first} {last}"));
    json.text("emailAddress", &format!("Buyer.{index}@Example.test"));
    json.text("phoneNumber", &format!("555{:07}", rng.u32(..10_000_000)));
    json.text("firstName", first);
    json.text("lastName", last);
    json.null("companyName");
    for (name, value) in [("address1", street.as_str()), ("city", city), ("state", state)] {
        json.text(name, value);
    }
    json.null("address2");
    json.text("country", country);
    json.text("postalCode", postal);
    json.text("shipFirstName", first);
    json.text("shipLastName", last);
    json.null("shipCompanyName");
    json.text("shipAddress1", &street);
    json.null("shipAddress2");
    json.text("shipCity", city);
    json.text("shipState", state);
    json.text("shipCountry", country);
    json.text("shipPostalCode", postal);
    json.text("ipAddress", &format!("203.0.113.{}", rng.u8(1..)));
}

fn payment(json: &mut Members, rng: &mut Rng, cents: u64) {
    json.text("paySource", "CREDITCARD");
    json.null("prepaidType");
    json.text("cardType", "VISA");
    json.text("cardLast4", &format!("{:04}", rng.u32(..10_000)));
    json.text("cardExpiryDate", "2030-12-31 23:59:59");
    json.raw("cardIsPrepaid", "0");
    json.raw("cardIsDebit", "1");
    json.text("avsResponse", "Y");
    json.text("cvvResponse", "M");
    json.null("couponCode");
    json.raw("agentUserId", "216626");
    json.text("agentName", "api_user");
    json.text("price", &money(cents));
    for name in ["baseShipping", "discountPrice", "salesTax", "shipUpcharge", "totalDiscount"] {
        json.text(name, "0.00");
    }
    json.text("productCost", &money(cents / 4));
    json.text("shippingCost", "4.10");
    json.null("surcharge");
    json.raw("isDeclineSave", "0");
    json.text("currencySymbol", "$");
    json.text("currencyCode", "USD");
}

fn tracking(json: &mut Members, rng: &mut Rng) {
    let source = rng.u32(1..60).to_string();
    json.text("sourceId", &source);
    json.text("sourceTitle", &format!("Partner {source}"));
    json.text("affId", &format!("AF{source:0>4}"));
    json.text("sourceValue1", &format!("click-{:016x}", rng.u64(..)));
    for name in ["sourceValue2", "sourceValue3", "custom1", "custom2", "custom3", "UTMContent"] {
        json.null(name);
    }
    json.text("salesUrl", "https://shop.example.test/checkout?step=2");
    json.raw("campaignId", &rng.u32(400..480).to_string());
    for (name, value) in [("UTMSource", "newsletter"), ("UTMMedium", "email"), ("UTMCampaign", "spring")] {
        json.text(name, value);
    }
    json.raw("hasUpsell", "false");
}

/// The items and what they cost together, in cents.
fn items(rng: &mut Rng) -> (String, u64) {
    let mut json = Members::new();
    let mut sum = 0;
    for number in 0..rng.u64(1..=3) {
        let product = rng.usize(..PRODUCTS.len());
        let id = (15_000 + product as u64 * 10 + number).to_string();
        let (qty, cents) = (rng.u64(1..=4), rng.u64(495..9_995));
        sum += qty * cents;
        let mut item = Members::new();
        item.raw("productId", &id);
        item.text("name", PRODUCTS[product]);
        item.text("productSku", &format!("SKU-{id}"));
        item.raw("qty", &qty.to_string());
        item.raw("price", &money(cents));
        item.raw("shipping", "0");
        item.text("purchaseStatus", "ACTIVE");
        item.text("nextBillDate", "2026-12-16");
        item.text("productType", "OFFER");
        json.raw(&id, &item.end());
    }
    (json.end(), sum)
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A JSON object as it is written.
struct Members(String);

impl Members {
    fn new() -> Self {
        Members("{".to_owned())
    }

    fn raw(&mut self, name: &str, json: &str) {
        let comma = if self.0.len() > 1 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{comma}\"{name}\":{json}");
    }

    fn text(&mut self, name: &str, text: &str) {
        self.raw(name, &serde_json::Value::from(text).to_string());
    }

    fn null(&mut self, name: &str) {
        self.raw(name, "null");
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

    use jiff::civil::date;
    use serde_json::Value;
    use zaprun_core::record::ORDER;

    use super::*;

    const DAY: Date = date(2026, 10, 3);

    #[test]
    fn an_order_has_78_members_that_the_crm_knows() {
        for json in orders(200, DAY) {
            let order: Value = serde_json::from_str(&json).unwrap();
            let members = order.as_object().unwrap();
            assert_eq!(members.len(), 78);
            for name in members.keys() {
                assert!(ORDER.fields.iter().any(|field| field.name == name), "{name}");
            }
        }
    }

    #[test]
    fn orders_have_the_size_that_figures_are_quoted_for() {
        let bytes: usize = orders(1_000, DAY).map(|order| order.len()).sum();
        assert!((2_150..2_250).contains(&(bytes / 1_000)), "{}", bytes / 1_000);
    }

    #[test]
    fn an_index_gives_the_same_order_again_and_ids_differ() {
        assert!(orders(50, DAY).eq(orders(50, DAY)));
        let ids: std::collections::HashSet<Value> = orders(1_000, DAY)
            .map(|json| serde_json::from_str::<Value>(&json).unwrap()["orderId"].clone())
            .collect();
        assert_eq!(ids.len(), 1_000);
    }

    #[test]
    fn a_day_is_filled_in_order() {
        let times: Vec<String> = orders(1_000, DAY)
            .map(|json| serde_json::from_str::<Value>(&json).unwrap()["dateCreated"].as_str().unwrap().into())
            .collect();
        assert!(times.is_sorted());
        assert_eq!(times[0], "2026-10-03 00:00:00");
        assert_eq!(times[999], "2026-10-03 23:58:33");
    }
}
