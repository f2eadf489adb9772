//! `customer/update` (contract §5.5).

use super::shared::{CUSTOMER_REPLY, custom};
use super::{Endpoint, Param, ParamType, Repeat, Rule};

/// Changes a customer's data. What is not given stays as it is.
pub(super) static UPDATE_CUSTOMER: Endpoint = Endpoint {
    groups: &[
        &[
            Param::new("customerId", ParamType::Id, "the customer").max(30),
            Param::new("firstName", ParamType::Text, "first name").max(30).personal(),
            Param::new("lastName", ParamType::Text, "last name").max(30).personal(),
            Param::new("companyName", ParamType::Text, "company").max(30).personal(),
            Param::new("address1", ParamType::Text, "billing street").max(30).personal(),
            Param::new("address2", ParamType::Text, "billing address, second line").max(30).personal(),
            Param::new("city", ParamType::Text, "billing city").max(30).personal(),
            Param::new(
                "state",
                ParamType::Text,
                "billing state or province, by its code, which must belong to the country",
            )
            .max(6)
            .personal(),
            Param::new("country", ParamType::Country, "billing country").max(2).personal(),
            Param::new("postalCode", ParamType::Text, "billing postal code").max(20).personal(),
            Param::new("phoneNumber", ParamType::Phone, "telephone number").max(20).personal(),
            Param::new("emailAddress", ParamType::Email, "e-mail address").max(255).personal(),
            Param::new("shipFirstName", ParamType::Text, "recipient's first name").max(30).personal(),
            Param::new("shipLastName", ParamType::Text, "recipient's last name").max(30).personal(),
            Param::new("shipCompanyName", ParamType::Text, "recipient's company").max(30).personal(),
            Param::new("shipAddress1", ParamType::Text, "shipping street").max(30).personal(),
            Param::new("shipAddress2", ParamType::Text, "shipping address, second line").max(30).personal(),
            Param::new("shipCity", ParamType::Text, "shipping city").max(30).personal(),
            Param::new(
                "shipState",
                ParamType::Text,
                "shipping state or province, by its code, which must belong to the country",
            )
            .max(6)
            .personal(),
            Param::new("shipCountry", ParamType::Country, "shipping country").max(2).personal(),
            Param::new("shipPostalCode", ParamType::Text, "shipping postal code").max(20).personal(),
        ],
        &custom(50),
    ],
    rules: &[
        Rule::Required(&["customerId"]),
        Rule::StateOf { state: "state", country: "country" },
        Rule::StateOf { state: "shipState", country: "shipCountry" },
    ],
    clears: true,
    repeat: Repeat::Safe,
    reply: CUSTOMER_REPLY,
    ..Endpoint::new(
        "konnektive.update_customer",
        "customer/update",
        "Update Customer",
        "Changes a customer's data.",
    )
};
