//! Where values come from: flag over environment over file over default.
//!
//! A value that cannot be used ends the start with one line that says the key, the value, what
//! would be allowed, and where it was written.

use super::kind::Value;
use super::table::{self, KEYS, Row};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item};

/// Environment variables begin so.
pub const PREFIX: &str = "BOWSHOCK_";

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    Default,
    File(PathBuf),
    Environment(String),
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("the default"),
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Environment(name) => write!(f, "the environment variable {name}"),
            Origin::Flag(name) => write!(f, "the flag --{name}"),
        }
    }
}

/// Why a configuration cannot be used; one line each.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{key} = '{value}', from {origin}: must be {allowed}")]
    BadValue { key: &'static str, value: String, allowed: String, origin: Origin },
    #[error("{origin} sets the unknown key '{key}'{advice}; bowshock --help lists all keys")]
    UnknownKey { key: String, origin: Origin, advice: String },
    #[error("{0} is not UTF-8 text")]
    NotText(Origin),
    #[error("cannot read the file of --config, {path}: {why}", path = .path.display())]
    Unreadable { path: PathBuf, why: String },
}

/// One value per key, with where it came from.
#[derive(Clone, Debug)]
pub struct Values(pub Vec<(Value, Origin)>);

/// A key's value as written somewhere.
pub type Written = (usize, String, Origin);

impl Values {
    /// Later sources win: give the file first, then the environment, then the flags.
    pub fn merge(sources: impl IntoIterator<Item = Written>) -> Result<Values, ConfigError> {
        let defaults = KEYS.iter().map(|row| parse(row, row.default, &Origin::Default));
        let mut values = Values(defaults.collect::<Result<_, _>>()?);
        for (place, text, origin) in sources {
            if let (Some(row), Some(value)) = (KEYS.get(place), values.0.get_mut(place)) {
                *value = parse(row, &text, &origin)?;
            }
        }
        Ok(values)
    }

    pub fn get(&self, place: usize) -> &Value {
        const NONE: &Value = &Value::Number(0);
        self.0.get(place).map_or(NONE, |(value, _)| value)
    }
}

fn parse(row: &Row, text: &str, origin: &Origin) -> Result<(Value, Origin), ConfigError> {
    let value = row.kind.parse(text).map_err(|_| ConfigError::BadValue {
        key: row.name,
        value: if row.name == "requirepass" { "(hidden)".into() } else { text.into() },
        allowed: row.kind.allowed(),
        origin: origin.clone(),
    })?;
    Ok((value, origin.clone()))
}

/// The environment variable of a key.
pub fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// The variables that are meant for us.
pub fn ours(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, ConfigError> {
    let named =
        environment.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let ours = named.filter(|(name, _)| name.starts_with(PREFIX));
    ours.map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        // A password read in another way would lock everybody out.
        Err(_) => Err(ConfigError::NotText(Origin::Environment(name))),
    })
    .collect()
}

/// Values of the environment, and a warning for each variable that looks like ours and is no key.
/// It is no error because others write there too: a container platform makes variables such as
/// `BOWSHOCK_SERVICE_HOST` for a service of this name.
pub fn from_environment(
    variables: impl IntoIterator<Item = (String, String)>,
) -> (Vec<Written>, Vec<String>) {
    let (mut written, mut warnings) = (Vec::new(), Vec::new());
    for (variable, value) in variables {
        let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
        let name = rest.to_ascii_lowercase().replace('_', "-");
        match table::find(&name) {
            Some(place) => written.push((place, value, Origin::Environment(variable))),
            None if name == "config" => {}
            None => warnings.push(format!("the environment variable {variable} names no key")),
        }
    }
    (written, warnings)
}

/// Values of a TOML file.
pub fn from_file(path: &Path) -> Result<Vec<Written>, ConfigError> {
    let unreadable = |why: String| ConfigError::Unreadable { path: path.into(), why };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    from_toml(&text, path)
}

pub(super) fn from_toml(text: &str, path: &Path) -> Result<Vec<Written>, ConfigError> {
    let origin = Origin::File(path.into());
    let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let why = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        ConfigError::Unreadable { path: path.into(), why }
    })?;
    let mut written = Vec::new();
    for (key, item) in document.iter() {
        // As everywhere the name is exact; only CONFIG ignores case.
        let place = table::find(key).filter(|_| key == key.to_ascii_lowercase());
        let Some(place) = place else {
            let advice = table::similar(key)
                .map_or_else(String::new, |name| format!(" (did you mean {name}?)"));
            return Err(ConfigError::UnknownKey { key: key.into(), origin, advice });
        };
        let value = scalar(item).ok_or_else(|| ConfigError::BadValue {
            key: KEYS.get(place).map_or("", |row| row.name),
            value: item.to_string().trim().into(),
            allowed: "a text, a whole number, true or false".into(),
            origin: origin.clone(),
        })?;
        written.push((place, value, origin.clone()));
    }
    Ok(written)
}

fn scalar(item: &Item) -> Option<String> {
    if let Some(text) = item.as_str() {
        return Some(text.into());
    }
    if let Some(number) = item.as_integer() {
        return Some(number.to_string());
    }
    item.as_bool().map(|yes| if yes { "yes" } else { "no" }.into())
}
