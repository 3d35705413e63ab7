//! What Redis takes for a number, and how it writes one.
//!
//! Integers have one spelling only, so that `007` stays a string. Doubles are read as C's `strtod`
//! does, hexadecimal too, but neither blanks nor NaN nor what is out of range, though a denormal is
//! well. Behaviour is that of Redis 7.0.15 on x86-64.

use crate::float_format::{exact_integer, with_17g};
use crate::long_double::LongDouble;

/// An integer in its one spelling: no `+`, no leading zeros, no blanks, no `-0`.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    // Counting downwards, for there is one more negative number than positive.
    let negated = digits.iter().try_fold(0_i64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_sub(i64::from(digit))
    })?;
    if negative { Some(negated) } else { negated.checked_neg() }
}

/// A double as commands accept it.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let (negative, body) = split_sign(text);
    let magnitude = if let Some(hex) = hex_body(body) {
        parse_hex(hex)?
    } else if is_infinity(body) {
        f64::INFINITY
    } else {
        parse_decimal(body)?
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// Appends C's `%.17g`.
pub fn format_f64_17g(value: f64, out: &mut impl Extend<u8>) {
    out.extend(with_17g(value).as_bytes().iter().copied());
}

/// A score as text: an integer below 2^52 as one, else `%.17g`.
pub fn format_score(value: f64) -> String {
    if let Some(integer) = exact_integer(value) {
        return itoa::Buffer::new().format(integer).to_owned();
    }
    // Redis writes every NaN as `nan`, whatever its sign.
    let value = if value.is_nan() { f64::NAN } else { value };
    String::from_utf8_lossy(with_17g(value).as_bytes()).into_owned()
}

/// A double as INCRBYFLOAT writes it: up to 17 decimals, never an exponent.
pub fn format_long_double(value: f64) -> String {
    if value.is_finite() { LongDouble::from_f64(value).to_string() } else { format_score(value) }
}

pub(crate) fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', body @ ..] => (true, body),
        [b'+', body @ ..] => (false, body),
        body => (false, body),
    }
}

pub(crate) fn is_infinity(body: &[u8]) -> bool {
    body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity")
}

/// What follows `0x`.
pub(crate) fn hex_body(body: &[u8]) -> Option<&[u8]> {
    match body {
        [b'0', b'x' | b'X', hex @ ..] => Some(hex),
        _ => None,
    }
}

fn parse_decimal(body: &[u8]) -> Option<f64> {
    // Rust would take a second sign, and names.
    if !matches!(body.first()?, b'0'..=b'9' | b'.') {
        return None;
    }
    let value: f64 = std::str::from_utf8(body).ok()?.parse().ok()?;
    let mantissa = body.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
    let is_zero = mantissa.into_iter().all(|byte| matches!(byte, b'0' | b'.'));
    // Out of range either way is refused.
    (value.is_finite() && (value != 0.0 || is_zero)).then_some(value)
}

fn parse_hex(hex: &[u8]) -> Option<f64> {
    let value = LongHex::parse(hex)?;
    if value.mantissa == 0 {
        return Some(0.0);
    }
    // Of the value's bits those count that lie above the least denormal, 2^-1074, and at most 53.
    let width = 128_i64.wrapping_sub(i64::from(value.mantissa.leading_zeros()));
    let top = value.exponent.saturating_add(width);
    let kept = top.saturating_add(1074).min(53);
    if kept < 0 || top > 1024 {
        return None;
    }
    let dropped = u32::try_from(width.wrapping_sub(kept)).unwrap_or(0);
    let rounded = round_half_even(value.mantissa, dropped);
    let exponent = i32::try_from(value.exponent.saturating_add(i64::from(dropped))).ok()?;
    // Exact: the mantissa has no more bits than the result, and neither step leaves the range alone.
    let half = exponent.wrapping_div(2);
    let result = rounded as f64 * 2_f64.powi(half) * 2_f64.powi(exponent.wrapping_sub(half));
    (result.is_finite() && result != 0.0).then_some(result)
}

/// `value / 2^bits`, rounded to the nearest, ties to even.
pub(crate) fn round_half_even(value: u128, bits: u32) -> u128 {
    let Some(half) = bits.checked_sub(1).and_then(|shift| 1_u128.checked_shl(shift)) else {
        return if bits == 0 { value } else { 0 };
    };
    let quotient = value.checked_shr(bits).unwrap_or(0);
    let mask = half.wrapping_sub(1) | half;
    let rest = value & mask;
    let up = rest > half || (rest == half && quotient & 1 == 1);
    quotient.wrapping_add(u128::from(up))
}

/// A hexadecimal float, `mantissa * 2^exponent`; the lowest bit is set if bits beyond were.
pub(crate) struct LongHex {
    pub(crate) mantissa: u128,
    pub(crate) exponent: i64,
}

impl LongHex {
    /// Parses what follows `0x`.
    pub(crate) fn parse(hex: &[u8]) -> Option<Self> {
        let (mut mantissa, mut exponent, mut sticky) = (0_u128, 0_i64, false);
        let (mut digits, mut is_fraction) = (false, false);
        let mut rest = hex;
        while let [byte, tail @ ..] = rest {
            let digit = match byte {
                b'.' if !is_fraction => {
                    is_fraction = true;
                    rest = tail;
                    continue;
                }
                b'p' | b'P' => break,
                _ => char::from(*byte).to_digit(16)?,
            };
            digits = true;
            rest = tail;
            if mantissa.leading_zeros() >= 8 {
                mantissa = mantissa << 4 | u128::from(digit);
            } else {
                sticky |= digit != 0;
                exponent = exponent.wrapping_add(4);
            }
            exponent = exponent.wrapping_sub(if is_fraction { 4 } else { 0 });
        }
        if !digits {
            return None;
        }
        if let [_, power @ ..] = rest {
            exponent = exponent.saturating_add(parse_exponent(power)?);
        }
        Some(Self { mantissa: mantissa | u128::from(sticky), exponent })
    }
}

/// A decimal exponent with an optional sign, held within ±10^9 since more makes no difference.
pub(crate) fn parse_exponent(text: &[u8]) -> Option<i64> {
    const BOUND: i64 = 1_000_000_000;
    let (negative, digits) = split_sign(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0_i64, |value, byte| {
        let digit = i64::from(byte.wrapping_sub(b'0'));
        value.saturating_mul(10).saturating_add(digit).min(BOUND)
    });
    Some(if negative { magnitude.wrapping_neg() } else { magnitude })
}

#[cfg(test)]
mod tests;
