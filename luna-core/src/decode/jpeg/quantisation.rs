//! Quantisation tables, made for reading: a coefficient's place in its block beside its factor.

use super::fault::Fault;
use crate::probe::jpeg::quantisation_tables;

/// Where the coefficients of a block stand, row by row, in the order in which they are coded
/// (T.81 figure A.6).
#[expect(clippy::indexing_slicing, reason = "by the compiler, below 64")]
const ZIGZAG: [u8; 64] = {
    let mut order = [0; 64];
    let (mut at, mut x, mut y) = (0_usize, 0_u8, 0_u8);
    while at < 64 {
        order[at] = y.strict_mul(8).strict_add(x);
        at = at.strict_add(1);
        let up = (x.strict_add(y)).is_multiple_of(2);
        match (up, x, y) {
            (true, 7, _) => y = y.strict_add(1),
            (true, _, 0) | (false, _, 7) => x = x.strict_add(1),
            (true, _, _) => (x, y) = (x.strict_add(1), y.strict_sub(1)),
            (false, 0, _) => y = y.strict_add(1),
            (false, _, _) => (x, y) = (x.strict_sub(1), y.strict_add(1)),
        }
    }
    order
};

/// Place and factor of a coefficient.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step(u32);

impl Step {
    /// Its index in the block, row by row.
    #[inline(always)]
    pub(super) const fn index(self) -> usize {
        (self.0 & 63) as usize
    }

    /// What it is to be multiplied with.
    #[inline(always)]
    pub(super) const fn factor(self) -> i32 {
        (self.0 >> 8) as i32
    }
}

/// A table by zigzag number. Those past the 63rd, which a run may reach, fall on the last.
#[derive(Clone, Debug)]
pub(super) struct Steps(Box<[Step; 128]>);

impl Steps {
    fn new(table: &[u16; 64]) -> Option<Self> {
        let known = table.iter().zip(ZIGZAG);
        let mut steps: Vec<_> =
            known.map(|(&factor, index)| Step(u32::from(factor) << 8 | u32::from(index))).collect();
        steps.resize(128, Step(63));
        Some(Self(steps.try_into().ok()?))
    }

    /// The step of a zigzag number below 128.
    #[inline(always)]
    pub(super) fn at(&self, number: usize) -> Step {
        self.0.get(number & 127).copied().unwrap_or_default()
    }

    /// The factor of the DC coefficient.
    #[inline(always)]
    pub(super) fn first(&self) -> i32 {
        self.at(0).factor()
    }
}

/// The tables in force, and those that components have taken.
#[derive(Debug, Default)]
pub(super) struct Quantisers {
    tables: [Option<Steps>; 4],
    taken: [Option<Steps>; 4],
}

impl Quantisers {
    /// Takes over all tables of a DQT payload.
    pub(super) fn define(&mut self, payload: &[u8]) {
        for (number, table) in quantisation_tables(payload).flatten() {
            self.tables.iter_mut().skip(number).take(1).for_each(|slot| *slot = Steps::new(&table));
        }
    }

    /// A component's first scan begins: its table is the one in force now.
    pub(super) fn take(&mut self, component: usize, number: usize) {
        let table = self.tables.get(number).and_then(Option::as_ref);
        if let (Some(slot @ None), Some(table)) = (self.taken.get_mut(component), table) {
            *slot = Some(table.clone());
        }
    }

    /// The table of a component.
    pub(super) fn of(&self, component: usize) -> Result<&Steps, Fault> {
        self.taken.get(component).and_then(Option::as_ref).ok_or(Fault::NoQuantisation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zigzag_visits_every_place_once_and_begins_and_ends_as_drawn() {
        let mut seen = ZIGZAG;
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..64));
        assert_eq!(ZIGZAG[..10], [0, 1, 8, 16, 9, 2, 3, 10, 17, 24]);
        assert_eq!(ZIGZAG[60..], [47, 55, 62, 63]);
        let steps = Steps::new(&[7; 64]).unwrap();
        assert_eq!((steps.at(2).index(), steps.at(2).factor(), steps.at(79).index()), (8, 7, 63));
    }
}
