//! The benchmarks: what is measured, where, and where the results go.
//!
//! ```text
//! mod.rs       the command line, and the order in which everything is measured
//! plan.rs      which workloads there are
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
mod plan;
mod results;
mod rivals;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use crate::run::{self, step};
use crate::{setup, wasm};
use data::{Set, Sets};
use plan::{Part, Plan};
use results::Noise;

/// Measures all of it; with a word behind it, does that instead.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    instead: Option<Instead>,
    #[command(flatten)]
    options: Options,
}

/// What is done instead of measuring.
#[derive(Subcommand)]
enum Instead {
    /// Measure only EdgeVec and its rivals, from npm and `PyPI`, on the same data.
    Rivals(rivals::Options),
    /// Write the documents from the results.
    Report {
        /// Only say whether they are what the results give.
        #[arg(long)]
        check: bool,
    },
}

/// What is measured, and how.
#[derive(Args)]
struct Options {
    /// Only these parts; by default all.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Only there; by default everywhere.
    #[arg(long, value_enum, value_delimiter = ',')]
    engine: Vec<Engine>,
    /// The folder of the data sets; without it a small sample that is committed is used.
    #[arg(long, env = "EDGEVEC_DATA")]
    data: Option<PathBuf>,
    /// Other data sets than the usual ones, `NAME:ROWS`.
    #[arg(long, value_delimiter = ',')]
    set: Vec<Set>,
    /// The smaller data sets, one round.
    #[arg(long)]
    quick: bool,
    /// How often everything is measured; the documents show medians.
    #[arg(long)]
    rounds: Option<usize>,
    /// Measure the package that was built before, as it is.
    #[arg(long)]
    as_built: bool,
    /// At the end also measure EdgeVec's rivals, as `cargo xtask bench rivals` does alone.
    #[arg(long)]
    rivals: bool,
}

/// Where it is measured.
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

const ENGINES: [Engine; 6] = [
    Engine::Native,
    Engine::Node,
    Engine::NodeRelaxed,
    Engine::Chromium,
    Engine::Firefox,
    Engine::Webkit,
];

/// The data sets that everything is measured with, where they are there.
const SETS: [(&str, usize); 4] = [
    ("siftsmall-128", 10_000),
    ("wordnet-minilm-384", 10_000),
    ("fashion-mnist-784", 60_000),
    ("wordnet-minilm-384", 60_000),
];
/// Those that recall is compared with hnswlib's on.
const QUALITY_SETS: [(&str, usize); 4] = [
    ("fashion-mnist-784", 10_000),
    ("wordnet-minilm-384", 10_000),
    ("fashion-mnist-784", 60_000),
    ("wordnet-minilm-384", 60_000),
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

/// Measures, and writes the documents; or does what is asked instead.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    match &bench.instead {
        Some(Instead::Report { check }) => report(*check),
        Some(Instead::Rivals(options)) => reported(rivals::run(options)),
        None => reported(measure(&bench.options)),
    }
}

/// Writes the documents, also when measuring failed half-way: what was measured is to be seen.
fn reported(outcome: Result<()>) -> Result<()> {
    report(false).and(outcome)
}

/// Writes the documents, or compares them.
pub(crate) fn report(check: bool) -> Result<()> {
    let mut node = run::node("bench/report/main.mjs");
    if check {
        node.arg("--check");
    }
    run::shown(&mut node)
}

fn measure(options: &Options) -> Result<()> {
    let program = native()?;
    let sets = || Sets::new(&program, options.data.as_deref());
    let chosen = |usual| {
        if !options.set.is_empty() {
            return options.set.clone();
        }
        let mut found = sets().usual(usual);
        found.retain(|set| Plan::is_usual(options.quick, set));
        found
    };
    let plan = |usual| Plan {
        sets: sets(),
        chosen: chosen(usual),
        only: options.only.clone(),
        quick: options.quick,
        rounds: options.rounds,
    };
    let engines = if options.engine.is_empty() { &ENGINES[..] } else { &options.engine };
    // What is not there is said before the first hour of measuring.
    let browsers: Vec<_> = engines.iter().filter_map(|engine| engine.browser()).collect();
    setup::for_browsers(&browsers)?;
    let everywhere = plan(&SETS);
    let mut modules = None;
    if engines.iter().any(|engine| *engine != Engine::Native) {
        modules = Some(if options.as_built { wasm::bench_modules() } else { build_modules()? });
    }
    let mut failed = Vec::new();
    for engine in engines {
        let outcome = step(&format!("benchmarks, {}", engine.name()), || match &modules {
            Some(modules) if *engine != Engine::Native => in_engine(*engine, modules, &everywhere),
            _ => natively(&program, &everywhere, &plan(&QUALITY_SETS)),
        });
        if let Err(error) = outcome {
            eprintln!("{error:#}");
            failed.push(engine.name());
        }
    }
    if options.rivals {
        let outcome = step("benchmarks, rivals", || {
            rivals::run(&rivals::Options::within(options, modules.is_some()))
        });
        if let Err(error) = outcome {
            eprintln!("{error:#}");
            failed.push("rivals");
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}

/// The program of `bench/`, built.
fn native() -> Result<PathBuf> {
    step("benchmark program", || {
        run::quiet(run::cargo().args(["build", "--release", "--package", "edgevec-bench"]))
    })?;
    Ok(run::target().join("release/edgevec-bench").with_extension(std::env::consts::EXE_EXTENSION))
}

/// Builds the package, and the module that benchmarks use beside it.
fn build_modules() -> Result<PathBuf> {
    setup::for_build()?;
    wasm::build()?;
    wasm::build_for_bench()
}

fn natively(program: &Path, plan: &Plan, quality: &Plan) -> Result<()> {
    let engine = Engine::Native.name();
    let mut noise = Noise::new();
    for arguments in plan.native()? {
        results::keep(engine, Command::new(program).args(arguments), &mut noise)?;
    }
    if !quality.has(Part::Quality) {
        return Ok(());
    }
    let rival = hnswlib::program()?;
    for set in &quality.chosen {
        let mut command = Command::new(program);
        command.arg("quality").arg(quality.sets.folder(set)?);
        command.args(["--rounds", &quality.rounds(set).to_string()]);
        if let Some(rival) = &rival {
            command.arg("--hnswlib").arg(rival);
        }
        results::keep(engine, &mut command, &mut noise)?;
    }
    Ok(())
}

/// Everything in an engine that speaks JavaScript.
fn in_engine(engine: Engine, modules: &Path, plan: &Plan) -> Result<()> {
    let mut noise = Noise::new();
    let pages = plan.pages()?;
    let count = pages.len();
    for (number, page) in pages.into_iter().enumerate() {
        eprintln!("· {}, page {} of {count}", engine.name(), number + 1);
        let mut node = run::node("bench/js/main.mjs");
        let name = engine.browser().map_or("node", setup::Engine::name);
        node.args(["--engine", name, "--data"]).arg(data::folder()).arg("--modules").arg(modules);
        if engine == Engine::NodeRelaxed {
            node.arg("--node").arg(setup::newer_node()?);
        }
        node.arg(Value::from(page).to_string());
        results::keep(engine.name(), &mut node, &mut noise)?;
    }
    Ok(())
}
