//! EdgeVec and its rivals on the same data: `bench/rivals`, with what it needs.
//!
//! The rivals come from npm and `PyPI`, of the versions that `bench/rivals` pins, into folders that are
//! never committed. `bench/rivals/main.mjs` measures each in a process of its own, in rounds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use super::data::{self, Set, Sets};
use super::{native, results};
use crate::run::{self, step};
use crate::{setup, wasm};

/// What tells one result from another.
const KEY: [&str; 5] = ["contender", "way", "set", "rows", "dimensions"];
/// Measured where they are there.
const USUAL: [(&str, usize); 2] = [("wordnet-minilm-384", 10_000), ("fashion-mnist-784", 10_000)];

/// What is measured, and how.
#[derive(Args)]
pub(crate) struct Options {
    /// The folder of the data sets; without it a small sample that is committed is used.
    #[arg(long, env = "EDGEVEC_DATA")]
    data: Option<PathBuf>,
    /// Other data sets than the usual ones, `NAME:ROWS`.
    #[arg(long)]
    set: Vec<Set>,
    /// How often everything is measured that builds in half a minute; the documents show medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these contenders of a family, as `bench/rivals/main.mjs` calls them.
    #[arg(long, requires = "family")]
    only: Vec<String>,
    /// Only this family; by default both.
    #[arg(long, value_enum)]
    family: Option<Family>,
    /// A contender that takes more CPU time with one data set has failed.
    #[arg(long, default_value_t = 900)]
    seconds: u32,
    /// Measure the package that was built before, as it is.
    #[arg(long)]
    as_built: bool,
}

/// What is compared with what.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Family {
    /// Packages of npm and the package of `js/`, in Node.
    Javascript,
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
    if wanted(Family::Javascript) {
        setup::for_build()?;
        if !options.as_built {
            wasm::build()?;
        }
        let node = setup::newer_node()?;
        npm_packages()?;
        let mut command = measuring(options, "javascript", &chosen);
        command.arg("--node").arg(node);
        results::keep_each("rivals-javascript", &KEY, &mut command)?;
    }
    if wanted(Family::Native) {
        let mut command = measuring(options, "native", &chosen);
        command.arg("--python").arg(python_packages()?).arg("--program").arg(&program);
        results::keep_each("rivals-native", &KEY, &mut command)?;
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

/// Does `work` unless that was done before with the same `wanted`; `stamp` remembers it.
fn once(name: &str, wanted: &Path, stamp: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read(wanted)?;
    if fs::read(stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    step(name, work)?;
    Ok(fs::write(stamp, wanted)?)
}

/// Installs the rivals of npm, without running scripts of theirs: one would fetch files from elsewhere.
fn npm_packages() -> Result<()> {
    let modules = folder().join("node_modules");
    let stamp = modules.join(".installed-lock");
    once("rivals from npm", &folder().join("package-lock.json"), &stamp, || {
        let mut npm = run::npm();
        npm.current_dir(folder()).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        run::quiet(&mut npm)?;
        compile_hnswlib_node(&modules)
    })
}

/// What its install script would do with the headers of Node, done with those of an npm package.
fn compile_hnswlib_node(modules: &Path) -> Result<()> {
    let package = modules.join("hnswlib-node");
    let into = package.join("build/Release");
    fs::create_dir_all(&into)?;
    let mut compiler = Command::new("g++");
    compiler.args(["-std=c++17", "-O3", "-fPIC", "-shared", "-DNAPI_DISABLE_CPP_EXCEPTIONS", "-I"]);
    compiler.arg(modules.join("node-api-headers/include")).arg("-I");
    compiler.arg(modules.join("node-addon-api")).arg(package.join("src/addon.cc"));
    run::quiet(compiler.arg("-o").arg(into.join("addon.node")))
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
    once("rivals from PyPI", &wanted, &environment.join("installed"), || {
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn an_installation_is_repeated_only_when_what_is_wanted_changed() {
        let folder = std::env::temp_dir().join(format!("edgevec-once-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (wanted, stamp) = (folder.join("wanted"), folder.join("stamp"));
        let done = Cell::new(0);
        let work = || {
            done.set(done.get() + 1);
            Ok(())
        };
        fs::write(&wanted, "1.0").unwrap();
        once("first", &wanted, &stamp, work).unwrap();
        once("again", &wanted, &stamp, work).unwrap();
        assert_eq!(done.get(), 1);
        fs::write(&wanted, "1.1").unwrap();
        assert!(once("failing", &wanted, &stamp, || bail!("no network")).is_err());
        once("changed", &wanted, &stamp, work).unwrap();
        assert_eq!(done.get(), 2);
        fs::remove_dir_all(&folder).unwrap();
    }
}
