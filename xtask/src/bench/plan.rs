//! Which workloads there are: those of `bench/src` natively, those of `bench/js/workloads.js` elsewhere.

use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Value, json};

use super::data::{Set, Sets};

/// A part of the benchmarks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Part {
    /// Recall, distance computations and search time of loop, batch and hnswlib, natively.
    Quality,
    /// A batch against loops of `insert`, into an empty index and a full one, and how long the
    /// thread is held meanwhile.
    Batch,
    /// A batch that threads help with, against one that is alone; not natively.
    Workers,
    /// Small batches with their boundary overhead.
    Small,
    /// Memory that a batch takes.
    Memory,
    /// Searches at each recall.
    Search,
    /// Saving and loading.
    Save,
    /// From the start of a page to the first hits.
    Start,
}

/// Rows of a batch into a full index.
const ATTACHED: usize = 1000;
/// Rows that are in an index before such batches are timed, where a set has as many; else half of it.
const ATTACH_TO: [usize; 2] = [10_000, 50_000];
/// Rounds of A/A, of data sets that are built in seconds, and of larger ones.
const ROUNDS: usize = 5;
const ROUNDS_OF_LARGE: usize = 3;
/// What counts as large.
const LARGE_ROWS: usize = 50_000;
/// Cold pages, and rounds of what hardly varies.
const FEW_ROUNDS: usize = 3;
/// Values of `ef` that a quick run searches at; the workloads have more.
const QUICK_EFS: [usize; 6] = [10, 16, 32, 64, 128, 256];
/// Rows that are in the page when its first search begins.
const START_ROWS: usize = 1000;

/// What is measured, in every engine.
pub(crate) struct Plan<'a> {
    pub(crate) sets: Sets<'a>,
    /// The data sets that everything is measured with.
    pub(crate) chosen: Vec<Set>,
    /// Nothing else, if any.
    pub(crate) only: Vec<Part>,
    pub(crate) quick: bool,
    pub(crate) rounds: Option<usize>,
}

impl Plan<'_> {
    /// Whether a part is measured.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// Whether a data set is measured although nobody asked for it.
    pub(crate) fn is_usual(quick: bool, set: &Set) -> bool {
        !quick || set.rows < LARGE_ROWS
    }

    pub(crate) fn rounds(&self, set: &Set) -> usize {
        let usual = if set.rows < LARGE_ROWS { ROUNDS } else { ROUNDS_OF_LARGE };
        self.rounds.unwrap_or(if self.quick { 1 } else { usual })
    }

    /// Rounds in engines that compile: of a small set the first is mostly that, and is left out.
    fn warm_rounds(&self, set: &Set) -> usize {
        self.rounds(set).max(if set.rows < LARGE_ROWS { 2 } else { 1 })
    }

    /// Runs of `edgevec-bench`, the first of them A/A.
    pub(crate) fn native(&self) -> Result<Vec<Vec<String>>> {
        let mut runs = Vec::new();
        let mut add = |name: &str, set: &Set, rounds: Option<usize>, rest: Vec<String>| {
            let folder = self.sets.folder(set)?.to_string_lossy().into_owned();
            let mut run = vec![name.into(), folder];
            run.extend(rounds.map(|rounds| format!("--rounds={rounds}")));
            run.extend(rest);
            runs.push(run);
            anyhow::Ok(())
        };
        if let Some(set) = self.noise_set() {
            add("noise", &set, Some(FEW_ROUNDS.max(self.rounds(&set))), vec![])?;
        }
        for set in &self.chosen {
            let rounds = self.rounds(set);
            if self.has(Part::Batch) {
                let before = attach_to(set).into_iter();
                let rest = before.map(|rows| format!("--attach-to={rows}"));
                add("batch", set, Some(rounds), rest.collect())?;
            }
            if self.has(Part::Memory) {
                add("memory", set, None, vec![])?;
            }
            if self.has(Part::Search) {
                add("search", set, Some(rounds.min(FEW_ROUNDS)), vec![])?;
            }
            if self.has(Part::Save) {
                add("save", set, Some(rounds.min(FEW_ROUNDS)), vec![])?;
            }
        }
        if self.has(Part::Small) {
            for set in self.small_sets() {
                add("batch", &set, Some(self.rounds(&set)), vec![])?;
            }
        }
        Ok(runs)
    }

    /// Lists of workloads, each for a page or process of its own; the first is A/A.
    pub(crate) fn pages(&self) -> Result<Vec<Vec<Value>>> {
        let mut pages = Vec::new();
        if let Some(set) = self.noise_set() {
            let (data, rounds) = (self.name(&set)?, FEW_ROUNDS.max(self.rounds(&set)));
            pages.push(vec![json!({ "kind": "noise", "data": data, "rounds": rounds })]);
        }
        for set in &self.chosen {
            let (data, rounds) = (self.name(set)?, self.rounds(set));
            let few = rounds.min(FEW_ROUNDS);
            let mut warm = Vec::new();
            if self.has(Part::Memory) {
                // First, because a module's memory never shrinks.
                warm.push(json!({ "kind": "memory", "data": data }));
            }
            if self.has(Part::Batch) {
                let mut ways = vec!["loop", "batch", "f32Loop", "batchAgain"];
                // A loop on f32 takes minutes on a large set, and a third of the time of a smaller one.
                let long = self.quick || set.rows >= LARGE_ROWS;
                ways.retain(|way| !long || *way != "f32Loop");
                let builds = self.warm_rounds(set);
                pages.push(vec![
                    json!({ "kind": "build", "data": data, "rounds": builds, "ways": ways }),
                ]);
                pages.push(vec![json!({ "kind": "cold", "data": data, "pages": few })]);
                warm.push(json!({ "kind": "blocked", "data": data, "rounds": rounds }));
                let rounds = if self.quick { FEW_ROUNDS } else { ROUNDS };
                warm.extend(attach_to(set).into_iter().map(|before| {
                    json!({ "kind": "attach", "data": data, "before": before, "rounds": rounds })
                }));
            }
            // They take a minute, which a quick run is better without.
            if self.only.contains(&Part::Workers) || self.has(Part::Workers) && !self.quick {
                pages.push(vec![json!({ "kind": "workers", "data": data, "rounds": few })]);
            }
            if self.has(Part::Search) {
                let mut search = json!({ "kind": "search", "data": data, "rounds": few });
                if self.quick {
                    search["efs"] = json!(QUICK_EFS);
                }
                warm.push(search);
            }
            if self.has(Part::Save) {
                warm.push(json!({ "kind": "save", "data": data, "rounds": few }));
            }
            pages.push(warm);
        }
        if self.has(Part::Small) {
            pages.push(self.small()?);
        }
        if self.has(Part::Memory)
            && let Some(set) = self.sets.find("fashion-mnist-784", 10_000, 768)
        {
            pages.push(vec![json!({ "kind": "memory", "data": self.name(&set)? })]);
        }
        if self.has(Part::Start)
            && let Some(set) = self.sets.find("wordnet-minilm-384", START_ROWS, 384)
        {
            // Each way has every second page.
            let pages_of_both = 2 * self.rounds(&set);
            let data = self.name(&set)?;
            pages.push(vec![json!({ "kind": "start", "data": data, "pages": pages_of_both })]);
        }
        pages.retain(|page| !page.is_empty());
        Ok(pages)
    }

    /// Small batches, in one page.
    fn small(&self) -> Result<Vec<Value>> {
        let mut page = Vec::new();
        for set in self.small_sets() {
            let (data, rounds) = (self.name(&set)?, self.warm_rounds(&set));
            page.push(json!({ "kind": "overhead", "data": data, "rounds": rounds }));
            let ways = ["loop", "batch"];
            page.push(json!({ "kind": "build", "data": data, "rounds": rounds, "ways": ways }));
        }
        Ok(page)
    }

    /// The name of a data set that is there from now on.
    fn name(&self, set: &Set) -> Result<String> {
        self.sets.folder(set)?;
        Ok(set.name())
    }

    /// What A/A is measured with: some hundred milliseconds a batch.
    fn noise_set(&self) -> Option<Set> {
        let usual = self.sets.find("siftsmall-128", 5000, 128);
        usual.or_else(|| self.chosen.first().cloned())
    }

    /// Batches so small that what surrounds them counts; where the data sets for them are there.
    fn small_sets(&self) -> Vec<Set> {
        let wanted = [
            ("siftsmall-128", 100, 128),
            ("siftsmall-128", 1000, 128),
            ("fashion-mnist-784", 1000, 512),
            ("siftsmall-128", 5000, 128),
        ];
        let found = wanted.into_iter().map(|(name, rows, cut)| self.sets.find(name, rows, cut));
        found.flatten().collect()
    }
}

/// Rows of a data set that are there before batches of [`ATTACHED`] and loops are timed.
fn attach_to(set: &Set) -> Vec<usize> {
    let fits = |before: &usize| before + 2 * ATTACHED <= set.rows;
    let found: Vec<_> = ATTACH_TO.into_iter().filter(fits).collect();
    let half = set.rows / 2;
    if found.is_empty() && fits(&half) { vec![half] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_go_into_indexes_of_all_sizes_that_the_set_allows() {
        let of = |text: &str| attach_to(&text.parse().unwrap());
        assert_eq!(of("a-128:60000"), [10_000, 50_000]);
        assert_eq!(of("a-128:51000"), [10_000]);
        assert_eq!(of("a-128:9500"), [4750]);
        assert!(of("a-128:3000").is_empty());
    }
}
