//! hnswlib's headers, from the Python registry, and our program compiled with them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::run::{self, step};

/// The release that is compared with.
const VERSION: &str = "0.8.0";

/// The compiled `bench/hnswlib`; none, and a line that says why, where a tool is missing.
pub(crate) fn program() -> Result<Option<PathBuf>> {
    let missing: Vec<_> =
        ["g++", "pip", "tar"].into_iter().filter(|tool| !run::exists(tool)).collect();
    if !missing.is_empty() {
        eprintln!("hnswlib is left out: install {} to compare with it", missing.join(", "));
        return Ok(None);
    }
    let folder = run::target().join("hnswlib");
    let sources = folder.join(format!("hnswlib-{VERSION}"));
    if !sources.exists() {
        step(&format!("hnswlib {VERSION} from the Python registry"), || {
            fs::create_dir_all(&folder)?;
            let mut pip = Command::new("pip");
            // Only hnswlib as sources: what pip wants for looking at them it may take as it is.
            pip.args(["download", "--quiet", "--no-deps", "--no-binary", "hnswlib", "--dest"]);
            run::quiet(pip.arg(&folder).arg(format!("hnswlib=={VERSION}")))?;
            let mut tar = Command::new("tar");
            tar.arg("-xzf").arg(folder.join(format!("hnswlib-{VERSION}.tar.gz")));
            run::quiet(tar.arg("-C").arg(&folder))
        })?;
    }
    let program = folder.join("hnswlib-bench");
    step("hnswlib's program", || {
        let mut compiler = Command::new("g++");
        compiler.args(["-std=c++17", "-O3", "-march=native", "-DNDEBUG", "-I"]).arg(&sources);
        compiler.arg(run::root().join("bench/hnswlib/main.cpp")).arg("-o").arg(&program);
        run::quiet(&mut compiler)
    })?;
    Ok(Some(program))
}
