use super::*;
use proptest::prelude::*;

#[test]
fn integers_have_one_spelling() {
    for (text, expect) in [
        ("0", Some(0)),
        ("-1", Some(-1)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("-9223372036854775809", None),
        ("99999999999999999999999", None),
        ("", None),
        ("-", None),
        ("-0", None),
        ("00", None),
        ("01", None),
        ("-01", None),
        ("+1", None),
        (" 1", None),
        ("1 ", None),
        ("1a", None),
    ] {
        assert_eq!(parse_i64(text.as_bytes()), expect, "{text:?}");
    }
}

#[test]
fn doubles_as_redis_takes_them() {
    for (text, expect) in [
        ("+1", Some(1.0)),
        ("-0", Some(-0.0)),
        (".5", Some(0.5)),
        ("5.", Some(5.0)),
        ("1e5", Some(1e5)),
        ("inf", Some(f64::INFINITY)),
        ("+Infinity", Some(f64::INFINITY)),
        ("-INF", Some(f64::NEG_INFINITY)),
        ("0x1p3", Some(8.0)),
        ("0X1.8P1", Some(3.0)),
        ("-0x.8", Some(-0.5)),
        ("0x1p-1074", Some(5e-324)),
        ("0x1.fffffffffffff8p0", Some(2.0)),
        ("0x1.fffffffffffffp1023", Some(f64::MAX)),
        ("0x1.fffffffffffff8p1023", None),
        ("0x20000000000001", Some(9_007_199_254_740_992.0)),
        // A tie, and a tie broken by a bit far below.
        ("0x2000000000000100000000000000000000000000p-104", Some(2_f64.powi(53))),
        ("0x2000000000000100000000000000000000000001p-104", Some(2_f64.powi(53) + 2.0)),
        ("0x1p-1080", None),
        ("0x1p5000", None),
        ("0x0p99999", Some(0.0)),
        ("4e-324", Some(5e-324)),
        ("2e-324", None),
        ("1e400", None),
        ("1e-400", None),
        ("0e-999", Some(0.0)),
        ("", None),
        ("nan", None),
        ("-nan", None),
        (" 1", None),
        ("1 ", None),
        ("1\0", None),
        ("1e", None),
        ("1e+", None),
        ("+-1", None),
        (".", None),
        ("0x", None),
        ("0x.", None),
        ("0x1p", None),
        ("i", None),
        ("infi", None),
        ("1_0", None),
    ] {
        let parsed = parse_f64(text.as_bytes());
        assert_eq!(parsed.map(f64::to_bits), expect.map(f64::to_bits), "{text:?}: {parsed:?}");
    }
}

fn seventeen(value: f64) -> String {
    let mut out = Vec::new();
    format_f64_17g(value, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn doubles_read_as_in_c() {
    for (value, expect) in [
        (3.1, "3.1000000000000001"),
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (1e16, "10000000000000000"),
        (1e17, "1e+17"),
        (123_456_789_012_345_678.0, "1.2345678901234568e+17"),
        (1e-4, "0.0001"),
        (0.00012345, "0.00012344999999999999"),
        (1e-5, "1.0000000000000001e-05"),
        (5e-324, "4.9406564584124654e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN, "-1.7976931348623157e+308"),
        // Ties go to the even digit.
        (2_f64.powi(50) + 0.25, "1125899906842624.2"),
        (2_f64.powi(50) + 0.75, "1125899906842624.8"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(seventeen(value), expect);
    }
}

#[test]
fn scores() {
    for (value, expect) in [
        (3.0, "3"),
        (-0.0, "-0"),
        (1e15, "1000000000000000"),
        (-1e17, "-1e+17"),
        (0.1, "0.10000000000000001"),
        (f64::INFINITY, "inf"),
        (-f64::NAN, "nan"),
    ] {
        assert_eq!(format_score(value), expect);
    }
    assert_eq!(format_long_double(1e17), "100000000000000000");
    assert_eq!(format_long_double(-f64::INFINITY), "-inf");
}

proptest! {
    #[test]
    fn every_integer_parses(value in any::<i64>()) {
        prop_assert_eq!(parse_i64(value.to_string().as_bytes()), Some(value));
    }

    #[test]
    fn seventeen_digits_name_a_double(value in prop::num::f64::ANY.prop_filter("NaN", |v| !v.is_nan())) {
        prop_assert_eq!(parse_f64(seventeen(value).as_bytes()).map(f64::to_bits), Some(value.to_bits()));
    }
}
