//! Redis's glob patterns: `*`, `?`, `[a-z]`, `[^a-z]`, and a backslash before a literal.
//!
//! Only the latest `*` ever has to give way: an earlier one taking more could not help what follows
//! it. So matching is one loop with one place to return to, at most pattern times text steps; a
//! budget of steps, generous next to any honest pattern, ends hostile ones as "no match".
//!
//! The oddities are Redis's: an unclosed class ends with the pattern, `[a-]` is a range that ends
//! at `]`, an escape inside a class ignores `nocase`, and an empty text matches only the empty
//! pattern (and a bare `*`, which every caller in Redis takes as "all" before matching).

/// Steps any match may take, beside those linear in its input.
const STEPS_MAX: usize = 1 << 24;

/// Whether `text` as a whole fits `pattern`; `nocase` ignores ASCII case.
pub fn matches(pattern: &[u8], text: &[u8], nocase: bool) -> bool {
    if pattern == b"*" || text.is_empty() {
        return pattern == b"*" || pattern.is_empty();
    }
    let mut steps = STEPS_MAX.saturating_add(text.len()).saturating_add(pattern.len());
    let (mut rest, mut left) = (pattern, text);
    // What stands behind the latest star, and the text not yet tried there.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some((b'*', behind)) = rest.split_first().map(|(first, behind)| (*first, behind)) {
            if behind.is_empty() {
                return true;
            }
            rest = behind;
            retry = Some((behind, left));
            continue;
        }
        let next = match left.split_first() {
            None if rest.is_empty() => return true,
            // Whatever the star takes, less text is left for the same pattern.
            None => return false,
            Some((&byte, after)) => element(rest, byte, nocase).map(|rest| (rest, after)),
        };
        steps = steps.saturating_sub(1);
        match (next, retry) {
            _ if steps == 0 => return false,
            (Some(next), _) => (rest, left) = next,
            (None, Some((behind, [_, shorter @ ..]))) => {
                retry = Some((behind, shorter));
                (rest, left) = (behind, shorter);
            }
            (None, _) => return false,
        }
    }
}

/// Matches one byte with the pattern's first element; what follows the element, if it fits.
#[inline]
fn element(pattern: &[u8], byte: u8, nocase: bool) -> Option<&[u8]> {
    let fits = |literal: u8| fold(literal, nocase) == fold(byte, nocase);
    match pattern {
        [] => None,
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => class(rest, byte, nocase),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => fits(*literal).then_some(rest),
    }
}

/// Matches one byte with a class, `pattern` standing behind its `[`.
fn class(pattern: &[u8], byte: u8, nocase: bool) -> Option<&[u8]> {
    let (mut rest, negated) = match pattern {
        [b'^', rest @ ..] => (rest, true),
        _ => (pattern, false),
    };
    let mut found = false;
    loop {
        rest = match rest {
            [] => break,
            [b'\\', literal, rest @ ..] => {
                found |= *literal == byte;
                rest
            }
            [b']', behind @ ..] => {
                rest = behind;
                break;
            }
            [first, b'-', last, rest @ ..] => {
                let (low, high) = (*first.min(last), *first.max(last));
                let range = fold(low, nocase)..=fold(high, nocase);
                found |= range.contains(&fold(byte, nocase));
                rest
            }
            [literal, rest @ ..] => {
                found |= fold(*literal, nocase) == fold(byte, nocase);
                rest
            }
        };
    }
    (found != negated).then_some(rest)
}

fn fold(byte: u8, nocase: bool) -> u8 {
    if nocase { byte.to_ascii_lowercase() } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_redis_means() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("**", "", false),
            ("", "", true),
            ("", "a", false),
            ("a*", "a", true),
            ("a**", "a", true),
            ("a*?", "a", false),
            ("h?llo", "hello", true),
            ("h*llo", "heeeello", true),
            ("*ab*ab", "abxabyab", true),
            ("*ab*ab", "abxabyaba", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("[a-]", "`", true),
            ("[a", "a", true),
            ("[", "a", false),
            ("[^", "a", true),
            ("[]", "]", false),
            ("[\\]]", "]", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a\\", "a\\", true),
            ("A", "a", false),
        ] {
            let found = matches(pattern.as_bytes(), text.as_bytes(), false);
            assert_eq!(found, expected, "{pattern} {text}");
        }
        assert!(matches(b"H[A-C]LL?", b"hbllo", true));
        assert!(!matches(b"[\\A]", b"a", true));
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let text = [b'a'; 4096];
        let pattern = [b"*a".repeat(30), b"*b".to_vec()].concat();
        assert!(!matches(&pattern, &text, false));
        // Quadratic work beyond the budget ends as well.
        let text = vec![b'a'; 1 << 20];
        let pattern = [&b"*"[..], &text[..1 << 19], b"b"].concat();
        assert!(!matches(&pattern, &text, false));
    }
}
