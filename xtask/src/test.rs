//! Every test, step by step. Steps go on after one that failed; a table at the end says which did.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::run;
use crate::setup::{self, ENGINES, Engine};
use crate::{bench, counts, docs, size, wasm};

/// What is tested.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave the browsers out.
    #[arg(long)]
    skip_browsers: bool,
    /// Only these browsers; by default all three.
    #[arg(long, value_enum)]
    engine: Vec<Engine>,
    /// Only the packed package in every bundler and runtime.
    #[arg(long)]
    packaging: bool,
    /// Accept the generated types of the binding and the exact counts as reviewed.
    #[arg(long)]
    bless: bool,
}

/// How a step ended.
struct Outcome {
    name: String,
    seconds: f64,
    error: Option<String>,
}

/// The steps done so far.
#[derive(Default)]
struct Steps(Vec<Outcome>);

impl Steps {
    /// Does a step, and says whether it went well.
    fn run(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        let start = Instant::now();
        let error = run::step(name, work).err().map(|error| format!("{error:#}"));
        if let Some(error) = &error {
            eprintln!("{error}\n");
        }
        let passed = error.is_none();
        self.0.push(Outcome { name: name.into(), seconds: start.elapsed().as_secs_f64(), error });
        passed
    }

    /// Prints the table and once more what failed, so that the end of a log says it; fails if a step did.
    fn finish(self) -> Result<()> {
        println!();
        for step in &self.0 {
            let mark = if step.error.is_none() { "passed" } else { "FAILED" };
            println!("{mark}  {:>7.1} s  {}", step.seconds, step.name);
        }
        let failed = self.0.iter().filter(|step| step.error.is_some()).count();
        println!("{} passed, {failed} failed", self.0.len() - failed);
        for step in &self.0 {
            if let Some(error) = &step.error {
                println!("\n{}: {error}", step.name);
            }
        }
        if failed == 0 { Ok(()) } else { bail!("{failed} steps failed") }
    }
}

/// Runs all of it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    if !options.packaging {
        rust(&mut steps);
        webassembly(&mut steps);
    }
    if steps.run("set up Node and npm", setup::for_build)
        && steps.run("build the modules and the package", wasm::build)
    {
        if !options.packaging {
            package(&mut steps, options.bless);
            if !options.skip_browsers {
                let engines =
                    if options.engine.is_empty() { &ENGINES[..] } else { &options.engine };
                browsers(&mut steps, engines);
            }
        }
        packaging(&mut steps, options.skip_browsers);
    }
    steps.finish()
}

fn rust(steps: &mut Steps) {
    steps.run("rustfmt", || run::quiet(run::cargo().args(["fmt", "--all", "--check"])));
    steps.run("clippy", || {
        let mut cargo = run::cargo();
        cargo.args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]);
        run::quiet(&mut cargo)
    });
    steps
        .run("Rust tests", || run::recorded(run::cargo().args(["test", "--workspace", "--quiet"])));
}

/// The core's tests as a WebAssembly program, with each set of instructions.
fn webassembly(steps: &mut Steps) {
    let prepared = steps.run("set up WebAssembly tests", setup::for_core_tests);
    let builds =
        [("scalar", ""), ("simd128", wasm::SIMD128.features), ("relaxed", wasm::RELAXED.features)];
    for (name, features) in builds.into_iter().filter(|_| prepared) {
        steps.run(&format!("core tests in WebAssembly, {name}"), || {
            // Node 20 computes relaxed instructions wrongly, and crashes at the end of some programs.
            let node = match setup::newer_node() {
                Err(_) if name != "relaxed" => "node".into(),
                node => node?,
            };
            let runner = run::root().join("js/harness/wasi.mjs");
            let runner = format!("{} --no-warnings {}", node.display(), runner.display());
            let mut cargo = run::cargo();
            cargo
                .args(["test", "--quiet", "--package", "edgevec", "--lib", "--tests"])
                .args(["--target", "wasm32-wasip1"])
                .env("CARGO_TARGET_DIR", run::target().join(format!("wasi-{name}")))
                .env("CARGO_TARGET_WASM32_WASIP1_RUNNER", runner);
            if !features.is_empty() {
                cargo.env("RUSTFLAGS", format!("-Ctarget-feature={features}"));
            }
            run::recorded(&mut cargo)
        });
    }
}

fn package(steps: &mut Steps, bless: bool) {
    steps.run("size and instructions", size::check);
    steps.run("exact counts are the reviewed ones", || counts::check(bless));
    steps.run("types of the binding are the reviewed ones", || wasm::check_snapshot(bless));
    for (name, script) in [
        ("package tests in Node", "test"),
        ("consumer under tsc --strict", "test:types"),
        ("publint and are-the-types-wrong", "lint:package"),
    ] {
        steps.run(name, || run::recorded(run::npm().args(["run", "--silent", script])));
    }
    steps.run("samples in the documents", docs::check);
    steps.run("benchmark documents are what the results give", || bench::report(!bless));
}

fn browsers(steps: &mut Steps, engines: &[Engine]) {
    if !steps.run("set up browsers", || setup::for_browsers(engines)) {
        return;
    }
    for engine in engines {
        steps.run(&format!("package tests, demo and benchmark page in {}", engine.name()), || {
            let mut node = run::node("js/harness/suite.mjs");
            run::recorded(node.args(["--engine", engine.name()]))
        });
    }
}

/// The packed package in bundlers and runtimes; pages run in Chromium.
fn packaging(steps: &mut Steps, skip_browsers: bool) {
    let prepared = steps.run("set up bundlers and runtimes", || {
        setup::for_packaging()?;
        if skip_browsers { Ok(()) } else { setup::for_browsers(&[Engine::Chromium]) }
    });
    if !prepared {
        return;
    }
    steps.run("the packed package in bundlers and runtimes", || {
        let mut node = run::node("js/packaging/matrix.mjs");
        run::recorded(node.args(skip_browsers.then_some("--skip-browsers")))
    });
}
