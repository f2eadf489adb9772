//! `leads/import` (contract §5.1).

use super::shared::{BUYER, CUSTOM_FIELDS, NUMBERED, ORDER_REPLY, PRODUCTS, SHIPPING, TRACKING, custom};
use super::{Endpoint, Param, ParamType, Rule};

/// Creates a lead.
pub static CREATE_LEAD: Endpoint = Endpoint {
    groups: &[
        &[
            Param::new("campaignId", ParamType::Number, "the campaign's id"),
            Param::new("orderId", ParamType::Id, "the lead to change, instead of a new one").max(30),
        ],
        BUYER,
        SHIPPING,
        TRACKING,
        &custom(30),
        CUSTOM_FIELDS,
        PRODUCTS,
        &[
            Param::new("requestUri", ParamType::Text, "address of the page").max(500),
            Param::new("httpReferer", ParamType::Text, "page that led there"),
        ],
    ],
    rules: &[
        Rule::Required(&["campaignId", "firstName", "lastName"]),
        Rule::AnyOf(&["emailAddress", "phoneNumber"]),
        NUMBERED,
    ],
    reply: ORDER_REPLY,
    new_order: true,
    ..Endpoint::new("konnektive.create_lead", "leads/import", "Import Lead", "Creates a lead.")
};
