//! `script FILE ADDRESS`: replays one script against a server that is already running and prints
//! what differs. For the one who works on a command and wants an answer in a second.

use std::process::ExitCode;

use compat_tests::Result;
use compat_tests::script::Script;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("script: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let mut args = std::env::args().skip(1);
    let (Some(path), Some(addr)) = (args.next(), args.next()) else {
        return Err("usage: script FILE HOST:PORT (the server's data is flushed)".into());
    };
    let addr = addr.parse()?;
    compat_tests::client::Client::connect(addr)?.command(&["FLUSHALL"])?;
    let script = Script::parse(&std::fs::read_to_string(&path)?)?;
    let differences = script.run(addr)?;
    for difference in &differences {
        print!("{difference}");
    }
    println!("{path}: {} replies, {} differ", script.steps(), differences.len());
    Ok(differences.is_empty())
}
