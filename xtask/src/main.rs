//! Tasks of the house: tidy, fmt, gen, bench, size, smoke, ci.

mod bench;
mod format;
mod generate;
mod rust;
mod size;
mod smoke;
mod tidy;
mod tree;

const USAGE: &str = "cargo xtask TASK

tidy            rules of the house that a machine can check
fmt [--check]   the formatter over every Rust file, those that macros declare too; --check only names them
gen [--check]   tables of the handbook, from the registries; --check only compares
bench [SUITE]   us and the peers in turn, into bench/records
size [REV]      lines per crate, and the change since REV (default: main)
smoke           one run of the main job, looked at from outside
ci              what continuous integration does: .ci/run";

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    let done = match args.first().map(String::as_str) {
        Some("tidy") => tidy::run(),
        Some("fmt") => format::run(rest),
        Some("gen") => generate::run(rest),
        Some("bench") => bench::run(rest),
        Some("size") => size::run(rest),
        Some("smoke") => smoke::run(),
        Some("ci") => tree::command(".ci/run", &[]),
        Some("--help" | "-h") => {
            eprintln!("{USAGE}");
            Ok(())
        }
        Some(other) => Err(format!("unknown task `{other}`\n{USAGE}")),
        None => Err(format!("expected a task\n{USAGE}")),
    };
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            std::process::ExitCode::FAILURE
        }
    }
}
