//! Readers that others wrote: what makes them panic is a damaged file, and an error as any other.

use std::path::Path;
use std::thread;

use super::DataError;

/// The name of the thread in which they run; whoever reports panics leaves those of this thread to us.
pub const FOREIGN_THREAD: &str = "foreign reader";

/// Runs a reader that may panic.
///
/// # Errors
/// The reader's, or [`DataError::Damaged`] where it panics.
pub(crate) fn guarded<T: Send>(
    path: &Path,
    read: impl FnOnce() -> Result<T, DataError> + Send,
) -> Result<T, DataError> {
    let failed = |_| {
        let reason = "its reader stopped at something impossible".into();
        DataError::Damaged { reason, path: path.into() }
    };
    thread::scope(|scope| {
        let named = thread::Builder::new().name(FOREIGN_THREAD.into());
        let running =
            named.spawn_scoped(scope, read).map_err(|error| DataError::Read { path: path.into(), error })?;
        running.join().map_err(failed)?
    })
}
