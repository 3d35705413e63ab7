//! A server process of its own: on a free port, in a temporary directory, gone when dropped.
//!
//! Which program it is makes no difference after the start: redis-server and Bowshock are asked the
//! same way. A start waits until PING is answered, or the process has ended, never for a time.
//! What the process prints goes to `output.log` beside its data directory, for the one who looks
//! for the cause of a failure.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::Result;
use crate::client::Client;
use crate::reply::Reply;

/// How long a start, or an end, may take.
pub const START_WAIT: Duration = Duration::from_secs(30);

/// The program to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The real thing, `redis-server` from the search path, without persistence.
    Redis,
    /// Bowshock with `--base memory`: nothing on disk.
    BowshockMemory,
    /// Bowshock with `--base rocksdb`.
    BowshockRocksdb,
}

impl Program {
    /// The Bowshock to compare: `BOWSHOCK_BASE` says `memory` (the default) or `rocksdb`.
    pub fn bowshock() -> Program {
        match std::env::var("BOWSHOCK_BASE").as_deref() {
            Ok("rocksdb") => Program::BowshockRocksdb,
            _ => Program::BowshockMemory,
        }
    }

    /// The executable, or an error that says how to get it.
    pub fn executable(self) -> Result<PathBuf> {
        if self == Program::Redis {
            return Ok(PathBuf::from("redis-server"));
        }
        let path = std::env::var_os("BOWSHOCK_BIN").map_or_else(default_binary, PathBuf::from);
        if path.is_file() {
            return Ok(path);
        }
        Err(format!(
            "no Bowshock at {}: build it with `cargo build --release -p server`, \
             or set BOWSHOCK_BIN to its path",
            path.display()
        )
        .into())
    }

    fn args(self, port: u16, dir: &Path) -> Vec<String> {
        let port = port.to_string();
        let dir = dir.display().to_string();
        let words: &[&str] = match self {
            Program::Redis => &[
                "--port",
                &port,
                "--dir",
                &dir,
                "--save",
                "",
                "--appendonly",
                "no",
                "--daemonize",
                "no",
                "--enable-debug-command",
                "yes",
            ],
            Program::BowshockMemory | Program::BowshockRocksdb => {
                let base = if self == Program::BowshockMemory { "memory" } else { "rocksdb" };
                &[
                    "--port",
                    &port,
                    "--dir",
                    &dir,
                    "--base",
                    base,
                    "--threads",
                    "2",
                    "--http",
                    "off",
                    "--enable-debug-command",
                    "yes",
                ]
            }
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

/// `release/bowshock` in the target directory of the clone where cargo runs this program.
fn default_binary() -> PathBuf {
    let clone = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| ".".into());
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(&clone).join("../target"), PathBuf::from);
    target.join("release/bowshock")
}

/// A directory under the system's temporary one; removed with all content when dropped.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// Makes a new directory whose name begins with `bowshock-compat-`.
    pub fn new() -> io::Result<TempDir> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bowshock-compat-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // One may be left of a process that had the same id and was killed.
        _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path)?;
        Ok(TempDir(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        _ = fs::remove_dir_all(&self.0);
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    program: Program,
    extra: Vec<String>,
    child: Child,
    port: u16,
    /// The data directory; it may be below `home` or somewhere a test chose.
    dir: PathBuf,
    home: TempDir,
}

impl Server {
    /// Starts `program` with `extra` flags in a new directory and waits until it answers.
    pub fn start(program: Program, extra: &[&str]) -> Result<Server> {
        let home = TempDir::new()?;
        let dir = home.path().join("data");
        fs::create_dir_all(&dir)?;
        Server::start_in(program, extra, dir, home)
    }

    /// Starts `program` on the data directory `dir`; `home` takes the output.
    pub fn start_in(
        program: Program,
        extra: &[&str],
        dir: PathBuf,
        home: TempDir,
    ) -> Result<Server> {
        let port = free_port()?;
        let extra: Vec<String> = extra.iter().map(|word| (*word).to_owned()).collect();
        let child = spawn(program, port, &dir, &extra, home.path())?;
        let mut server = Server { program, extra, child, port, dir, home };
        server.wait_ready()?;
        Ok(server)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// A new connection.
    pub fn client(&self) -> Result<Client> {
        Ok(Client::connect(self.addr())?)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// All it has printed since the first start.
    pub fn output(&self) -> String {
        read_output(self.home.path())
    }

    /// Ends it as `kill -9` does, and returns when it is gone.
    pub fn kill9(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends it as a supervisor does, with SIGTERM, and returns how it ended.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status()?;
        wait_end(&mut self.child)
    }

    /// Starts it again, on the same directory and port, and waits until it answers.
    pub fn restart(&mut self) -> Result<()> {
        // The old process is ended and reaped first, so a restart never meets its own lock.
        self.kill9()?;
        self.child = spawn(self.program, self.port, &self.dir, &self.extra, self.home.path())?;
        self.wait_ready()
    }

    /// Ends the process and keeps the data: the directory, and what holds it alive.
    pub fn into_dir(mut self) -> Result<(PathBuf, TempDir)> {
        self.kill9()?;
        let home = std::mem::replace(&mut self.home, TempDir::new()?);
        Ok((self.dir.clone(), home))
    }

    fn wait_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Err(
                    format!("the server ended at its start: {status}\n{}", self.output()).into()
                );
            }
            if answers(self.addr()) {
                return Ok(());
            }
            if start.elapsed() > START_WAIT {
                return Err(format!("no answer to PING\n{}", self.output()).into());
            }
            // Between two looks at the condition above.
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        _ = self.kill9();
    }
}

/// How a process that was expected to refuse its start has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Both of its output streams.
    pub output: String,
}

/// What became of a start on a directory that may be damaged.
#[derive(Debug)]
pub enum Start {
    /// It serves.
    Serves(Server),
    /// It ended by itself.
    Refused(Ended),
}

/// Starts `program` on `dir` and waits until it serves or has ended. `wrapper` stands before the
/// program on the command line (`setpriv --reuid ...`); it must `exec`, so that the pid stays.
pub fn try_start(program: Program, dir: &Path, wrapper: &[&str]) -> Result<Start> {
    let home = TempDir::new()?;
    let port = free_port()?;
    let mut command = command(program, port, dir, &[], wrapper)?;
    let child = with_output(&mut command, home.path())?.spawn()?;
    let mut server = Server { program, extra: Vec::new(), child, port, dir: dir.to_owned(), home };
    match server.wait_ready() {
        Ok(()) => Ok(Start::Serves(server)),
        Err(error) => match server.child.try_wait()? {
            Some(status) => Ok(Start::Refused(Ended { status, output: server.output() })),
            None => Err(error),
        },
    }
}

/// A port that was free a moment ago. It lies below those that the system gives to outgoing
/// connections, so that no client takes it while a server restarts; processes that test at the
/// same time begin at different places.
pub fn free_port() -> io::Result<u16> {
    const FIRST: u64 = 10_000;
    const COUNT: u64 = 20_000;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    for _ in 0..COUNT {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = u64::from(std::process::id()).wrapping_mul(97).wrapping_add(number) % COUNT;
        let port = u16::try_from(FIRST + place).map_err(io::Error::other)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other("no free port"))
}

fn answers(addr: SocketAddr) -> bool {
    let Ok(mut client) = Client::connect(addr) else { return false };
    // A server with a password answers NOAUTH, which is an answer too.
    match client.command(&["PING"]) {
        Ok(Reply::Simple(text)) => text == b"PONG",
        Ok(Reply::Error(text)) => text.starts_with(b"NOAUTH"),
        _ => false,
    }
}

fn command(
    program: Program,
    port: u16,
    dir: &Path,
    extra: &[String],
    wrapper: &[&str],
) -> Result<Command> {
    let executable = program.executable()?;
    let mut command = match wrapper.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(executable);
            command
        }
        None => Command::new(executable),
    };
    command.args(program.args(port, dir)).args(extra).stdin(Stdio::null());
    Ok(command)
}

fn spawn(program: Program, port: u16, dir: &Path, extra: &[String], home: &Path) -> Result<Child> {
    let mut command = command(program, port, dir, extra, &[])?;
    Ok(with_output(&mut command, home)?.spawn()?)
}

fn with_output<'a>(command: &'a mut Command, home: &Path) -> io::Result<&'a mut Command> {
    let log: File = OpenOptions::new().create(true).append(true).open(home.join("output.log"))?;
    Ok(command.stdout(log.try_clone()?).stderr(log))
}

fn read_output(home: &Path) -> String {
    let bytes = fs::read(home.join("output.log")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn wait_end(child: &mut Child) -> Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > START_WAIT {
            return Err("the process does not end".into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
