//! Benchmarks.

mod data;
mod quality;

use anyhow::Result;
use cpu_time::ProcessTime;
use data::DataSet;
use edgevec::{BatchInsertable, BatchOptions, Index, Rows};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let folder = std::path::PathBuf::from(std::env::var("EDGEVEC_DATA")?);
    let data = DataSet::load(&folder, &args[1], args[2].parse()?)?;
    let rounds: usize = args[3].parse()?;
    let kinds = args.get(4).map_or("loop,batch", |s| s.as_str()).to_string();
    let build = || Index::builder(data.dimensions).metric(data.metric).build();
    println!("{} {} {} {}", data.name, data.len(), data.dimensions, edgevec::backend());
    for round in 0..rounds {
        for kind in kinds.split(',') {
            let mut index = build()?;
            let start = ProcessTime::now();
            if kind == "loop" {
                for row in data.rows.chunks(data.dimensions) {
                    index.insert(row)?;
                }
            } else {
                build_for_profile(&mut index, &data)?;
            }
            let us = start.elapsed().as_secs_f64() * 1e6 / data.len() as f64;
            print!("{kind:>6} {us:8.1} us/row");
            if round == 0 {
                let points = quality::sweep(&index, &data, 0.9955)?;
                for recall in [0.95, 0.98, 0.99, 0.995] {
                    print!("  {:?}", quality::distances_at(&points, recall).map(|x| x.round()));
                }
            }
            println!();
        }
    }
    Ok(())
}

#[inline(never)]
fn build_for_profile(index: &mut Index, data: &DataSet) -> Result<()> {
    index.insert_batch(Rows::flat(&data.rows), BatchOptions::new())?;
    Ok(())
}
