//! Which arguments nobody may see: passwords, in SLOWLOG and MONITOR.
//!
//! Names are looked at without regard to whether the command was well formed: a mistyped line with
//! a password in it is as secret as a right one.

use resp::Args;
use storage::commands::parse::is;

/// What stands in the place of a secret argument.
pub const REDACTED: &[u8] = b"(redacted)";

/// Settings whose values are secret.
const SECRET_KEYS: [&str; 8] = [
    "requirepass",
    "masterauth",
    "masteruser",
    "tls-key-file-pass",
    "tls-client-key-file-pass",
    "cluster-secret",
    "admin-password",
    "hash-seed",
];

/// Whether argument `at` of the command `name` (lower case, `container|subcommand`) is secret.
pub fn is_secret(name: &str, args: Args<'_>, at: usize) -> bool {
    match name {
        "auth" => at >= 1,
        // Everything up to two arguments behind the word AUTH.
        "hello" => {
            let behind = |back: usize| {
                at.checked_sub(back).is_some_and(|word| word >= 2 && is(args.at(word), "auth"))
            };
            behind(1) || behind(2)
        }
        "config|set" => {
            let key = at.checked_sub(1).filter(|key| at >= 3 && key % 2 == 0);
            key.is_some_and(|key| SECRET_KEYS.iter().any(|secret| is(args.at(key), secret)))
        }
        "acl|setuser" => at >= 2,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::OwnedArgs;

    fn shown(name: &str, words: &[&str]) -> String {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let args = OwnedArgs::from_slices(&words);
        let args = args.as_args();
        let hidden = |at: usize| if is_secret(name, args, at) { "*" } else { "." };
        (0..args.len()).map(hidden).collect()
    }

    #[test]
    fn passwords_are_found_where_commands_take_them() {
        assert_eq!(shown("auth", &["AUTH", "pw"]), ".*");
        assert_eq!(shown("auth", &["auth", "user", "pw"]), ".**");
        let hello = ["hello", "3", "AUTH", "user", "pw", "setname", "auth"];
        assert_eq!(shown("hello", &hello), "...**..");
        assert_eq!(shown("hello", &["hello", "3", "setname", "x"]), "....");
        let set = ["config", "set", "maxmemory", "1", "RequirePass", "pw"];
        assert_eq!(shown("config|set", &set), ".....*");
        assert_eq!(shown("config|set", &["config", "set", "timeout", "requirepass"]), "....");
        assert_eq!(shown("get", &["get", "requirepass"]), "..");
    }
}
