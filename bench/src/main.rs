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
            let mut start = ProcessTime::now();
            let mut counted = data.len();
            if let Some((how, n)) = kind.split_once(':') {
                let n: usize = n.parse()?;
                let (old, new) = data.rows.split_at((data.len() - n) * data.dimensions);
                if how.starts_with('p') {
                    // parts
                    for part in data.rows.chunks(n * data.dimensions) {
                        index.insert_batch(Rows::flat(part), BatchOptions::new())?;
                    }
                } else {
                    index.insert_batch(Rows::flat(old), BatchOptions::new())?;
                    counted = n;
                    start = ProcessTime::now();
                    if how == "attach" {
                        index.insert_batch(Rows::flat(new), BatchOptions::new())?;
                    } else {
                        for row in new.chunks(data.dimensions) {
                            index.insert(row)?;
                        }
                    }
                }
            } else if kind == "loop" {
                for row in data.rows.chunks(data.dimensions) {
                    index.insert(row)?;
                }
            } else {
                build_for_profile(&mut index, &data)?;
            }
            let us = start.elapsed().as_secs_f64() * 1e6 / counted as f64;
            print!("{kind:>12} {us:8.1} us/row");
            if round == 0 {
                let points = quality::sweep(&index, &data, 0.9955)?;
                for recall in [0.95, 0.98, 0.99, 0.995] {
                    print!("  {:?}", quality::distances_at(&points, recall).map(f64::round));
                }
            }
            let p = if round == 0 { quality::sweep(&index, &data, 0.9955)? } else { vec![] };
            for p in p.iter().filter(|p| [16, 32, 64, 128].contains(&p.ef)) {
                print!("  ef{} {:.4}", p.ef, p.recall);
            }
            println!();
        }
    }
    Ok(())
}

#[inline(never)]
fn build_for_profile(index: &mut Index, data: &DataSet) -> Result<()> {
    let threads = std::env::var("THREADS").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    index.insert_batch(Rows::flat(&data.rows), BatchOptions::new().threads(threads))?;
    Ok(())
}
