//! Tests on every instruction set of the machine. It is chosen for the whole process, so one test runs at a time.

use kernels::isa::{Isa, force};
use std::sync::{Mutex, MutexGuard};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Keeps other tests from changing the instruction set.
pub fn one_at_a_time() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Runs `check` on each instruction set that the machine has, and leaves the best one chosen.
pub fn on_each_isa(mut check: impl FnMut(Isa)) {
    let _one = one_at_a_time();
    Isa::ALL.into_iter().filter(|isa| force(*isa)).for_each(&mut check);
    Isa::ALL.into_iter().find(|isa| force(*isa));
}
