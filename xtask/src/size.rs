//! Bytes and instructions of what ships, and the gates on them.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use flate2::{Compression, write::GzEncoder};
use wasmparser::{Parser, Payload};

use crate::run;
use crate::wasm::{BUILDS, Build, RELAXED};

/// Module and glue of one build, as users download them, in gzip bytes.
const LIMIT_BYTES: usize = 100_000;

/// Instructions of a module.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    /// All of them.
    all: usize,
    /// Those on vectors.
    simd: usize,
    /// Those of relaxed SIMD.
    relaxed: usize,
}

/// A file as it is, and as it is downloaded.
struct Bytes {
    raw: usize,
    gzip: usize,
}

impl Bytes {
    fn of(file: &[u8]) -> Result<Self> {
        Ok(Self { raw: file.len(), gzip: gzip(file)? })
    }
}

/// Everything that users download one part of.
struct Shipped {
    glue: Bytes,
    scripts: Bytes,
    modules: Vec<(Build, Vec<u8>, Bytes, Counts)>,
}

fn shipped() -> Result<Shipped> {
    let mut modules = Vec::new();
    for build in BUILDS {
        let module = fs::read(build.module())?;
        let (bytes, counts) = (Bytes::of(&module)?, count(&module)?);
        modules.push((build, module, bytes, counts));
    }
    let glue = Bytes::of(&fs::read(run::root().join("js/dist/wasm/edgevec.js"))?)?;
    Ok(Shipped { glue, scripts: Bytes::of(&scripts()?)?, modules })
}

/// Everything that is exact, by name.
pub(crate) fn counts() -> Result<Vec<(String, u64)>> {
    let Shipped { glue, scripts, modules } = shipped()?;
    let mut counts = Vec::new();
    let mut add = |name: String, value: usize| counts.push((name, value as u64));
    for (build, _, bytes, instructions) in modules {
        let name = build.name;
        add(format!("bytes of the module, {name}"), bytes.raw);
        add(format!("bytes of the module, {name}, gzip"), bytes.gzip);
        add(format!("instructions of the module, {name}"), instructions.all);
        add(format!("SIMD instructions of the module, {name}"), instructions.simd);
        add(format!("relaxed instructions of the module, {name}"), instructions.relaxed);
    }
    for (name, bytes) in [("glue", glue), ("scripts", scripts)] {
        add(format!("bytes of the {name}"), bytes.raw);
        add(format!("bytes of the {name}, gzip"), bytes.gzip);
    }
    Ok(counts)
}

/// Counts the instructions of a module.
fn count(module: &[u8]) -> Result<Counts> {
    let mut counts = Counts::default();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        for operator in body.get_operators_reader()? {
            let name = format!("{:?}", operator?);
            let name = name.split([' ', '{']).next().unwrap_or_default();
            counts.all += 1;
            counts.simd += usize::from(is_simd(name));
            counts.relaxed += usize::from(name.contains("Relaxed"));
        }
    }
    Ok(counts)
}

/// Whether an instruction works on vectors, by its name in the parser.
fn is_simd(name: &str) -> bool {
    let lanes = ["V128", "I8x16", "I16x8", "I32x4", "I64x2", "F32x4", "F64x2"];
    lanes.iter().any(|lane| name.starts_with(lane))
}

fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

/// The scripts of the package that a page loads: the entry for browsers and what it imports.
fn scripts() -> Result<Vec<u8>> {
    let dist = run::root().join("js/dist");
    let mut all = fs::read(dist.join("entry/browser.js"))?;
    for entry in fs::read_dir(&dist)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "js") {
            all.extend(fs::read(path)?);
        }
    }
    Ok(all)
}

/// Shows sizes and instructions, and fails where a gate is broken.
pub(crate) fn check() -> Result<()> {
    let Shipped { glue, scripts, modules } = shipped()?;
    println!("{:<22} {:>9} {:>9}", "", "bytes", "gzip");
    println!("{:<22} {:>9} {:>9}", "glue", glue.raw, glue.gzip);
    println!("{:<22} {:>9} {:>9}", "package scripts", scripts.raw, scripts.gzip);
    let mut broken = Vec::new();
    for (build, module, bytes, counts) in modules {
        let total = bytes.gzip + glue.gzip;
        let name = format!("module, {}", build.name);
        println!("{name:<22} {:>9} {:>9}", bytes.raw, bytes.gzip);
        println!(
            "{:<22} {:>9} {:>9}   limit {LIMIT_BYTES}; {} SIMD instructions, {} of them relaxed",
            "  with the glue", "", total, counts.simd, counts.relaxed
        );
        if total > LIMIT_BYTES {
            broken.push(format!("{} takes {total} bytes gzip, over {LIMIT_BYTES}", build.name));
        }
        broken.extend(broken_counts(build, &counts));
        broken.extend(
            machine_paths(&module).map(|path| format!("{} contains the path {path}", build.name)),
        );
    }
    if broken.is_empty() { Ok(()) } else { bail!("{}", broken.join("; ")) }
}

fn broken_counts(build: Build, counts: &Counts) -> Option<String> {
    let wrong = if counts.simd < 100 {
        "hardly any SIMD"
    } else if build == RELAXED && counts.relaxed == 0 {
        "no relaxed SIMD"
    } else if build != RELAXED && counts.relaxed > 0 {
        "relaxed SIMD, which Safari refuses"
    } else {
        return None;
    };
    Some(format!("{} has {wrong}", build.name))
}

/// Paths of the machine that built the module.
fn machine_paths(module: &[u8]) -> Option<String> {
    let home = std::env::home_dir().unwrap_or_default();
    [run::root(), home].into_iter().find_map(|path| {
        let text = path.to_str().filter(|text| text.len() > 3)?.to_owned();
        let found = module.windows(text.len()).any(|window| window == text.as_bytes());
        (found && path != Path::new("/")).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(func (result v128) (i32x4.add (v128.const …) (v128.const …)))`, and the same with
    /// `f32x4.relaxed_min`.
    fn module(operator: &[u8]) -> Vec<u8> {
        let mut body = vec![0];
        for _ in 0..2 {
            body.extend([0xfd, 0x0c]);
            body.extend([0; 16]);
        }
        body.push(0xfd);
        body.extend(operator);
        body.push(0x0b);
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend([1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10]);
        module.extend([body.len() as u8 + 2, 1, body.len() as u8]);
        module.extend(body);
        module
    }

    #[test]
    fn vector_instructions_are_counted() {
        assert_eq!(count(&module(&[0xae, 0x01])).unwrap(), Counts { all: 4, simd: 3, relaxed: 0 });
        assert_eq!(count(&module(&[0x8d, 0x02])).unwrap(), Counts { all: 4, simd: 3, relaxed: 1 });
    }

    #[test]
    fn each_gate_can_fail() {
        let good = Counts { simd: 500, ..Counts::default() };
        assert_eq!(broken_counts(crate::wasm::SIMD128, &good), None);
        assert!(broken_counts(RELAXED, &good).is_some());
        let relaxed = Counts { simd: 500, relaxed: 3, ..Counts::default() };
        assert!(broken_counts(crate::wasm::SIMD128, &relaxed).is_some());
        assert_eq!(broken_counts(RELAXED, &relaxed), None);
        assert!(broken_counts(crate::wasm::SIMD128, &Counts::default()).is_some());
    }
}
