//! Samples in the documents that are run: fenced blocks marked `js run`.
//!
//! Rust's samples are doctests of the core (`src/lib.rs` includes the README).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run;

/// A block of a document.
#[derive(Debug, PartialEq, Eq)]
struct Sample {
    /// The line it starts on, counted from 1.
    line: usize,
    code: String,
}

/// The blocks of a Markdown text marked `js run`.
fn samples(text: &str) -> Vec<Sample> {
    let mut found = Vec::new();
    let mut open: Option<Sample> = None;
    for (number, line) in text.lines().enumerate() {
        match &mut open {
            Some(sample) if line.trim_end() == "```" => {
                found.push(Sample { line: sample.line, code: std::mem::take(&mut sample.code) });
                open = None;
            }
            Some(sample) => {
                sample.code.push_str(line);
                sample.code.push('\n');
            }
            None if line.trim_end() == "```js run" => {
                open = Some(Sample { line: number + 1, code: String::new() });
            }
            None => {}
        }
    }
    found
}

/// Runs every sample in Node against the built package.
pub(crate) fn check() -> Result<()> {
    let root = run::root();
    // Inside the package its own name resolves to it.
    let folder = root.join("js/dist-test/samples");
    fs::create_dir_all(&folder)?;
    let mut count = 0;
    for document in documents(&root)? {
        let text = fs::read_to_string(&document)?;
        let name = document.strip_prefix(&root)?.display().to_string();
        let found = samples(&text);
        if found.is_empty() && name == "README.md" {
            bail!("README.md has no block marked `js run`");
        }
        for sample in found {
            count += 1;
            let file = folder.join(format!("sample-{count}.mjs"));
            fs::write(&file, sample.code)?;
            let mut node = std::process::Command::new("node");
            run::quiet(node.arg(&file))
                .with_context(|| format!("the sample in {name}, line {}", sample.line))?;
        }
    }
    println!("{count} samples ran");
    Ok(())
}

/// The documents of the project.
fn documents(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![root.join("README.md"), root.join("wasm/README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_blocks_are_found_and_others_are_not() {
        let text = "# a\n```js run\none\ntwo\n```\n```js\nthree\n```\n```rust\n```\n";
        assert_eq!(samples(text), [Sample { line: 2, code: "one\ntwo\n".into() }]);
    }
}
