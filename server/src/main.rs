//! `bowshock`: a Redis-protocol-compatible store. No subcommand: serve.

mod admin;
mod clients;
mod config;
mod evict;
mod http;
mod latency;
mod load_manager;
mod logins;
mod machine;
mod memory;
mod metrics;
mod monitor;
mod net;
mod node;
mod offline;
mod panics;
mod pubsub;
mod registry;
mod serve;
mod session;
mod simulate;
mod slowlog;
mod store;
mod workers;
mod writer;

use config::Task;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

fn main() {
    let loaded = match config::load(std::env::args_os(), std::env::vars_os()) {
        Ok(loaded) => loaded,
        Err(error) => error.exit(),
    };
    config::set_up_logging(loaded.config.start().log_level);
    loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let result = match loaded.task.clone() {
        Task::Serve => serve::run(loaded.config),
        Task::Restore(from) => offline::restore(&from, &loaded.config.start().dir),
        Task::Check(dir) => offline::check(&dir),
        Task::Simulate(args) => simulate::run(&args),
    };
    if let Err(error) = result {
        // One line that names the file and what to do.
        eprintln!("bowshock: {error:#}");
        std::process::exit(1);
    }
}
