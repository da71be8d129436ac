//! What a bug of ours looks like to a user: two lines instead of a backtrace.

use std::io::Write as _;

/// Replaces the message of a panic; `RUST_BACKTRACE` brings the usual one back.
pub fn install() {
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|v| v != "0") {
        return;
    }
    std::panic::set_hook(Box::new(|info| {
        // a damaged file, which becomes an error
        if std::thread::current().name() == Some(thalweg::data::FOREIGN_THREAD) {
            return;
        }
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text =
            text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
        let place = info.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION");
        let message = format!(
            "error: this is a bug in thalweg {version}{place}: {text}\n\
             hint: set `RUST_BACKTRACE=1`, run the same command again, and report what it prints\n"
        );
        let _ = std::io::stderr().write_all(record::visible(&message).as_bytes());
    }));
}
