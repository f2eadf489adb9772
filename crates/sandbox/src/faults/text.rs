//! `NAME[:VALUE,OPTION=…]` to a rule.

use std::str::FromStr;
use std::time::Duration;

use super::{FAULTS, FaultError, FaultRule, FaultSpec, When};

/// Longest wait a fault may ask for.
const MAX_WAIT: Duration = Duration::from_secs(24 * 3600);

/// `250ms`, `90s`, `15m`, `24h`; always with a unit.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let count: u64 = count.parse().ok()?;
    let wait = match unit {
        "ms" => Duration::from_millis(count),
        "s" => Duration::from_secs(count),
        "m" => Duration::from_secs(count.checked_mul(60)?),
        "h" => Duration::from_secs(count.checked_mul(3600)?),
        _ => return None,
    };
    (wait <= MAX_WAIT).then_some(wait)
}

/// `0.1` or `10%`, as parts of a million.
fn parts_per_million(text: &str) -> Option<u32> {
    let (digits, places) = match text.strip_suffix('%') {
        Some(percent) => (percent, 4),
        None => (text, 6),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > places || whole.len() > 3 || whole.is_empty() {
        return None;
    }
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let parts: u32 = format!("{whole}{fraction:0<places$}").parse().ok()?;
    (parts <= 1_000_000).then_some(parts)
}

impl FromStr for FaultRule {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let name = name.trim();
        let spec = FAULTS
            .iter()
            .find(|spec| spec.name == name)
            .ok_or_else(|| FaultError::Unknown(name.to_owned()))?;
        let mut when = When::Always;
        let mut on = None;
        let mut value = None;
        for piece in rest.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
            match piece.split_once('=') {
                Some(("on", place)) => on = Some(place.trim().to_owned()),
                Some((key, given)) => when = condition(name, key.trim(), given.trim())?,
                None if value.is_none() && !spec.value.is_empty() => value = Some(piece),
                None => {
                    return Err(FaultError::Option { fault: name.to_owned(), option: piece.to_owned() });
                }
            }
        }
        let fault = made(spec, value)?;
        Ok(FaultRule { fault, when, on })
    }
}

fn made(spec: &FaultSpec, value: Option<&str>) -> Result<super::Fault, FaultError> {
    let value = value.unwrap_or(spec.default);
    (spec.make)(value).ok_or_else(|| FaultError::Value {
        fault: spec.name.to_owned(),
        what: spec.value.to_owned(),
        value: value.to_owned(),
    })
}

fn condition(fault: &str, key: &str, given: &str) -> Result<When, FaultError> {
    let positive = || given.parse::<u64>().ok().filter(|count| *count > 0);
    let when = match key {
        "first" => positive().map(When::First),
        "every" => positive().map(When::Every),
        "p" => parts_per_million(given).map(When::Chance),
        _ => return Err(FaultError::Option { fault: fault.to_owned(), option: key.to_owned() }),
    };
    when.ok_or_else(|| FaultError::Value {
        fault: fault.to_owned(),
        what: key.to_owned(),
        value: given.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]
    use super::*;
    use crate::faults::{CrmFault, Fault, SinkFault};

    #[test]
    fn every_fault_of_the_table_parses_by_its_name() {
        for spec in FAULTS {
            let rule: FaultRule = spec.name.parse().unwrap();
            assert_eq!(rule.when, When::Always, "{}", spec.name);
            assert_eq!(spec.name.starts_with("sink-"), matches!(rule.fault, Fault::Sink(_)), "{}", spec.name);
            assert_eq!(spec.value.is_empty(), spec.default.is_empty(), "{}", spec.name);
        }
    }

    #[test]
    fn values_and_options_are_read() {
        let rule: FaultRule = "slow:250ms,first=3,on=order/query".parse().unwrap();
        assert_eq!(rule.fault, Fault::Crm(CrmFault::Slow(Duration::from_millis(250))));
        assert_eq!((rule.when, rule.on.as_deref()), (When::First(3), Some("order/query")));
        let rule: FaultRule = "sink-429:30s,p=2.5%".parse().unwrap();
        assert_eq!(rule.fault, Fault::Sink(SinkFault::TooMany(Duration::from_secs(30))));
        assert_eq!(rule.when, When::Chance(25_000));
        assert_eq!("auth:p=0.1".parse::<FaultRule>().unwrap().when, When::Chance(100_000));
        let rule: FaultRule = "decline:Prepaid Credit Cards Are Not Accepted".parse().unwrap();
        assert_eq!(
            rule.fault,
            Fault::Crm(CrmFault::Decline("Prepaid Credit Cards Are Not Accepted".to_owned()))
        );
    }

    #[test]
    fn mistakes_are_named() {
        let fails = |text: &str| text.parse::<FaultRule>().unwrap_err().to_string();
        assert_eq!(fails("oops"), "unknown fault `oops`");
        assert_eq!(fails("auth:now"), "unknown option `now` of fault `auth`");
        assert_eq!(fails("auth:last=2"), "unknown option `last` of fault `auth`");
        assert_eq!(fails("slow:5"), "`5` is not a valid value for DURATION of fault `slow`");
        assert_eq!(fails("auth:first=0"), "`0` is not a valid value for first of fault `auth`");
        for text in
            ["auth:p=1.5", "auth:p=101%", "auth:p=-1", "slow:99999999h", "huge-page:100000", "sink-status:99"]
        {
            assert!(text.parse::<FaultRule>().is_err(), "{text}");
        }
    }
}
