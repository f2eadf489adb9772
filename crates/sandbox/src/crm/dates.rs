//! Date parameters: whole local days, in the forms of contract §1.6.

use jiff::civil::{Date, DateTime};

use super::params::Params;
use super::reply::{self, Reply};

/// Which of a row's timestamps a window is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RangeType {
    #[default]
    Created,
    Updated,
    /// Customers only.
    Activity,
}

impl RangeType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            RangeType::Created => "dateCreated",
            RangeType::Updated => "dateUpdated",
            RangeType::Activity => "mostRecentActivity",
        }
    }
}

/// Whole days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    from: Date,
    to: Date,
}

impl Window {
    pub(crate) fn holds(self, at: DateTime) -> bool {
        (self.from..=self.to).contains(&at.date())
    }
}

/// The window asked for; none where an id stands in for it.
pub(crate) fn window(params: &Params, has_id: bool) -> Result<Option<Window>, Reply> {
    let day = |name: &'static str| match params.get(name) {
        None => Ok(None),
        Some(text) => match date(text) {
            Some(day) => Ok(Some(day)),
            None => Err(reply::invalid([(name, "is not a valid date".to_owned())])),
        },
    };
    match (day("startDate")?, day("endDate")?) {
        (Some(from), Some(to)) => Ok(Some(Window { from, to })),
        (None, None) if has_id => Ok(None),
        (None, None) => Err(reply::required(&["startDate", "endDate"])),
        (None, Some(_)) => Err(reply::required(&["startDate"])),
        (Some(_), None) => Err(reply::required(&["endDate"])),
    }
}

pub(crate) fn range_type(params: &Params, known: &[RangeType]) -> Result<RangeType, Reply> {
    let Some(text) = params.get("dateRangeType") else { return Ok(RangeType::Created) };
    let named = known.iter().find(|range| range.as_str() == text);
    named.copied().ok_or_else(|| reply::not_one_of("dateRangeType", known.iter().map(|range| range.as_str())))
}

/// A day in the one form that writes document: `M/D/YYYY`.
pub(crate) fn us_date(text: &str) -> Option<Date> {
    let year = text.rsplit('/').next()?;
    if year.len() == 4 && text.matches('/').count() == 2 && !text.contains([' ', 'T']) {
        date(text)
    } else {
        None
    }
}

/// `M/D/YYYY`, `MM/DD/YY` or `YYYY-MM-DD`; a time after it is ignored.
pub(crate) fn date(text: &str) -> Option<Date> {
    let day = text.trim().split([' ', 'T']).next()?;
    let separator = if day.contains('/') { '/' } else { '-' };
    let parts: Vec<&str> = day.split(separator).collect();
    let [first, second, third] = parts.as_slice() else {
        return None;
    };
    let (year, month, day) = if separator == '/' { (third, first, second) } else { (first, second, third) };
    let digits = |part: &str, most: usize| {
        (!part.is_empty() && part.len() <= most && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then_some(())
    };
    digits(month, 2).and(digits(day, 2)).and(digits(year, 4))?;
    let century = match (year.len(), separator) {
        (2, '/') => 2000,
        (4, _) => 0,
        _ => return None,
    };
    Date::new(century + year.parse::<i16>().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn the_known_forms_are_read() {
        let expected = jiff::civil::date(2026, 9, 5);
        for text in
            ["09/05/2026", "9/5/2026", "09/05/26", "2026-09-05", "2026-09-05 23:59:59", "9/5/2026 01:00"]
        {
            assert_eq!(date(text), Some(expected), "{text}");
        }
        for text in
            ["", "/", "13/01/2026", "02/30/2026", "2026-9", "05.09.2026", "26-09-05", "+9/+5/2026", "a/b/c"]
        {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
