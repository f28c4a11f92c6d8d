//! Luma and chroma to red, green, blue (PS3.3 C.7.6.3.1.2, full range, ITU-R BT.601).

use crate::decode::Samples;

/// Converts interleaved YBR_FULL samples in place; floating point and signed ones do not occur.
pub(in crate::decode) fn to_rgb(samples: &mut Samples, bits_stored: u8) {
    let most = (1_i64 << bits_stored.clamp(1, 32)) - 1;
    match samples {
        Samples::U8(values) => convert(values, most.min(255), |value| value as u8),
        Samples::U16(values) => convert(values, most.min(65_535), |value| value as u16),
        Samples::U32(values) => convert(values, most, |value| value as u32),
        Samples::I16(_) | Samples::I32(_) | Samples::F32(_) | Samples::F64(_) => {}
    }
}

/// Coefficients times 2^16, rounded: 1.402, 0.344136, 0.714136, 1.772.
const CR_TO_RED: i64 = 91_881;
const CB_TO_GREEN: i64 = 22_554;
const CR_TO_GREEN: i64 = 46_802;
const CB_TO_BLUE: i64 = 116_130;

fn convert<T: Copy + Into<i64>>(values: &mut [T], most: i64, make: impl Fn(i64) -> T) {
    const HALF: i64 = 1 << 15;
    let middle = (most + 1) / 2;
    let clamped = |value: i64| make(value.clamp(0, most));
    for pixel in values.as_chunks_mut::<3>().0 {
        let [y, cb, cr] = pixel.map(Into::into);
        let (cb, cr) = (cb - middle, cr - middle);
        *pixel = [
            clamped(y + ((CR_TO_RED * cr + HALF) >> 16)),
            clamped(y - ((CB_TO_GREEN * cb + CR_TO_GREEN * cr + HALF) >> 16)),
            clamped(y + ((CB_TO_BLUE * cb + HALF) >> 16)),
        ];
    }
}
