//! What look-ups can filter by (contract §3).

use super::{Param, ParamType};
use crate::trigger;

/// A read endpoint, as `konnektive.query` asks it.
#[derive(Debug)]
pub struct Lookup {
    /// The word in `find:`.
    pub find: &'static str,
    /// The endpoint.
    pub endpoint: trigger::Endpoint,
    /// What one row is, in words.
    pub row: &'static str,
    /// Its filters in groups, in the vendor's order.
    pub groups: &'static [&'static [Param]],
    /// Filters with one of which no days are needed.
    pub ids: &'static [&'static str],
}

impl Lookup {
    /// Its filters.
    pub fn params(&self) -> impl Iterator<Item = &'static Param> + use<> {
        self.groups.iter().copied().flatten()
    }

    /// The filter of that name.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params().find(|param| param.name == name)
    }
}

/// The look-up of an endpoint.
pub fn lookup(endpoint: trigger::Endpoint) -> &'static Lookup {
    match endpoint {
        trigger::Endpoint::Orders => &ORDERS,
        trigger::Endpoint::Transactions => &TRANSACTIONS,
        trigger::Endpoint::Purchases => &PURCHASES,
        trigger::Endpoint::Customers => &CUSTOMERS,
    }
}

/// Every look-up.
pub static LOOKUPS: [&Lookup; 4] = [&ORDERS, &TRANSACTIONS, &PURCHASES, &CUSTOMERS];

const ORDER_ID: Param = Param::new("orderId", ParamType::Id, "the order").max(30);
const PURCHASE_ID: Param = Param::new("purchaseId", ParamType::Id, "the subscription").max(30);
const CUSTOMER_ID: Param = Param::new("customerId", ParamType::Number, "the customer");
const CAMPAIGN_ID: Param = Param::new("campaignId", ParamType::Id, "campaign, or several with commas");

/// The buyer, as all but subscriptions are searched.
const BUYER: &[Param] = &[
    Param::new("firstName", ParamType::Text, "first name").max(30).personal(),
    Param::new("lastName", ParamType::Text, "last name").max(30).personal(),
    Param::new("companyName", ParamType::Text, "company").max(30).personal(),
    Param::new("address1", ParamType::Text, "billing street").max(30).personal(),
    Param::new("address2", ParamType::Text, "billing address, second line").max(30).personal(),
    Param::new("city", ParamType::Text, "billing city").max(30).personal(),
    Param::new("postalCode", ParamType::Text, "billing postal code").max(20).personal(),
    Param::new("state", ParamType::Text, "billing state or province, by its code").max(6).personal(),
    Param::new("country", ParamType::Country, "billing country").max(2).personal(),
    Param::new("emailAddress", ParamType::Email, "e-mail address").max(255).personal(),
    Param::new("phoneNumber", ParamType::Phone, "telephone number").max(20).personal(),
];

const IP: Param =
    Param::new("ipAddress", ParamType::Text, "the buyer's address on the network").max(64).personal();

static ORDERS: Lookup = Lookup {
    find: "orders",
    endpoint: trigger::Endpoint::Orders,
    row: "order",
    groups: &[
        &[
            ORDER_ID,
            CUSTOMER_ID,
            Param::new(
                "orderStatus",
                ParamType::Enum(&["COMPLETE", "PARTIAL", "DECLINED", "REFUNDED", "CANCELLED", "COD_PENDING"]),
                "state of the order",
            ),
            Param::new("orderType", ParamType::Enum(&["NEW_SALE", "RECURRING"]), "first sale or rebill"),
            CAMPAIGN_ID,
            Param::new("campaignProductId", ParamType::Id, "campaign product, or several with commas"),
            Param::new("isDeclineSave", ParamType::Flag, "whether a declined order was saved"),
        ],
        BUYER,
        &[
            IP,
            Param::new("affId", ParamType::Id, "affiliate"),
            Param::new("UTMSource", ParamType::Text, "utm_source"),
            Param::new("UTMMedium", ParamType::Text, "utm_medium"),
            Param::new("UTMCampaign", ParamType::Text, "utm_campaign"),
            Param::new("UTMTerm", ParamType::Text, "utm_term"),
            Param::new("UTMContent", ParamType::Text, "utm_content"),
            Param::new("includeCustomFields", ParamType::Flag, "whether rows carry `customFields`"),
            Param::new("showExternal", ParamType::Flag, "whether orders fulfilled elsewhere are shown"),
            Param::new("hideExternal", ParamType::Flag, "whether orders fulfilled elsewhere are hidden"),
        ],
    ],
    ids: &["orderId", "customerId"],
};

static TRANSACTIONS: Lookup = Lookup {
    find: "transactions",
    endpoint: trigger::Endpoint::Transactions,
    row: "transaction",
    groups: &[
        &[
            Param::new("transactionId", ParamType::Id, "the transaction").max(30),
            ORDER_ID,
            PURCHASE_ID,
            CUSTOMER_ID,
            Param::new(
                "txnType",
                ParamType::Enum(&["SALE", "AUTHORIZE", "CAPTURE", "VOID", "REFUND"]),
                "kind of transaction",
            ),
            Param::new("paySource", ParamType::Enum(&["CREDITCARD", "CHECK", "PREPAID"]), "way of payment"),
            Param::new(
                "responseType",
                ParamType::Enum(&["SUCCESS", "HARD_DECLINE", "SOFT_DECLINE"]),
                "answer of the gateway",
            ),
            Param::new("merchantTxnId", ParamType::Id, "the gateway's id").max(32),
            Param::new("merchantId", ParamType::Number, "merchant account"),
            Param::new("cardLast4", ParamType::Id, "last four digits of the card").max(4).payment(),
            Param::new("cardBin", ParamType::Id, "first six digits of the card").max(6).payment(),
            Param::new("isChargedback", ParamType::Flag, "whether the buyer's bank took the money back"),
        ],
        BUYER,
        &[Param::new("affId", ParamType::Id, "affiliate").max(20), CAMPAIGN_ID],
    ],
    ids: &["transactionId", "orderId", "purchaseId", "customerId"],
};

static PURCHASES: Lookup = Lookup {
    find: "purchases",
    endpoint: trigger::Endpoint::Purchases,
    row: "purchase",
    groups: &[&[
        ORDER_ID,
        PURCHASE_ID,
        CUSTOMER_ID,
        Param::new("status", ParamType::Enum(crate::record::PURCHASE_STATUS), "state of the subscription"),
        CAMPAIGN_ID,
        Param::new("firstName", ParamType::Text, "first name").max(30).personal(),
        Param::new("lastName", ParamType::Text, "last name").max(30).personal(),
        Param::new("emailAddress", ParamType::Email, "e-mail address").max(255).personal(),
        Param::new("phoneNumber", ParamType::Phone, "telephone number").max(20).personal(),
    ]],
    ids: &["orderId", "purchaseId", "customerId"],
};

static CUSTOMERS: Lookup = Lookup {
    find: "customers",
    endpoint: trigger::Endpoint::Customers,
    row: "customer",
    groups: &[
        &[CUSTOMER_ID, ORDER_ID],
        BUYER,
        &[
            IP,
            Param::new(
                "exactEmailMatch",
                ParamType::Flag,
                "whether only the very same e-mail address counts",
            ),
            Param::new("excludeHistory", ParamType::Flag, "whether notes are left out"),
        ],
    ],
    ids: &["customerId"],
};
