//! Every command of the project: `cargo xtask demo | build | test | bench | size | counts | setup`.
//!
//! ```text
//! setup.rs   what must be there: targets, Node, npm packages, browsers
//! wasm.rs    the two WebAssembly builds, their glue, the package
//! size.rs    bytes and instructions of what ships, and the gates on them
//! counts.rs  exact counts of what the core does, and the gate on them
//! test.rs    every test, step by step, with a table at the end
//! docs.rs    samples in the documents that are run
//! bench/     the benchmarks, and the documents made of them
//! demo.rs    the demo page, with and without a screen
//! run.rs     calling programs and showing steps
//! ```

mod bench;
mod counts;
mod demo;
mod docs;
mod run;
mod setup;
mod size;
mod test;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's commands.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything and show the demo on 127.0.0.1.
    Demo(demo::Options),
    /// Build the WebAssembly modules and the npm package.
    Build,
    /// Run every test: Rust, WebAssembly, Node and three browser engines.
    Test(test::Options),
    /// Measure natively, in Node and in browsers, and write the documents.
    Bench(bench::Bench),
    /// Show bytes and instructions of what ships, and check them against their limits.
    Size,
    /// Compare exact counts, such as distances a search and bytes of the modules, with the reviewed ones.
    Counts {
        /// Accept them as reviewed.
        #[arg(long)]
        bless: bool,
    },
    /// Install what the other commands need, or say what to install.
    Setup,
}

fn main() -> ExitCode {
    match execute(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the stack: it says nothing about what a program that was called found.
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<()> {
    match command {
        Command::Demo(options) => demo::run(&options),
        Command::Build => {
            setup::for_build()?;
            wasm::build()
        }
        Command::Test(options) => test::run(&options),
        Command::Bench(bench) => bench::run(&bench),
        Command::Size => {
            setup::for_build()?;
            wasm::build()?;
            size::check()
        }
        Command::Counts { bless } => {
            setup::for_build()?;
            wasm::build()?;
            counts::check(bless)
        }
        Command::Setup => setup::everything(),
    }
}
