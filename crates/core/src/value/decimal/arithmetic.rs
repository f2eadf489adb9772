//! Computing with decimals: exact, in machine integers where they suffice, in big ones otherwise.

use std::cmp::Ordering;

use bigdecimal::num_bigint::{BigInt, BigUint, Sign};

use super::{Decimal, DecimalError, MAX_RESULT_DIGITS, MAX_WIDTH, Repr, Rounding, Wide, scaled};

const TEN_TO_28: i128 = 10_i128.pow(MAX_RESULT_DIGITS);

impl Decimal {
    /// The exact sum.
    ///
    /// # Errors
    /// When it has more than 28 digits.
    pub fn checked_add(&self, other: &Self) -> Result<Self, DecimalError> {
        if let (Repr::Small { mantissa: a, scale: sa }, Repr::Small { mantissa: b, scale: sb }) =
            (&self.0, &other.0)
        {
            let scale = *sa.max(sb);
            if let (Some(a), Some(b)) = (scaled(*a, scale - sa), scaled(*b, scale - sb))
                && let Some(sum) = a.checked_add(b)
            {
                return finish_small(sum, scale);
            }
        }
        let (a, b) = (self.big()?, other.big()?);
        let scale = a.scale.max(b.scale);
        finish_big(a.at_scale(scale) + b.at_scale(scale), scale)
    }

    /// The exact difference.
    ///
    /// # Errors
    /// When it has more than 28 digits.
    pub fn checked_sub(&self, other: &Self) -> Result<Self, DecimalError> {
        self.checked_add(&other.negated())
    }

    /// The exact product; its scale is the sum of both.
    ///
    /// # Errors
    /// When it has more than 28 digits.
    pub fn checked_mul(&self, other: &Self) -> Result<Self, DecimalError> {
        if let (Repr::Small { mantissa: a, scale: sa }, Repr::Small { mantissa: b, scale: sb }) =
            (&self.0, &other.0)
            && let Some(product) = a.checked_mul(*b)
        {
            return finish_small(product, sa + sb);
        }
        let (a, b) = (self.big()?, other.big()?);
        finish_big(a.mantissa * b.mantissa, a.scale + b.scale)
    }

    /// The quotient, rounded half-even to 28 significant digits, without trailing zeros after the point.
    ///
    /// # Errors
    /// Division by zero, and a quotient whose whole part alone has more than 28 digits.
    pub fn checked_div(&self, other: &Self) -> Result<Self, DecimalError> {
        let (a, b) = self.ratio(other)?;
        let negative = (a.sign() == Sign::Minus) != (b.sign() == Sign::Minus);
        let (a, b) = (a.into_parts().1, b.into_parts().1);
        if a == BigUint::ZERO {
            return Ok(Self::ZERO);
        }
        let (quotient, exponent) = divide_to_28_digits(&a, &b);
        let mantissa = BigInt::from_biguint(if negative { Sign::Minus } else { Sign::Plus }, quotient);
        strip_and_finish(mantissa, exponent, 0)
    }

    /// The quotient rounded down to a whole number.
    ///
    /// # Errors
    /// Division by zero, and a result of more than 28 digits.
    pub fn checked_floor_div(&self, other: &Self) -> Result<Self, DecimalError> {
        let (a, b) = self.ratio(other)?;
        finish_big(floor_quotient(&a, &b), 0)
    }

    /// What [`Self::checked_floor_div`] leaves; it has the sign of the divisor.
    ///
    /// # Errors
    /// Division by zero, and a result of more than 28 digits.
    pub fn checked_rem(&self, other: &Self) -> Result<Self, DecimalError> {
        if other.is_zero() {
            return Err(DecimalError::DivisionByZero);
        }
        let (a, b) = (self.big()?, other.big()?);
        let scale = a.scale.max(b.scale);
        let (a, b) = (a.at_scale(scale), b.at_scale(scale));
        let floor = floor_quotient(&a, &b);
        finish_big(a - floor * b, scale)
    }

    /// The exact power.
    ///
    /// # Errors
    /// An exponent that is no whole number from 0 to 64, and a result of more than 28 digits.
    pub fn checked_pow(&self, exponent: &Self) -> Result<Self, DecimalError> {
        let exponent = exponent
            .to_i64()
            .and_then(|exponent| u32::try_from(exponent).ok())
            .filter(|exponent| *exponent <= 64)
            .ok_or(DecimalError::BadPower)?;
        let mut result = Decimal::new(1, 0);
        for _ in 0..exponent {
            result = result.checked_mul(self)?;
        }
        Ok(result)
    }

    /// Rounds to `places` digits after the point; fewer digits stay as they are. Negative places round to tens,
    /// hundreds, ….
    ///
    /// # Errors
    /// When the number is too wide to compute with.
    pub fn round(&self, places: i32, rounding: Rounding) -> Result<Self, DecimalError> {
        if i64::from(self.scale()) <= i64::from(places) && self.scale() <= MAX_WIDTH {
            return Ok(self.clone());
        }
        let number = self.big()?;
        if places.unsigned_abs() > MAX_WIDTH {
            return Err(DecimalError::TooWide);
        }
        // The scale is larger than the places, or this would have returned above.
        let cut = u32::try_from(i64::from(number.scale) - i64::from(places)).unwrap_or(0);
        let unit = BigInt::from(10).pow(cut);
        let floor = floor_quotient(&number.mantissa, &unit);
        let rest = &number.mantissa - &floor * &unit;
        let up = match rounding {
            Rounding::Floor => false,
            Rounding::Ceil => rest.sign() != Sign::NoSign,
            Rounding::HalfAwayFromZero => {
                let twice: BigInt = rest * 2;
                twice > unit || (twice == unit && number.mantissa.sign() != Sign::Minus)
            }
        };
        let rounded = if up { floor + 1 } else { floor };
        match u32::try_from(places) {
            Ok(places) => finish_big(rounded, places),
            Err(_) => finish_big(rounded * BigInt::from(10).pow(places.unsigned_abs()), 0),
        }
    }

    /// The same value with exactly `places` digits after the point, padded with zeros or rounded half away from
    /// zero.
    ///
    /// # Errors
    /// When the result has more than 28 digits.
    pub fn with_scale(&self, places: u32) -> Result<Self, DecimalError> {
        let rounded = self
            .round(i32::try_from(places).map_err(|_| DecimalError::TooWide)?, Rounding::HalfAwayFromZero)?;
        match &rounded.0 {
            Repr::Small { mantissa, scale } if *scale <= places => scaled(*mantissa, places - scale)
                .map(|mantissa| Decimal(Repr::Small { mantissa, scale: places }))
                .ok_or(DecimalError::TooManyDigits),
            _ => Err(DecimalError::TooManyDigits),
        }
    }

    /// Both as whole numbers with the same quotient.
    fn ratio(&self, other: &Self) -> Result<(BigInt, BigInt), DecimalError> {
        if other.is_zero() {
            return Err(DecimalError::DivisionByZero);
        }
        let (a, b) = (self.big()?, other.big()?);
        let scale = a.scale.max(b.scale);
        Ok((a.at_scale(scale), b.at_scale(scale)))
    }

    fn big(&self) -> Result<Big, DecimalError> {
        match &self.0 {
            Repr::Small { mantissa, scale } => Ok(Big { mantissa: BigInt::from(*mantissa), scale: *scale }),
            Repr::Wide(wide) => wide.big(),
        }
    }
}

impl Wide {
    fn big(&self) -> Result<Big, DecimalError> {
        let width = i64::try_from(self.digits.len())
            .unwrap_or(i64::MAX)
            .saturating_add(self.exponent.saturating_abs());
        if width > i64::from(MAX_WIDTH) {
            return Err(DecimalError::TooWide);
        }
        let digits: BigInt = self.digits.parse().map_err(|_| DecimalError::TooWide)?;
        let digits = if self.negative { -digits } else { digits };
        // The width check bounds the exponent on both sides.
        let magnitude = u32::try_from(self.exponent.unsigned_abs()).map_err(|_| DecimalError::TooWide)?;
        if self.exponent >= 0 {
            return Ok(Big { mantissa: digits * BigInt::from(10).pow(magnitude), scale: 0 });
        }
        Ok(Big { mantissa: digits, scale: magnitude })
    }
}

/// The slow path's form: `mantissa / 10^scale`.
struct Big {
    mantissa: BigInt,
    scale: u32,
}

impl Big {
    fn at_scale(&self, scale: u32) -> BigInt {
        &self.mantissa * BigInt::from(10).pow(scale.saturating_sub(self.scale))
    }
}

fn finish_small(mut mantissa: i128, mut scale: u32) -> Result<Decimal, DecimalError> {
    while mantissa.unsigned_abs() >= TEN_TO_28.unsigned_abs() || scale > MAX_WIDTH {
        if scale == 0 || mantissa % 10 != 0 {
            return Err(DecimalError::TooManyDigits);
        }
        mantissa /= 10;
        scale -= 1;
        if mantissa == 0 {
            return Ok(Decimal::ZERO);
        }
    }
    Ok(Decimal(Repr::Small { mantissa, scale }))
}

fn finish_big(mantissa: BigInt, scale: u32) -> Result<Decimal, DecimalError> {
    if let Ok(mantissa) = i128::try_from(&mantissa) {
        return finish_small(mantissa, scale);
    }
    strip_and_finish(mantissa, i64::from(scale), scale)
}

/// Drops zeros after the point down to `keep` digits there, or as many as the limit asks for.
fn strip_and_finish(mut mantissa: BigInt, scale: i64, keep: u32) -> Result<Decimal, DecimalError> {
    let ten = BigInt::from(10);
    let limit = BigInt::from(TEN_TO_28);
    let Ok(mut scale) = u32::try_from(scale) else {
        let zeros = u32::try_from(scale.unsigned_abs()).unwrap_or(u32::MAX);
        if zeros > MAX_RESULT_DIGITS {
            return Err(DecimalError::TooManyDigits);
        }
        return finish_big(mantissa * ten.pow(zeros), 0);
    };
    while scale > keep || (scale > 0 && mantissa.magnitude() >= limit.magnitude()) {
        let tenth = &mantissa / &ten;
        if &tenth * &ten != mantissa {
            break;
        }
        mantissa = tenth;
        scale -= 1;
    }
    match i128::try_from(&mantissa) {
        Ok(mantissa) => finish_small(mantissa, scale),
        Err(_) => Err(DecimalError::TooManyDigits),
    }
}

fn floor_quotient(a: &BigInt, b: &BigInt) -> BigInt {
    let quotient = a / b;
    let exact = &quotient * b == *a;
    let negative = (a.sign() == Sign::Minus) != (b.sign() == Sign::Minus);
    if negative && !exact { quotient - 1 } else { quotient }
}

/// `a / b` as `quotient / 10^exponent` with 28 significant digits, half-even.
fn divide_to_28_digits(a: &BigUint, b: &BigUint) -> (BigUint, i64) {
    let digits = |number: &BigUint| i64::try_from(number.to_string().len()).unwrap_or(i64::MAX);
    // The quotient of numbers with m and n digits has m-n or m-n+1 digits before the point.
    let mut exponent = i64::from(MAX_RESULT_DIGITS) - (digits(a) - digits(b));
    let limit = BigUint::from(10_u32).pow(MAX_RESULT_DIGITS);
    loop {
        let (numerator, denominator) = shift_ratio(a, b, exponent);
        let quotient = &numerator / &denominator;
        if quotient >= limit {
            exponent -= 1;
            continue;
        }
        let rest = numerator - &quotient * &denominator;
        let up = match (rest * 2_u32).cmp(&denominator) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => &quotient % 2_u32 == BigUint::from(1_u32),
        };
        return (if up { quotient + 1_u32 } else { quotient }, exponent);
    }
}

fn shift_ratio(a: &BigUint, b: &BigUint, exponent: i64) -> (BigUint, BigUint) {
    // Widths are bounded by MAX_WIDTH on both sides, so the exponent is a few thousand at most.
    let power = BigUint::from(10_u32).pow(u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX));
    if exponent >= 0 { (a * power, b.clone()) } else { (a.clone(), b * power) }
}
