//! What is allocated, counted by the allocator itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK_BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        let bytes = BYTES.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK_BYTES.fetch_max(bytes, Relaxed);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Calls of the allocator, and the most bytes above those there were before.
pub(crate) struct Allocated {
    pub(crate) calls: usize,
    pub(crate) peak_bytes: usize,
}

/// Does something and says what it allocated.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (T, Allocated) {
    let (calls, bytes) = (CALLS.load(Relaxed), BYTES.load(Relaxed));
    PEAK_BYTES.store(bytes, Relaxed);
    let outcome = work();
    let peak_bytes = PEAK_BYTES.load(Relaxed).saturating_sub(bytes);
    (outcome, Allocated { calls: CALLS.load(Relaxed) - calls, peak_bytes })
}
