//! EdgeVec and its rivals on the same data: `bench/rivals`, with what it needs.
//!
//! The rivals come from npm and `PyPI`, of the versions that `bench/rivals` pins, into folders that are
//! never committed. `bench/rivals/main.mjs` measures each in a process or page of its own, in rounds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use super::data::{self, Set, Sets};
use super::native;
use super::results::{self, Noise};
use crate::run::{self, step};
use crate::{setup, wasm};

/// Measured where they are there.
const USUAL: [(&str, usize); 2] = [("wordnet-minilm-384", 10_000), ("fashion-mnist-784", 10_000)];

/// Rounds of what builds in half a minute.
const ROUNDS: usize = 3;
/// CPU time that a contender may take with one data set.
const SECONDS: u32 = 900;

/// What is measured, and how.
#[derive(Args)]
pub(crate) struct Options {
    /// The folder of the data sets; without it a small sample that is committed is used.
    #[arg(long, env = "EDGEVEC_DATA")]
    data: Option<PathBuf>,
    /// Other data sets than the usual ones, `NAME:ROWS`.
    #[arg(long, value_delimiter = ',')]
    set: Vec<Set>,
    /// How often everything is measured that builds in half a minute; the documents show medians.
    #[arg(long, default_value_t = ROUNDS)]
    rounds: usize,
    /// Only these contenders of a family, as `bench/rivals/main.mjs` calls them.
    #[arg(long, requires = "family", value_delimiter = ',')]
    only: Vec<String>,
    /// Only this family; by default all.
    #[arg(long, value_enum)]
    family: Option<Family>,
    /// A contender that takes more CPU time with one data set has failed.
    #[arg(long, default_value_t = SECONDS)]
    seconds: u32,
    /// Measure the package that was built before, as it is.
    #[arg(long)]
    as_built: bool,
}

impl Options {
    /// Those of a run that measures everything; `built` says whether it has built the package.
    pub(crate) fn within(all: &super::Options, built: bool) -> Self {
        Self {
            data: all.data.clone(),
            set: all.set.clone(),
            rounds: all.rounds.unwrap_or(if all.quick { 1 } else { ROUNDS }),
            only: vec![],
            family: None,
            seconds: SECONDS,
            as_built: all.as_built || built,
        }
    }
}

/// What is compared with what.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Family {
    /// Packages of npm and the package of `js/`, in Node.
    Javascript,
    /// The same in pages of Chromium.
    Chromium,
    /// Packages of `PyPI` and the crate.
    Native,
}

/// Measures, and keeps each result as soon as it is there.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = native()?;
    let sets = Sets::new(&program, options.data.as_deref());
    let chosen = if options.set.is_empty() { sets.usual(&USUAL) } else { options.set.clone() };
    for set in &chosen {
        sets.folder(set)?;
    }
    let wanted = |family| options.family.is_none_or(|only| only == family);
    // What is not there is said before the first hour of measuring.
    if wanted(Family::Chromium) {
        setup::for_browsers(&[setup::Engine::Chromium])?;
    }
    if wanted(Family::Javascript) || wanted(Family::Chromium) {
        setup::for_build()?;
        if !options.as_built {
            wasm::build()?;
        }
        npm_packages()?;
    }
    if wanted(Family::Javascript) {
        let node = setup::newer_node()?;
        let mut command = measuring(options, "javascript", &chosen);
        command.arg("--node").arg(node);
        results::keep("javascript", &mut command, &mut Noise::new())?;
    }
    if wanted(Family::Chromium) {
        let mut command = measuring(options, "chromium", &chosen);
        results::keep("chromium", &mut command, &mut Noise::new())?;
    }
    if wanted(Family::Native) {
        let mut command = measuring(options, "native", &chosen);
        command.arg("--python").arg(python_packages()?).arg("--program").arg(&program);
        results::keep("native", &mut command, &mut Noise::new())?;
    }
    Ok(())
}

fn measuring(options: &Options, family: &str, sets: &[Set]) -> Command {
    let mut node = run::node("bench/rivals/main.mjs");
    node.args(["--family", family, "--rounds", &options.rounds.to_string()]);
    node.args(["--seconds", &options.seconds.to_string(), "--data"]).arg(data::folder());
    node.args(sets.iter().flat_map(|set| ["--set".into(), set.name()]));
    node.args(options.only.iter().flat_map(|name| ["--only", name]));
    node
}

fn folder() -> PathBuf {
    run::root().join("bench/rivals")
}

/// Installs the rivals of npm, without running scripts of theirs: one would fetch files from elsewhere.
fn npm_packages() -> Result<()> {
    setup::npm_packages("bench/rivals")?;
    let addon = folder().join("node_modules/hnswlib-node/build/Release/addon.node");
    if addon.exists() {
        Ok(())
    } else {
        step("compile hnswlib-node", || compile_hnswlib_node(&addon))
    }
}

/// What its install script would do with the headers of Node, done with those of an npm package.
fn compile_hnswlib_node(addon: &Path) -> Result<()> {
    let modules = folder().join("node_modules");
    let package = modules.join("hnswlib-node");
    fs::create_dir_all(package.join("build/Release"))?;
    let mut compiler = Command::new("g++");
    compiler.args(["-std=c++17", "-O3", "-fPIC", "-shared", "-DNAPI_DISABLE_CPP_EXCEPTIONS", "-I"]);
    compiler.arg(modules.join("node-api-headers/include")).arg("-I");
    compiler.arg(modules.join("node-addon-api")).arg(package.join("src/addon.cc"));
    run::quiet(compiler.arg("-o").arg(addon))
        .context("hnswlib-node is compiled with g++: `apt-get install g++` on Debian")
}

/// A Python that has the rivals of `PyPI`.
fn python_packages() -> Result<PathBuf> {
    let environment = run::root().join(".cache/rivals");
    let python = environment.join("bin/python");
    if !run::exists("python3") {
        bail!("Python is missing: `apt-get install python3-venv python3-dev` on Debian");
    }
    let wanted = folder().join("native/requirements.txt");
    setup::once("rivals from PyPI", &wanted, &environment.join("installed"), || {
        let mut venv = Command::new("python3");
        run::quiet(venv.args(["-m", "venv"]).arg(&environment))
            .context("`apt-get install python3-venv` on Debian")?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
        run::quiet(pip.arg(&wanted))
            .context("hnswlib is compiled: `apt-get install g++ python3-dev` on Debian")
    })?;
    Ok(python)
}
