//! What the pool's threads wait at: a number that changes, and a barrier made of one.
//!
//! Compiled with `--cfg loom`, the threads, locks and atomics are those of the model checker `loom`, and the tests at
//! the end go through every interleaving, and every value that a load may see, of a few threads.

#[cfg(loom)]
use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU32, Ordering},
};
use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU32, Ordering},
};
use std::time::{Duration, Instant};

/// Looks at a value before the clock is asked.
const LOOKS: usize = if cfg!(loom) { 1 } else { 64 };

/// A number that threads wait on.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Signal {
    value: AtomicU32,
    sleepers: AtomicU32,
    mutex: Mutex<()>,
    wake: Condvar,
}

impl Signal {
    /// Sets the value where nobody waits.
    pub(super) fn set(&self, value: u32) {
        self.value.store(value, Ordering::Relaxed);
    }

    /// Adds (wrapping; `u32::MAX` takes one away) and wakes the sleepers.
    pub(super) fn add(&self, delta: u32) {
        self.value.fetch_add(delta, Ordering::SeqCst);
        // SeqCst here and in `sleep`: either this load sees the sleeper, or the sleeper sees the new value.
        in_one_order();
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(lock(&self.mutex));
            self.wake.notify_all();
        }
    }

    /// Spins for about `spin`, then sleeps, until `ready` accepts the value, which it returns.
    #[inline]
    pub(super) fn wait(&self, spin: Duration, ready: impl Fn(u32) -> bool) -> u32 {
        for _ in 0..LOOKS {
            let now = self.value.load(Ordering::Acquire);
            if ready(now) {
                return now;
            }
            core::hint::spin_loop();
        }
        self.wait_long(spin, ready)
    }

    #[cold]
    fn wait_long(&self, spin: Duration, ready: impl Fn(u32) -> bool) -> u32 {
        let start = Instant::now();
        while start.elapsed() < spin {
            for _ in 0..32 {
                let now = self.value.load(Ordering::Acquire);
                if ready(now) {
                    return now;
                }
                core::hint::spin_loop();
            }
        }
        self.sleep(ready)
    }

    fn sleep(&self, ready: impl Fn(u32) -> bool) -> u32 {
        let mut guard = lock(&self.mutex);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        in_one_order();
        let now = loop {
            let now = self.value.load(Ordering::SeqCst);
            if ready(now) {
                break now;
            }
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        };
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        now
    }
}

/// Where workers wait for one another.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Barrier {
    arrived: AtomicU32,
    poisoned: AtomicBool,
    /// How long a worker spins before it sleeps.
    spin: Duration,
    /// Changes when all have arrived, and when the barrier is poisoned.
    generation: Signal,
}

impl Barrier {
    /// One at which workers spin for the time `spin` before they sleep.
    pub(super) fn new(spin: Duration) -> Self {
        Barrier { spin, ..Barrier::default() }
    }

    /// False when the barrier is poisoned.
    #[inline]
    pub(super) fn meet(&self, n_workers: u32) -> bool {
        // The generation first: whoever misses the flag here has read it before `poison` changed it.
        let generation = self.generation.value.load(Ordering::Acquire);
        if self.poisoned.load(Ordering::Relaxed) {
            return false;
        }
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == n_workers {
            self.arrived.store(0, Ordering::Relaxed);
            self.generation.add(1);
        } else {
            self.generation.wait(self.spin, |now| now != generation);
        }
        !self.poisoned.load(Ordering::Relaxed)
    }

    /// Sends everyone away who waits here or comes.
    pub(super) fn poison(&self) {
        self.poisoned.store(true, Ordering::Relaxed);
        self.generation.add(1);
    }

    /// Makes a poisoned barrier whole again, with nobody at it; false if it was whole.
    pub(super) fn mend(&self) -> bool {
        let poisoned = self.poisoned.load(Ordering::Relaxed);
        if poisoned {
            self.arrived.store(0, Ordering::Relaxed);
            self.poisoned.store(false, Ordering::Relaxed);
        }
        poisoned
    }
}

/// Locks; the mutexes here guard no invariant that a panic could break.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The model checker takes SeqCst for less than it is, except in fences; elsewhere the operations themselves suffice.
#[inline(always)]
fn in_one_order() {
    #[cfg(loom)]
    loom::sync::atomic::fence(Ordering::SeqCst);
}

#[cfg(loom)]
#[cfg(test)]
mod tests {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    /// What stands before an `add` is seen by who waited for it, and who waits is woken: a lost wake-up is a deadlock,
    /// which the checker reports.
    #[test]
    fn a_waiter_is_woken_and_sees_what_was_written() {
        loom::model(|| {
            let shared = Arc::new((Signal::default(), AtomicU32::new(0)));
            let other = Arc::clone(&shared);
            let thread = thread::spawn(move || {
                let now = other.0.wait(Duration::ZERO, |now| now != 0);
                assert_eq!((now, other.1.load(Ordering::Relaxed)), (1, 7));
            });
            shared.1.store(7, Ordering::Relaxed);
            shared.0.add(1);
            thread.join().unwrap();
        });
    }

    /// The end of a run: each of two workers leaves its result and counts itself off; the caller sees both results.
    #[test]
    fn the_last_one_ends_the_run() {
        loom::model(|| {
            let shared = Arc::new((Signal::default(), [AtomicU32::new(0), AtomicU32::new(0)]));
            shared.0.set(2);
            let threads = [0, 1].map(|i| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    shared.1[i].store(1, Ordering::Relaxed);
                    shared.0.add(u32::MAX);
                })
            });
            shared.0.wait(Duration::ZERO, |n| n == 0);
            assert!(shared.1.iter().all(|result| result.load(Ordering::Relaxed) == 1));
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }

    /// One worker's part in a few rounds: what each wrote before the barrier is seen by all behind it, and nobody is
    /// a round ahead.
    fn rounds(barrier: &Barrier, marks: &[AtomicU32], me: usize, n_rounds: u32) {
        for round in 1..=n_rounds {
            marks[me].store(round, Ordering::Relaxed);
            assert!(barrier.meet(marks.len() as u32));
            for mark in marks {
                let seen = mark.load(Ordering::Relaxed);
                assert!(seen == round || seen == round + 1, "{seen} in round {round}");
            }
        }
    }

    fn meetings(n_workers: usize, n_rounds: u32, preemptions: usize) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(preemptions);
        model.check(move || {
            let marks: Vec<AtomicU32> = (0..n_workers).map(|_| AtomicU32::new(0)).collect();
            let shared = Arc::new((Barrier::default(), marks));
            let threads: Vec<_> = (1..n_workers)
                .map(|me| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || rounds(&shared.0, &shared.1, me, n_rounds))
                })
                .collect();
            rounds(&shared.0, &shared.1, 0, n_rounds);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }

    #[test]
    fn two_meet_twice() {
        meetings(2, 2, 2);
    }

    #[test]
    fn three_meet() {
        meetings(3, 1, 2);
    }

    /// A worker that panics poisons the barrier, before or after the other has come to it: the other leaves.
    #[test]
    fn poison_sends_away_who_waits_and_who_comes() {
        loom::model(|| {
            let barrier = Arc::new(Barrier::default());
            let other = Arc::clone(&barrier);
            let thread = thread::spawn(move || assert!(!other.meet(2), "met with one that never came"));
            barrier.poison();
            thread.join().unwrap();
            assert!(barrier.mend() && !barrier.mend());
        });
    }
}
