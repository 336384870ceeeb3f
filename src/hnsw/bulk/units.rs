//! Which units of a stage are done: those before `next`, but for what was given away and has not come
//! back yet.

use std::ops::Range;

/// The units `0..end` of a stage.
#[derive(Debug, Default)]
pub(super) struct Units {
    next: usize,
    end: usize,
    /// Stretches that helpers work on.
    given: Vec<Range<usize>>,
    /// Stretches that came back undone.
    returned: Vec<Range<usize>>,
}

impl Units {
    pub(super) fn new(end: usize) -> Self {
        Self { end, ..Self::default() }
    }

    /// Whether all units are done.
    pub(super) fn is_done(&self) -> bool {
        self.next == self.end && self.given.is_empty() && self.returned.is_empty()
    }

    /// How many units are done without one before them that is not.
    pub(super) fn all_done_before(&self) -> usize {
        let open = self.given.iter().chain(&self.returned).map(|units| units.start);
        open.min().unwrap_or(self.next).min(self.next)
    }

    /// Takes units to be done at once: those whose costs add up to `budget`, at least one. None when
    /// all are done or given away.
    pub(super) fn take(
        &mut self,
        budget: usize,
        cost: impl Fn(usize) -> usize,
    ) -> Option<Range<usize>> {
        let mut units = self.returned.pop().unwrap_or(self.next..self.end);
        let is_returned = units.start < self.next;
        let mut spent = 0;
        let end = units.clone().find(|unit| {
            let is_enough = spent >= budget.max(1);
            spent += cost(*unit);
            is_enough
        });
        let taken = units.start..end.unwrap_or(units.end);
        units.start = taken.end;
        if !is_returned {
            self.next = taken.end;
        } else if !units.is_empty() {
            self.returned.push(units);
        }
        (!taken.is_empty()).then_some(taken)
    }

    /// Takes units for a helper; they are done when [`finish`](Self::finish) is called.
    pub(super) fn give(
        &mut self,
        budget: usize,
        cost: impl Fn(usize) -> usize,
    ) -> Option<Range<usize>> {
        let units = self.take(budget, cost)?;
        self.given.push(units.clone());
        Some(units)
    }

    /// Whether a helper has these units.
    pub(super) fn is_given(&self, units: &Range<usize>) -> bool {
        self.given.contains(units)
    }

    /// Says that a helper has done these units; false if none had them.
    pub(super) fn finish(&mut self, units: &Range<usize>) -> bool {
        let place = self.given.iter().position(|given| given == units);
        place.map(|place| self.given.swap_remove(place)).is_some()
    }

    /// Takes back what was given away and is not done.
    pub(super) fn take_back(&mut self) {
        self.returned.append(&mut self.given);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_done_once_whoever_does_it() {
        let mut units = Units::new(10);
        assert_eq!(units.take(3, |_| 1), Some(0..3));
        assert_eq!(units.give(4, |_| 2), Some(3..5));
        assert_eq!(units.give(1, |_| 0), Some(5..10));
        assert_eq!((units.take(9, |_| 1), units.is_done()), (None, false));
        assert!(!units.finish(&(3..4)) && units.finish(&(3..5)) && !units.finish(&(3..5)));
        units.take_back();
        assert!(!units.finish(&(5..10)));
        assert_eq!(units.take(2, |_| 1), Some(5..7));
        assert_eq!(units.give(2, |_| 1), Some(7..9));
        assert_eq!(units.take(2, |_| 1), Some(9..10));
        assert!(units.finish(&(7..9)) && units.is_done());
        assert!(Units::new(0).is_done());
    }
}
