//! `upsale/import` (contract §5.6).

use super::shared::{NUMBERED, PRODUCTS, SALE_REPLY};
use super::{Endpoint, Param, ParamType, Repeat, Rule};

/// Adds a product to a sale.
pub(super) static CREATE_UPSALE: Endpoint = Endpoint {
    groups: &[
        &[
            Param::new("orderId", ParamType::Id, "the order to add to").max(30),
            Param::new("productId", ParamType::Id, "campaign product"),
            Param::new("productQty", ParamType::Count, "quantity; 1 if not given"),
            Param::new("productPrice", ParamType::Money, "price, instead of the campaign's"),
            Param::new("productShipPrice", ParamType::Money, "shipping, instead of the campaign's"),
            Param::new("productSalesTax", ParamType::Money, "sales tax of the product"),
            Param::new("replaceProductId", ParamType::Id, "campaign product that it takes the place of"),
        ],
        PRODUCTS,
    ],
    rules: &[
        Rule::Required(&["orderId"]),
        Rule::AnyOf(&["productId", "product1_id"]),
        Rule::AtMostOne(&["productId", "product1_id"]),
        NUMBERED,
    ],
    repeat: Repeat::Never,
    reply: SALE_REPLY,
    ..Endpoint::new("konnektive.create_upsale", "upsale/import", "Import Upsale", "Adds a product to a sale.")
};
