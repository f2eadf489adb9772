//! `customer/blacklist` (contract §5.6).

use super::{Endpoint, Given, Param, ParamType, Rule};

/// Puts a buyer on the blacklist: the value goes by the name of its kind.
pub(super) static BLACKLIST_CUSTOMER: Endpoint = Endpoint {
    groups: &[&[
        Param::new(
            "blacklistType",
            ParamType::Enum(&["cardBin", "stateCountry", "emailAddress", "phoneNumber", "ipAddress"]),
            "what the buyer is known by",
        ),
        Param::new("cardBin", ParamType::Id, "first six digits of the card").max(6).payment(),
        Param::new("stateCountry", ParamType::Text, "state and country by their codes: `NY,US`")
            .max(30)
            .personal(),
        Param::new("emailAddress", ParamType::Email, "e-mail address").max(255).personal(),
        Param::new("phoneNumber", ParamType::Phone, "telephone number").max(32).personal(),
        Param::new("ipAddress", ParamType::Text, "the buyer's address on the network").max(64).personal(),
    ]],
    rules: &[
        Rule::Required(&["blacklistType"]),
        Rule::RequiredIf { given: Given::Value("blacklistType", &["cardBin"]), needs: &["cardBin"] },
        Rule::RequiredIf {
            given: Given::Value("blacklistType", &["stateCountry"]),
            needs: &["stateCountry"],
        },
        Rule::RequiredIf {
            given: Given::Value("blacklistType", &["emailAddress"]),
            needs: &["emailAddress"],
        },
        Rule::RequiredIf { given: Given::Value("blacklistType", &["phoneNumber"]), needs: &["phoneNumber"] },
        Rule::RequiredIf { given: Given::Value("blacklistType", &["ipAddress"]), needs: &["ipAddress"] },
        Rule::AtMostOne(&["cardBin", "stateCountry", "emailAddress", "phoneNumber", "ipAddress"]),
    ],
    ..Endpoint::new(
        "konnektive.blacklist_customer",
        "customer/blacklist",
        "Blacklist Customer",
        "Puts a buyer on the blacklist.",
    )
};
