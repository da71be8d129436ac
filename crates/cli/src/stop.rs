//! Ctrl-C: the first one asks the run to stop and save, the second one quits at once.

use std::sync::atomic::{AtomicBool, Ordering};

/// What a shell says of a program that Ctrl-C ended.
pub const INTERRUPTED: u8 = 130;

static STOP: AtomicBool = AtomicBool::new(false);

/// Watches for Ctrl-C from now on, and gives the flag that it sets.
pub fn watch() -> &'static AtomicBool {
    // Without the handler Ctrl-C ends the program at once, as it does any other.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED.into());
        }
    });
    &STOP
}
