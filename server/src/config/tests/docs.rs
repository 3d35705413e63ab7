//! `docs/configuration.md` is this table. `UPDATE_DOCS=1 cargo test -p server` writes it anew.

use super::super::table::{KEYS, Scope, Section};
use std::fmt::Write;

const INTRODUCTION: &str = "\
# Configuration

Every key has one name everywhere: the flag `--maxmemory`, the line `maxmemory = \"2gb\"` in the TOML
file of `--config FILE`, the environment variable `BOWSHOCK_MAXMEMORY`, and `CONFIG GET maxmemory`.
A flag wins over the environment, the environment over the file, the file over the default.
A key marked *run-time* can be changed with `CONFIG SET`; `CONFIG REWRITE` saves the present values
to the file. The others are decided at the start.

Bytes take units: `kb`, `mb`, `gb` are powers of 1024, `k`, `m`, `g` powers of 1000.
A password on the command line can be seen by other users of the machine: give `requirepass` by the
environment or the file, as the password or as `sha256:` and the hex digits of its SHA-256.
An unknown key in the file ends the start; an unknown variable `BOWSHOCK_...` is a warning, as
container platforms make such variables for a service of that name.
";

fn markdown() -> String {
    let mut text = INTRODUCTION.to_string();
    for section in Section::ALL {
        let title = section.title();
        write!(text, "\n## {title}\n\n| key | default | changed | values | meaning |\n|---|---|---|---|---|\n").unwrap();
        for row in KEYS.iter().filter(|row| row.section == section) {
            let default =
                if row.default.is_empty() { "empty".into() } else { format!("`{}`", row.default) };
            let scope = if row.scope == Scope::RunTime { "run-time" } else { "start" };
            let alias = row.alias.map_or_else(String::new, |alias| format!(" (also `{alias}`)"));
            let (name, allowed, help) = (row.name, row.kind.allowed(), row.help);
            writeln!(text, "| `{name}`{alias} | {default} | {scope} | {allowed} | {help} |")
                .unwrap();
        }
    }
    text
}

#[test]
fn the_documentation_is_the_table() {
    let path = "../docs/configuration.md";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, markdown()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == markdown(),
        "docs/configuration.md differs: UPDATE_DOCS=1 cargo test -p server"
    );
}
