//! Doubles as C's `%.17g` prints them.
//!
//! Seventeen significant digits name a double exactly, and Redis shows them all: 3.1 reads
//! `3.1000000000000001`. Below 1e-4 and from 1e17 on the exponent is written out. Rust's own `{:e}`
//! gives the digits, correctly rounded; this file only places the point and drops the zeros at the
//! end.

use std::io::Write;

/// The longest is `-1.7976931348623157e+308`; `{:.16e}` is no longer than that.
const TEXT_LEN_MAX: usize = 32;
const DIGITS: i32 = 17;

/// A short text on the stack.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    bytes: [u8; TEXT_LEN_MAX],
    len: usize,
}

impl Text {
    fn new() -> Self {
        Self { bytes: [0; TEXT_LEN_MAX], len: 0 }
    }

    fn of(text: &[u8]) -> Self {
        let mut new = Self::new();
        new.push(text);
        new
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, text: &[u8]) {
        let end = self.len.saturating_add(text.len());
        if let Some(free) = self.bytes.get_mut(self.len..end) {
            free.copy_from_slice(text);
            self.len = end;
        }
    }

    fn push_zeros(&mut self, count: usize) {
        self.push(b"0000000000000000".get(..count).unwrap_or_default());
    }
}

impl Write for Text {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.push(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// C's `%.17g`.
pub(crate) fn with_17g(value: f64) -> Text {
    if value.is_nan() {
        return Text::of(if value.is_sign_negative() { b"-nan" } else { b"nan" });
    }
    if value.is_infinite() {
        return Text::of(if value < 0.0 { b"-inf" } else { b"inf" });
    }
    if let Some(integer) = exact_integer(value) {
        return Text::of(itoa::Buffer::new().format(integer).as_bytes());
    }
    let mut scientific = Text::new();
    // Writing to a `Text` does not fail.
    let _ = write!(scientific, "{:.16e}", value.abs());
    let (digits, exponent) = parts(scientific.as_bytes());
    let mut text = Text::of(if value.is_sign_negative() { b"-" } else { b"" });
    if (-4..DIGITS).contains(&exponent) {
        push_fixed(&mut text, digits.as_bytes(), exponent);
    } else {
        push_point(&mut text, digits.as_bytes(), 1);
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(text, "e{sign}{:02}", exponent.unsigned_abs());
    }
    text
}

/// The value if it is an integer that a double holds with all below it, and not -0.
pub(crate) fn exact_integer(value: f64) -> Option<i64> {
    const BOUND: f64 = 4_503_599_627_370_496.0; // 2^52
    if value.abs() >= BOUND || value.is_nan() || (value == 0.0 && value.is_sign_negative()) {
        return None;
    }
    let integer = value as i64;
    (integer as f64 == value).then_some(integer)
}

/// The digits of `d.ddde-x` without the zeros at their end, and the exponent.
fn parts(scientific: &[u8]) -> (Text, i32) {
    let mut halves = scientific.split(|byte| *byte == b'e');
    let mantissa = halves.next().unwrap_or_default();
    let exponent = halves.next().and_then(|text| std::str::from_utf8(text).ok());
    let exponent = exponent.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut digits = Text::new();
    for part in mantissa.split(|byte| *byte == b'.') {
        digits.push(part);
    }
    while digits.len > 1 && digits.as_bytes().ends_with(b"0") {
        digits.len = digits.len.wrapping_sub(1);
    }
    (digits, exponent)
}

fn push_fixed(text: &mut Text, digits: &[u8], exponent: i32) {
    match usize::try_from(exponent) {
        Ok(exponent) => push_point(text, digits, exponent.saturating_add(1)),
        Err(_) => {
            text.push(b"0.");
            let zeros = exponent.unsigned_abs().saturating_sub(1);
            text.push_zeros(usize::try_from(zeros).unwrap_or(0));
            text.push(digits);
        }
    }
}

/// The digits with the point after the first `whole`; zeros fill up to it.
fn push_point(text: &mut Text, digits: &[u8], whole: usize) {
    match digits.split_at_checked(whole) {
        Some((before, after)) if !after.is_empty() => {
            text.push(before);
            text.push(b".");
            text.push(after);
        }
        _ => {
            text.push(digits);
            text.push_zeros(whole.saturating_sub(digits.len()));
        }
    }
}
