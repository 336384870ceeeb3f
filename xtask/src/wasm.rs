//! The two WebAssembly builds, the glue they share, and the package made of them.
//!
//! ```text
//! cargo build ×2 ─► wasm-bindgen ─► wasm-opt ─► wasm/pkg ─► npm run build ─► js/dist
//! ```

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::run::{self, step};

/// A build of the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Build {
    /// In file names.
    pub(crate) name: &'static str,
    /// For the compiler.
    pub(crate) features: &'static str,
}

/// For every engine with SIMD.
pub(crate) const SIMD128: Build = Build { name: "simd128", features: "+simd128" };
/// For engines that run relaxed SIMD correctly.
pub(crate) const RELAXED: Build = Build { name: "relaxed", features: "+simd128,+relaxed-simd" };
/// Both.
pub(crate) const BUILDS: [Build; 2] = [SIMD128, RELAXED];

/// Where the built module and its glue lie.
pub(crate) fn pkg() -> PathBuf {
    run::root().join("wasm/pkg")
}

impl Build {
    /// The module as it ships.
    pub(crate) fn module(self) -> PathBuf {
        pkg().join(format!("edgevec_{}.wasm", self.name))
    }

    fn folder(self) -> PathBuf {
        run::target().join(format!("wasm-{}", self.name))
    }

    /// Compiles a crate and makes its glue, called `name`; returns the folder they are in.
    fn compile(self, package: &str, name: &str) -> Result<PathBuf> {
        let folder = self.folder();
        // Little is inlined unless it is marked: measured a fifth smaller, and as fast.
        let mut flags =
            format!("-Ctarget-feature={} -Cllvm-args=--inline-threshold=5", self.features);
        // No path of the machine that builds it may be in what ships.
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
        for (path, stands_for) in [(Some(run::root()), "edgevec"), (home, "cargo")] {
            if let Some(path) = path {
                write!(flags, " --remap-path-prefix={}={stands_for}", path.display())?;
            }
        }
        let mut cargo = run::cargo();
        cargo
            .args(["build", "--release", "--package", package])
            .args(["--target", "wasm32-unknown-unknown"])
            .env("RUSTFLAGS", flags)
            .env("CARGO_TARGET_DIR", &folder);
        run::quiet(&mut cargo)?;
        let compiled = format!("wasm32-unknown-unknown/release/{}.wasm", package.replace('-', "_"));
        let glue = folder.join(format!("glue-{name}"));
        Bindgen::new()
            .input_path(folder.join(compiled))
            .out_name(name)
            .typescript(true)
            .omit_default_module_path(true)
            .remove_name_section(true)
            .remove_producers_section(true)
            .web(true)?
            .generate(&glue)
            .context("the glue could not be made")?;
        Ok(glue)
    }

    fn optimise(self, from: &Path, to: &Path) -> Result<()> {
        let mut command = run::node("js/node_modules/binaryen/bin/wasm-opt");
        command.arg(from).arg("-o").arg(to).args([
            // Fast, then small: measured 750 bytes smaller in gzip than the first alone, and as fast.
            "-O3",
            "-Os",
            "--converge",
            // The lowest KiB is the end of the stack: no address there is a negative number plus an offset.
            "--low-memory-unused",
            // Engines compile a hot function again as a whole: kernels must stay small functions of
            // their own instead of going into the one that calls them.
            "--one-caller-inline-max-function-size=20",
            "--flexible-inline-max-function-size=10",
            "--enable-simd",
            "--enable-bulk-memory",
            "--enable-bulk-memory-opt",
            "--enable-sign-ext",
            "--enable-mutable-globals",
            "--enable-nontrapping-float-to-int",
            "--enable-reference-types",
            "--enable-multivalue",
        ]);
        if self == RELAXED {
            command.arg("--enable-relaxed-simd");
        }
        run::quiet(&mut command)
    }
}

/// Builds the modules, the glue and the package.
pub(crate) fn build() -> Result<()> {
    fs::create_dir_all(pkg())?;
    let mut glues = Vec::new();
    for build in BUILDS {
        let glue = step(&format!("WebAssembly, {}", build.name), || {
            build.compile("edgevec-wasm", "edgevec")
        })?;
        let compiled = glue.join("edgevec_bg.wasm");
        step(&format!("wasm-opt, {}", build.name), || build.optimise(&compiled, &build.module()))?;
        glues.push(glue);
    }
    for name in ["edgevec.js", "edgevec.d.ts"] {
        let texts: Vec<_> = glues
            .iter()
            .map(|glue| fs::read_to_string(glue.join(name)))
            .collect::<Result<_, _>>()?;
        if texts.windows(2).any(|pair| pair[0] != pair[1]) {
            bail!("{name} differs between the builds, but the package ships one for both");
        }
        fs::write(pkg().join(name), &texts[0])?;
    }
    step("npm package", || run::quiet(run::npm().args(["run", "--silent", "build"])))
}

/// Where the module that benchmarks use beside the package lies, one for each build, with its glue.
pub(crate) fn bench_modules() -> PathBuf {
    run::target().join("bench-wasm")
}

/// Builds what the benchmarks need of the core in WebAssembly, compiled as the package is.
pub(crate) fn build_for_bench() -> Result<PathBuf> {
    let folder = bench_modules();
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("package.json"), "{ \"type\": \"module\" }\n")?;
    for build in BUILDS {
        step(&format!("WebAssembly for benchmarks, {}", build.name), || {
            let glue = build.compile("edgevec-bench-wasm", "bench")?;
            let module = folder.join(format!("bench_{}.wasm", build.name));
            build.optimise(&glue.join("bench_bg.wasm"), &module)?;
            fs::copy(glue.join("bench.js"), folder.join("bench.js"))?;
            Ok(())
        })?;
    }
    Ok(folder)
}

/// Compares the generated types with the reviewed ones; `bless` accepts them.
pub(crate) fn check_snapshot(bless: bool) -> Result<()> {
    let snapshot = run::root().join("wasm/edgevec.snapshot.d.ts");
    let generated = fs::read_to_string(pkg().join("edgevec.d.ts"))?;
    if bless {
        return Ok(fs::write(snapshot, generated)?);
    }
    if fs::read_to_string(&snapshot).unwrap_or_default() != generated {
        bail!(
            "wasm/pkg/edgevec.d.ts is not wasm/edgevec.snapshot.d.ts: review the difference, \
             then `cargo xtask test --bless`"
        );
    }
    Ok(())
}
