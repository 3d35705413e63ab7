//! Threads for what may block: loads from the base, and long work on the whole keyspace.
//!
//! Loads have threads of their own, so that a KEYS or a backup delays no GET. So has the freeing of
//! large objects, of which a few may wait: who comes when it is behind frees in place, so that memory
//! does not grow by what is deleted faster than it can be freed. Threads begin with the first work
//! for them: a server that keeps nothing on disk needs none, and each has memory of its own in the
//! allocator.

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::sync::OnceLock;

type Work = Box<dyn FnOnce() + Send>;

const LOAD_THREADS: usize = 2;
const JOB_THREADS: usize = 4;
const FREE_THREADS: usize = 1;
/// Objects that may wait to be freed.
const FREE_QUEUE: usize = 16;

pub struct Workers {
    loads: Pool,
    jobs: Pool,
    frees: Pool,
}

impl Workers {
    pub fn new() -> Workers {
        Workers {
            loads: Pool::new("load", LOAD_THREADS, unbounded()),
            jobs: Pool::new("job", JOB_THREADS, unbounded()),
            frees: Pool::new("free", FREE_THREADS, bounded(FREE_QUEUE)),
        }
    }

    pub fn load(&self, work: Work) {
        self.loads.run(work);
    }

    pub fn run(&self, work: Work) {
        self.jobs.run(work);
    }

    /// Frees what takes long to free, on a thread of its own unless that is behind.
    pub fn free(&self, garbage: impl Send + 'static) {
        self.frees.run(Box::new(move || drop(garbage)));
    }

    /// Whether anything was given to be freed elsewhere.
    #[cfg(test)]
    pub fn has_freed(&self) -> bool {
        self.frees.started.get().is_some()
    }

    /// Number of objects that wait to be freed.
    pub fn to_free(&self) -> usize {
        self.frees.queue.len()
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
    fn new(
        name: &'static str,
        size: usize,
        (queue, taken): (Sender<Work>, Receiver<Work>),
    ) -> Pool {
        Pool { name, size, queue, taken, started: OnceLock::new() }
    }

    fn run(&self, work: Work) {
        if *self.started.get_or_init(|| self.start()) == 0 {
            // No thread is to be had. It blocks the caller, but it gets done.
            return work();
        }
        // The threads live as long as the process: if this fails the queue is full.
        if let Err(refused) = self.queue.try_send(work) {
            refused.into_inner()();
        }
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

    #[test]
    fn who_frees_while_many_objects_wait_frees_in_place() {
        struct Garbage(Sender<std::thread::ThreadId>, Receiver<()>);
        impl Drop for Garbage {
            fn drop(&mut self) {
                self.1.recv().unwrap();
                self.0.send(std::thread::current().id()).unwrap();
            }
        }
        let workers = Workers::new();
        let (freed, by) = unbounded();
        let (allow, allowed) = unbounded();
        let own = std::thread::current().id();
        // One is being freed, the others wait.
        workers.free(Garbage(freed.clone(), allowed.clone()));
        while workers.to_free() > 0 {
            std::thread::yield_now();
        }
        (0..FREE_QUEUE).for_each(|_| workers.free(Garbage(freed.clone(), allowed.clone())));
        assert_eq!((workers.to_free(), by.len()), (FREE_QUEUE, 0));
        let (now, allowed_now) = unbounded();
        now.send(()).unwrap();
        workers.free(Garbage(freed, allowed_now));
        assert_eq!(by.recv().unwrap(), own);
        (0..=FREE_QUEUE).for_each(|_| allow.send(()).unwrap());
        assert!((0..=FREE_QUEUE).all(|_| by.recv().unwrap() != own));
    }
}
