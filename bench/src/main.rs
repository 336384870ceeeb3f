//! The native half of the benchmarks; `cargo xtask bench` calls it and keeps what it prints.
//!
//! ```text
//! data.rs      data sets, laid down as plain files for every program that measures
//! build.rs     one way of filling an index, timed
//! line.rs      a line of the results
//! quality.rs   recall against distance computations, beside hnswlib
//! batch.rs     a batch against loops, the same batch twice, and the memory of a batch
//! search.rs    searches at each recall; saving and loading
//! rival.rs     calls the hnswlib program
//! contender.rs what `bench/rivals` measures of every library
//! ```
//!
//! Results are lines of JSON on the standard output, progress goes to the standard error. Times are
//! CPU times of this process, because the machines are shared.

mod batch;
mod build;
mod contender;
mod data;
mod line;
mod quality;
mod rival;
mod search;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "edgevec-bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lay down a data set as plain files: rows, queries and their true neighbours.
    Prepare(data::Options),
    /// Recall and distance computations of loop, batch and hnswlib.
    Quality {
        /// What `prepare` wrote.
        folder: PathBuf,
        /// How often everything is built.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// The compiled `bench/hnswlib`.
        #[arg(long)]
        hnswlib: Option<PathBuf>,
    },
    /// Times of a batch and of loops, on one thread.
    Batch {
        /// What `prepare` wrote.
        folder: PathBuf,
        /// How often everything is built.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Rows that are in the index before batches of 1,000 are timed; none without it.
        #[arg(long)]
        attach_to: Vec<usize>,
    },
    /// What a batch allocates.
    Memory {
        /// What `prepare` wrote.
        folder: PathBuf,
    },
    /// The same batch twice in each round.
    Noise {
        /// What `prepare` wrote.
        folder: PathBuf,
        /// How often.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Searches of graphs built by a loop and by a batch.
    Search {
        /// What `prepare` wrote.
        folder: PathBuf,
        /// How often everything is searched.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// To bytes and back.
    Save {
        /// What `prepare` wrote.
        folder: PathBuf,
        /// How often.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// What `bench/rivals` measures of every library, of one index.
    Contender {
        /// What `prepare` wrote.
        folder: PathBuf,
        /// How the index is filled.
        #[arg(long, value_enum)]
        way: build::Way,
    },
    /// The instructions that distances are computed with.
    Backend,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Prepare(options) => data::prepare(&options),
        Command::Quality { folder, rounds, hnswlib } => {
            quality::run(&data::DataSet::open(&folder)?, rounds, hnswlib.as_deref())
        }
        Command::Batch { folder, rounds, attach_to } => {
            batch::run(&data::DataSet::open(&folder)?, rounds, &attach_to)
        }
        Command::Memory { folder } => batch::memory(&data::DataSet::open(&folder)?),
        Command::Noise { folder, rounds } => batch::noise(&data::DataSet::open(&folder)?, rounds),
        Command::Search { folder, rounds } => search::run(&data::DataSet::open(&folder)?, rounds),
        Command::Save { folder, rounds } => search::save(&data::DataSet::open(&folder)?, rounds),
        Command::Contender { folder, way } => contender::run(&data::DataSet::open(&folder)?, way),
        Command::Backend => {
            println!("{}", edgevec::backend());
            Ok(())
        }
    }
}
