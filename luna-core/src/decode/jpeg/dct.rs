//! The inverse discrete cosine transform of a block (T.81 A.3.3), in integers.
//!
//! One dimension is the factorisation of Loeffler, Ligtenberg and Moschytz (1989) with constants of 13
//! bits, which is what the Independent JPEG Group's accurate transform computes: samples are equal to
//! those of libjpeg-turbo. Columns go by that factorisation, all at once; rows by the same sums with
//! their constants multiplied out, so that no block is transposed. Sums wrap, so order is free.
#![expect(clippy::arithmetic_side_effects, reason = "constants, and indices below 64")]

use super::plane::Sample;

/// Bits of the constants.
const BITS: u32 = 13;

/// A constant of the transform.
const fn fixed(value: f64) -> i32 {
    (value * (1 << BITS) as f64 + 0.5) as i32
}

const C0_298: i32 = fixed(0.298_631_336);
const C0_390: i32 = fixed(0.390_180_644);
const C0_541: i32 = fixed(0.541_196_100);
const C0_765: i32 = fixed(0.765_366_865);
const C0_899: i32 = fixed(0.899_976_223);
const C1_175: i32 = fixed(1.175_875_602);
const C1_501: i32 = fixed(1.501_321_110);
const C1_847: i32 = fixed(1.847_759_065);
const C1_961: i32 = fixed(1.961_570_560);
const C2_053: i32 = fixed(2.053_119_869);
const C2_562: i32 = fixed(2.562_915_447);
const C3_072: i32 = fixed(3.072_711_026);

/// For each frequency, its part of the eight values of a row, times 2^13.
#[expect(clippy::indexing_slicing, reason = "by the compiler, below 8")]
const ROW: [[i32; 8]; 8] = {
    let mut rows = [[0; 8]; 8];
    let mut at = 0;
    while at < 8 {
        let mut unit = [0; 8];
        unit[at] = 1;
        rows[at] = line(unit);
        at += 1;
    }
    rows
};

/// One dimension: frequencies in, values times 2^13 out.
#[inline(always)]
const fn line(own: [i32; 8]) -> [i32; 8] {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = own;
    let shared = s2.wrapping_add(s6).wrapping_mul(C0_541);
    let two = shared.wrapping_sub(s6.wrapping_mul(C1_847));
    let three = shared.wrapping_add(s2.wrapping_mul(C0_765));
    let zero = s0.wrapping_add(s4).wrapping_shl(BITS);
    let one = s0.wrapping_sub(s4).wrapping_shl(BITS);
    let even = [
        zero.wrapping_add(three),
        one.wrapping_add(two),
        one.wrapping_sub(two),
        zero.wrapping_sub(three),
    ];

    let (near, far) = (s7.wrapping_add(s1), s5.wrapping_add(s3));
    let (left, right) = (s7.wrapping_add(s3), s5.wrapping_add(s1));
    let all = left.wrapping_add(right).wrapping_mul(C1_175);
    let (near, far) = (near.wrapping_mul(-C0_899), far.wrapping_mul(-C2_562));
    let left = left.wrapping_mul(-C1_961).wrapping_add(all);
    let right = right.wrapping_mul(-C0_390).wrapping_add(all);
    let odd = [
        s1.wrapping_mul(C1_501).wrapping_add(near).wrapping_add(right),
        s3.wrapping_mul(C3_072).wrapping_add(far).wrapping_add(left),
        s5.wrapping_mul(C2_053).wrapping_add(far).wrapping_add(right),
        s7.wrapping_mul(C0_298).wrapping_add(near).wrapping_add(left),
    ];
    [
        even[0].wrapping_add(odd[0]),
        even[1].wrapping_add(odd[1]),
        even[2].wrapping_add(odd[2]),
        even[3].wrapping_add(odd[3]),
        even[3].wrapping_sub(odd[3]),
        even[2].wrapping_sub(odd[2]),
        even[1].wrapping_sub(odd[1]),
        even[0].wrapping_sub(odd[0]),
    ]
}

/// Coefficients of a block, multiplied by their quantisation, row by row.
pub(super) type Block = [i32; 64];

/// The samples of a block of 8 bits. `used` is the union of the indices of all coefficients that are
/// not zero: its bits tell how many rows and columns have any.
pub(super) fn samples<S: Sample>(block: &Block, used: u32, out: &mut [S; 64]) {
    if used == 0 {
        let [dc, ..] = *block;
        out.fill(S::clamped((dc.wrapping_add(4) >> 3).wrapping_add(S::CENTRE)));
    } else {
        S::transform(block, used, out);
    }
}

#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt+fma", "x86_64+sse4.1"))]
pub(super) fn transform_8(block: &Block, used: u32, out: &mut [u8; 64]) {
    by_size::<u8, 2>(block, used, out);
}

#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt+fma", "x86_64+sse4.1"))]
pub(super) fn transform_12(block: &Block, used: u32, out: &mut [u16; 64]) {
    by_size::<u16, 1>(block, used, out);
}

#[inline(always)]
fn by_size<S: Sample, const MORE: u32>(block: &Block, used: u32, out: &mut [S; 64]) {
    match (used | used >> 3) & 7 {
        4.. => sized::<S, 8, MORE>(block, out),
        2.. => sized::<S, 4, MORE>(block, out),
        _ => sized::<S, 2, MORE>(block, out),
    }
}

/// A block with coefficients in its first `N` rows and columns only; `MORE` bits are kept between the
/// two dimensions.
#[inline(always)]
fn sized<S: Sample, const N: usize, const MORE: u32>(block: &Block, out: &mut [S; 64]) {
    let rows = block.as_chunks::<8>().0;
    let mut columns = [[0_i32; N]; 8];
    for x in 0..N {
        let mut own = [0; 8];
        for (value, row) in own.iter_mut().zip(rows).take(N) {
            *value = row.get(x).copied().unwrap_or_default();
        }
        for (value, row) in line(own).into_iter().zip(&mut columns) {
            let half = 1 << (BITS - MORE - 1);
            row.as_mut_slice()
                .iter_mut()
                .skip(x)
                .take(1)
                .for_each(|slot| *slot = value.wrapping_add(half) >> (BITS - MORE));
        }
    }
    for (row, out) in columns.iter().zip(out.as_chunks_mut::<8>().0) {
        let shift = BITS + MORE + 3;
        let mut sums = [(1 << (shift - 1)) + (S::CENTRE << shift); 8];
        for (&value, parts) in row.iter().zip(&ROW) {
            for (sum, part) in sums.iter_mut().zip(parts) {
                *sum = sum.wrapping_add(value.wrapping_mul(*part));
            }
        }
        for (sample, sum) in out.iter_mut().zip(sums) {
            *sample = S::clamped(sum >> shift);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transform by its definition.
    fn exact(block: &Block) -> [f64; 64] {
        let cosine = |x: usize, u: usize| {
            let scale = if u == 0 { 0.5_f64.sqrt() } else { 1.0 };
            scale * ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos() / 2.0
        };
        std::array::from_fn(|at| {
            let (y, x) = (at / 8, at % 8);
            let term = |own: usize| f64::from(block[own]) * cosine(y, own / 8) * cosine(x, own % 8);
            (0..64).map(term).sum()
        })
    }

    fn union(block: &Block) -> u32 {
        (0..).zip(block).filter(|(_, value)| **value != 0).fold(0, |all, (at, _)| all | at)
    }

    fn any_block(size: usize, most: i32) -> impl proptest::strategy::Strategy<Value = Block> {
        use proptest::prelude::*;
        proptest::collection::vec(-most..=most, 64).prop_map(move |values| {
            std::array::from_fn(|at| {
                let inside = at / 8 < size && at % 8 < size;
                if inside { values[at] } else { 0 }
            })
        })
    }

    proptest::proptest! {
        #[test]
        fn samples_are_within_one_of_the_definition(
            (size, block) in proptest::sample::select(vec![1, 2, 3, 4, 8]).prop_flat_map(|size| {
                (Just(size), any_block(size, 600))
            }),
        ) {
            let (mut out, mut deep) = ([0_u8; 64], [0_u16; 64]);
            let used = union(&block);
            proptest::prop_assert!(size > 1 || used == 0);
            samples(&block, used, &mut out);
            samples(&block, used, &mut deep);
            for ((own, deep), exact) in out.iter().zip(&deep).zip(exact(&block)) {
                let wanted = (exact + 128.0).clamp(0.0, 255.0);
                proptest::prop_assert!((f64::from(*own) - wanted).abs() <= 1.0);
                let wanted = (exact + 2_048.0).clamp(0.0, 4_095.0);
                proptest::prop_assert!((f64::from(*deep) - wanted).abs() <= 1.0);
            }
        }

        #[test]
        fn any_coefficients_neither_panic_nor_overflow(values: [i32; 64], used: u32) {
            samples(&values, used, &mut [0_u8; 64]);
            samples(&values, used, &mut [0_u16; 64]);
        }
    }

    use proptest::prelude::{Just, Strategy as _};
}
