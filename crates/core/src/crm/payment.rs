//! What of a payment does not pass through zaprun, and the ways that remain.

/// Ways of payment that need neither card nor bank data.
pub(super) const SOURCES: &[&str] =
    &["ACCTONFILE", "PREPAID", "COD", "PAYPAL", "AMAZON", "APPLEPAY", "GOOGLEPAY"];

/// The ways that remain, as a hint says it.
pub const WAYS_TO_PAY: &str = "ways that remain: ACCTONFILE with `customerId`, PREPAID, COD or a wallet, or an order \
    whose card the CRM holds or has preauthorised: its `orderId`, and no `paySource`";

/// Parameters of the vendor's that carry card data.
pub(crate) const CARD: &[&str] =
    &["cardNumber", "cardMonth", "cardYear", "cardExpiryDate", "cardSecurityCode", "cvv", "cardCvv"];

/// Parameters of the vendor's that carry bank data.
pub(crate) const BANK: &[&str] = &[
    "achAccountType",
    "achRoutingNumber",
    "achAccountNumber",
    "achAccountHolderType",
    "achNameOnAccount",
    "iban",
    "ddbic",
    "accountHolder",
];

/// Why a parameter of that name is refused, where it is.
pub(crate) fn refused_param(name: &str) -> Option<String> {
    let among = |names: &[&str]| names.iter().any(|refused| refused.eq_ignore_ascii_case(name));
    let data = if among(CARD) {
        "card"
    } else if among(BANK) {
        "bank account"
    } else {
        return None;
    };
    Some(format!("`{name}` is {data} data, which does not pass through zaprun"))
}

/// Why a value of a parameter is refused, where it is.
pub(crate) fn refused_value(name: &str, value: &str) -> Option<String> {
    let needs = match value.trim().to_ascii_uppercase().as_str() {
        "CREDITCARD" => "card",
        "CHECK" | "DIRECTDEBIT" => "bank account",
        _ => return None,
    };
    let source = value.trim();
    (name == "paySource")
        .then(|| format!("`paySource` {source} needs {needs} data, which does not pass through zaprun"))
}
