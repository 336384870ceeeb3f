//! docs/benchmarks/data/*.json: results, one a line, each with the machine and the day it is from, and
//! with the noise of the engine right before.
//!
//! A result that is measured again replaces the one before, so that a long benchmark can be taken in
//! parts.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::run;

/// What tells one result of a file from another.
const KEY: [&str; 7] = ["kind", "set", "rows", "dimensions", "before", "contender", "way"];
/// What is kept with the searches; the rest is kept with the batches.
const OF_SEARCHES: [&str; 3] = ["search", "save", "start"];

/// How far apart two equal series were, by clock.
pub(crate) type Noise = Map<String, Value>;

/// Runs a program that prints results as lines of JSON, and keeps each in the file of its kind as soon as
/// it is there. A line of the kind `noise` is not kept: it becomes `noise`, which later lines get.
/// `place` is an engine, or a family of rivals.
pub(crate) fn keep(place: &str, command: &mut Command, noise: &mut Noise) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let machine = machine();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program} could not be started"))?;
    let printed = child.stdout.take().context("a pipe was asked for")?;
    let kept = BufReader::new(printed).lines().try_for_each(|line| {
        let line = line?;
        let mut result: Map<String, Value> =
            serde_json::from_str(&line).with_context(|| format!("{program} printed {line}"))?;
        let kind = result.get("kind").and_then(Value::as_str).unwrap_or_default();
        if kind == "noise" {
            *noise = noise_of(&result);
            eprintln!("  A/A: equal batches differ by {}", shown(noise));
            return Ok(());
        }
        let file = folder().join(file_of(kind, place));
        if !noise.is_empty() {
            result.insert("noise".into(), noise.clone().into());
        }
        result.values_mut().for_each(round);
        result.insert("machine".into(), machine.clone());
        let mut results = read(&file)?;
        put(&mut results, result);
        write(&file, &results)
    });
    let status = child.wait()?;
    kept?;
    if status.success() { Ok(()) } else { bail!("{program} ended with {status}") }
}

/// Puts a result in the place of the one before, or last.
fn put(results: &mut Vec<Value>, result: Map<String, Value>) {
    let same = |other: &Value| KEY.iter().all(|key| other.get(key) == result.get(*key));
    match results.iter().position(same) {
        Some(place) => results[place] = result.into(),
        None => results.push(result.into()),
    }
}

fn file_of(kind: &str, place: &str) -> String {
    match kind {
        "quality" => "quality.json".into(),
        "rival" => format!("rivals-{place}.json"),
        kind if OF_SEARCHES.contains(&kind) => format!("search-{place}.json"),
        _ => format!("batch-{place}.json"),
    }
}

/// By how much the two batches of a round differ, as a share and a median, by each clock.
fn noise_of(result: &Map<String, Value>) -> Noise {
    let series = |way: &str, clock: &str| -> Vec<f64> {
        let times = result.get("times").and_then(|times| times.get(way)?.as_array());
        times.into_iter().flatten().filter_map(|time| time.get(clock)?.as_f64()).collect()
    };
    let mut noise = Noise::new();
    for clock in ["cpuMs", "wallMs"] {
        let (batch, again) = (series("batch", clock), series("batchAgain", clock));
        let apart = batch.iter().zip(&again).map(|(a, b)| (a / b).max(b / a) - 1.0);
        let mut apart: Vec<_> = apart.collect();
        apart.sort_by(f64::total_cmp);
        if let (Some(low), Some(high)) =
            (apart.get(apart.len().saturating_sub(1) / 2), apart.get(apart.len() / 2))
        {
            noise.insert(clock.into(), json!(f64::midpoint(*low, *high)));
        }
    }
    noise
}

/// Noise for people.
fn shown(noise: &Noise) -> String {
    let one = |(clock, share): (&String, &Value)| {
        let percent = share.as_f64().unwrap_or_default() * 100.0;
        format!("{percent:.0} % of {}", if clock == "cpuMs" { "CPU time" } else { "wall time" })
    };
    noise.iter().map(one).collect::<Vec<_>>().join(", ")
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

fn read(file: &Path) -> Result<Vec<Value>> {
    if !file.exists() {
        return Ok(vec![]);
    }
    let text = fs::read_to_string(file)?;
    serde_json::from_str(&text).with_context(|| format!("{} is no list", file.display()))
}

/// One result a line, so that a difference shows which changed.
fn write(file: &Path, results: &[Value]) -> Result<()> {
    let lines: Vec<_> = results.iter().map(ToString::to_string).collect();
    fs::create_dir_all(folder())?;
    Ok(fs::write(file, format!("[\n{}\n]\n", lines.join(",\n")))?)
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

    #[test]
    fn noise_is_what_two_equal_batches_differ_by() {
        let batches = |cpu: [f64; 3]| {
            Value::from(cpu.map(|cpu| json!({ "cpuMs": cpu, "wallMs": 200.0 })).to_vec())
        };
        let times = json!({
            "batch": batches([100.0, 100.0, 100.0]),
            "batchAgain": batches([110.0, 80.0, 300.0]),
        });
        let noise = noise_of(json!({ "times": times }).as_object().unwrap());
        assert_eq!(Value::from(noise), json!({ "cpuMs": 0.25, "wallMs": 0.0 }));
    }

    #[test]
    fn a_result_replaces_only_the_one_of_the_same_workload() {
        let result = |kind: &str, before: Option<u32>, ms: u32| {
            let mut result = json!({ "kind": kind, "rows": 7, "ms": ms });
            if let Some(before) = before {
                result["before"] = before.into();
            }
            result.as_object().unwrap().clone()
        };
        let mut results = Vec::new();
        let all = [
            ("build", None, 1),
            ("attach", Some(5), 2),
            ("attach", Some(6), 3),
            ("attach", Some(5), 4),
        ];
        for (kind, before, ms) in all {
            put(&mut results, result(kind, before, ms));
        }
        let ms: Vec<_> = results.iter().map(|result| result["ms"].as_u64().unwrap()).collect();
        assert_eq!(ms, [1, 4, 3]);
    }

    #[test]
    fn results_go_to_the_file_of_their_kind() {
        assert_eq!(file_of("quality", "native"), "quality.json");
        assert_eq!(file_of("rival", "native"), "rivals-native.json");
        assert_eq!(file_of("start", "node"), "search-node.json");
        assert_eq!(file_of("attach", "node"), "batch-node.json");
    }
}
