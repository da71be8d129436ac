//! Tasks of the house: tidy, size, smoke, ci.

<<<<<<< HEAD
mod rust;
mod size;
mod smoke;
mod tidy;
mod tree;

const USAGE: &str = "cargo xtask TASK

tidy            rules of the house that a machine can check
size [REV]      lines per crate, and the change since REV (default: main)
smoke           one run of the main job, looked at from outside
ci              what continuous integration does: .ci/run";

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    let done = match args.first().map(String::as_str) {
        Some("tidy") => tidy::run(),
        Some("size") => size::run(rest),
        Some("smoke") => smoke::run(),
        Some("ci") => tree::command(".ci/run", &[]),
        Some("--help" | "-h") => {
            eprintln!("{USAGE}");
            Ok(())
        }
        Some(other) => Err(format!("unknown task `{other}`\n{USAGE}")),
        None => Err(format!("expected a task\n{USAGE}")),
=======
mod bench;

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.first().map(String::as_str) {
        Some("bench") => bench::run(&args[1..]),
        _ => Err("expected a task: bench".into()),
>>>>>>> main
    };
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            std::process::ExitCode::FAILURE
        }
    }
}
