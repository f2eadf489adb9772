//! Rows of order/query (contract §3.1), in the order of the recorded samples.

use serde_json::{Map, Value, json};

use super::fulfillments::packed;
use crate::clock::stamp;
use crate::config::{ItemsForm, Shape};
use crate::crm::variety::{Row, Variety};
use crate::money::Money;
use crate::state::{Address, Fulfillment, Line, Order, OrderStatus, ResponseType, catalog};

/// How rows are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) shape: Shape,
    pub(crate) items: ItemsForm,
    pub(crate) variety: Variety,
}

/// Fields that 2016 did not have yet.
const SINCE_2016: &[&str] = &[
    "actualOrderId",
    "externalOrderId",
    "refundRemaining",
    "avsResponse",
    "cvvResponse",
    "campaignCategoryName",
    "prepaidType",
    "cardIsPrepaid",
    "cardIsDebit",
    "agentName",
    "surcharge",
    "sourceTitle",
    "salesUrl",
    "currencyCode",
    "productCost",
    "shippingCost",
    "custom1",
    "custom2",
    "custom3",
    "custom4",
    "custom5",
    "UTMSource",
    "UTMMedium",
    "UTMCampaign",
    "UTMTerm",
    "UTMContent",
    "hasUpsell",
];

pub(crate) const SOURCE_VALUES: &[&str] =
    &["sourceValue1", "sourceValue2", "sourceValue3", "sourceValue4", "sourceValue5"];
pub(crate) const CUSTOM: &[&str] = &["custom1", "custom2", "custom3", "custom4", "custom5"];
pub(crate) const UTM: &[&str] = &["UTMSource", "UTMMedium", "UTMCampaign", "UTMTerm", "UTMContent"];

/// The API user, as replies name it.
pub(crate) const AGENT_ID: u64 = 216_626;
pub(super) const AGENT_NAME: &str = "api_user";

/// One row; `customFields` is added when asked for.
pub(crate) fn order_row(order: &Order, style: Style, custom_fields: bool) -> Value {
    let mut row = Row::default();
    heading(&mut row, order, style.variety);
    buyer(&mut row, order);
    payment(&mut row, order, style);
    money(&mut row, order, style.variety);
    origin(&mut row, order, style.variety);
    row.put("items", items(order, style));
    let parcels: Vec<Value> = order.fulfillments.iter().map(|parcel| fulfillment(order, parcel)).collect();
    row.put("fulfillments", parcels);
    if custom_fields {
        row.put("customFields", custom(order));
    }
    let mut row = row.0;
    if style.shape == Shape::Y2016 {
        row.retain(|key, _| !SINCE_2016.contains(&key.as_str()));
    }
    order.patch.apply(&mut row);
    Value::Object(row)
}

fn heading(row: &mut Row, order: &Order, variety: Variety) {
    let campaign = catalog::campaign(order.campaign_id);
    row.put("orderId", order.order_id.as_str())
        .put("actualOrderId", order.actual_order_id)
        .put("externalOrderId", Value::Null)
        .put("clientOrderId", order.order_id.as_str())
        .put("shipCarrier", "Default")
        .put("shipMethod", Value::Null)
        .put("dateCreated", stamp(order.created))
        .put("dateUpdated", stamp(order.updated))
        .put("orderType", order.order_type.as_str())
        .put("orderStatus", order.status.as_str())
        .put("reviewStatus", order.review.map(crate::state::ReviewStatus::as_str))
        .put("totalAmount", order.total().to_string())
        .put("refundRemaining", order.refundable().to_string())
        .nulls(&["avsResponse", "cvvResponse"])
        .put("campaignName", catalog::campaign_name(order.campaign_id))
        .text("campaignCategoryName", campaign.map_or("", |found| found.category))
        .put("customerId", variety.number(order.actual_order_id, "customerId", order.customer_id.into()));
}

fn buyer(row: &mut Row, order: &Order) {
    let bill = &order.buyer.bill;
    row.put("name", format!("{} {}", bill.first_name, bill.last_name).trim())
        .text("emailAddress", &order.buyer.email)
        .text("phoneNumber", &order.buyer.phone);
    address(row, bill);
    ship_address(row, &order.buyer.ship);
}

pub(crate) fn address(row: &mut Row, bill: &Address) {
    row.text("firstName", &bill.first_name)
        .text("lastName", &bill.last_name)
        .text("companyName", &bill.company_name)
        .text("address1", &bill.address1)
        .text("address2", &bill.address2)
        .text("city", &bill.city)
        .text("state", &bill.state)
        .text("country", &bill.country)
        .text("postalCode", &bill.postal_code);
}

pub(crate) fn ship_address(row: &mut Row, ship: &Address) {
    row.text("shipFirstName", &ship.first_name)
        .text("shipLastName", &ship.last_name)
        .text("shipCompanyName", &ship.company_name)
        .text("shipAddress1", &ship.address1)
        .text("shipAddress2", &ship.address2)
        .text("shipCity", &ship.city)
        .text("shipState", &ship.state)
        .text("shipCountry", &ship.country)
        .text("shipPostalCode", &ship.postal_code);
}

fn payment(row: &mut Row, order: &Order, style: Style) {
    let card = order.payment.as_ref().and_then(|payment| payment.card.as_ref());
    let expiry = card.map(|card| card_expiry(card.year, card.month, style.shape)).unwrap_or_default();
    let flag = |name| style.variety.number(order.actual_order_id, name, 0.into());
    row.text("paySource", order.payment.as_ref().map_or("", |payment| payment.source.as_str()))
        .put("prepaidType", Value::Null)
        .text("cardType", card.map_or("", |card| card.kind.as_str()))
        .text("cardLast4", card.map_or("", |card| card.last4.as_str()))
        .text("cardExpiryDate", &expiry)
        .put("cardIsPrepaid", flag("cardIsPrepaid"))
        .put("cardIsDebit", flag("cardIsDebit"))
        .nulls(&["achRoutingNumber", "achAccountNumber"])
        .text("couponCode", order.extra("couponCode"))
        .put("agentUserId", AGENT_ID)
        .put("agentName", AGENT_NAME);
}

/// The last second (2016: the first) of the month's last day.
pub(super) fn card_expiry(year: i16, month: i8, shape: Shape) -> String {
    let time = if shape == Shape::Y2016 { "00:00:00" } else { "23:59:59" };
    match jiff::civil::Date::new(year, month, 1) {
        Ok(first) => format!("{} {time}", first.last_of_month()),
        Err(_) => String::new(),
    }
}

fn money(row: &mut Row, order: &Order, variety: Variety) {
    let price: Money = order.lines.iter().map(Line::total).sum();
    let surcharge = if variety.odd(order.actual_order_id, "surcharge") { json!("0.00") } else { Value::Null };
    row.put("price", price.to_string())
        .put("baseShipping", order.shipping().to_string())
        .put("voiceLogNumber", Value::Null)
        .put("discountPrice", order.discount.to_string())
        .put("salesTax", order.tax.to_string())
        .put("surcharge", surcharge)
        .put("shipUpcharge", "0.00")
        .put("shipProfileId", Value::Null)
        .put("isDeclineSave", variety.number(order.actual_order_id, "isDeclineSave", 0.into()));
}

fn origin(row: &mut Row, order: &Order, variety: Variety) {
    let extra = |name: &str| order.extra(name);
    row.text("ipAddress", &order.buyer.ip)
        .texts(&["sourceId", "sourceTitle", "affId"], extra)
        .texts(SOURCE_VALUES, extra)
        .text("salesUrl", order.extra("salesUrl"))
        .put("currencySymbol", "$")
        .put("currencyCode", "USD")
        .put("campaignId", variety.number(order.actual_order_id, "campaignId", order.campaign_id.into()))
        .put("totalDiscount", order.discount.to_string())
        .put("productCost", "0.00")
        .put("shippingCost", "0.00")
        .texts(CUSTOM, extra)
        .texts(UTM, extra)
        .put("hasUpsell", order.lines.iter().any(|line| line.product_type == "UPSALE"));
}

fn custom(order: &Order) -> Value {
    let named = order.extra.iter().filter_map(|(key, value)| Some((key.strip_prefix("custom_")?, value)));
    Value::Object(named.map(|(key, value)| (key.to_owned(), json!(value))).collect())
}

fn items(order: &Order, style: Style) -> Value {
    let row = order.actual_order_id;
    let list = match style.items {
        ItemsForm::Map => false,
        ItemsForm::List => true,
        ItemsForm::Seeded => style.variety.odd(row, "items"),
    };
    // PHP writes an empty map as a list.
    if list || order.lines.is_empty() {
        return order.lines.iter().map(|line| item(order, line, style)).collect();
    }
    let keyed = order.lines.iter().map(|line| (line.product_id.to_string(), item(order, line, style)));
    Value::Object(keyed.collect::<Map<String, Value>>())
}

fn item(order: &Order, line: &Line, style: Style) -> Value {
    let numbers = Numbers { row: order.actual_order_id ^ line.order_item_id, style };
    let mut item = Row::default();
    item.put("productId", numbers.whole("productId", line.product_id))
        .put("transactionItemId", line.transaction_item_id.to_string())
        .put("name", line.name.as_str())
        .put("variantDetailId", "")
        .put("variantName", "")
        .put("merchantId", "53")
        .put("productDescription", format!("{} ({})", line.name, line.product_id))
        .put("clientId", "")
        .put("externalProductId", "")
        .put("qty", numbers.whole("qty", line.qty.into()))
        .put("shipping", numbers.money("shipping", line.shipping))
        .put("price", numbers.money("price", line.price))
        .put("purchaseId", line.purchase_id.as_str())
        .put("purchaseStatus", line.purchase_status.map_or("", crate::state::PurchaseStatus::as_str))
        .put("lastCancellationDate", line.cancelled.map(stamp).unwrap_or_default())
        .put("txnType", line.txn_type.map_or("", crate::state::TxnType::as_str))
        .put("detailedStatus", "")
        .put("nextBillDate", line.next_bill.map(|day| day.to_string()).unwrap_or_default())
        .put("cancelAfterDate", "")
        .put("productType", line.product_type.as_str())
        .put("orderItemId", numbers.whole("orderItemId", line.order_item_id))
        .put("currentProduct", line.name.as_str())
        .put("currentPrice", line.price.to_string())
        .put("currentProductId", line.product_id.to_string())
        .put("currentVariantDetailId", "")
        .put("actualProductId", line.actual_product_id.to_string())
        .put("currentQty", line.qty.to_string())
        .put("clubPluginId", "")
        .put("pauseScheduled", numbers.whole("pauseScheduled", 0))
        .put(
            "cancellationScheduled",
            numbers.whole("cancellationScheduled", line.cancellation_scheduled.into()),
        )
        .put("salesTax", numbers.money("salesTax", Money::ZERO))
        .put("productSku", line.sku.as_str())
        .put("replacedByOrderItemId", line.replaced_by.map(|id| id.to_string()).unwrap_or_default())
        .put("responseType", item_response(order));
    Value::Object(item.0)
}

fn item_response(order: &Order) -> &'static str {
    if order.status == OrderStatus::Partial { "" } else { ResponseType::Success.as_str() }
}

/// Numbers of an item: numbers in 2026 but for the odd string, strings before.
struct Numbers {
    row: u64,
    style: Style,
}

impl Numbers {
    fn whole(&self, field: &str, number: u64) -> Value {
        self.number(field, number.into())
    }

    fn money(&self, field: &str, amount: Money) -> Value {
        if self.as_text(field) { json!(amount.to_string()) } else { amount.to_number() }
    }

    fn number(&self, field: &str, number: Value) -> Value {
        if self.as_text(field) { json!(number.to_string()) } else { number }
    }

    fn as_text(&self, field: &str) -> bool {
        self.style.shape != Shape::Y2026 || self.style.variety.odd(self.row, field)
    }
}

fn fulfillment(order: &Order, parcel: &Fulfillment) -> Value {
    let mut row = Row::default();
    row.put("fulfillmentId", parcel.fulfillment_id)
        .put("fulfillmentHouseId", Value::Null)
        .put("company", "System Fulfillment")
        .put("clientFulfillmentId", parcel.client_fulfillment_id.as_str())
        .text("trackingNumber", &parcel.tracking_number)
        .put("dateShipped", parcel.shipped.map(stamp))
        .put("dateDelivered", parcel.delivered.map(stamp))
        .put("shipCarrier", carrier(parcel))
        .text("shipMethod", &parcel.method)
        .put("responseText", Value::Null)
        .put("status", parcel.status.as_str())
        .put("dateReturned", parcel.returned.map(stamp))
        .text("rmaNumber", &parcel.rma_number);
    let items: Vec<Value> =
        packed(order, parcel).map(|(id, line)| fulfillment_item(line, id, parcel)).collect();
    row.put("items", items).put("dateCreated", stamp(parcel.created));
    Value::Object(row.0)
}

/// `shipCarrier` as rows have it.
pub(super) fn carrier(parcel: &Fulfillment) -> &str {
    if parcel.carrier.is_empty() { "Default" } else { &parcel.carrier }
}

fn fulfillment_item(line: &Line, id: u64, parcel: &Fulfillment) -> Value {
    json!({
        "fulfillmentItemId": id.to_string(),
        "name": line.name,
        "sku": line.sku,
        "purchaseId": line.purchase_id,
        "qty": line.qty.to_string(),
        "status": parcel.status.as_str(),
        "productId": line.product_id.to_string(),
        "variantDetailId": "",
        "rmaNumber": parcel.rma_number,
        "shipping": line.shipping.to_string(),
        "price": line.price.to_string(),
        "salesTax": "0.00",
    })
}
