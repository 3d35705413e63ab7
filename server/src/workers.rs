//! Threads for what may block: loads from the base, and long work on the whole keyspace.
//!
//! Loads have threads of their own, so that a KEYS or a backup delays no GET.

use crossbeam_channel::{Receiver, Sender, unbounded};

type Work = Box<dyn FnOnce() + Send>;

const LOAD_THREADS: usize = 2;
const JOB_THREADS: usize = 4;

pub struct Workers {
    loads: Sender<Work>,
    jobs: Sender<Work>,
}

impl Workers {
    pub fn start() -> std::io::Result<Workers> {
        let (loads, load_queue) = unbounded();
        let (jobs, job_queue) = unbounded();
        for number in 0..LOAD_THREADS {
            spawn(format!("load-{number}"), load_queue.clone())?;
        }
        for number in 0..JOB_THREADS {
            spawn(format!("job-{number}"), job_queue.clone())?;
        }
        Ok(Workers { loads, jobs })
    }

    pub fn load(&self, work: Work) {
        // The threads live as long as the process.
        let _ = self.loads.send(work);
    }

    pub fn run(&self, work: Work) {
        let _ = self.jobs.send(work);
    }
}

fn spawn(name: String, queue: Receiver<Work>) -> std::io::Result<()> {
    let run = move || queue.iter().for_each(|work| work());
    std::thread::Builder::new().name(name).spawn(run).map(drop)
}
