//! The 255-bit DCT hash: alike for pictures that look alike. It never decides alone, because
//! different radiographs look alike too.

use super::grey::{GreyPicture, Rect};

/// Side of the small copy that is transformed.
const SIDE: usize = 64;
/// Lowest frequencies a side that are kept; without the mean, 255 of them.
const KEPT: usize = 16;

/// The hash of the part inside `rect`: a 64 x 64 copy by area averaging, its DCT-II, the lowest
/// 16 x 16 coefficients without the first; a bit is set where a coefficient exceeds the median of
/// the 255. Bit 0 of byte 0 is the highest; it stands for the first coefficient and is never set.
pub fn perceptual_hash(picture: &GreyPicture, rect: Rect) -> [u8; 32] {
    let small = picture.resized(rect, SIDE as u32, SIDE as u32);
    let coefficients = low_frequencies(&small.values);
    let mut sorted = coefficients[1..].to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    let mut hash = [0; 32];
    for (bit, value) in coefficients.iter().enumerate().skip(1) {
        if *value > median {
            hash[bit / 8] |= 0x80 >> (bit % 8);
        }
    }
    hash
}

/// Row by row, vertical frequency ascending downwards.
fn low_frequencies(values: &[u8]) -> [f64; KEPT * KEPT] {
    let cosines = cosines();
    let mut rows = [[0.0; KEPT]; SIDE];
    for (row, values) in rows.iter_mut().zip(values.chunks_exact(SIDE)) {
        for (out, wave) in row.iter_mut().zip(&cosines) {
            *out = wave.iter().zip(values).map(|(c, value)| c * f64::from(*value)).sum();
        }
    }
    let mut coefficients = [0.0; KEPT * KEPT];
    for (v, wave) in cosines.iter().enumerate() {
        for u in 0..KEPT {
            coefficients[v * KEPT + u] = wave.iter().zip(&rows).map(|(c, row)| c * row[u]).sum();
        }
    }
    coefficients
}

fn cosines() -> [[f64; SIDE]; KEPT] {
    let mut cosines = [[0.0; SIDE]; KEPT];
    for (k, wave) in cosines.iter_mut().enumerate() {
        for (n, value) in wave.iter_mut().enumerate() {
            let turns = (2 * n + 1) as f64 * k as f64 / (2 * SIDE) as f64;
            *value = libm::cos(std::f64::consts::PI * turns);
        }
    }
    cosines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(grey: impl Fn(u32, u32) -> u8) -> GreyPicture {
        let (width, height) = (96, 80);
        let values = (0..width * height).map(|i| grey(i % width, i / width)).collect();
        GreyPicture { width, height, values }
    }

    fn scene(x: u32, y: u32) -> u8 {
        ((x * x / 40 + y * 3 + (x * y) / 16) % 200) as u8
    }

    fn distance(a: &GreyPicture, b: &GreyPicture) -> u32 {
        let [a, b] = [a, b].map(|picture| perceptual_hash(picture, picture.bounds()));
        a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    #[test]
    fn about_half_of_the_bits_are_set_and_the_first_never() {
        let hash = perceptual_hash(&picture(scene), picture(scene).bounds());
        assert_eq!(hash[0] & 0x80, 0);
        assert_eq!(hash.iter().map(|byte| byte.count_ones()).sum::<u32>(), 127);
    }

    #[test]
    fn brightness_changes_little_and_inversion_nearly_all() {
        let scene_picture = picture(scene);
        let brighter = picture(|x, y| scene(x, y) / 2 + 90);
        let inverted = picture(|x, y| 255 - scene(x, y));
        assert!(distance(&scene_picture, &brighter) <= 16);
        assert!(distance(&scene_picture, &inverted) >= 240);
    }
}
