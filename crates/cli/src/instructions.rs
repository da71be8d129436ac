//! The instruction set that the kernels use, where the environment names one: to compare runs on one machine.

use thalweg::engine::kernels::isa::{Isa, force};

use crate::failure::Failure;

/// Names an instruction set; not shown in the help, since results are meant to be the same with each.
const VARIABLE: &str = "THALWEG_ISA";

/// Takes the instruction set that the environment names; without one, the fastest stays.
///
/// # Errors
/// When the name is none of ours, or this machine lacks it.
pub fn choose() -> Result<(), Failure> {
    let Some(name) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let name = name.to_string_lossy();
    let have = || {
        let names = Isa::ALL.into_iter().filter(|isa| isa.is_available()).map(Isa::name);
        names.collect::<Vec<_>>().join(", ")
    };
    let hint = || format!("this machine has {}; unset {VARIABLE} to use the fastest one", have());
    let Some(isa) = Isa::ALL.into_iter().find(|isa| isa.name() == name) else {
        return Err(Failure::wrong(
            "cli.unknown-instructions",
            format!("unknown instruction set `{name}` in {VARIABLE}"),
            hint(),
        ));
    };
    match force(isa) {
        true => Ok(()),
        false => Err(Failure::wrong(
            "cli.no-instructions",
            format!("this machine has no {name}, which {VARIABLE} asks for"),
            hint(),
        )),
    }
}
