//! Threads for what may block: loads from the base, and long work on the whole keyspace.
//!
//! Loads have threads of their own, so that a KEYS or a backup delays no GET. Threads begin with the
//! first work for them: a server that keeps nothing on disk needs none, and each has memory of its
//! own in the allocator.

use crossbeam_channel::{Receiver, Sender, unbounded};
use std::sync::OnceLock;

type Work = Box<dyn FnOnce() + Send>;

const LOAD_THREADS: usize = 2;
const JOB_THREADS: usize = 4;

pub struct Workers {
    loads: Pool,
    jobs: Pool,
}

impl Workers {
    pub fn new() -> Workers {
        Workers { loads: Pool::new("load", LOAD_THREADS), jobs: Pool::new("job", JOB_THREADS) }
    }

    pub fn load(&self, work: Work) {
        self.loads.run(work);
    }

    pub fn run(&self, work: Work) {
        self.jobs.run(work);
    }
}

/// Threads of one kind, which take work from one queue.
struct Pool {
    name: &'static str,
    size: usize,
    queue: Sender<Work>,
    taken: Receiver<Work>,
    /// How many threads could be started.
    started: OnceLock<usize>,
}

impl Pool {
    fn new(name: &'static str, size: usize) -> Pool {
        let (queue, taken) = unbounded();
        Pool { name, size, queue, taken, started: OnceLock::new() }
    }

    fn run(&self, work: Work) {
        if *self.started.get_or_init(|| self.start()) == 0 {
            // No thread is to be had. It blocks the caller, but it gets done.
            return work();
        }
        // The threads live as long as the process.
        let _ = self.queue.send(work);
    }

    fn start(&self) -> usize {
        let spawn = |number: usize| {
            let taken = self.taken.clone();
            let run = move || taken.iter().for_each(|work| work());
            std::thread::Builder::new().name(format!("{}-{number}", self.name)).spawn(run)
        };
        let outcomes: Vec<_> = (0..self.size).map(spawn).collect();
        if let Some(Err(error)) = outcomes.iter().find(|outcome| outcome.is_err()) {
            tracing::error!("cannot start all {} threads named {}: {error}", self.size, self.name);
        }
        outcomes.iter().filter(|outcome| outcome.is_ok()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_begin_with_the_first_work_and_do_all_of_it() {
        let workers = Workers::new();
        assert_eq!(workers.jobs.started.get(), None);
        let (done, results) = unbounded();
        for number in 0..100 {
            let done = done.clone();
            workers.run(Box::new(move || done.send(number).unwrap()));
        }
        drop(done);
        let mut all: Vec<i32> = results.iter().collect();
        all.sort();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert_eq!(workers.jobs.started.get(), Some(&JOB_THREADS));
        assert_eq!(workers.loads.started.get(), None);
    }
}
