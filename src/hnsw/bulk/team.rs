//! Threads that share the work of a build.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Some threads, or only the one that calls: without the feature `parallel` always that, which the compiler then knows.
#[derive(Default)]
pub(crate) struct Team {
    #[cfg(feature = "parallel")]
    pool: Option<rayon::ThreadPool>,
}

impl Team {
    /// So many threads, 0 for as many as the machine has. Without the feature `parallel`, and where
    /// threads cannot be started, only the one that calls.
    #[cfg_attr(not(feature = "parallel"), allow(unused_variables, reason = "there is one"))]
    pub(crate) fn new(threads: usize) -> Self {
        #[cfg(feature = "parallel")]
        if threads != 1 {
            let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = builder.build().ok().filter(|pool| pool.current_num_threads() > 1);
            return Self { pool };
        }
        Self::default()
    }

    /// How many threads there are.
    #[cfg_attr(not(feature = "parallel"), allow(clippy::unused_self, reason = "there is one"))]
    pub(super) fn threads(&self) -> usize {
        #[cfg(feature = "parallel")]
        if let Some(pool) = &self.pool {
            return pool.current_num_threads();
        }
        1
    }

    /// What `work` makes of each unit, in their order.
    #[cfg_attr(not(feature = "parallel"), allow(clippy::unused_self, reason = "there is one"))]
    pub(super) fn map<T: Send>(
        &self,
        units: Range<usize>,
        work: impl Fn(usize) -> T + Sync + Send,
    ) -> Vec<T> {
        #[cfg(feature = "parallel")]
        if let Some(pool) = &self.pool {
            use rayon::iter::{IntoParallelIterator, ParallelIterator};
            return pool.install(|| units.into_par_iter().map(work).collect());
        }
        units.map(work).collect()
    }
}

/// Memory for work, used again by whoever works next.
pub(super) struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Default> Pool<T> {
    /// Works with memory of the pool.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        // A lock that a panicking thread left is as good as any: what it guards is only memory.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = lock().pop().unwrap_or_default();
        let outcome = work(&mut memory);
        lock().push(memory);
        outcome
    }

    /// The sum of a measure of all memory that nobody works with.
    pub(super) fn sum(&self, measure: impl Fn(&T) -> usize) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(measure).sum()
    }
}
