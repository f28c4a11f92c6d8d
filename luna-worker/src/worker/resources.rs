//! How much of the machine a worker may use, where nobody said: what the container's limits allow.

use std::fs;
use std::path::Path;

/// Memory for files and pictures where there is no limit to go by.
const USUAL_MEMORY: u64 = 2 << 30;

/// Memory for files and pictures: seven tenths of what the control group allows, at most 2 GiB. The rest is
/// for the program, records and reports.
pub(super) fn memory() -> u64 {
    match memory_limit(Path::new("/")) {
        Some(limit) => (limit / 10).saturating_mul(7).min(USUAL_MEMORY),
        None => USUAL_MEMORY,
    }
}

/// Bytes that the control group of this process may use (cgroup v2, else v1), in the file system below
/// `root`.
fn memory_limit(root: &Path) -> Option<u64> {
    let groups = root.join("sys/fs/cgroup");
    let own = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    // v2 has one line, `0::/path`. In a container the path is that of the host, and the root is its own.
    let path = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let places = [
        groups.join(path).join("memory.max"),
        groups.join("memory.max"),
        groups.join("memory/memory.limit_in_bytes"),
    ];
    let limits = places.iter().filter_map(|place| fs::read_to_string(place).ok());
    // `max`, and v1's number near 2^63, stand for no limit.
    limits.filter_map(|text| text.trim().parse().ok()).filter(|bytes| *bytes < 1 << 60).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let place = root.path().join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, text).unwrap();
        }
        root
    }

    #[test]
    fn the_limit_of_the_own_control_group_counts() {
        let limit = |files: &[(&str, &str)]| memory_limit(machine(files).path());
        let own = ("proc/self/cgroup", "0::/system.slice/luna.service\n");
        let service = "sys/fs/cgroup/system.slice/luna.service/memory.max";
        assert_eq!(limit(&[own, (service, "1073741824\n")]), Some(1 << 30));
        assert_eq!(limit(&[own, (service, "max\n")]), None);
        // In a container.
        assert_eq!(limit(&[own, ("sys/fs/cgroup/memory.max", "536870912\n")]), Some(1 << 29));
        let old = "sys/fs/cgroup/memory/memory.limit_in_bytes";
        assert_eq!(limit(&[(old, "268435456\n")]), Some(1 << 28));
        assert_eq!(limit(&[(old, "9223372036854771712\n")]), None);
        assert_eq!(limit(&[]), None);
    }
}
