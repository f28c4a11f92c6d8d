//! The quality at which a JPEG was compressed, from its luma quantisation table.
#![expect(clippy::arithmetic_side_effects, reason = "sums of 64 16-bit values in 32 bits")]

/// The luma table of T.81 annex K.1, in zigzag order as DQT segments write it.
const LUMA: [u16; 64] = [
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, //
    26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51, //
    56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, //
    95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
];

/// The Independent JPEG Group's scale: a table at quality `q` is annex K.1 scaled by `5000 / q`
/// percent below 50, by `200 - 2 q` percent from there, rounded, at least 1 and at most 255.
fn scaled(base: u16, quality: u8) -> u16 {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5_000 / quality } else { 200 - 2 * quality };
    let value = (u32::from(base) * percent + 50) / 100;
    value.clamp(1, 255) as u16
}

/// The quality, 1 to 100, whose table lies nearest (sum of absolute differences; the higher of
/// two that are as near). Exact for encoders of the IJG family, an estimate for others.
pub(super) fn estimate(table: &[u16; 64]) -> u8 {
    let distance = |quality: &u8| -> u32 {
        let pairs = table.iter().zip(LUMA);
        pairs.map(|(&value, base)| u32::from(value.abs_diff(scaled(base, *quality)))).sum()
    };
    (1..=100).rev().min_by_key(distance).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quality_is_found_again_from_its_own_table() {
        for quality in 1..=100 {
            let table = LUMA.map(|base| scaled(base, quality));
            let found = estimate(&table);
            let again = LUMA.map(|base| scaled(base, found));
            assert_eq!(again, table, "quality {quality} was taken for {found}");
        }
    }

    #[test]
    fn a_table_of_ones_is_quality_100() {
        assert_eq!(estimate(&[1; 64]), 100);
    }
}
