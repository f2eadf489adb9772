//! Exact decimals: the only numbers of the zap language.
//!
//! A number keeps the scale it was written with (`19.90`). Nothing here rounds but [`Decimal::checked_div`]
//! and [`Decimal::round`], and both say how. Numbers of up to 38 digits are held in one machine integer; wider
//! ones keep their digits as text, pass through unchanged, and are computed with only while that is cheap.

mod arithmetic;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Most digits of a computed result; what the largest money amounts need many times over, and what fits 96 bits.
pub const MAX_RESULT_DIGITS: u32 = 28;
/// Widest number that is computed with or written out in plain notation: beyond it a few bytes of input
/// (`1e1000000`) would cost megabytes.
pub(crate) const MAX_WIDTH: u32 = 1000;

/// An exact decimal number.
#[derive(Clone)]
pub struct Decimal(Repr);

#[derive(Clone)]
enum Repr {
    /// `mantissa / 10^scale`, scale at most [`MAX_WIDTH`].
    Small { mantissa: i128, scale: u32 },
    /// Anything else.
    Wide(Arc<Wide>),
}

/// `digits * 10^exponent`; the digits have no leading zero.
#[derive(Debug)]
struct Wide {
    negative: bool,
    digits: Box<str>,
    exponent: i64,
}

/// Why a number could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// The text is no number.
    #[error("not a number")]
    Syntax,
    /// The exponent does not fit any machine number.
    #[error("exponent is out of range")]
    Exponent,
    /// The exact result needs more than [`MAX_RESULT_DIGITS`] digits.
    #[error("result has more than 28 digits")]
    TooManyDigits,
    /// An operand is wider than [`MAX_WIDTH`].
    #[error("number is too long to compute with")]
    TooWide,
    /// Division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// `**` with an exponent that is not a whole number from 0 to 64.
    #[error("exponent must be a whole number from 0 to 64")]
    BadPower,
}

/// How [`Decimal::round`] treats what it cuts off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest; a half goes away from zero.
    HalfAwayFromZero,
    /// Towards positive infinity.
    Ceil,
    /// Towards negative infinity.
    Floor,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal(Repr::Small { mantissa: 0, scale: 0 });

    /// `mantissa / 10^scale`.
    pub fn new(mantissa: i128, scale: u32) -> Self {
        if scale <= MAX_WIDTH {
            return Decimal(Repr::Small { mantissa, scale });
        }
        Self::from_digits(mantissa < 0, &mantissa.unsigned_abs().to_string(), -i64::from(scale))
    }

    /// Reads `-12.50`, `1e3`, `+.5`: digits with at most one point and an optional exponent, nothing around them.
    ///
    /// # Errors
    /// [`DecimalError::Syntax`] for anything else, [`DecimalError::Exponent`] for an exponent past 18 digits.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or("")),
            Some(b'+') => (false, text.get(1..).unwrap_or("")),
            _ => (false, text),
        };
        let (number, exponent) = match rest.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, Some(exponent)),
            None => (rest, None),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return Err(DecimalError::Syntax);
        }
        let exponent = exponent.map_or(Ok(0), parse_exponent)?;
        if exponent == 0
            && let Some(small) = Self::small(negative, whole, fraction)
        {
            return Ok(small);
        }
        let places = i64::try_from(fraction.len()).map_err(|_| DecimalError::Exponent)?;
        Ok(Self::from_digits(negative, &format!("{whole}{fraction}"), exponent - places))
    }

    /// The common case: no exponent and few digits.
    fn small(negative: bool, whole: &str, fraction: &str) -> Option<Self> {
        if whole.len() + fraction.len() > 38 {
            return None;
        }
        let mut mantissa: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            mantissa = mantissa * 10 + i128::from(byte - b'0');
        }
        let scale = u32::try_from(fraction.len()).ok()?;
        Some(Decimal(Repr::Small { mantissa: if negative { -mantissa } else { mantissa }, scale }))
    }

    fn from_digits(negative: bool, digits: &str, exponent: i64) -> Self {
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            let scale =
                u32::try_from(exponent.saturating_neg().max(0)).ok().filter(|scale| *scale <= MAX_WIDTH);
            return Decimal(Repr::Small { mantissa: 0, scale: scale.unwrap_or(0) });
        }
        let sign = if negative { -1 } else { 1 };
        if (-i64::from(MAX_WIDTH)..=0).contains(&exponent)
            && let Ok(mantissa) = digits.parse::<i128>()
            && let Ok(scale) = u32::try_from(-exponent)
        {
            return Decimal(Repr::Small { mantissa: sign * mantissa, scale });
        }
        if let Some(mantissa) = shifted(digits, exponent) {
            return Decimal(Repr::Small { mantissa: sign * mantissa, scale: 0 });
        }
        Decimal(Repr::Wide(Arc::new(Wide { negative, digits: digits.into(), exponent })))
    }

    /// Whether the value is zero.
    pub fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Small { mantissa: 0, .. })
    }

    /// Whether the value is below zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Small { mantissa, .. } => *mantissa < 0,
            Repr::Wide(wide) => wide.negative,
        }
    }

    /// Digits after the point, as written.
    pub fn scale(&self) -> u32 {
        match &self.0 {
            Repr::Small { scale, .. } => *scale,
            Repr::Wide(wide) => u32::try_from(wide.exponent.saturating_neg().max(0)).unwrap_or(u32::MAX),
        }
    }

    /// Whether the value has no fraction; `2.00` has none.
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Repr::Small { scale: 0, .. } => true,
            Repr::Small { mantissa, scale } => match 10_i128.checked_pow(*scale) {
                Some(unit) => mantissa % unit == 0,
                None => *mantissa == 0,
            },
            Repr::Wide(wide) => {
                let zeros = wide.digits.len() - wide.digits.trim_end_matches('0').len();
                wide.exponent.saturating_add(i64::try_from(zeros).unwrap_or(i64::MAX)) >= 0
            }
        }
    }

    /// The value as a whole number, when it is one and fits.
    pub fn to_i64(&self) -> Option<i64> {
        let Repr::Small { mantissa, scale } = &self.0 else { return None };
        if *scale == 0 {
            return i64::try_from(*mantissa).ok();
        }
        let unit = 10_i128.checked_pow(*scale);
        match unit {
            Some(unit) if mantissa % unit == 0 => i64::try_from(mantissa / unit).ok(),
            None if *mantissa == 0 => Some(0),
            _ => None,
        }
    }

    /// The value without its sign.
    #[must_use]
    pub fn abs(&self) -> Self {
        if self.is_negative() { self.negated() } else { self.clone() }
    }

    /// The value with the other sign.
    #[must_use]
    pub fn negated(&self) -> Self {
        match &self.0 {
            Repr::Small { mantissa, scale } => match mantissa.checked_neg() {
                Some(mantissa) => Decimal(Repr::Small { mantissa, scale: *scale }),
                None => Self::from_digits(false, &mantissa.unsigned_abs().to_string(), -i64::from(*scale)),
            },
            Repr::Wide(wide) => Decimal(Repr::Wide(Arc::new(Wide {
                negative: !wide.negative,
                digits: wide.digits.clone(),
                exponent: wide.exponent,
            }))),
        }
    }

    fn parts(&self) -> Parts {
        match &self.0 {
            Repr::Small { mantissa, scale } => Parts {
                negative: *mantissa < 0,
                digits: if *mantissa == 0 { String::new() } else { mantissa.unsigned_abs().to_string() },
                exponent: -i64::from(*scale),
            },
            Repr::Wide(wide) => {
                Parts { negative: wide.negative, digits: wide.digits.to_string(), exponent: wide.exponent }
            }
        }
    }
}

/// `digits * 10^exponent` for comparison; no digits are zero.
struct Parts {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Parts {
    /// Position of the first digit relative to the point: the order of magnitude.
    fn magnitude(&self) -> i64 {
        self.exponent.saturating_add(i64::try_from(self.digits.len()).unwrap_or(i64::MAX))
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        self.magnitude()
            .cmp(&other.magnitude())
            .then_with(|| self.digits.trim_end_matches('0').cmp(other.digits.trim_end_matches('0')))
    }
}

fn parse_exponent(text: &str) -> Result<i64, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Syntax);
    }
    let digits = digits.trim_start_matches('0');
    if digits.len() > 18 {
        return Err(DecimalError::Exponent);
    }
    let magnitude: i64 =
        if digits.is_empty() { 0 } else { digits.parse().map_err(|_| DecimalError::Exponent)? };
    Ok(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// `digits * 10^exponent` for an exponent of zero or more, when it fits.
fn shifted(digits: &str, exponent: i64) -> Option<i128> {
    let exponent = u32::try_from(exponent).ok()?;
    digits.parse::<i128>().ok()?.checked_mul(10_i128.checked_pow(exponent)?)
}

fn scaled(mantissa: i128, by: u32) -> Option<i128> {
    if by == 0 { Some(mantissa) } else { mantissa.checked_mul(10_i128.checked_pow(by)?) }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Repr::Small { mantissa: a, scale: sa }, Repr::Small { mantissa: b, scale: sb }) =
            (&self.0, &other.0)
        {
            let scale = *sa.max(sb);
            if let (Some(a), Some(b)) = (scaled(*a, scale - sa), scaled(*b, scale - sb)) {
                return a.cmp(&b);
            }
        }
        let (a, b) = (self.parts(), other.parts());
        match (a.negative, b.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => a.compare_magnitude(&b),
            (true, true) => b.compare_magnitude(&a),
        }
    }
}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Equal values have equal digits once zeros at both ends are gone.
        let parts = self.parts();
        let digits = parts.digits.trim_end_matches('0');
        digits.hash(state);
        if !digits.is_empty() {
            parts.negative.hash(state);
            parts.magnitude().hash(state);
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Small { mantissa, scale: 0 } => write!(f, "{mantissa}"),
            Repr::Small { mantissa, scale } => {
                write_plain(f, *mantissa < 0, &mantissa.unsigned_abs().to_string(), -i64::from(*scale))
            }
            Repr::Wide(wide) => {
                let width = i64::try_from(wide.digits.len())
                    .unwrap_or(i64::MAX)
                    .saturating_add(wide.exponent.saturating_abs());
                let long = i64::from(MAX_WIDTH)
                    .max(i64::try_from(wide.digits.len()).unwrap_or(i64::MAX).saturating_mul(2));
                if width <= long {
                    return write_plain(f, wide.negative, &wide.digits, wide.exponent);
                }
                let sign = if wide.negative { "-" } else { "" };
                write!(f, "{sign}{}e{}", wide.digits, wide.exponent)
            }
        }
    }
}

fn write_plain(f: &mut fmt::Formatter<'_>, negative: bool, digits: &str, exponent: i64) -> fmt::Result {
    if negative {
        f.write_str("-")?;
    }
    let Ok(scale) = usize::try_from(exponent.saturating_neg()) else {
        f.write_str(digits)?;
        return (0..exponent).try_for_each(|_| f.write_str("0"));
    };
    if scale == 0 {
        return f.write_str(digits);
    }
    match digits.len().checked_sub(scale) {
        Some(point) if point > 0 => {
            // The point lies within ASCII digits.
            let (whole, fraction) = digits.split_at(point);
            write!(f, "{whole}.{fraction}")
        }
        _ => {
            f.write_str("0.")?;
            (digits.len()..scale).try_for_each(|_| f.write_str("0"))?;
            f.write_str(digits)
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Decimal::new(i128::from(number), 0)
    }
}

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        Decimal::new(i128::from(number), 0)
    }
}

impl From<usize> for Decimal {
    fn from(number: usize) -> Self {
        // No machine counts past 2^127.
        Decimal::new(i128::try_from(number).unwrap_or(i128::MAX), 0)
    }
}

#[cfg(test)]
mod tests;
