//! Checks of the keys whose values are texts.

use storage::bucket::Tag;
use storage::keyspace::notify;

/// Addresses are resolved when they are bound; here only that there is one.
pub fn bind(text: &str) -> Result<String, String> {
    let hosts: Vec<&str> = text.split_whitespace().collect();
    if hosts.is_empty() || hosts.contains(&"-") {
        return Err("argument must name at least one address".into());
    }
    Ok(hosts.join(" "))
}

/// `off`, or a host and a port.
pub fn http(text: &str) -> Result<String, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok("off".into());
    }
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    match port.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(_) => Ok(text.into()),
        None => Err("argument must be host:port or off".into()),
    }
}

pub fn dir(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("argument must name a directory".into()) } else { Ok(text.into()) }
}

pub fn events(text: &str) -> Result<String, String> {
    notify::parse(text)
        .map(notify::print)
        .ok_or_else(|| "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".into())
}

pub fn tag(text: &str) -> Result<String, String> {
    parse_tag(text)
        .map(|_| text.into())
        .ok_or_else(|| "argument must be two different ASCII characters".into())
}

pub fn parse_tag(text: &str) -> Option<Tag> {
    match text.as_bytes() {
        &[open, close] if open != close && open.is_ascii_graphic() && close.is_ascii_graphic() => {
            Some(Tag { open, close })
        }
        _ => None,
    }
}

pub fn seed(text: &str) -> Result<String, String> {
    if text.eq_ignore_ascii_case("auto") {
        return Ok("auto".into());
    }
    let seed: u64 = text.parse().map_err(|_| "argument must be auto or a whole number")?;
    Ok(seed.to_string())
}
