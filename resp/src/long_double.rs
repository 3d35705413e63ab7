//! The 80-bit floating point of the x87, in which Redis adds for INCRBYFLOAT and HINCRBYFLOAT.
//!
//! With 64 bits of mantissa and 17 decimals shown, 0.1 and 0.2 make 0.3 and not
//! 0.30000000000000004; with a double they would not. A value is `mantissa * 2^exponent`; each step
//! is exact first and then rounded once, to the nearest with ties to even, as the hardware does.
//! Limits: a text has at most 5,119 bytes, a magnitude is below 2^16384, and bits under 2^-16445
//! are lost.

use std::fmt;

use num_bigint::BigUint;

use crate::numbers::{LongHex, hex_body, is_infinity, parse_exponent, round_half_even, split_sign};

/// Longest text taken for a number, in bytes.
const TEXT_LEN_MAX: usize = 5 * 1024 - 1;
const MANTISSA_BITS: i64 = 64;
/// All values are below 2 to this power.
const TOP_MAX: i64 = 16_384;
/// The least value is 2 to this power.
const EXPONENT_MIN: i64 = -16_445;
/// Decimal exponents beyond these are out of range whatever the digits.
const DECIMAL_TOP_MAX: i64 = 5_000;
const DECIMAL_TOP_MIN: i64 = -5_000;

/// Why there is no sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongDoubleError {
    /// An operand is not a number in range.
    NotAFloat,
    /// The sum, or an operand, is infinite.
    NanOrInfinity,
}

impl fmt::Display for LongDoubleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAFloat => "value is not a valid float",
            Self::NanOrInfinity => "increment would produce NaN or Infinity",
        })
    }
}

impl std::error::Error for LongDoubleError {}

/// The sum of two numbers in text, as text: up to 17 decimals, no exponent.
pub fn add(a: &[u8], b: &[u8]) -> Result<Vec<u8>, LongDoubleError> {
    let (a, b) = (parse(a)?, parse(b)?);
    // Only now: a text that is no number is the worse fault.
    let (Parsed::Finite(a), Parsed::Finite(b)) = (a, b) else {
        return Err(LongDoubleError::NanOrInfinity);
    };
    let sum = a.plus(b).ok_or(LongDoubleError::NanOrInfinity)?;
    Ok(sum.to_string().into_bytes())
}

/// A finite value. Its mantissa's top bit is set unless the value is 0 or its exponent the least.
/// Displays with 17 decimals, zeros at the end dropped, and never as `-0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    mantissa: u64,
    exponent: i64,
}

enum Parsed {
    Finite(LongDouble),
    Infinite,
}

impl LongDouble {
    const ZERO: Self = Self { negative: false, mantissa: 0, exponent: EXPONENT_MIN };

    /// A finite number from its text, as C's `strtold` reads it.
    pub fn parse(text: &[u8]) -> Result<Self, LongDoubleError> {
        match parse(text)? {
            Parsed::Finite(value) => Ok(value),
            Parsed::Infinite => Err(LongDoubleError::NanOrInfinity),
        }
    }

    /// The same value; 0 for one that is not finite.
    pub fn from_f64(value: f64) -> Self {
        let bits = value.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let biased = i64::from((bits >> 52) as u16 & 0x7ff);
        let (mantissa, exponent) = match biased {
            0x7ff => return Self::ZERO,
            0 => (fraction, -1074),
            _ => (fraction | 1 << 52, biased.wrapping_sub(1075)),
        };
        Self::round(value.is_sign_negative(), u128::from(mantissa), exponent).unwrap_or(Self::ZERO)
    }

    /// The sum, unless it is out of range.
    pub fn plus(self, other: Self) -> Option<Self> {
        // 62 bits below the greater mantissa leave room for a carry above it. What the lesser has
        // beneath them can only decide a tie, so one sticky bit stands for it.
        const ROOM: u32 = 62;
        let (high, low) =
            if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        if high.mantissa == 0 {
            return Some(low);
        }
        let apart = u32::try_from(high.exponent.wrapping_sub(low.exponent)).unwrap_or(u32::MAX);
        let high_bits = u128::from(high.mantissa) << ROOM;
        let low_bits = match ROOM.checked_sub(apart) {
            Some(left) => u128::from(low.mantissa) << left,
            None => shift_sticky(u128::from(low.mantissa), apart.wrapping_sub(ROOM)),
        };
        let exponent = high.exponent.wrapping_sub(i64::from(ROOM));
        if high.negative == low.negative {
            return Self::round(high.negative, high_bits.wrapping_add(low_bits), exponent);
        }
        let negative = if high_bits >= low_bits { high.negative } else { low.negative };
        Self::round(negative, high_bits.abs_diff(low_bits), exponent)
    }

    /// `value * 2^exponent` rounded to what the format holds; nothing when too great.
    fn round(negative: bool, value: u128, exponent: i64) -> Option<Self> {
        if value == 0 {
            return Some(Self::ZERO);
        }
        let width = 128_i64.wrapping_sub(i64::from(value.leading_zeros()));
        let top = exponent.saturating_add(width);
        let kept = top.saturating_sub(EXPONENT_MIN).min(MANTISSA_BITS);
        if kept < 0 {
            return Some(Self::ZERO);
        }
        // Negative: zeros to append.
        let dropped = width.wrapping_sub(kept);
        let rounded = match u32::try_from(dropped) {
            Ok(dropped) => round_half_even(value, dropped),
            Err(_) => value << dropped.unsigned_abs(),
        };
        let exponent = exponent.saturating_add(dropped);
        let (mantissa, exponent) = match u64::try_from(rounded) {
            Ok(mantissa) => (mantissa, exponent),
            // Rounding up made it 2^64.
            Err(_) => (1 << 63, exponent.saturating_add(1)),
        };
        let bits = 64_i64.wrapping_sub(i64::from(mantissa.leading_zeros()));
        (exponent.saturating_add(bits) <= TOP_MAX).then_some(Self { negative, mantissa, exponent })
    }
}

impl fmt::Display for LongDouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DECIMALS: u64 = 100_000_000_000_000_000;
        let sign = if self.negative { "-" } else { "" };
        if let Ok(exponent @ 1..) = usize::try_from(self.exponent) {
            return write!(f, "{sign}{}", BigUint::from(self.mantissa) << exponent);
        }
        // 64 bits times 57 bits: it fits.
        let scaled = u128::from(self.mantissa).wrapping_mul(u128::from(DECIMALS));
        let bits = u32::try_from(self.exponent.unsigned_abs()).unwrap_or(u32::MAX);
        let units = round_half_even(scaled, bits);
        if units == 0 {
            return f.write_str("0");
        }
        let whole = units / u128::from(DECIMALS);
        let decimals = format!("{:017}", units % u128::from(DECIMALS));
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            decimals => write!(f, "{sign}{whole}.{decimals}"),
        }
    }
}

fn parse(text: &[u8]) -> Result<Parsed, LongDoubleError> {
    let (negative, body) = split_sign(text);
    if is_infinity(body) {
        return Ok(Parsed::Infinite);
    }
    let finite = match hex_body(body) {
        _ if text.len() > TEXT_LEN_MAX => None,
        Some(hex) => parse_hex(hex, negative),
        None => parse_decimal(body, negative),
    };
    finite.map(Parsed::Finite).ok_or(LongDoubleError::NotAFloat)
}

/// Nothing too when a value other than 0 rounds to 0.
fn parse_hex(hex: &[u8], negative: bool) -> Option<LongDouble> {
    let parsed = LongHex::parse(hex)?;
    let value = LongDouble::round(negative, parsed.mantissa, parsed.exponent)?;
    (value.mantissa != 0 || parsed.mantissa == 0).then_some(value)
}

/// As [`parse_hex`].
fn parse_decimal(body: &[u8], negative: bool) -> Option<LongDouble> {
    let (mantissa, exponent) = match body.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (body.get(..at)?, parse_exponent(body.get(at.checked_add(1)?..)?)?),
        None => (body, 0),
    };
    let point = mantissa.iter().position(|byte| *byte == b'.');
    let (whole, decimals) = match point {
        Some(at) => (mantissa.get(..at)?, mantissa.get(at.checked_add(1)?..)?),
        None => (mantissa, &b""[..]),
    };
    let digits = [whole, decimals].concat();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    let digits = digits.get(zeros..)?;
    if digits.is_empty() {
        return Some(LongDouble::ZERO);
    }
    let exponent = exponent.saturating_sub(i64::try_from(decimals.len()).ok()?);
    let top = exponent.saturating_add(i64::try_from(digits.len()).ok()?);
    if !(DECIMAL_TOP_MIN..=DECIMAL_TOP_MAX).contains(&top) {
        return None;
    }
    if let Some(value) = divide_short(digits, exponent, negative) {
        return Some(value);
    }
    let digits = BigUint::parse_bytes(digits, 10)?;
    let power = BigUint::from(10_u32).pow(u32::try_from(exponent.unsigned_abs()).ok()?);
    let one = BigUint::from(1_u32);
    let (dividend, divisor) = if exponent < 0 { (digits, power) } else { (digits * power, one) };
    let value = divide(dividend, divisor, negative)?;
    (value.mantissa != 0).then_some(value)
}

/// What people type, in machine words: up to 19 digits of which up to 18 are decimals. The quotient
/// has 67 bits or more, so rounding it once more is exact.
fn divide_short(digits: &[u8], exponent: i64, negative: bool) -> Option<LongDouble> {
    let decimals =
        u32::try_from(exponent.checked_neg()?).ok().filter(|decimals| *decimals <= 18)?;
    let digits: u64 =
        std::str::from_utf8(digits).ok().filter(|text| text.len() <= 19)?.parse().ok()?;
    let zeros = digits.leading_zeros();
    let dividend = u128::from(digits.checked_shl(zeros)?) << 64;
    let divisor = 10_u128.checked_pow(decimals)?;
    let bits = dividend.checked_div(divisor)?;
    let is_inexact = dividend.checked_rem(divisor)? != 0;
    let shift = 64_i64.saturating_add(i64::from(zeros));
    LongDouble::round(negative, bits | u128::from(is_inexact), shift.wrapping_neg())
}

/// The quotient, divided so far that two bits and a sticky one lie below the mantissa.
fn divide(dividend: BigUint, divisor: BigUint, negative: bool) -> Option<LongDouble> {
    let wanted = i64::try_from(divisor.bits()).ok()?.checked_add(MANTISSA_BITS)?.checked_add(2)?;
    let shift = wanted.checked_sub(i64::try_from(dividend.bits()).ok()?)?;
    let by = usize::try_from(shift.unsigned_abs()).ok()?;
    let (dividend, divisor) =
        if shift >= 0 { (dividend << by, divisor) } else { (dividend, divisor << by) };
    let quotient = &dividend / &divisor;
    let is_inexact = &quotient * &divisor != dividend;
    let bits = u128::try_from(quotient).ok()?;
    LongDouble::round(negative, bits | u128::from(is_inexact), shift.wrapping_neg())
}

/// `value / 2^bits` with its lowest bit set if anything was cut off.
fn shift_sticky(value: u128, bits: u32) -> u128 {
    let shifted = value.checked_shr(bits).unwrap_or(0);
    let is_cut = shifted.checked_shl(bits).unwrap_or(0) != value;
    shifted | u128::from(is_cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &str, b: &str, expect: Result<&str, LongDoubleError>) {
        let sum = add(a.as_bytes(), b.as_bytes()).map(|sum| String::from_utf8(sum).unwrap());
        assert_eq!(sum.as_deref(), expect.as_ref().map(|text| *text), "{a} + {b}");
    }

    #[test]
    fn sums_read_as_in_redis() {
        check("3.0", "1.1", Ok("4.1"));
        check("0.1", "0.2", Ok("0.3"));
        check("10.5", "0.1", Ok("10.6"));
        check("5.0e3", "2.0e2", Ok("5200"));
        check("1e20", "0", Ok("100000000000000000000"));
        check("0", "-5e-10", Ok("-0.0000000005"));
        check("-0", "0", Ok("0"));
        check("0", "-1e-20", Ok("0"));
        check("5", "-5", Ok("0"));
        check("17179869184", "1.5", Ok("17179869185.5"));
        check("0x1p3", "0x.8", Ok("8.5"));
        check("0", "1e-4940", Ok("0"));
        check(
            "1e4932",
            "0",
            Ok(&add(b"0", b"1e4932").map(|s| String::from_utf8(s).unwrap()).unwrap()),
        );
    }

    #[test]
    fn what_is_no_number_or_no_longer_one() {
        use LongDoubleError::*;
        for text in [
            "",
            " 1",
            "1 ",
            "nan",
            "1e",
            "1e4940",
            "1e-5000",
            "1e-4960",
            ".",
            "0x",
            "--1",
            "1e9999999999999999999",
        ] {
            check(text, "inf", Err(NotAFloat));
            check("1", text, Err(NotAFloat));
        }
        check(&"1".repeat(5120), "1", Err(NotAFloat));
        check("inf", "1", Err(NanOrInfinity));
        check("-infinity", "inf", Err(NanOrInfinity));
        check("1e4932", "1e4932", Err(NanOrInfinity));
    }

    #[test]
    fn doubles_keep_their_value() {
        for (value, text) in [
            (0.1, "0.10000000000000001"),
            (-2.5, "-2.5"),
            (1e22, "10000000000000000000000"),
            (5e-324, "0"),
            (f64::INFINITY, "0"),
        ] {
            assert_eq!(LongDouble::from_f64(value).to_string(), text);
        }
    }
}
