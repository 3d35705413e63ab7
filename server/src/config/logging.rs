//! What the process says about itself: one compact line per event, to stderr.

use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;

/// Installs the writer of log lines; once, at the start. A second call changes nothing.
pub fn set_up_logging(level: LevelFilter) {
    let lines = tracing_subscriber::fmt()
        .compact()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // An embedding test may have installed one of its own.
    let _ = lines.try_init();
}
