//! The `thalweg` program: reads the command line, runs one verb, and says what went wrong in one place.

mod args;
mod crash;
mod diverged;
mod failure;
mod hint;
mod instructions;
mod mistake;
mod progress;
mod several;
mod stop;
mod table;
mod ui;
mod verbs;
mod watch_runs;

use std::process::ExitCode;

fn main() -> ExitCode {
    crash::install();
    let words: Vec<String> = std::env::args_os().map(|w| w.to_string_lossy().into_owned()).collect();
    let (ui, command) = match args::parse(words) {
        Ok(parsed) => parsed,
        Err(code) => return code,
    };
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        instructions::choose().and_then(|()| verbs::run(&ui, command))
    }));
    match done {
        Ok(done) => match done.and_then(|()| ui.close()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => ui.fail(&failure),
        },
        Err(_) => ExitCode::from(failure::INTERNAL),
    }
}
