//! The few smallest of many distances.
//!
//! Distances are looked at twice. The first pass keeps the smallest of each of 32 groups, whose order
//! bounds the k-th smallest of all; the second pass picks what is within the bound, which is little
//! more than k distances. Both are vector instructions without a branch that depends on the data.
//!
//! Everything here is inlined into functions that are compiled for some instructions.

#![allow(clippy::inline_always, reason = "else it would be compiled for the plainest instructions")]

/// Distances looked at together: a row's length is a multiple of it.
pub(crate) const TOGETHER: usize = 16;
/// The bound is taken from so many lanes, each over the groups of a row: registers for all groups. With twice as many
/// some do not fit, and a twentieth fewer distances are found.
const LANES: usize = 4;
const GROUPS: usize = 8;
/// The largest `k` that there is a bound for.
pub(crate) const MOST_NEAREST: usize = LANES * GROUPS;

/// A few distances side by side.
pub(super) trait Lanes: Copy {
    /// The furthest there is, in each lane.
    const FURTHEST: Self;
    fn load(distances: &[u32; LANES]) -> Self;
    fn min(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    /// The greatest of the lanes.
    fn greatest(self) -> u32;
}

/// Plain numbers, of which compilers make vectors where they are told the instructions.
impl Lanes for [u32; LANES] {
    const FURTHEST: Self = [u32::MAX; LANES];

    #[inline(always)]
    fn load(distances: &[u32; LANES]) -> Self {
        *distances
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane].min(other[lane]))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane].max(other[lane]))
    }

    #[inline(always)]
    fn greatest(self) -> u32 {
        self.into_iter().fold(0, u32::max)
    }
}

/// Collects in `found` at least the `k` smallest of `row` that are at most `limit`, as
/// `distance << 32 | place`, places rising; and others that are no further than the furthest of them
/// might have been. What is at [`u32::MAX`] is nothing. What is found depends on the row, `k` and
/// `limit` alone.
///
/// `within` says which of some distances are at most a bound, the first in the lowest bit.
#[inline(always)]
pub(super) fn nearest_with<L: Lanes>(
    row: &[u32],
    k: usize,
    limit: u32,
    found: &mut Vec<u64>,
    within: impl Fn(&[u32; TOGETHER], u32) -> u32,
) {
    const WORD: usize = 64;
    found.clear();
    let (parts, _) = row.as_chunks::<TOGETHER>();
    let limit = limit.min(bound::<L>(parts, k)).min(u32::MAX - 1);
    for (word, distances) in row.chunks(WORD).enumerate() {
        let (parts, _) = distances.as_chunks::<TOGETHER>();
        let marks = parts.iter().rev();
        let mut marks =
            marks.fold(0, |marks, part| marks << TOGETHER | u64::from(within(part, limit)));
        while marks != 0 {
            let place = marks.trailing_zeros() as usize;
            marks &= marks - 1;
            if let Some(distance) = distances.get(place) {
                found.push(u64::from(*distance) << 32 | (word * WORD + place) as u64);
            }
        }
    }
}

/// A distance that at least `k` of the row are at most; the largest there is where `k` is not small
/// against the row.
#[inline(always)]
fn bound<L: Lanes>(parts: &[[u32; TOGETHER]], k: usize) -> u32 {
    let rank = k.div_ceil(LANES);
    if parts.len() < 4 || rank > GROUPS || k == 0 {
        return u32::MAX;
    }
    let mut smallest = [L::FURTHEST; GROUPS];
    let (twos, last) = parts.as_chunks::<2>();
    for two in twos {
        for (group, lanes) in smallest.iter_mut().zip(two.as_flattened().as_chunks().0) {
            *group = group.min(L::load(lanes));
        }
    }
    for (group, lanes) in smallest.iter_mut().zip(last.as_flattened().as_chunks().0) {
        *group = group.min(L::load(lanes));
    }
    // In each lane at least `rank` are at most the `rank`-th smallest of its groups.
    sort8(&mut smallest, L::min, L::max);
    smallest[rank - 1].greatest()
}

/// Sorts by Batcher's network of 19 comparators (1968, odd-even merge sort).
#[inline(always)]
fn sort8<T: Copy>(values: &mut [T; 8], lower: impl Fn(T, T) -> T, upper: impl Fn(T, T) -> T) {
    macro_rules! compare {
        ($($a:literal $b:literal),*) => {$(
            let (low, high) = (lower(values[$a], values[$b]), upper(values[$a], values[$b]));
            (values[$a], values[$b]) = (low, high);
        )*};
    }
    compare!(0 1, 2 3, 4 5, 6 7);
    compare!(0 2, 1 3, 4 6, 5 7);
    compare!(1 2, 5 6, 0 4, 3 7);
    compare!(2 6, 1 5);
    compare!(2 4, 3 5);
    compare!(1 2, 3 4, 5 6);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_sorts_all_orders_of_zeros_and_ones() {
        // The 0-1 principle (Knuth, volume 3, theorem 5.3.4Z).
        for bits in 0..1u32 << 8 {
            let mut bits: [u32; 8] = std::array::from_fn(|i| bits >> i & 1);
            sort8(&mut bits, u32::min, u32::max);
            assert!(bits.is_sorted(), "{bits:?}");
        }
    }
}
