//! `order/import` (contract §5.2).

use super::shared::{BUYER, CUSTOM_FIELDS, NUMBERED, PRODUCTS, SALE_REPLY, SHIPPING, TRACKING, custom};
use super::{Endpoint, Given, Param, ParamType, Repeat, Rule, payment};

/// Creates a new sale.
pub static CREATE_SALE: Endpoint = Endpoint {
    groups: &[
        &[
            Param::new("campaignId", ParamType::Number, "the campaign's id"),
            Param::new(
                "paySource",
                ParamType::Enum(payment::SOURCES),
                "way of payment; left out for an order whose card the CRM holds",
            ),
            Param::new("orderId", ParamType::Id, "the lead or preauthorised order to go on with").max(30),
            Param::new("customerId", ParamType::Number, "customer whose account on file is charged"),
            Param::new("paySourceId", ParamType::Id, "account on file; the customer's last if not given"),
        ],
        PRODUCTS,
        &[Param::new("orderItems", ParamType::Json, "quantities by campaign product, instead of productN_*")],
        BUYER,
        SHIPPING,
        TRACKING,
        &custom(50),
        CUSTOM_FIELDS,
        MORE,
    ],
    rules: &[
        Rule::Required(&["campaignId"]),
        Rule::RequiredUnless {
            given: &[Given::Param("orderId"), Given::Param("preAuthMerchantTxnId")],
            needs: &["paySource"],
        },
        Rule::AnyOf(&["product1_id", "orderItems"]),
        Rule::AtMostOne(&["product1_id", "orderItems"]),
        NUMBERED,
        Rule::RequiredUnless {
            given: &[Given::Param("orderId"), ON_FILE],
            needs: &[
                "firstName",
                "lastName",
                "emailAddress",
                "phoneNumber",
                "address1",
                "city",
                "state",
                "country",
                "postalCode",
            ],
        },
        Rule::RequiredIf { given: ON_FILE, needs: &["customerId"] },
        // The live service does not list the state, and wants the others for a known order too.
        Rule::RequiredUnless {
            given: &[Given::Value("billShipSame", &["1"]), ON_FILE],
            needs: &["shipAddress1", "shipCity", "shipPostalCode", "shipCountry"],
        },
        Rule::AtMostOne(&["forceQA", "skipQA"]),
    ],
    repeat: Repeat::Never,
    reply: SALE_REPLY,
    new_order: true,
    ..Endpoint::new("konnektive.create_sale", "order/import", "Import Order", "Creates a new sale.")
};

const ON_FILE: Given = Given::Value("paySource", &["ACCTONFILE"]);

const MORE: &[Param] = &[
    Param::new("salesTax", ParamType::Money, "sales tax"),
    Param::new("taxExemption", ParamType::Text, "tax exemption"),
    Param::new("forceQA", ParamType::Flag, "whether the order goes into quality assurance"),
    Param::new("skipQA", ParamType::Flag, "whether the order goes around quality assurance"),
    Param::new("insureShipment", ParamType::Flag, "whether the shipment is insured"),
    Param::new("shipProfileId", ParamType::Id, "shipping profile"),
    Param::new("forceMerchantId", ParamType::Id, "merchant account to charge through"),
    Param::new("preAuthBillerId", ParamType::Id, "merchant account of a charge preauthorised elsewhere"),
    Param::new("preAuthMerchantTxnId", ParamType::Id, "gateway's id of a charge preauthorised elsewhere"),
    Param::new("redirectsTo", ParamType::Text, "page after a redirect").max(300),
    Param::new("errorRedirectsTo", ParamType::Text, "page after a redirect that failed").max(300),
    Param::new("signature", ParamType::Text, "the buyer's signature").personal(),
    Param::new("eci", ParamType::Text, "3-D Secure: electronic commerce indicator").payment(),
    Param::new("xid", ParamType::Text, "3-D Secure: transaction").payment(),
    Param::new("cavv", ParamType::Text, "3-D Secure: authentication value").payment(),
    Param::new("rebill_eci", ParamType::Text, "3-D Secure of rebills: electronic commerce indicator")
        .payment(),
    Param::new("rebill_xid", ParamType::Text, "3-D Secure of rebills: transaction").payment(),
    Param::new("rebill_cavv", ParamType::Text, "3-D Secure of rebills: authentication value").payment(),
];
