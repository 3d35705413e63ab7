//! How much memory there is: the machine's, or less where a control group limits this process.
//!
//! Linux tells both in files; where there are none the numbers are 0.

use std::fs::read_to_string;
use std::path::Path;

/// Memory of the machine, bytes.
pub fn memory_bytes() -> u64 {
    machine_bytes(Path::new("/"))
}

/// Memory that this process may use, bytes: the machine's, or the least limit of its control
/// groups.
pub fn usable_bytes() -> u64 {
    usable_under(Path::new("/"))
}

fn usable_under(root: &Path) -> u64 {
    group_limits(root).into_iter().fold(machine_bytes(root), u64::min)
}

fn machine_bytes(root: &Path) -> u64 {
    kilobytes(&read_to_string(root.join("proc/meminfo")).unwrap_or_default(), "MemTotal:")
}

/// The limits of the group this process is in, and of all groups around that one. In a container
/// its own group is the root of what it sees, whatever path it is told.
fn group_limits(root: &Path) -> Vec<u64> {
    let groups = read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut limits = Vec::new();
    for line in groups.lines() {
        // `4:memory:/path`; with version 2 `0::/path`.
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let (mount, file) = if controllers.is_empty() {
            ("sys/fs/cgroup", "memory.max")
        } else if controllers.split(',').any(|name| name == "memory") {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            continue;
        };
        for group in Path::new(path.trim_start_matches('/')).ancestors() {
            let text = read_to_string(root.join(mount).join(group).join(file));
            // Without a limit version 2 says `max`, version 1 a number beyond all memory.
            limits.extend(text.ok().and_then(|text| text.trim().parse::<u64>().ok()));
        }
    }
    limits
}

/// Reads a line such as `MemTotal:     9384 kB`.
pub fn kilobytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) << 10
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A root directory with these files, gone when the test ends.
    struct Root(PathBuf);

    impl Root {
        fn with(name: &str, files: &[(&str, &str)]) -> Root {
            let name = format!("bowshock-{}-{name}", std::process::id());
            let root = Root(std::env::temp_dir().join(name));
            for (path, text) in files {
                let path = root.0.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            root
        }
    }

    impl Drop for Root {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:     8000 kB\nMemFree: 1 kB\n");
    const ALL: u64 = 8000 << 10;

    fn usable(name: &str, files: &[(&str, &str)]) -> u64 {
        usable_under(&Root::with(name, &[&[MEMINFO], files].concat()).0)
    }

    #[test]
    fn the_least_limit_of_the_groups_counts() {
        assert_eq!(usable("none", &[]), ALL);
        let group = ("proc/self/cgroup", "0::/user/shop\n");
        assert_eq!(usable("max", &[group, ("sys/fs/cgroup/user/shop/memory.max", "max\n")]), ALL);
        let outer = ("sys/fs/cgroup/user/memory.max", "5000\n");
        assert_eq!(usable("outer", &[group, outer]), 5000);
        let inner = ("sys/fs/cgroup/user/shop/memory.max", "4000\n");
        assert_eq!(usable("inner", &[group, outer, inner]), 4000);
    }

    #[test]
    fn the_first_version_of_control_groups_is_known_too() {
        let group = ("proc/self/cgroup", "9:cpu,cpuacct:/a\n4:memory:/docker/1234\n0::/a\n");
        let own = "sys/fs/cgroup/memory/memory.limit_in_bytes";
        // What a container sees of its own group lies at the root.
        assert_eq!(usable("container", &[group, (own, "3000\n")]), 3000);
        assert_eq!(usable("free", &[group, (own, "9223372036854771712\n")]), ALL);
        let inner = "sys/fs/cgroup/memory/docker/1234/memory.limit_in_bytes";
        assert_eq!(usable("host", &[group, (inner, "2000\n")]), 2000);
    }

    #[test]
    fn kilobytes_are_found_by_name() {
        assert_eq!(kilobytes("VmHWM:\t 9 kB\nVmRSS:\t 3 kB\n", "VmRSS:"), 3072);
        assert_eq!(kilobytes("", "VmRSS:"), 0);
    }
}
