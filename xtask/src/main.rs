//! Every command of the project: `cargo xtask demo | build | test | bench | size | setup`.
//!
//! ```text
//! setup.rs   what must be there: targets, Node, npm packages, browsers
//! wasm.rs    the two WebAssembly builds, their glue, the package
//! size.rs    bytes and instructions of what ships, and the gates on them
//! test.rs    every test, step by step, with a table at the end
//! docs.rs    samples in the documents that are run
//! demo.rs    the demo page, with and without a screen
//! run.rs     calling programs and showing steps
//! ```

mod demo;
mod docs;
mod run;
mod setup;
mod size;
mod test;
mod wasm;

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
    /// Run the benchmarks; arguments are passed on (`cargo xtask bench -- --help`).
    Bench {
        /// Arguments of the benchmark program.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Show bytes and instructions of what ships, and check them against their limits.
    Size,
    /// Install what the other commands need, or say what to install.
    Setup,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Build => {
            setup::for_build()?;
            wasm::build()
        }
        Command::Test(options) => test::run(&options),
        Command::Bench { arguments } => bench(&arguments),
        Command::Size => {
            setup::for_build()?;
            wasm::build()?;
            size::check()
        }
        Command::Setup => setup::everything(),
    }
}

fn bench(arguments: &[String]) -> Result<()> {
    setup::for_build()?;
    wasm::build()?;
    let mut command = run::cargo();
    command.args(["run", "--release", "--package", "edgevec-bench", "--"]).args(arguments);
    run::shown(&mut command)
}
