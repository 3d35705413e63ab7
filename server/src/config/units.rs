//! Amounts of memory as Redis writes them: `1000`, `100mb`, `2g`.
//!
//! `k`, `m`, `g` are powers of 1000; `kb`, `mb`, `gb` powers of 1024; letters in any case. No sign,
//! no fraction (Redis, util.c `memtoull`).

/// The factor of each unit.
const UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("b", 1),
    ("k", 1000),
    ("kb", 1 << 10),
    ("m", 1_000_000),
    ("mb", 1 << 20),
    ("g", 1_000_000_000),
    ("gb", 1 << 30),
];

/// Bytes; `None` when it is no amount of memory or does not fit.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor = UNITS.iter().find(|(name, _)| unit.eq_ignore_ascii_case(name))?.1;
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// The shortest exact way to write an amount, as the documentation shows it.
pub fn print_bytes(bytes: u64) -> String {
    let larger = UNITS.iter().rev().filter(|(name, _)| name.len() == 2);
    let mut fitting = larger.filter(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor));
    match fitting.next() {
        Some((name, factor)) => format!("{}{name}", bytes / factor),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_mean_what_redis_means() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("1024", Some(1024)),
            ("7b", Some(7)),
            ("1k", Some(1000)),
            ("1KB", Some(1024)),
            ("100mb", Some(100 << 20)),
            ("3m", Some(3_000_000)),
            ("2Gb", Some(2 << 30)),
            ("2g", Some(2_000_000_000)),
            ("", None),
            ("mb", None),
            ("-1", None),
            ("1.5gb", None),
            ("1tb", None),
            ("100%", None),
            ("1 mb", None),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("18446744073709551615kb", None),
        ] {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for bytes in [0, 1, 1000, 1024, 5 << 20, 512 << 20, 1 << 30, (1 << 30) + 1] {
            assert_eq!(parse_bytes(&print_bytes(bytes)), Some(bytes));
        }
        assert_eq!(print_bytes(512 << 20), "512mb");
        assert_eq!(print_bytes(0), "0");
    }
}
