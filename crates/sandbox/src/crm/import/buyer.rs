//! Who orders, and the further fields of an order (contract §5.1, §5.2).

use std::collections::BTreeMap;

use crate::crm::check::{Field, Form, field, flag, text};
use crate::crm::params::Params;
use crate::state::moves::Lead;
use crate::state::{Address, Buyer};

/// Forms of what leads and sales say of the buyer.
pub(super) const FIELDS: &[Field] = &[
    text("firstName", 50),
    text("lastName", 50),
    text("companyName", 30),
    text("emailAddress", 255),
    text("phoneNumber", 32),
    text("address1", 30),
    text("address2", 30),
    text("city", 30),
    text("postalCode", 20),
    text("state", 6),
    field("country", Form::Country),
    flag("billShipSame"),
    text("shipFirstName", 30),
    text("shipLastName", 30),
    text("shipCompanyName", 30),
    text("shipAddress1", 30),
    text("shipAddress2", 30),
    text("shipCity", 30),
    text("shipPostalCode", 20),
    text("shipState", 6),
    field("shipCountry", Form::Country),
    text("ipAddress", 32),
    text("orderId", 30),
    text("sessionId", 32),
    text("affId", 10),
    text("sourceValue1", 30),
    text("sourceValue2", 30),
    text("sourceValue3", 30),
    text("sourceValue4", 30),
    text("sourceValue5", 30),
    flag("disableCustomerDedup"),
];

/// Extra fields that are kept under the vendor's name.
const EXTRA: &[&str] = &[
    "affId",
    "sourceId",
    "sourceTitle",
    "sourceValue1",
    "sourceValue2",
    "sourceValue3",
    "sourceValue4",
    "sourceValue5",
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
    "couponCode",
    "salesUrl",
];

/// The lead that the parameters tell of.
pub(super) fn lead(params: &Params, campaign_id: u64) -> Lead {
    let mut extra: BTreeMap<String, String> =
        EXTRA.iter().filter_map(|name| Some(((*name).to_owned(), params.get(name)?.to_owned()))).collect();
    let custom = params.iter().filter(|(name, value)| name.starts_with("custom_") && !value.is_empty());
    extra.extend(custom.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Lead {
        campaign_id,
        buyer: buyer(params),
        order_id: params.get("orderId").map(str::to_owned),
        cart: Vec::new(),
        extra,
        new_customer: params.flag("disableCustomerDedup"),
        customer_id: None,
    }
}

/// The buyer that the parameters tell of.
pub(super) fn buyer(params: &Params) -> Buyer {
    let bill = Address {
        first_name: params.text("firstName"),
        last_name: params.text("lastName"),
        company_name: params.text("companyName"),
        address1: params.text("address1"),
        address2: params.text("address2"),
        city: params.text("city"),
        state: params.text("state"),
        country: params.text("country"),
        postal_code: params.text("postalCode"),
    };
    let ship = Address {
        first_name: params.text("shipFirstName"),
        last_name: params.text("shipLastName"),
        company_name: params.text("shipCompanyName"),
        address1: params.text("shipAddress1"),
        address2: params.text("shipAddress2"),
        city: params.text("shipCity"),
        state: params.text("shipState"),
        country: params.text("shipCountry"),
        postal_code: params.text("shipPostalCode"),
    };
    let ship = if params.flag("billShipSame") { bill.clone() } else { ship };
    let text = |name| params.text(name);
    Buyer { bill, ship, email: text("emailAddress"), phone: text("phoneNumber"), ip: text("ipAddress") }
}
