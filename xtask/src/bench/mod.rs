//! The benchmarks: what is measured, where, and where the results go.
//!
//! ```text
//! mod.rs       the command line, and which workloads there are
//! data.rs      data sets, laid down by `edgevec-bench prepare` where every program finds them
//! hnswlib.rs   hnswlib's headers, and our program compiled with them
//! rivals.rs    bench/rivals: EdgeVec and its rivals on the same data
//! results.rs   docs/benchmarks/data/*.json: results, each with the machine it is from
//! ```
//!
//! `bench/src` measures natively, `bench/js` in Node and browsers, and `bench/report` writes the
//! documents from the results.

mod data;
mod hnswlib;
mod results;
mod rivals;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

use crate::run::{self, step};
use crate::{setup, wasm};
use data::{Set, Sets};

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Recall, distance computations and search time of loop, batch and hnswlib, natively.
    Quality(Options),
    /// A batch against loops of `insert`, with boundary overhead, memory and blocked time.
    Batch {
        #[command(flatten)]
        options: Options,
        /// Only these; by default all.
        #[arg(long, value_enum)]
        engine: Vec<Engine>,
        /// Only a part of it.
        #[arg(long, value_enum)]
        only: Option<Part>,
        /// Measure the package that was built before, as it is.
        #[arg(long)]
        as_built: bool,
    },
    /// The same data and the same questions for EdgeVec and its rivals, from npm and `PyPI`.
    Rivals(rivals::Options),
    /// Write the documents from the results.
    Report {
        /// Only say whether they are what the results give.
        #[arg(long)]
        check: bool,
    },
}

/// How it is measured.
#[derive(Args)]
pub(crate) struct Options {
    /// The folder of the data sets; without it a small sample that is committed is used.
    #[arg(long, env = "EDGEVEC_DATA")]
    data: Option<PathBuf>,
    /// Other data sets than the usual ones, `NAME:ROWS`.
    #[arg(long)]
    set: Vec<Set>,
    /// The smaller data sets, one round.
    #[arg(long)]
    quick: bool,
    /// How often everything is measured; the documents show medians.
    #[arg(long)]
    rounds: Option<usize>,
}

/// Where a batch is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Engine {
    /// The core, on one thread.
    Native,
    /// The Node that is installed.
    Node,
    /// A Node that runs relaxed SIMD, from npm where the installed one does not.
    NodeRelaxed,
    /// Chrome's and Edge's engine.
    Chromium,
    /// Firefox's.
    Firefox,
    /// Safari's.
    Webkit,
}

/// What of a batch is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Part {
    /// Times of the data sets, and how long the thread is held meanwhile.
    Times,
    /// Small batches with their boundary overhead, and memory.
    Tables,
}

const ENGINES: [Engine; 6] = [
    Engine::Native,
    Engine::Node,
    Engine::NodeRelaxed,
    Engine::Chromium,
    Engine::Firefox,
    Engine::Webkit,
];

impl Engine {
    /// In file names.
    const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Node => "node",
            Self::NodeRelaxed => "node-relaxed",
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Webkit => "webkit",
        }
    }

    /// What the harness drives, if it is a browser.
    const fn browser(self) -> Option<setup::Engine> {
        match self {
            Self::Chromium => Some(setup::Engine::Chromium),
            Self::Firefox => Some(setup::Engine::Firefox),
            Self::Webkit => Some(setup::Engine::Webkit),
            Self::Native | Self::Node | Self::NodeRelaxed => None,
        }
    }
}

/// Rounds of data sets that are built in seconds, and of larger ones.
const ROUNDS: usize = 5;
const ROUNDS_OF_LARGE: usize = 3;
/// What counts as large.
const LARGE_ROWS: usize = 50_000;
/// Rows that are in an index before batches of 1,000 are timed.
const ATTACH_TO: usize = 50_000;

impl Options {
    fn rounds(&self, set: &Set) -> usize {
        let usual = if set.rows < LARGE_ROWS { ROUNDS } else { ROUNDS_OF_LARGE };
        self.rounds.unwrap_or(if self.quick { 1 } else { usual })
    }

    /// The data sets to be measured: those asked for, else those of `usual` that are there.
    fn sets(&self, sets: &Sets, usual: &[(&str, usize)]) -> Vec<Set> {
        if !self.set.is_empty() {
            return self.set.clone();
        }
        let small = |set: &Set| !self.quick || set.rows < LARGE_ROWS;
        sets.usual(usual).into_iter().filter(small).collect()
    }
}

/// Measures, or writes the documents.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Quality(options) => quality(options)?,
        Bench::Batch { options, engine, only, as_built } => {
            let engines = if engine.is_empty() { &ENGINES[..] } else { engine };
            let modules = if *as_built { Some(wasm::bench_modules()) } else { None };
            batch(options, engines, *only, modules)?;
        }
        Bench::Rivals(options) => rivals::run(options)?,
        Bench::Report { check } => return report(*check),
    }
    report(false)
}

/// Writes the documents, or compares them.
pub(crate) fn report(check: bool) -> Result<()> {
    let mut node = run::node("bench/report/main.mjs");
    if check {
        node.arg("--check");
    }
    run::shown(&mut node)
}

/// The program of `bench/`, built.
fn native() -> Result<PathBuf> {
    step("benchmark program", || {
        run::quiet(run::cargo().args(["build", "--release", "--package", "edgevec-bench"]))
    })?;
    Ok(run::target().join("release/edgevec-bench").with_extension(std::env::consts::EXE_EXTENSION))
}

fn quality(options: &Options) -> Result<()> {
    let program = native()?;
    let sets = Sets::new(&program, options.data.as_deref());
    let rival = hnswlib::program()?;
    let usual = [
        ("fashion-mnist-784", 10_000),
        ("wordnet-minilm-384", 10_000),
        ("fashion-mnist-784", 60_000),
        ("wordnet-minilm-384", 60_000),
    ];
    for set in options.sets(&sets, &usual) {
        let mut command = Command::new(&program);
        command.arg("quality").arg(sets.folder(&set)?);
        command.args(["--rounds", &options.rounds(&set).to_string()]);
        if let Some(rival) = &rival {
            command.arg("--hnswlib").arg(rival);
        }
        results::keep("quality", &mut command)?;
    }
    Ok(())
}

/// `modules` is where those for benchmarks lie; without them they and the package are built.
fn batch(
    options: &Options,
    engines: &[Engine],
    only: Option<Part>,
    mut modules: Option<PathBuf>,
) -> Result<()> {
    let program = native()?;
    let sets = Sets::new(&program, options.data.as_deref());
    let usual = [
        ("siftsmall-128", 10_000),
        ("wordnet-minilm-384", 10_000),
        ("fashion-mnist-784", 60_000),
        ("wordnet-minilm-384", 60_000),
    ];
    let chosen = options.sets(&sets, &usual);
    for engine in engines {
        let file = format!("batch-{}", engine.name());
        if *engine == Engine::Native {
            let times = chosen.iter().filter(|_| only != Some(Part::Tables)).cloned();
            let tables = small_sets(&sets).into_iter().filter(|_| only != Some(Part::Times));
            for set in &times.chain(tables).collect::<Vec<_>>() {
                let mut command = Command::new(&program);
                command.arg("batch").arg(sets.folder(set)?);
                command.args(["--rounds", &options.rounds(set).to_string()]);
                if set.rows > ATTACH_TO {
                    command.args(["--attach-to", &ATTACH_TO.to_string()]);
                }
                results::keep(&file, &mut command)?;
            }
            continue;
        }
        let modules = match &modules {
            Some(modules) => modules,
            None => modules.insert(build_modules()?),
        };
        if let Some(browser) = engine.browser() {
            setup::for_browsers(&[browser])?;
        }
        let mut workloads = Vec::new();
        for set in chosen.iter().filter(|_| only != Some(Part::Tables)) {
            sets.folder(set)?;
            workloads.extend(times(set, options.rounds(set)));
        }
        if only != Some(Part::Times) {
            workloads.extend(tables(options, &sets)?);
        }
        for workload in workloads {
            results::keep(&file, &mut in_engine(*engine, modules, &workload)?)?;
        }
    }
    Ok(())
}

/// Builds the package, and the module that benchmarks use beside it.
fn build_modules() -> Result<PathBuf> {
    setup::for_build()?;
    wasm::build()?;
    wasm::build_for_bench()
}

/// The workloads that time one data set.
fn times(set: &Set, rounds: usize) -> Vec<String> {
    let name = set.name();
    let large = set.rows >= LARGE_ROWS;
    // A loop on f32 takes minutes on a large set.
    let ways = if large { "" } else { ",\"f32Loop\"" };
    let mut workloads = vec![
        format!(
            r#"{{"kind":"build","data":"{name}","rounds":{rounds},"ways":["loop","batch"{ways},"batchAgain"]}}"#
        ),
        format!(r#"{{"kind":"cold","data":"{name}","pages":{}}}"#, rounds.min(3)),
        format!(r#"{{"kind":"blocked","data":"{name}","rounds":{rounds}}}"#),
    ];
    if set.rows > ATTACH_TO {
        workloads.push(format!(
            r#"{{"kind":"attach","data":"{name}","before":{ATTACH_TO},"rounds":5}}"#
        ));
        workloads.push(format!(r#"{{"kind":"memory","data":"{name}"}}"#));
    }
    workloads
}

/// Batches so small that what surrounds them counts; where the data sets for them are there.
fn small_sets(sets: &Sets) -> Vec<Set> {
    let wanted = [
        ("siftsmall-128", 100, 128),
        ("siftsmall-128", 1000, 128),
        ("fashion-mnist-784", 1000, 512),
        ("siftsmall-128", 5000, 128),
    ];
    let found = wanted.into_iter().map(|(name, rows, cut)| sets.find(name, rows, cut));
    found.flatten().collect()
}

/// The workloads of small batches, and of memory.
fn tables(options: &Options, sets: &Sets) -> Result<Vec<String>> {
    let mut workloads = Vec::new();
    for set in small_sets(sets) {
        sets.folder(&set)?;
        let (name, rounds) = (set.name(), options.rounds(&set));
        workloads.push(format!(r#"{{"kind":"overhead","data":"{name}","rounds":{rounds}}}"#));
        workloads.push(format!(
            r#"{{"kind":"build","data":"{name}","rounds":{rounds},"ways":["loop","batch"]}}"#
        ));
    }
    for (name, dimensions) in [("siftsmall-128", 128), ("fashion-mnist-784", 768)] {
        if let Some(set) = sets.find(name, 10_000, dimensions) {
            sets.folder(&set)?;
            workloads.push(format!(r#"{{"kind":"memory","data":"{}"}}"#, set.name()));
        }
    }
    Ok(workloads)
}

/// The command that runs one workload in an engine that speaks JavaScript.
fn in_engine(engine: Engine, modules: &Path, workload: &str) -> Result<Command> {
    let mut node = run::node("bench/js/main.mjs");
    let name = engine.browser().map_or("node", setup::Engine::name);
    node.args(["--engine", name, "--data"]).arg(data::folder()).arg("--modules").arg(modules);
    if engine == Engine::NodeRelaxed {
        node.arg("--node").arg(setup::newer_node()?);
    }
    node.arg(workload);
    Ok(node)
}
