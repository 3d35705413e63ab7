//! CONFIG SET and CONFIG REWRITE without the client: check a set, write the file.

use super::kind::Value;
use super::live::Config;
use super::table::{self, KEYS, Scope};
use super::{fixed, sources};
use std::io::{self, Write};
use std::path::Path;
use toml_edit::DocumentMut;

/// Why a set is refused: the error reply, without its `-`.
pub type Refusal = String;

const IMMUTABLE: &str = "can't set immutable config";

fn refusal(name: &str, why: &str) -> Refusal {
    format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}")
}

/// Checks all pairs of a CONFIG SET; nothing is stored. The order of the checks is Redis's: first
/// every name, then every value.
pub fn check(config: &Config, pairs: &[(&[u8], &[u8])]) -> Result<Vec<(usize, Value)>, Refusal> {
    let mut keys: Vec<(String, Option<usize>)> = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        let name = String::from_utf8_lossy(name).into_owned();
        let place = table::find(&name);
        let row = place.and_then(|place| KEYS.get(place));
        let held = fixed::get(config, &name);
        if row.is_none() && held.is_none() {
            return Err(format!(
                "ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
            ));
        }
        // A fixed value may be "set" to what it is: clients do so with `save ""`.
        let stays = held.is_some_and(|held| held.as_bytes() == *value);
        if row.is_none_or(|row| row.scope == Scope::Start) && !stays {
            return Err(refusal(&name, IMMUTABLE));
        }
        let twice = |(other, at): &(String, Option<usize>)| {
            other.eq_ignore_ascii_case(&name) || (place.is_some() && *at == place)
        };
        if keys.iter().any(twice) {
            return Err(refusal(&name, "duplicate parameter"));
        }
        keys.push((name, place));
    }
    let mut checked = Vec::with_capacity(pairs.len());
    for ((name, place), (_, value)) in keys.iter().zip(pairs) {
        let Some((place, row)) = place.and_then(|place| KEYS.get(place).map(|row| (place, row)))
        else {
            continue;
        };
        // All values are texts; another reading of a password would lock everybody out.
        let value =
            std::str::from_utf8(value).map_err(|_| refusal(name, "argument must be UTF-8 text"))?;
        let value = row.kind.parse(value).map_err(|why| refusal(name, &why))?;
        checked.push((place, value));
    }
    Ok(checked)
}

/// Writes the present values into the file of `--config`: keys that stand there are updated where
/// they differ, others are added when they differ from the default. Comments and order stay.
pub fn rewrite(config: &Config, path: &Path) -> io::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let text = rewritten(config, &text, path).map_err(io::Error::other)?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".rewrite");
    // The new file is complete before it takes the old one's place.
    let temporary = path.with_file_name(name);
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(std::fs::metadata(path)?.permissions())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

pub(super) fn rewritten(config: &Config, text: &str, path: &Path) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("{error}"))?;
    let written = sources::from_toml(text, path).map_err(|error| error.to_string())?;
    for (place, row) in KEYS.iter().enumerate() {
        let now = config.value(place);
        let before = written.iter().rfind(|(at, ..)| *at == place);
        let before = before.map_or(row.default, |(_, text, _)| text.as_str());
        if row.kind.parse(before).is_ok_and(|before| before == now) {
            continue;
        }
        let named = row.alias.filter(|alias| document.contains_key(alias));
        let name = named.unwrap_or(row.name);
        let print = row.kind.print(&now);
        let mut item = match now {
            Value::Number(number) if row.kind.is_int() => toml_edit::value(number),
            _ => toml_edit::value(print),
        };
        let decor =
            document.get(name).and_then(|old| old.as_value()).map(|old| old.decor().clone());
        if let (Some(decor), Some(new)) = (decor, item.as_value_mut()) {
            *new.decor_mut() = decor;
        }
        // Replacing the item alone keeps the comment above its key.
        match document.get_mut(name) {
            Some(old) => *old = item,
            None => {
                document.insert(name, item);
            }
        }
    }
    Ok(document.to_string())
}
