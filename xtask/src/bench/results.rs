//! docs/benchmarks/data/*.json: results, one a line, each with the machine and the day it is from.
//!
//! A result that is measured again replaces the one before, so that a long benchmark can be taken in
//! parts.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::run;

/// What tells one result of a file from another.
const KEY: [&str; 4] = ["kind", "set", "rows", "dimensions"];

/// Runs a program that prints results as lines of JSON, and keeps them in the file called `name`.
pub(crate) fn keep(name: &str, command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let machine = machine();
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{program} could not be started"))?;
    let file = folder().join(format!("{name}.json"));
    let mut results = read(&file)?;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut result: Map<String, Value> =
            serde_json::from_str(line).with_context(|| format!("{program} printed {line}"))?;
        result.values_mut().for_each(round);
        result.insert("machine".into(), machine.clone());
        let same = |other: &Value| KEY.iter().all(|key| other.get(key) == result.get(*key));
        match results.iter().position(same) {
            Some(place) => results[place] = result.into(),
            None => results.push(result.into()),
        }
    }
    // Also when the program failed half-way: what it printed is measured.
    write(&file, &results)?;
    if output.status.success() { Ok(()) } else { bail!("{program} ended with {}", output.status) }
}

/// Cuts digits that mean nothing.
fn round(value: &mut Value) {
    const DIGITS: f64 = 1e4;
    match value {
        Value::Array(values) => values.iter_mut().for_each(round),
        Value::Object(values) => values.values_mut().for_each(round),
        Value::Number(number) if number.is_f64() => {
            if let Some(exact) = number.as_f64() {
                *value = json!((exact * DIGITS).round() / DIGITS);
            }
        }
        _ => {}
    }
}

fn folder() -> PathBuf {
    run::root().join("docs/benchmarks/data")
}

fn read(file: &PathBuf) -> Result<Vec<Value>> {
    if !file.exists() {
        return Ok(vec![]);
    }
    let text = fs::read_to_string(file)?;
    serde_json::from_str(&text).with_context(|| format!("{} is no list", file.display()))
}

/// One result a line, so that a difference shows which changed.
fn write(file: &PathBuf, results: &[Value]) -> Result<()> {
    let lines: Vec<_> = results.iter().map(ToString::to_string).collect();
    fs::create_dir_all(folder())?;
    Ok(fs::write(file, format!("[\n{}\n]\n", lines.join(",\n")))?)
}

/// Runs a program that prints results as lines of JSON for a long time, and keeps each in the file called
/// `name` as soon as it is there; `key` tells one result from another.
pub(crate) fn keep_each(name: &str, key: &[&str], command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let machine = machine();
    let file = folder().join(format!("{name}.json"));
    let mut results = read(&file)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program} could not be started"))?;
    let printed = child.stdout.take().context("a pipe was asked for")?;
    for line in BufReader::new(printed).lines() {
        let mut result: Value = serde_json::from_str(&line?)?;
        round(&mut result);
        result["machine"] = machine.clone();
        let same = |other: &Value| key.iter().all(|key| other.get(key) == result.get(key));
        match results.iter().position(same) {
            Some(place) => results[place] = result,
            None => results.push(result),
        }
        write(&file, &results)?;
    }
    let status = child.wait()?;
    if status.success() { Ok(()) } else { bail!("{program} ended with {status}") }
}

/// What results are to be read with: the machine, how busy it is, the versions, the day.
fn machine() -> Value {
    let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, name: &str, separator: char| -> Option<String> {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(separator)?.1.trim().trim_matches('"').to_owned())
    };
    let printed = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let printed = run::printed(command.args(arguments).current_dir(run::root()));
        printed.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
    };
    let kilobytes = after(&file("/proc/meminfo"), "MemTotal", ':');
    let kilobytes = kilobytes.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    json!({
        "cpu": after(&file("/proc/cpuinfo"), "model name", ':'),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memoryGiB": kilobytes.map(|kilobytes| (kilobytes / f64::from(1 << 20)).round()),
        "os": after(&file("/etc/os-release"), "PRETTY_NAME", '='),
        "architecture": std::env::consts::ARCH,
        "load": file("/proc/loadavg").split(' ').next().and_then(|load| load.parse::<f64>().ok()),
        "rustc": printed("rustc", &["--version"]),
        "edgevec": env!("CARGO_PKG_VERSION"),
        "commit": printed("git", &["rev-parse", "--short", "HEAD"]),
        "date": printed("date", &["-u", "+%F"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_mean_nothing_are_cut() {
        let mut value = json!({ "ms": [1.234_567_8, 2.0], "rows": 7, "set": "a" });
        round(&mut value);
        assert_eq!(value, json!({ "ms": [1.2346, 2.0], "rows": 7, "set": "a" }));
    }
}
