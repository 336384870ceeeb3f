//! Exact counts of what the core does and of what ships, compared with the reviewed ones.
//!
//! `bench/counts.json` holds a name, a value and a tolerance in percent for each. A change that moves
//! one further fails here until it is blessed, and then shows in the file's difference.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{run, setup, size, wasm};

/// Room for another compiler, and for changes that nobody would notice; of counts that are new.
const TOLERANCE_PERCENT: f64 = 1.0;

/// A count as it was reviewed.
#[derive(Debug, PartialEq)]
struct Reviewed {
    name: String,
    value: u64,
    tolerance: f64,
}

/// Compares; `bless` accepts what there is instead.
pub(crate) fn check(bless: bool) -> Result<()> {
    let mut counts = of_the_core()?;
    counts.extend(size::counts()?);
    let reviewed = if file().exists() { read(&fs::read_to_string(file())?)? } else { vec![] };
    let moved = moved(&counts, &reviewed);
    if bless {
        moved.iter().for_each(|line| println!("{line}"));
        return Ok(fs::write(file(), text(&counts, &reviewed))?);
    }
    println!("{} counts", counts.len());
    if moved.is_empty() {
        return Ok(());
    }
    bail!("{}\nif it is meant, `cargo xtask counts --bless` accepts it", moved.join("\n"))
}

fn file() -> PathBuf {
    run::root().join("bench/counts.json")
}

/// Those that `bench/counts` prints as `value name`: compiled as the core ships, run in Node.
fn of_the_core() -> Result<Vec<(String, u64)>> {
    setup::for_core_tests()?;
    let target = run::target().join("wasi-simd128");
    let mut cargo = run::cargo();
    cargo
        .args(["build", "--release", "--quiet", "--package", "edgevec-counts"])
        .args(["--target", "wasm32-wasip1"])
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", format!("-Ctarget-feature={}", wasm::SIMD128.features));
    run::quiet(&mut cargo)?;
    let mut node = std::process::Command::new("node");
    node.arg("--no-warnings").arg(run::root().join("js/harness/wasi.mjs"));
    let printed = run::printed(node.arg(target.join("wasm32-wasip1/release/edgevec-counts.wasm")))?;
    let line = |line: &str| {
        let (value, name) = line.split_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    let counts: Option<Vec<_>> = printed.lines().map(line).collect();
    counts.with_context(|| format!("no counts:\n{printed}"))
}

fn read(text: &str) -> Result<Vec<Reviewed>> {
    let values: Vec<Value> = serde_json::from_str(text).context("bench/counts.json is no list")?;
    let count = |value: &Value| {
        Some(Reviewed {
            name: value.get("name")?.as_str()?.to_owned(),
            value: value.get("value")?.as_u64()?,
            tolerance: value.get("tolerancePercent")?.as_f64()?,
        })
    };
    let counts: Option<Vec<_>> = values.iter().map(count).collect();
    counts.context("a count in bench/counts.json lacks its name, value or tolerancePercent")
}

/// One count a line, with the tolerances that there were.
fn text(counts: &[(String, u64)], reviewed: &[Reviewed]) -> String {
    let line = |(name, value): &(String, u64)| {
        let known = reviewed.iter().find(|known| known.name == *name);
        let tolerance = known.map_or(TOLERANCE_PERCENT, |known| known.tolerance);
        json!({ "name": name, "value": value, "tolerancePercent": tolerance }).to_string()
    };
    let lines: Vec<_> = counts.iter().map(line).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// A line for each count that is not what was reviewed.
fn moved(counts: &[(String, u64)], reviewed: &[Reviewed]) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in counts {
        let Some(known) = reviewed.iter().find(|known| known.name == *name) else {
            lines.push(format!("{name}: {value}, not reviewed yet"));
            continue;
        };
        let Reviewed { value: old, tolerance, .. } = known;
        let percent = (*value as f64 - *old as f64) / (*old as f64).max(1.0) * 100.0;
        if percent.abs() > *tolerance {
            let change = format!("{percent:+.2} %, tolerance {tolerance} %");
            lines.push(format!("{name}: was {old}, is {value} ({change})"));
        }
    }
    let gone = |known: &&Reviewed| counts.iter().all(|(name, _)| known.name != *name);
    lines.extend(reviewed.iter().filter(gone).map(|known| format!("{}: is gone", known.name)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reviewed() -> Vec<Reviewed> {
        let count = |name: &str, value, tolerance| Reviewed { name: name.into(), value, tolerance };
        vec![count("distances", 1000, 1.0), count("allocations", 0, 0.0)]
    }

    fn counts(distances: u64, allocations: u64) -> Vec<(String, u64)> {
        vec![("distances".into(), distances), ("allocations".into(), allocations)]
    }

    #[test]
    fn a_count_that_moves_beyond_its_tolerance_is_named_with_old_and_new() {
        assert!(moved(&counts(1010, 0), &reviewed()).is_empty());
        assert_eq!(
            moved(&counts(989, 1), &reviewed()),
            [
                "distances: was 1000, is 989 (-1.10 %, tolerance 1 %)",
                "allocations: was 0, is 1 (+100.00 %, tolerance 0 %)"
            ]
        );
    }

    #[test]
    fn counts_that_are_new_or_gone_are_named() {
        let lines = moved(&[("hops".into(), 3)], &reviewed());
        assert_eq!(
            lines,
            ["hops: 3, not reviewed yet", "distances: is gone", "allocations: is gone"]
        );
    }

    #[test]
    fn blessing_keeps_tolerances_and_gives_new_counts_the_usual_one() {
        let mut new = counts(2000, 5);
        new.push(("hops".into(), 3));
        let blessed = read(&text(&new, &reviewed())).unwrap();
        assert_eq!(blessed.iter().map(|c| c.tolerance).collect::<Vec<_>>(), [1.0, 0.0, 1.0]);
        assert!(moved(&new, &blessed).is_empty());
    }
}
