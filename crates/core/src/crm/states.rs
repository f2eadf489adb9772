//! The states and provinces of countries that have codes for them.

/// The 50 states, the district, the territories and the armed forces.
const US: &[&str] = &[
    "AA", "AE", "AK", "AL", "AP", "AR", "AS", "AZ", "CA", "CO", "CT", "DC", "DE", "FL", "FM", "GA", "GU",
    "HI", "IA", "ID", "IL", "IN", "KS", "KY", "LA", "MA", "MD", "ME", "MH", "MI", "MN", "MO", "MP", "MS",
    "MT", "NC", "ND", "NE", "NH", "NJ", "NM", "NV", "NY", "OH", "OK", "OR", "PA", "PR", "PW", "RI", "SC",
    "SD", "TN", "TX", "UM", "UT", "VA", "VI", "VT", "WA", "WI", "WV", "WY",
];
const CANADA: &[&str] = &["AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"];
const AUSTRALIA: &[&str] = &["ACT", "NSW", "NT", "QLD", "SA", "TAS", "VIC", "WA"];

/// Countries whose states are known here, with their names.
pub(crate) const COUNTRIES: [(&str, &str, &[&str]); 3] =
    [("US", "the United States", US), ("CA", "Canada", CANADA), ("AU", "Australia", AUSTRALIA)];

/// The codes of a country's states; `None` where they are not known, which says nothing against any.
pub(crate) fn of(country: &str) -> Option<&'static [&'static str]> {
    COUNTRIES.iter().find(|(code, ..)| *code == country).map(|(.., states)| *states)
}
