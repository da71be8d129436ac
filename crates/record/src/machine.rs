//! The machine a run was made on.

use serde::{Deserialize, Serialize};

/// Processor, instruction set and cores, as recorded with a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// The processor's own name, or the architecture where the system does not tell.
    pub cpu: String,
    /// The instruction set the kernels used, such as `avx512`.
    pub isa: String,
    /// Cores that the process may use.
    pub cores: usize,
    /// Operating system, such as `linux`.
    pub os: String,
}

impl Machine {
    /// This machine; `isa` is what the kernels chose.
    pub fn detect(isa: &str) -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Machine {
            cpu: cpu_name(&info).unwrap_or(std::env::consts::ARCH).to_string(),
            isa: isa.to_string(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            os: std::env::consts::OS.to_string(),
        }
    }
}

impl Machine {
    /// Bytes of memory that a process can have at most: the machine's with its swap, or what its control group allows;
    /// nothing where the system does not tell.
    pub fn memory() -> Option<u64> {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        let machine = read("/proc/meminfo").and_then(|text| memory_of(&text));
        let group = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
        let group = group.into_iter().filter_map(|path| read(path)?.trim().parse::<u64>().ok());
        group.chain(machine).min()
    }
}

impl Machine {
    /// Bytes of memory that this process has now, where the system tells.
    pub fn resident() -> Option<u64> {
        of_process("VmRSS:")
    }

    /// The most bytes of memory that this process had so far, where the system tells.
    pub fn peak() -> Option<u64> {
        of_process("VmHWM:")
    }
}

/// A figure of this process in the text of `/proc/self/status`, in bytes.
fn of_process(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Memory and swap in the text of `/proc/meminfo`, in bytes.
fn memory_of(info: &str) -> Option<u64> {
    let kib = |name: &str| -> Option<u64> {
        let line = info.lines().find_map(|l| l.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    kib("MemTotal:")?.checked_add(kib("SwapTotal:").unwrap_or(0))?.checked_mul(1024)
}

/// The name in the text of `/proc/cpuinfo`.
fn cpu_name(info: &str) -> Option<&str> {
    let line = info.lines().find(|l| l.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    #[test]
    fn finds_the_name() {
        let text = "processor\t: 0\nmodel name\t: Example CPU @ 2.0 GHz\nflags\t: a b\n";
        assert_eq!(super::cpu_name(text), Some("Example CPU @ 2.0 GHz"));
        assert_eq!(super::cpu_name("processor : 0\nmodel name :\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_knows_its_memory() {
        let (now, peak) = (super::Machine::resident().unwrap(), super::Machine::peak().unwrap());
        assert!(now > 1 << 16 && peak >= now / 2, "{now} {peak}");
    }

    #[test]
    fn memory_counts_swap() {
        let text = "MemTotal:       1024 kB\nMemFree: 5 kB\nSwapTotal:        16 kB\n";
        assert_eq!(super::memory_of(text), Some(1040 * 1024));
        assert_eq!(super::memory_of("MemTotal: 2 kB\n"), Some(2048));
        assert_eq!(super::memory_of("MemFree: 2 kB\n"), None);
    }
}
