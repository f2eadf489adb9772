//! The checks of single fields that all writes share (contract §5): form, length, and what must be there.

use super::dates;
use super::params::Params;
use super::reply::{self, Reply};
use crate::money::Money;

/// A parameter with its documented form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    name: &'static str,
    form: Form,
}

impl Field {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

/// What a parameter may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// Any text of so many characters at most.
    Text(usize),
    /// A whole number.
    Whole,
    /// An amount of money.
    Amount,
    /// 0 or 1.
    Flag,
    /// Two capital letters.
    Country,
    /// A day as `m/d/Y`.
    Day,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

pub(crate) const fn text(name: &'static str, most: usize) -> Field {
    Field { name, form: Form::Text(most) }
}

pub(crate) const fn field(name: &'static str, form: Form) -> Field {
    Field { name, form }
}

pub(crate) const fn flag(name: &'static str) -> Field {
    Field { name, form: Form::Flag }
}

/// Refuses with all that is wrong at once, a text for each field.
pub(crate) fn fields(params: &Params, groups: &[&[Field]]) -> Result<(), Reply> {
    let wrong = |field: &Field| Some((field.name, field.form.complaint(params.get(field.name)?)?));
    let wrong: Vec<(&str, String)> = groups.iter().copied().flatten().filter_map(wrong).collect();
    if wrong.is_empty() { Ok(()) } else { Err(reply::invalid(wrong)) }
}

/// Refuses with those of these fields that are absent.
pub(crate) fn need(params: &Params, names: &[&'static str]) -> Result<(), Reply> {
    let absent: Vec<&'static str> = names.iter().copied().filter(|name| params.get(name).is_none()).collect();
    if absent.is_empty() { Ok(()) } else { Err(reply::required(&absent)) }
}

impl Form {
    /// What is wrong with a value.
    pub(crate) fn complaint(self, value: &str) -> Option<String> {
        let (fine, text) = match self {
            Form::Text(most) => (value.chars().count() <= most, format!("must be at most {most} characters")),
            Form::Whole => (whole(value), "must be an integer".to_owned()),
            Form::Amount => (Money::parse(value).is_some(), "must be a number".to_owned()),
            Form::Flag => (matches!(value, "0" | "1"), "must be 0 or 1".to_owned()),
            Form::Country => (country(value), "must be two capital letters".to_owned()),
            Form::Day => (dates::us_date(value).is_some(), "must be a date as m/d/Y".to_owned()),
            Form::OneOf(words) => {
                return (!words.contains(&value)).then(|| reply::must_be_in(words.iter().copied()));
            }
        };
        (!fine).then(|| reply::own(text))
    }
}

fn whole(value: &str) -> bool {
    value.parse::<u64>().is_ok()
}

fn country(value: &str) -> bool {
    value.len() == 2 && value.bytes().all(|letter| letter.is_ascii_uppercase())
}

/// Whether a country has this state, as far as it is known here.
pub(crate) fn state_in_country(state: &str, country: &str) -> bool {
    const US: &str = "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ \
                      NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI UM AA AE AP";
    const CA: &str = "AB BC MB NB NL NS NT NU ON PE QC SK YT";
    let known = match country {
        "US" => US,
        "CA" => CA,
        _ => return true,
    };
    known.split(' ').any(|code| code == state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_admit_what_they_say() {
        let fine = [
            (Form::Text(3), "äöü"),
            (Form::Whole, "12"),
            (Form::Amount, "9.90"),
            (Form::Flag, "0"),
            (Form::Country, "DE"),
            (Form::Day, "9/5/2026"),
            (Form::OneOf(&["A", "B"]), "B"),
        ];
        let wrong = [
            (Form::Text(3), "four"),
            (Form::Whole, "1.5"),
            (Form::Whole, "-1"),
            (Form::Amount, "1e3"),
            (Form::Flag, "true"),
            (Form::Country, "de"),
            (Form::Country, "USA"),
            (Form::Day, "2026-09-05"),
            (Form::Day, "09/05/26"),
            (Form::Day, "13/01/2026"),
            (Form::OneOf(&["A", "B"]), "a"),
        ];
        assert!(fine.iter().all(|(form, value)| form.complaint(value).is_none()));
        for (form, value) in wrong {
            assert!(form.complaint(value).is_some(), "{form:?} {value}");
        }
    }

    #[test]
    fn states_belong_to_their_country() {
        assert!(
            state_in_country("NY", "US") && state_in_country("ON", "CA") && state_in_country("LND", "GB")
        );
        assert!(!state_in_country("ON", "US") && !state_in_country("NY", "CA"));
    }
}
