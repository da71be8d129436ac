//! A pool of threads that run one job together and meet at barriers, made for many short runs per second.
//!
//! Waiting costs little: a waiter first spins (quick when everybody is on a core of their own), then sleeps, so an
//! idle pool uses no CPU and more workers than cores still make progress. A run allocates nothing.

mod signal;

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use self::signal::{Barrier, Signal};

/// How long an idle worker spins for the next run before it sleeps.
const IDLE_SPIN: Duration = Duration::from_micros(80);
/// How long a worker spins at a barrier, and the caller for the end of a run, before it sleeps.
const MEET_SPIN: Duration = Duration::from_micros(50);

type Job<'a> = dyn Fn(Worker<'_>) + Sync + 'a;

/// A fixed group of workers; the thread that calls [`Pool::run`] is worker 0.
pub struct Pool {
    shared: Arc<Shared>,
    one_run: Mutex<()>,
    threads: Vec<JoinHandle<()>>,
}

/// One worker's part in a run.
#[derive(Clone, Copy)]
pub struct Worker<'a> {
    /// From 0 (the caller of `run`) to `n_workers - 1`.
    pub index: usize,
    n_workers: usize,
    barrier: &'a Barrier,
}

impl Pool {
    /// A pool of `n_workers` (0 counts as 1), the caller included. Where the system refuses this many threads the
    /// pool has fewer: ask [`Pool::n_workers`].
    pub fn new(n_workers: usize) -> Pool {
        let n_cores = thread::available_parallelism().map_or(1, usize::from);
        // With fewer cores than workers, spinning only keeps the others from running.
        let patience = if n_workers > n_cores { 0 } else { 1 };
        let shared = Arc::new(Shared::new(patience));
        let threads = (1..n_workers)
            .map_while(|index| {
                let shared = Arc::clone(&shared);
                thread::Builder::new()
                    .name(format!("worker-{index}"))
                    .spawn(move || serve(&shared, index))
                    .ok()
            })
            .collect();
        Pool { shared, one_run: Mutex::new(()), threads }
    }

    /// Workers in every run, the caller included.
    pub fn n_workers(&self) -> usize {
        self.threads.len() + 1
    }

    /// Runs `job` once on every worker and returns when all are done; calls from several threads queue up.
    ///
    /// # Panics
    /// When a worker panics: the others leave at their next barrier, then the first panic goes on here. The pool stays
    /// usable. Also when called from inside a job of the same pool, which could never end.
    pub fn run(&self, job: &(dyn Fn(Worker<'_>) + Sync)) {
        if self.threads.is_empty() {
            return job(Worker { index: 0, n_workers: 1, barrier: &self.shared.barrier });
        }
        let here = ptr::from_ref(&*self.shared);
        assert!(INSIDE.get() != here, "a job called `run` on the pool that runs it");
        let turn = lock(&self.one_run);
        self.start(job);
        let before = INSIDE.replace(here);
        self.shared.work(job, 0, self.n_workers());
        INSIDE.set(before);
        self.shared.running.wait(self.shared.patience * MEET_SPIN, |n| n == 0);
        let panic = self.shared.end_run();
        drop(turn);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }

    fn start(&self, job: &Job<'_>) {
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes. Workers use the pointer between `start` and the moment `running` is 0, and
        // `run` waits for that moment before it returns, on every path (its own part of the job cannot unwind).
        let job = unsafe { std::mem::transmute::<*const Job<'_>, *const Job<'static>>(ptr::from_ref(job)) };
        // SAFETY: `one_run` is held and `running` is 0, so no worker reads the cell until `epoch` changes.
        unsafe { *shared.task.get() = Some(Task { job, n_workers: self.n_workers() }) };
        shared.running.set(self.threads.len() as u32);
        shared.epoch.add(1);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.epoch.add(1);
        for thread in self.threads.drain(..) {
            // A worker never unwinds: its job's panics are caught and handed to `run`.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("n_workers", &self.n_workers()).finish()
    }
}

impl Worker<'_> {
    /// Workers in this run.
    pub fn n_workers(&self) -> usize {
        self.n_workers
    }

    /// Waits until every worker of this run is here. What was written before it is seen by all after it. Every worker
    /// must come here equally often: one that ends its job early leaves the others waiting.
    ///
    /// # Panics
    /// Leaves the job (silently) when another worker panicked.
    #[inline]
    pub fn barrier(&self) {
        if self.n_workers > 1 && !self.barrier.meet(self.n_workers as u32) {
            resume_unwind(Box::new(Left));
        }
    }

    /// The part of `0..len` that this worker takes when every worker takes about as much: cuts at multiples of `grain`.
    pub fn share(&self, len: usize, grain: usize) -> std::ops::Range<usize> {
        let n_grains = len.div_ceil(grain);
        let cut = |i: usize| (n_grains * i / self.n_workers * grain).min(len);
        cut(self.index)..cut(self.index + 1)
    }
}

impl std::fmt::Debug for Worker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("index", &self.index).field("n_workers", &self.n_workers).finish()
    }
}

thread_local! {
    /// The pool whose job this thread is running, to refuse a run inside a run.
    static INSIDE: Cell<*const Shared> = const { Cell::new(ptr::null()) };
}

/// The payload of a worker that left because another one panicked.
struct Left;

#[derive(Clone, Copy)]
struct Task {
    job: *const Job<'static>,
    n_workers: usize,
}

struct Shared {
    task: UnsafeCell<Option<Task>>,
    /// Changes when a run starts or the pool stops.
    epoch: Signal,
    /// Spawned workers that have not finished the run.
    running: Signal,
    barrier: Barrier,
    stop: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    patience: u32,
}

// SAFETY: `task` alone is not Sync. It is written under `one_run` while no worker runs, and read by workers after
// they saw the new `epoch` (release, acquire); the job it points to is Sync.
unsafe impl Sync for Shared {}
// SAFETY: as above; nothing in it belongs to one thread.
unsafe impl Send for Shared {}

impl Shared {
    fn new(patience: u32) -> Self {
        Shared {
            task: UnsafeCell::new(None),
            epoch: Signal::default(),
            running: Signal::default(),
            barrier: Barrier::new(patience * MEET_SPIN),
            stop: AtomicBool::new(false),
            panic: Mutex::new(None),
            patience,
        }
    }

    /// One worker's part; a panic is kept for the caller and wakes everyone at the barrier. Never unwinds.
    fn work(&self, job: &Job<'_>, index: usize, n_workers: usize) {
        let worker = Worker { index, n_workers, barrier: &self.barrier };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| job(worker)))
            && !payload.is::<Left>()
        {
            lock(&self.panic).get_or_insert(payload);
            self.barrier.poison();
        }
    }

    /// Makes the barrier whole again after a panic; call with the turn held and no worker running.
    fn end_run(&self) -> Option<Box<dyn Any + Send>> {
        if self.barrier.mend() { lock(&self.panic).take() } else { None }
    }
}

/// The life of a spawned worker.
fn serve(shared: &Shared, index: usize) {
    let mut epoch = 0;
    INSIDE.set(ptr::from_ref(shared));
    loop {
        epoch = shared.epoch.wait(shared.patience * IDLE_SPIN, |now| now != epoch);
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        // SAFETY: `epoch` changed and `stop` is not set, so `start` wrote the cell before, and nobody writes it again
        // until this worker has lowered `running`.
        let Some(task) = (unsafe { *shared.task.get() }) else { return };
        // SAFETY: the caller's `run` keeps the job alive until `running` is 0.
        shared.work(unsafe { &*task.job }, index, task.n_workers);
        shared.running.add(u32::MAX);
    }
}

/// Locks; the mutexes here guard no invariant that a panic could break.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn every_worker_runs_once_and_may_borrow() {
        for n in [1, 2, 3, 9] {
            let pool = Pool::new(n);
            let seen: Vec<AtomicUsize> = (0..n).map(|_| AtomicUsize::new(0)).collect();
            pool.run(&|w| {
                assert_eq!(w.n_workers(), n);
                seen[w.index].fetch_add(1, Ordering::Relaxed);
            });
            assert!(seen.iter().all(|s| s.load(Ordering::Relaxed) == 1), "{n} workers");
        }
    }

    /// Every worker writes its round before the barrier, and must read everybody's round after it.
    #[test]
    fn no_one_passes_the_barrier_early() {
        for n in [2, 5] {
            let pool = Pool::new(n);
            let round: Vec<AtomicUsize> = (0..n).map(|_| AtomicUsize::new(0)).collect();
            pool.run(&|w| {
                for r in 1..=2000 {
                    round[w.index].store(r, Ordering::Relaxed);
                    w.barrier();
                    assert!(round.iter().all(|x| x.load(Ordering::Relaxed) == r));
                    w.barrier();
                }
            });
        }
    }

    #[test]
    fn a_hundred_thousand_runs() {
        let pool = Pool::new(2);
        let total = AtomicUsize::new(0);
        for _ in 0..100_000 {
            pool.run(&|_| {
                total.fetch_add(1, Ordering::Relaxed);
            });
        }
        assert_eq!(total.into_inner(), 200_000);
    }

    #[test]
    fn a_sleeping_pool_wakes_up() {
        let pool = Pool::new(3);
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(3));
            pool.run(&|w| {
                if w.index == 1 {
                    thread::sleep(Duration::from_millis(3));
                }
                w.barrier();
            });
        }
    }

    fn text(payload: &(dyn Any + Send)) -> &str {
        payload.downcast_ref::<&str>().copied().unwrap_or("?")
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let pool = Pool::new(4);
        for who in [0, 1, 3] {
            let job = |w: Worker<'_>| {
                if w.index == who {
                    resume_unwind(Box::new("broken"));
                }
                w.barrier();
                w.barrier();
            };
            let payload = catch_unwind(AssertUnwindSafe(|| pool.run(&job))).unwrap_err();
            assert_eq!(text(&*payload), "broken");
            let n = AtomicUsize::new(0);
            pool.run(&|w| {
                w.barrier();
                n.fetch_add(1, Ordering::Relaxed);
                w.barrier();
                assert_eq!(n.load(Ordering::Relaxed), 4);
            });
        }
    }

    #[test]
    fn a_run_inside_a_run_is_refused() {
        let pool = Pool::new(2);
        let payload = catch_unwind(AssertUnwindSafe(|| pool.run(&|_| pool.run(&|_| ())))).unwrap_err();
        assert!(text(&*payload).contains("called `run`"));
    }

    #[test]
    fn callers_queue_up() {
        let pool = Pool::new(3);
        let (inside, total) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for _ in 0..200 {
                        pool.run(&|w| {
                            assert!(inside.fetch_add(1, Ordering::Relaxed) < 3);
                            w.barrier();
                            inside.fetch_sub(1, Ordering::Relaxed);
                            total.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(total.into_inner(), 4 * 200 * 3);
    }

    #[test]
    fn shares_cover_everything_once() {
        for n in [1, 2, 3, 7] {
            for len in [0, 1, 16, 17, 1000] {
                let pool = Pool::new(1);
                let barrier = &pool.shared.barrier;
                let parts = (0..n).map(|index| Worker { index, n_workers: n, barrier }.share(len, 16));
                let end = parts.fold(0, |at, part| {
                    assert_eq!(part.start, at);
                    assert!(part.start % 16 == 0 || part.start == len);
                    part.end
                });
                assert_eq!(end, len);
            }
        }
    }
}
