//! Calling programs and showing steps.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs this program, in the root.
pub(crate) fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root());
    command
}

/// Node with a script of the repository, in the root.
pub(crate) fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(root().join(script)).current_dir(root());
    command
}

/// npm in `js/`.
pub(crate) fn npm() -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(root().join("js"));
    command
}

/// Runs a command whose output is for the reader.
pub(crate) fn shown(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("{name} could not be started"))?;
    if status.success() { Ok(()) } else { bail!("{name} ended with {status}") }
}

/// Lines of output that the error of [`recorded`] repeats.
const LAST_LINES: usize = 30;

/// Runs a command whose output is for the reader; when it fails, the error repeats the end of it.
pub(crate) fn recorded(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{name} could not be started"))?;
    let last = Arc::new(Mutex::new(VecDeque::new()));
    let readers: Vec<_> = [
        child.stdout.take().map(|output| repeat(output, std::io::stdout(), &last)),
        child.stderr.take().map(|output| repeat(output, std::io::stderr(), &last)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let status = child.wait()?;
    // A program that was left behind may hold the pipes open for ever.
    let deadline = Instant::now() + Duration::from_secs(2);
    while Instant::now() < deadline && !readers.iter().all(JoinHandle::is_finished) {
        std::thread::sleep(Duration::from_millis(5));
    }
    if status.success() {
        return Ok(());
    }
    let last = last.lock().map(|mut lines| lines.make_contiguous().join("\n"));
    bail!("{name} ended with {status}; its last lines:\n{}", last.unwrap_or_default())
}

/// Copies lines from `output` to `shown`, and keeps the last of them.
fn repeat(
    output: impl Read + Send + 'static,
    mut shown: impl Write + Send + 'static,
    last: &Arc<Mutex<VecDeque<String>>>,
) -> JoinHandle<()> {
    let last = Arc::clone(last);
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            // Who does not want to see it closes the other end.
            let _ = writeln!(shown, "{line}");
            if let Ok(mut last) = last.lock() {
                last.push_back(line);
                if last.len() > LAST_LINES {
                    last.pop_front();
                }
            }
        }
    })
}

/// Runs a command whose output matters only when it fails.
pub(crate) fn quiet(command: &mut Command) -> Result<()> {
    printed(command).map(|_| ())
}

/// Runs a command and returns what it prints.
pub(crate) fn printed(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{name} could not be started"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    bail!("{name} ended with {}\n{text}{errors}", output.status)
}

/// Whether a program is there and answers `--version`.
pub(crate) fn exists(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Does a step and says what it was and how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("· {name} …");
    let start = Instant::now();
    let outcome = work();
    let seconds = start.elapsed().as_secs_f64();
    let mark = if outcome.is_ok() { "✓" } else { "✗" };
    eprintln!("{mark} {name} ({seconds:.1} s)");
    outcome
}
