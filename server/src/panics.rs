//! What a panic costs (C7, ADR 0006): where it may be stopped, one connection; elsewhere the process.
//!
//! [`contain`] is put around the code of a command and nothing else. There the caller knows what
//! the panic can have left half done, and has kept the locks of it. Everywhere else nobody knows,
//! so the hook ends the process before the stack is unwound and a lock is let go.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};

thread_local! {
    /// Whether a panic on this thread would be stopped.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
    /// What the last one that was to be stopped said, and where.
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A panic that was stopped.
#[derive(Debug)]
pub struct Panicked {
    /// What it said, and where.
    pub text: String,
}

/// From now on a panic ends the process, unless it is contained; then it is the container's to
/// report.
pub fn end_process_on_panic() {
    let report = take_hook();
    set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        if CONTAINED.get() {
            let place = panic.location().map(|at| format!(" at {at}")).unwrap_or_default();
            TEXT.set(message(panic.payload()) + &place);
        } else {
            report(panic);
            std::process::abort();
        }
    }));
}

/// Runs `work` and stops a panic in it, if that is `allowed`. What `work` changes must be known to
/// the caller, who puts it right before anybody else can see it.
#[inline]
pub fn contain<R>(allowed: bool, work: impl FnOnce() -> R) -> Result<R, Panicked> {
    if !allowed {
        return Ok(work());
    }
    let outside = CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(outside);
    result.map_err(|payload| stopped(&*payload))
}

/// What a panic said that was to be stopped, for one who ends the process after all.
pub fn unreported() -> Option<String> {
    Some(TEXT.take()).filter(|text| !text.is_empty())
}

#[cold]
fn stopped(payload: &(dyn Any + Send)) -> Panicked {
    Panicked { text: unreported().unwrap_or_else(|| message(payload)) }
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    /// What [`case`] is run with, in a process of its own.
    const CASE: &str = "BOWSHOCK_PANIC_CASE";

    /// No test of its own: what the other one runs.
    #[test]
    fn case() {
        let Ok(case) = std::env::var(CASE) else { return };
        end_process_on_panic();
        let work = || -> u8 { panic!("told to") };
        match case.as_str() {
            "contained" => {
                let text = contain(true, work).unwrap_err().text;
                assert!(text.starts_with("told to at "), "{text}");
                assert_eq!(contain(true, || 1).unwrap(), 1);
            }
            // `--base memory`: nothing could be rewound.
            "not allowed" => _ = contain(false, work),
            "behind a contained one" => {
                assert!(contain(true, work).is_err());
                work();
            }
            _ => _ = std::thread::spawn(work).join(),
        }
        println!("still there");
    }

    #[test]
    fn only_a_contained_panic_leaves_the_process_alive() {
        for case in ["contained", "not allowed", "behind a contained one", "another thread"] {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "panics::tests::case", "--nocapture"]).env(CASE, case);
            let done = command.output().unwrap();
            let output = String::from_utf8_lossy(&done.stdout);
            let alive = case == "contained";
            assert_eq!(output.contains("still there"), alive, "{case}: {output}");
            assert_eq!(done.status.success(), alive, "{case}: {output}");
            if !alive {
                // SIGABRT
                assert_eq!(done.status.signal(), Some(6), "{case}");
            }
        }
    }
}
