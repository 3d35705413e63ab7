//! Quoting as redis-cli does it, and glob patterns, for everything a person reads or writes here.

/// Puts bytes into double quotes; what is not printable ASCII becomes an escape.
pub fn quote(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for &byte in bytes {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

/// A command line as redis-cli would take it: words bare where they can be.
pub fn quote_command(args: &[Vec<u8>]) -> String {
    let bare = |arg: &Vec<u8>| {
        !arg.is_empty() && arg.iter().all(|b| b.is_ascii_graphic() && !b"\"'\\".contains(b))
    };
    let words: Vec<String> = args
        .iter()
        .map(|arg| if bare(arg) { String::from_utf8_lossy(arg).into_owned() } else { quote(arg) })
        .collect();
    words.join(" ")
}

/// Splits a command line into arguments: blanks separate, `"..."` knows the escapes of [`quote`],
/// `'...'` knows only `\'`. `None` for unbalanced quotes.
pub fn split(line: &str) -> Option<Vec<Vec<u8>>> {
    let mut args = Vec::new();
    let mut rest = line.as_bytes();
    loop {
        rest = rest.trim_ascii_start();
        let Some(&first) = rest.first() else { return Some(args) };
        let mut arg = Vec::new();
        if first == b'"' || first == b'\'' {
            rest = rest.get(1..)?;
            loop {
                let (&byte, after) = rest.split_first()?;
                rest = after;
                match byte {
                    b'\\' if first == b'"' => rest = unescape(rest, &mut arg)?,
                    b'\\' if rest.first() == Some(&b'\'') => {
                        arg.push(b'\'');
                        rest = rest.get(1..)?;
                    }
                    _ if byte == first => break,
                    _ => arg.push(byte),
                }
            }
            if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
                return None;
            }
        } else {
            let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            arg.extend_from_slice(word);
            rest = after;
        }
        args.push(arg);
    }
}

/// Takes what follows a backslash, and returns the rest.
fn unescape<'a>(rest: &'a [u8], arg: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (&byte, after) = rest.split_first()?;
    if byte == b'x' {
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        arg.push(u8::from_str_radix(digits, 16).ok()?);
        return after.get(2..);
    }
    arg.push(match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    });
    Some(after)
}

/// Whether `text` matches `pattern`, where `*` stands for anything and `?` for one character.
/// Iterative: it remembers one star and goes back to that only.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                t = from + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_survives_quoting() {
        let args: Vec<Vec<u8>> = vec![b"SET".into(), b"".into(), b"a b\x00\xff\"'\\\n".into()];
        assert_eq!(split(&quote_command(&args)).unwrap(), args);
        assert_eq!(split(r"'it\'s' b").unwrap(), vec![b"it's".to_vec(), b"b".to_vec()]);
        assert!(split("\"open").is_none());
    }

    #[test]
    fn stars_match_anything() {
        for (pattern, text, expect) in
            [("a*c", "abcbc", true), ("a*c", "abcb", false), ("*", "", true), ("?", "", false)]
        {
            assert_eq!(matches(pattern, text), expect, "{pattern} {text}");
        }
    }
}
