//! The demo page, with and without a screen.

use std::path::PathBuf;

use anyhow::Result;

use crate::run;
use crate::setup::{self, Engine};
use crate::wasm;

/// How the demo is shown.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run the page in a browser without a screen and print what it found.
    #[arg(long)]
    headless: bool,
    /// The engine of `--headless`.
    #[arg(long, value_enum, default_value = "chromium")]
    engine: Engine,
    /// Save a picture of the page (`--headless`).
    #[arg(long)]
    screenshot: Option<PathBuf>,
    /// The port to serve on; 0 takes a free one.
    #[arg(long, default_value_t = 8737)]
    port: u16,
}

/// Builds everything, then shows the page.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::for_build()?;
    wasm::build()?;
    let mut node = run::node("js/harness/demo.mjs");
    if options.headless {
        setup::for_browsers(&[options.engine])?;
        node.args(["--headless", "--engine", options.engine.name()]);
        if let Some(file) = &options.screenshot {
            node.arg("--screenshot").arg(std::path::absolute(file)?);
        }
    } else {
        node.args(["--port", &options.port.to_string()]);
    }
    run::shown(&mut node)
}
