//! What a warm search and a warm insert allocate, counted by the allocator itself.

#![allow(clippy::unwrap_used)] // Helpers outside of test functions, too.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use edgevec::{BatchInsertable, BatchOptions, Index, Metric, Rows};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn a_warm_search_allocates_nothing() {
    let values = common::clustered(1, 4000, 32, 20);
    let mut index = Index::builder(32).metric(Metric::Cosine).build().unwrap();
    index.insert_batch(Rows::flat(&values), BatchOptions::new()).unwrap();
    let mut hits = Vec::new();
    let mut search = |exact: bool| {
        for query in values.chunks(32).step_by(40) {
            let search = index.search(query, 10).ef(100);
            let search = if exact { search.exact() } else { search };
            search.run_into(&mut hits).unwrap();
            assert_eq!(hits.len(), 10);
        }
    };
    search(false);
    search(true);
    assert_eq!(allocations(|| search(false)), 0, "100 walks");
    assert_eq!(allocations(|| search(true)), 0, "100 exact searches");
}

#[test]
fn a_warm_insert_allocates_only_when_a_chunk_is_full() {
    let values = common::clustered(2, 6000, 32, 20);
    let mut index = Index::builder(32).metric(Metric::L2).build().unwrap();
    let (first, rest) = values.split_at(4000 * 32);
    first.chunks(32).for_each(|row| {
        index.insert(row).unwrap();
    });
    let count = allocations(|| {
        rest.chunks(32).for_each(|row| {
            index.insert(row).unwrap();
        });
    });
    // 2000 rows take 256 KB of vectors and 264 KB of links: at most a chunk each of vectors,
    // codes, links, levels and upper links, a list of chunks that grows, and the visited marks.
    assert!(count <= 12, "{count} allocations for 2000 rows");
}
