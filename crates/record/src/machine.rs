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
}
