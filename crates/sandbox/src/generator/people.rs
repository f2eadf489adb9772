//! Buyers with the names and addresses that break careless code.

use crate::state::{Address, Buyer};

/// First and last names: accents, apostrophes, quotes, other scripts, markup, very long ones, one letter.
const NAMES: &[(&str, &str)] = &[
    ("Ada", "Example"),
    ("Grace", "Sampleton"),
    ("Seán", "O'Connor"),
    ("Zoë", "Müller-Lüdenscheidt"),
    ("José María", "García Márquez"),
    ("Bjørn", "Ångström"),
    ("Nguyễn", "Thị Minh Khai"),
    ("Łukasz", "Żółć"),
    ("李", "小龍"),
    ("さくら", "山田"),
    ("Ольга", "Иванова"),
    ("عمر", "الفارسي"),
    ("William \"Bill\"", "D'Arcy"),
    ("Anne-Marie", "St. John, Jr."),
    ("Bobby", "Tables'); DROP TABLE orders;--"),
    ("Tom & Jerry", "<b>Smith</b>"),
    ("Maximiliana Wilhelmina Theodora", "von und zu Hohenstein-Wolfenbüttel"),
    ("X", "Ŷ"),
    ("Null", "Nil"),
    ("Emma 🎉", "Party"),
    ("{{ firstName }}", "Mustache"),
    ("Mary", "Smith"),
    ("James", "Johnson"),
    ("Patricia", "Brown"),
];

/// Street, city, state, country, postal code.
const PLACES: &[(&str, &str, &str, &str, &str)] = &[
    ("1 Sample Street", "Springfield", "NY", "US", "10001"),
    ("742 Evergreen Terrace #5", "Portland", "OR", "US", "97201"),
    ("12 O'Farrell St", "San Francisco", "CA", "US", "94102"),
    ("99 Main St, Apt \"B\"", "Boston", "MA", "US", "02108"),
    ("24 Sussex Drive", "Ottawa", "ON", "CA", "K1M 1M4"),
    ("10 Downing Street", "London", "LND", "GB", "SW1A 2AA"),
    ("Königsallee 7", "Düsseldorf", "NW", "DE", "40212"),
    ("R. São João, 3º", "São Paulo", "SP", "BR", "01035-000"),
];

/// The buyer of this number; the same number is the same person.
pub(super) fn buyer(rng: &mut fastrand::Rng, number: u64) -> Buyer {
    let (first_name, last_name) = pick(rng, NAMES).copied().unwrap_or(("Ada", "Example"));
    let place = pick(rng, PLACES).copied().unwrap_or(("", "", "", "", ""));
    let bill = address(first_name, last_name, place);
    let elsewhere = pick(rng, PLACES).copied().filter(|_| rng.u8(..5) == 0);
    let ship = elsewhere.map_or_else(|| bill.clone(), |place| address(first_name, last_name, place));
    Buyer {
        bill,
        ship,
        email: format!("buyer{number}@example.test"),
        phone: format!("555555{:04}", number % 10_000),
        ip: format!("203.0.113.{}", number % 254 + 1),
    }
}

fn address(first_name: &str, last_name: &str, place: (&str, &str, &str, &str, &str)) -> Address {
    let (address1, city, state, country, postal_code) = place;
    Address {
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        company_name: String::new(),
        address1: address1.to_owned(),
        address2: String::new(),
        city: city.to_owned(),
        state: state.to_owned(),
        country: country.to_owned(),
        postal_code: postal_code.to_owned(),
    }
}

pub(super) fn pick<'a, T>(rng: &mut fastrand::Rng, all: &'a [T]) -> Option<&'a T> {
    if all.is_empty() { None } else { all.get(rng.usize(..all.len())) }
}
