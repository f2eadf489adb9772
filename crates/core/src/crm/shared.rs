//! Parameters that several endpoints share.

use super::{
    Given, Param, ParamType, ReplyField, Rule,
    describe::{perhaps, reply},
};

/// The buyer and the billing address, as leads/import and order/import take them.
pub(super) const BUYER: &[Param] = &[
    Param::new("firstName", ParamType::Text, "first name").max(50).personal(),
    Param::new("lastName", ParamType::Text, "last name").max(50).personal(),
    Param::new("companyName", ParamType::Text, "company").max(30).personal(),
    Param::new("emailAddress", ParamType::Email, "e-mail address").max(255).personal(),
    Param::new("phoneNumber", ParamType::Phone, "telephone number").max(32).personal(),
    Param::new("address1", ParamType::Text, "billing street").max(30).personal(),
    Param::new("address2", ParamType::Text, "billing address, second line").max(30).personal(),
    Param::new("city", ParamType::Text, "billing city").max(30).personal(),
    Param::new("state", ParamType::Text, "billing state or province, by its code").max(6).personal(),
    Param::new("country", ParamType::Country, "billing country").max(2).personal(),
    Param::new("postalCode", ParamType::Text, "billing postal code").max(20).personal(),
    Param::new("ipAddress", ParamType::Text, "the buyer's address on the network").max(32).personal(),
];

/// Where to ship to.
pub(super) const SHIPPING: &[Param] = &[
    Param::new("billShipSame", ParamType::Flag, "whether the shipping address is the billing address"),
    Param::new("shipFirstName", ParamType::Text, "recipient's first name").max(30).personal(),
    Param::new("shipLastName", ParamType::Text, "recipient's last name").max(30).personal(),
    Param::new("shipCompanyName", ParamType::Text, "recipient's company").max(30).personal(),
    Param::new("shipAddress1", ParamType::Text, "shipping street").max(30).personal(),
    Param::new("shipAddress2", ParamType::Text, "shipping address, second line").max(30).personal(),
    Param::new("shipCity", ParamType::Text, "shipping city").max(30).personal(),
    Param::new("shipState", ParamType::Text, "shipping state or province, by its code").max(6).personal(),
    Param::new("shipCountry", ParamType::Country, "shipping country").max(2).personal(),
    Param::new("shipPostalCode", ParamType::Text, "shipping postal code").max(20).personal(),
];

/// What was bought. `productN_id` is the campaign product's id.
pub(super) const PRODUCTS: &[Param] = &[
    Param::new("productN_id", ParamType::Id, "campaign product, N from 1 without gaps"),
    Param::new("productN_qty", ParamType::Count, "quantity; 1 if not given"),
    Param::new("productN_price", ParamType::Money, "price, instead of the campaign's"),
    Param::new("productN_shipPrice", ParamType::Money, "shipping, instead of the campaign's"),
    Param::new("variantN_id", ParamType::Id, "variant of product N"),
];

/// The rule of [`PRODUCTS`].
pub(super) const NUMBERED: Rule = Rule::Numbered("productN_id");

/// The account's own custom fields.
pub(super) const CUSTOM_FIELDS: &[Param] =
    &[Param::new("custom_*", ParamType::Text, "a custom field of the account, by its safe name").personal()];

/// `custom1` to `custom5`.
pub(super) const fn custom(most: usize) -> [Param; 5] {
    [
        Param::new("custom1", ParamType::Text, "custom value 1").max(most),
        Param::new("custom2", ParamType::Text, "custom value 2").max(most),
        Param::new("custom3", ParamType::Text, "custom value 3").max(most),
        Param::new("custom4", ParamType::Text, "custom value 4").max(most),
        Param::new("custom5", ParamType::Text, "custom value 5").max(most),
    ]
}

/// Where the buyer came from.
pub(super) const TRACKING: &[Param] = &[
    Param::new("sessionId", ParamType::Id, "session of the click that led here").max(32),
    Param::new("affId", ParamType::Id, "affiliate").max(10),
    Param::new("sourceValue1", ParamType::Text, "tracking value 1").max(30),
    Param::new("sourceValue2", ParamType::Text, "tracking value 2").max(30),
    Param::new("sourceValue3", ParamType::Text, "tracking value 3").max(30),
    Param::new("sourceValue4", ParamType::Text, "tracking value 4").max(30),
    Param::new("sourceValue5", ParamType::Text, "tracking value 5").max(30),
    Param::new("couponCode", ParamType::Text, "coupon"),
    Param::new("salesUrl", ParamType::Text, "page of the sale").max(300),
    Param::new(
        "disableCustomerDedup",
        ParamType::Flag,
        "whether to make a new customer although one is known",
    ),
];

/// How much money goes back.
pub(super) const REFUND: &[Param] = &[
    Param::new("refundAmount", ParamType::Money, "amount to give back"),
    Param::new("fullRefund", ParamType::Flag, "whether to give all of it back"),
];

/// The rules of [`REFUND`] where money must go back.
pub(super) const REFUND_RULES: [Rule; 2] =
    [Rule::AnyOf(&["refundAmount", "fullRefund"]), Rule::AtMostOne(&["refundAmount", "fullRefund"])];

/// A cancellation that also gives the money back.
pub(super) const FULL_REFUND: Given = Given::Value("fullRefund", &["1"]);

/// What a sale made.
pub(super) const SALE_REPLY: &[ReplyField] = &[
    reply("orderId", "public id of the order"),
    reply("customerId", "the customer's id"),
    perhaps("purchaseId", "the subscription or line, where there is one only"),
    perhaps("transactionId", "id of the charge, where the CRM names it"),
];

/// The order that was meant.
pub(super) const ORDER_REPLY: &[ReplyField] = &[
    reply("orderId", "public id of the order"),
    perhaps("customerId", "the customer's id, where the CRM names it"),
];

/// The customer that was meant.
pub(super) const CUSTOMER_REPLY: &[ReplyField] = &[reply("customerId", "the customer's id")];
