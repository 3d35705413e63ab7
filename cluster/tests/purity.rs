//! The decisions are pure: no file of these modules names a clock, a socket, a file, a random
//! source, a thread or an async function. Then the same values give the same answer on every node,
//! in the simulator and in a test, today and tomorrow.
//!
//! Every module of the crate is held to it but those listed here with their reason, so a new one is
//! watched from its first line. Maps that iterate in a random order count as a random source.
//! Comments and texts may say what they like; the modules' own tests are held to it too.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

/// Modules that do I/O, and what.
const IMPURE: &[(&str, &str)] = &[
    ("files", "is the seam to the file system"),
    ("journal", "writes and syncs files"),
    ("simulator", "draws seeded random numbers (simulator/random.rs, and nothing else)"),
];

/// Modules without which this test would look at nothing.
const PURE: &[&str] = &["topology", "autoscaler", "plan", "step"];

/// Words that may not stand in the code, and what each is.
const WORDS: &[(&str, &str)] = &[
    ("Instant", "a clock"),
    ("SystemTime", "a clock"),
    ("UNIX_EPOCH", "a clock"),
    ("Clock", "a clock"),
    ("sleep", "a clock"),
    ("chrono", "a clock"),
    ("TcpStream", "a socket"),
    ("TcpListener", "a socket"),
    ("UdpSocket", "a socket"),
    ("UnixStream", "a socket"),
    ("socket2", "a socket"),
    ("File", "a file"),
    ("OpenOptions", "a file"),
    ("PathBuf", "a file"),
    ("rustix", "the operating system"),
    ("libc", "the operating system"),
    ("stdin", "input"),
    ("stdout", "output"),
    ("stderr", "output"),
    ("print", "output"),
    ("println", "output"),
    ("eprint", "output"),
    ("eprintln", "output"),
    ("dbg", "output"),
    ("tracing", "output"),
    ("rand", "a random source"),
    ("fastrand", "a random source"),
    ("getrandom", "a random source"),
    ("thread_rng", "a random source"),
    ("HashMap", "a random order"),
    ("HashSet", "a random order"),
    ("RandomState", "a random order"),
    ("async", "an async function"),
    ("await", "an async function"),
    ("tokio", "an async runtime"),
    ("futures", "an async runtime"),
    ("thread", "a thread"),
    ("thread_local", "hidden state"),
    ("OnceLock", "hidden state"),
    ("OnceCell", "hidden state"),
    ("Mutex", "shared state"),
    ("RwLock", "shared state"),
    ("parking_lot", "shared state"),
    ("crossbeam", "shared state"),
    ("AtomicBool", "shared state"),
    ("AtomicU64", "shared state"),
    ("AtomicUsize", "shared state"),
];

/// Modules of the standard library that may not be used, by whatever name is taken from them.
const STANDARD: &[(&str, &str)] = &[
    ("time", "a clock"),
    ("net", "a socket"),
    ("fs", "a file"),
    ("io", "input or output"),
    ("env", "the environment"),
    ("process", "a process"),
    ("thread", "a thread"),
    ("os", "the operating system"),
    ("future", "an async function"),
    ("task", "an async function"),
    ("random", "a random source"),
];

#[test]
fn the_decisions_name_nothing_from_outside() {
    let source = Path::new("src");
    let modules = modules(&fs::read_to_string(source.join("lib.rs")).unwrap());
    for name in PURE {
        assert!(modules.contains(&(*name).to_owned()), "lib.rs has no module {name}");
    }
    let impure = |name: &String| IMPURE.iter().any(|(known, _)| known == name);
    let mut all = Vec::new();
    for module in modules.iter().filter(|m| !impure(m)) {
        let files = files(source, module);
        assert!(!files.is_empty(), "no source of {module} in {}", source.display());
        for file in files {
            let name = file.strip_prefix(source).unwrap().display().to_string();
            for (line, word, what) in named(&fs::read_to_string(&file).unwrap()) {
                all.push(format!("{name}:{line}: {word} is {what}"));
            }
        }
    }
    assert!(all.is_empty(), "these belong outside of the decisions:\n{}", all.join("\n"));
}

#[test]
fn every_word_would_be_caught_and_only_in_code() {
    for &(word, what) in WORDS {
        let source = format!("fn f() {{\n    let x = {word}(1);\n}}");
        assert_eq!(named(&source), [(2, word.to_owned(), what)]);
        for harmless in [
            format!("// {word} is not used\n/// {word}\n//! {word}"),
            format!("/* {word} /* {word} */ {word} */"),
            format!("let text = \"{word} \\\" {word}\";"),
            format!("let text = r#\"{word} \" {word}\"#;"),
            format!("let my_{word} = {word}x;"),
        ] {
            assert_eq!(named(&harmless), [], "{harmless}");
        }
    }
}

#[test]
fn every_module_of_the_standard_library_would_be_caught() {
    for &(module, what) in STANDARD {
        for source in [
            format!("use std::{module}::Thing;"),
            format!("let x = ::std::{module}::thing();"),
            format!("let x = std :: {module} :: thing();"),
            format!("use std::{{collections::BTreeMap, {module}::{{A, B}}}};"),
            format!("use std::{{fmt::{{self, Write}}, {module}}};"),
            format!("use core::{module}::Thing;"),
        ] {
            let expected = (1, format!("std::{module}"), what);
            assert!(named(&source).contains(&expected), "{source}: {:?}", named(&source));
        }
        let harmless = format!("let x = my::std_{module}::thing(self.{module}x);");
        assert_eq!(named(&harmless), []);
    }
    assert_eq!(named("use std::collections::BTreeMap; use std::fmt::Write;"), []);
}

#[test]
fn quotes_do_not_hide_what_follows() {
    for source in ["let c = '\"'; rand();", "let c = '\\''; rand();", "fn f<'a>(x: &'a T) { rand }"]
    {
        assert_eq!(named(source), [(1, "rand".to_owned(), "a random source")], "{source}");
    }
    assert_eq!(named("\"two\nlines\"\nrand"), [(3, "rand".to_owned(), "a random source")]);
}

#[test]
fn modules_are_read_from_lib() {
    let lib = "//! mod no;\npub mod files;\n mod plan ;\n#[cfg(test)]\nmod tests;\nuse x::mod_y;";
    assert_eq!(modules(lib), ["files", "plan", "tests"]);
}

/// The names after `mod`.
fn modules(lib: &str) -> Vec<String> {
    let tokens = tokens(&code(lib));
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    pairs.filter(|((_, word), _)| word == "mod").map(|(_, (_, name))| name.clone()).collect()
}

/// All sources of a module, in order.
fn files(source: &Path, module: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![source.join(module)]);
    found.extend(Some(source.join(format!("{module}.rs"))).filter(|f| f.exists()));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What `source` names that it should not: line from 1, word, what it is.
fn named(source: &str) -> Vec<(usize, String, &'static str)> {
    let tokens = tokens(&code(source));
    let mut all = Vec::new();
    for (at, (line, token)) in tokens.iter().enumerate() {
        if matches!(token.as_str(), "std" | "core" | "alloc") {
            for (line, module) in reached(&tokens[at + 1..]) {
                if let Some((module, what)) = STANDARD.iter().find(|(m, _)| *m == module) {
                    all.push((line, format!("std::{module}"), *what));
                }
            }
        }
        if let Some((word, what)) = WORDS.iter().find(|(word, _)| word == token) {
            all.push((*line, (*word).to_owned(), *what));
        }
    }
    all
}

/// After `std`: the modules that `::name` or `::{name::..., name}` reaches.
fn reached(tokens: &[(usize, String)]) -> Vec<(usize, String)> {
    let text = |at: usize| tokens.get(at).map_or("", |(_, token)| token.as_str());
    match (text(0), text(1)) {
        ("::", "{") => {}
        ("::", _) => return tokens.get(1).cloned().into_iter().collect(),
        _ => return Vec::new(),
    }
    let (mut depth, mut first, mut names) = (0, true, Vec::new());
    for (line, token) in &tokens[1..] {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 1 => first = true,
            name if depth == 1 && first => {
                names.push((*line, name.to_owned()));
                first = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Words and signs with their lines; `::` is one sign.
fn tokens(code: &str) -> Vec<(usize, String)> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens: Vec<(usize, String)> = Vec::new();
    for (line, text) in (1..).zip(code.lines()) {
        let mut last = ' ';
        for c in text.chars() {
            let goes_on = word(last) && word(c) || last == ':' && c == ':';
            match tokens.last_mut() {
                Some((_, token)) if goes_on => token.push(c),
                _ if !c.is_whitespace() => tokens.push((line, c.to_string())),
                _ => {}
            }
            last = c;
        }
    }
    tokens
}

/// `source` without comments and texts; lines stay where they are.
fn code(source: &str) -> String {
    let (mut code, mut rest) = (String::new(), source);
    while let Some(c) = rest.chars().next() {
        match comment(rest).or_else(|| raw_text(rest)).or_else(|| text(rest)) {
            Some(length) => {
                let (skipped, after) = rest.split_at(length);
                code.push(' ');
                code.extend(skipped.chars().filter(|c| *c == '\n'));
                rest = after;
            }
            None => {
                code.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    code
}

/// Length in bytes of the comment that `rest` begins with.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let (mut depth, mut at) = (0, 0);
    while rest.starts_with("/*") && at < rest.len() {
        match rest.get(at..at + 2) {
            Some("/*") => (depth, at) = (depth + 1, at + 2),
            Some("*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    rest.starts_with("/*").then_some(rest.len())
}

/// Length of the raw text, `r"..."` or `r#"..."#`, that `rest` begins with.
fn raw_text(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(rest.len() - body.len() + body.find(&end)? + end.len())
}

/// Length of the text or character, `"..."` or `'x'`, that `rest` begins with.
fn text(rest: &str) -> Option<usize> {
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut inside = rest.char_indices().skip(1);
    let mut count = 0;
    while let Some((at, c)) = inside.next() {
        count += 1;
        match c {
            '\\' => drop(inside.next()),
            c if c == quote => return Some(at + 1),
            // A lifetime: no character is that long.
            _ if quote == '\'' && count > 1 => return None,
            _ => {}
        }
    }
    None
}
