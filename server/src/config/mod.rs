//! The configuration: one table of keys, from which everything else comes.
//!
//! [`table`] has the rows; [`sources`] and [`cli`] gather what was written where; [`Config`] holds
//! the present values for all cores, [`Start`] those that stay; [`change`] is CONFIG SET and
//! REWRITE. Flag over environment over file over default.

pub mod change;
mod check;
mod cli;
pub mod fixed;
pub mod kind;
mod live;
mod logging;
mod sources;
mod start;
pub mod table;
#[cfg(test)]
mod tests;
mod units;

pub use cli::Task;
pub use live::Config;
pub use logging::set_up_logging;
pub use sources::{ConfigError, Values};
pub use start::{BaseKind, Start};

use std::ffi::OsString;

/// All a process is told at its start.
pub struct Loaded {
    pub config: Config,
    pub task: Task,
    /// To be logged once there is a log.
    pub warnings: Vec<String>,
}

/// Why nothing is started.
#[derive(Debug, thiserror::Error)]
pub enum NotLoaded {
    /// `--help`, `--version`, or a command line that cannot be read.
    #[error("{0}")]
    CommandLine(#[from] clap::Error),
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl NotLoaded {
    /// Says so and ends the process: 0 after help, 2 after a command line that cannot be read, 1
    /// after a bad value.
    pub fn exit(self) -> ! {
        match self {
            NotLoaded::CommandLine(error) => error.exit(),
            NotLoaded::Config(error) => {
                eprintln!("bowshock: {error}");
                std::process::exit(1)
            }
        }
    }
}

/// Reads the command line, the environment and the file.
pub fn load(
    args: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, NotLoaded> {
    let matches = cli::command().try_get_matches_from(args)?;
    let environment = sources::ours(environment)?;
    let file = cli::file(&matches, &environment);
    let mut written = match &file {
        Some(path) => sources::from_file(path)?,
        None => Vec::new(),
    };
    let (variables, warnings) = sources::from_environment(environment);
    written.extend(variables);
    written.extend(cli::from_flags(&matches));
    let values = Values::merge(written)?;
    // The directory may change while it runs; the file to rewrite stays the same.
    let file = file.map(|path| std::path::absolute(&path).unwrap_or(path));
    Ok(Loaded { config: Config::new(&values, file), task: cli::task(&matches), warnings })
}
