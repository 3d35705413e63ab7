//! What the operating system knows of this process and machine, from /proc.
//!
//! Where there is no /proc the numbers are 0.

use std::fs::read_to_string;

/// Clock ticks per second in /proc, which Linux fixes for all programs.
const TICKS: f64 = 100.0;

/// Memory of this process that is resident, bytes. The kernel has it at hand: cheap enough to be
/// asked a hundred times a second.
pub fn resident_bytes() -> u64 {
    let text = read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_ascii_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

/// Processor time used so far, in seconds.
#[derive(Debug, PartialEq)]
pub struct Cpu {
    pub user: f64,
    pub system: f64,
    pub user_children: f64,
    pub system_children: f64,
}

pub fn cpu() -> Cpu {
    parse_cpu(&read_to_string("/proc/self/stat").unwrap_or_default())
}

/// The name of the program, which may hold anything, ends at the last parenthesis; the four times
/// are the 12th to 15th fields behind it.
fn parse_cpu(text: &str) -> Cpu {
    let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
    let mut fields = behind.split_whitespace().skip(11);
    let mut next = || fields.next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / TICKS;
    let (user, system, user_children, system_children) = (next(), next(), next(), next());
    Cpu { user, system, user_children, system_children }
}

/// Name and release of the operating system and the architecture.
pub fn os() -> String {
    let kernel = |name: &str| {
        let text = read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
        text.trim().to_owned()
    };
    format!("{} {} {}", kernel("ostype"), kernel("osrelease"), std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stand_behind_a_name_that_may_hold_anything() {
        let text = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 7 3 20 0";
        assert_eq!(
            parse_cpu(text),
            Cpu { user: 1.5, system: 0.5, user_children: 0.07, system_children: 0.03 }
        );
        assert_eq!(parse_cpu("").user, 0.0);
    }

    #[test]
    fn this_machine_has_memory_and_a_kernel() {
        assert!(resident_bytes() > 0 && crate::machine::memory_bytes() > resident_bytes());
        assert!(os().ends_with(std::env::consts::ARCH) && !os().starts_with(' '));
    }
}
