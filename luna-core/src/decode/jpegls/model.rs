//! What a JPEG-LS scan knows while it is decoded: parameters, contexts, prediction (ITU-T T.87
//! annex A).
#![expect(
    clippy::inline_always,
    reason = "what is done for every sample is one loop; a call in it costs a third of the speed"
)]
#![expect(
    clippy::arithmetic_side_effects,
    reason = "samples have 16 bits, errors at most 17, sums of contexts are halved every RESET samples; \
              what hostile codes bring is wrapped or clamped"
)]

use super::bits::BitReader;
use super::header::Presets;

/// Contexts of the regular mode, rounded up so that a masked index is always one of them.
const CONTEXTS: usize = 512;
/// Differences of two 16-bit samples, likewise.
const DIFFERENCES: usize = 1 << 17;
/// Code lengths of runs (T.87 table A.1, J).
const RUN_BITS: [u8; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];

/// What does not change within a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) max: i32,
    pub(super) near: i32,
    thresholds: [i32; 3],
    reset: i32,
    /// Values that an error can take.
    range: i32,
    /// Bits of an error after an escape.
    escape: u32,
    /// Longest code.
    limit: u32,
}

impl Parameters {
    /// The parameters of a scan; `None` if they contradict the standard.
    pub(super) fn new(precision: u8, near: u8, presets: Presets) -> Option<Self> {
        let near = i32::from(near);
        let full = (1_i32 << precision.min(16)) - 1;
        let max = if presets.max == 0 { full } else { i32::from(presets.max) };
        if max > full || near > 255.min(max / 2) {
            return None;
        }
        let mut thresholds = default_thresholds(max, near);
        let mut lowest = near + 1;
        for (threshold, preset) in thresholds.iter_mut().zip(presets.thresholds) {
            if preset != 0 {
                *threshold = i32::from(preset);
            }
            if *threshold < lowest || *threshold > max.max(near + 1) {
                return None;
            }
            lowest = *threshold;
        }
        let reset = if presets.reset == 0 { 64 } else { i32::from(presets.reset) };
        if reset < 3 || reset > 255.max(max) {
            return None;
        }
        let range = (max + 2 * near) / (2 * near + 1) + 1;
        let bits = bits_of(max).max(2);
        let limit = 2 * (bits + bits.max(8));
        Some(Self { max, near, thresholds, reset, range, escape: bits_of(range - 1), limit })
    }

    /// True if errors wrap around at a power of two and nothing is lost.
    pub(super) fn is_plain(&self) -> bool {
        self.near == 0 && (self.max + 1).count_ones() == 1
    }

    fn quantised(&self, difference: i32) -> i8 {
        let size = difference.abs();
        let [first, second, third] = self.thresholds;
        let level = [size > self.near, size >= first, size >= second, size >= third];
        let level = level.into_iter().filter(|passed| *passed).count() as i8;
        if difference < 0 { -level } else { level }
    }

    /// A predicted sample and an error make a sample (A.4.4, A.5).
    #[inline(always)]
    fn sample<const PLAIN: bool>(&self, predicted: i32, error: i32) -> i32 {
        if PLAIN {
            return predicted.wrapping_add(error) & self.max;
        }
        let step = 2 * self.near + 1;
        let span = self.range * step;
        let mut value = predicted.wrapping_add(error.wrapping_mul(step));
        if value < -self.near {
            value = value.wrapping_add(span);
        } else if value > self.max + self.near {
            value = value.wrapping_sub(span);
        }
        value.clamp(0, self.max)
    }
}

/// Bits that a value takes.
fn bits_of(value: i32) -> u32 {
    32 - value.leading_zeros()
}

/// T.87 C.2.4.1.1.1.
fn default_thresholds(max: i32, near: i32) -> [i32; 3] {
    let clamped = |value: i32, low: i32| if value > max || value < low { low } else { value };
    let [first, second, third] = if max >= 128 {
        let factor = (max.min(4_095) + 128) >> 8;
        [factor + 2 + 3 * near, factor * 4 + 3 + 5 * near, factor * 17 + 4 + 7 * near]
    } else {
        let factor = 256 / (max + 1);
        [
            (3 / factor + 3 * near).max(2),
            (7 / factor + 5 * near).max(3),
            (21 / factor + 7 * near).max(4),
        ]
    };
    let first = clamped(first, near + 1);
    let second = clamped(second, first);
    [first, second, clamped(third, second)]
}

/// A context of the regular mode.
#[derive(Clone, Copy)]
struct Context {
    /// Sum of error sizes.
    sizes: i32,
    /// Sum of errors, for the bias.
    bias: i32,
    /// Correction of the prediction.
    correction: i32,
    /// Samples seen.
    count: i32,
}

impl Context {
    /// The Golomb parameter: the least `k` with `count << k >= sizes`.
    #[inline(always)]
    fn parameter(&self) -> u32 {
        parameter(self.count, self.sizes)
    }

    /// Takes in an error (A.6.1, A.6.2).
    #[inline(always)]
    fn update(&mut self, error: i32, step: i32, reset: i32) {
        let mut sizes = self.sizes.wrapping_add(error.wrapping_abs());
        let mut bias = self.bias.wrapping_add(error.wrapping_mul(step));
        let mut count = self.count;
        if count == reset {
            sizes >>= 1;
            bias >>= 1;
            count >>= 1;
        }
        count += 1;
        // Without branches: which way a bias goes is noise.
        let (is_low, is_high) = (bias <= -count, bias > 0);
        self.correction =
            (self.correction + i32::from(is_high) - i32::from(is_low)).clamp(-128, 127);
        bias += (count & -i32::from(is_low)) - (count & -i32::from(is_high));
        let bias = bias.clamp(1 - count, 0);
        (self.sizes, self.bias, self.count) = (sizes, bias, count);
    }
}

#[inline(always)]
fn parameter(count: i32, sizes: i32) -> u32 {
    let guess = count.leading_zeros().saturating_sub(sizes.leading_zeros());
    guess + u32::from((count << (guess & 31)) < sizes)
}

/// A context of run interruptions.
#[derive(Clone, Copy)]
struct RunContext {
    sizes: i32,
    count: i32,
    negative: i32,
}

/// The state of a scan between two restart markers.
pub(super) struct Model {
    parameters: Parameters,
    contexts: Box<[Context; CONTEXTS]>,
    run_contexts: [RunContext; 2],
    /// The quantised gradient of each difference; negative ones at the upper end.
    gradients: Box<[i8]>,
}

impl Model {
    pub(super) fn new(parameters: Parameters) -> Self {
        let mut gradients = vec![0_i8; DIFFERENCES].into_boxed_slice();
        for difference in -parameters.max..=parameters.max {
            if let Some(place) = gradients.get_mut(difference as usize & (DIFFERENCES - 1)) {
                *place = parameters.quantised(difference);
            }
        }
        let context = Context { sizes: 0, bias: 0, correction: 0, count: 1 };
        let run = RunContext { sizes: 0, count: 1, negative: 0 };
        let contexts = Box::new([context; CONTEXTS]);
        let mut own = Self { parameters, contexts, run_contexts: [run; 2], gradients };
        own.reset();
        own
    }

    /// Forgets all that was seen, as at the start and at restart markers.
    pub(super) fn reset(&mut self) {
        let sizes = ((self.parameters.range + 32) >> 6).max(2);
        self.contexts.fill(Context { sizes, bias: 0, correction: 0, count: 1 });
        self.run_contexts = [RunContext { sizes, count: 1, negative: 0 }; 2];
    }

    #[inline(always)]
    fn gradient(&self, difference: i32) -> i32 {
        let at = difference as usize & (DIFFERENCES - 1);
        i32::from(self.gradients.get(at).copied().unwrap_or_default())
    }

    /// Decodes a line of one component. Lines have a sample before and one after their own;
    /// `above` has them filled.
    pub(super) fn line<const PLAIN: bool>(
        &mut self,
        bits: &mut BitReader<'_>,
        above: &[u16],
        line: &mut [u16],
        run_index: &mut usize,
    ) {
        let Some(width) = line.len().checked_sub(2).filter(|_| above.len() == line.len()) else {
            return;
        };
        let parameters = self.parameters;
        let of = |at: usize| i32::from(above.get(at).copied().unwrap_or_default());
        let mut left = of(1);
        set(line, 0, left);
        let mut corner = of(0);
        let mut top = of(1);
        let mut second = self.gradient(top - corner);
        let mut at = 1;
        while at <= width {
            let right = of(at + 1);
            let first = self.gradient(right - top);
            let context = 81 * first + 9 * second + self.gradient(corner - left);
            if context != 0 {
                left = self.regular::<PLAIN>(bits, &parameters, context, [left, top, corner]);
                set(line, at, left);
                at += 1;
                (corner, top, second) = (top, right, first);
                continue;
            }
            let room = width + 1 - at;
            let run = run_length(bits, room, run_index);
            if let Some(own) = line.get_mut(at..at + run) {
                own.fill(left as u16);
            }
            at += run;
            if run < room {
                top = of(at);
                left = self.interruption::<PLAIN>(bits, left, top, *run_index);
                *run_index = run_index.saturating_sub(1);
                set(line, at, left);
                at += 1;
            }
            (corner, top) = (of(at - 1), of(at));
            second = self.gradient(top - corner);
        }
        let last = line.get(width).copied().unwrap_or_default();
        set(line, width + 1, last.into());
    }

    /// A sample outside of runs (A.3 to A.6).
    #[inline(always)]
    fn regular<const PLAIN: bool>(
        &mut self,
        bits: &mut BitReader<'_>,
        own: &Parameters,
        context: i32,
        [left, top, corner]: [i32; 3],
    ) -> i32 {
        let sign = context >> 31;
        let signed = |value: i32| (value ^ sign).wrapping_sub(sign);
        let Some(place) = self.contexts.get_mut(signed(context) as usize & (CONTEXTS - 1)) else {
            return 0;
        };
        let (low, high) = (left.min(top), left.max(top));
        let predicted = low.max(high.min(left + top - corner));
        let predicted = (predicted + signed(place.correction)).clamp(0, own.max);
        let k = place.parameter();
        let mapped = bits.golomb(k, own.limit - own.escape - 1, own.escape);
        let mut error = unmapped(mapped);
        let is_turned = k == 0 && (PLAIN || own.near == 0) && 2 * place.bias <= -place.count;
        error ^= -i32::from(is_turned);
        let step = if PLAIN { 1 } else { 2 * own.near + 1 };
        place.update(error, step, own.reset);
        own.sample::<PLAIN>(predicted, signed(error))
    }

    /// The sample that ends a run (A.7.2).
    fn interruption<const PLAIN: bool>(
        &mut self,
        bits: &mut BitReader<'_>,
        left: i32,
        top: i32,
        run_index: usize,
    ) -> i32 {
        if (left - top).abs() <= self.parameters.near {
            let error = self.interruption_error(bits, 1, run_index);
            return self.parameters.sample::<PLAIN>(left, error);
        }
        let error = self.interruption_error(bits, 0, run_index);
        let error = if left > top { error.wrapping_neg() } else { error };
        self.parameters.sample::<PLAIN>(top, error)
    }

    fn interruption_error(&mut self, bits: &mut BitReader<'_>, kind: i32, run_index: usize) -> i32 {
        let own = &self.parameters;
        let [differs, same] = &mut self.run_contexts;
        let place = if kind == 1 { same } else { differs };
        let sizes = place.sizes.wrapping_add((place.count >> 1) * kind);
        let k = parameter(place.count, sizes);
        let limit = own.limit - own.escape - 2 - run_bits(run_index);
        let mapped = bits.golomb(k, limit, own.escape) as i32;
        let sum = mapped.wrapping_add(kind);
        let size = sum.wrapping_add(sum & 1) >> 1;
        let is_negative = (k != 0 || 2 * place.negative >= place.count) == (sum & 1 == 1);
        if is_negative && size != 0 {
            place.negative += 1;
        }
        place.sizes = place.sizes.wrapping_add(mapped.wrapping_add(1 - kind) >> 1);
        if place.count == own.reset {
            place.sizes >>= 1;
            place.count >>= 1;
            place.negative >>= 1;
        }
        place.count += 1;
        if is_negative { -size } else { size }
    }

    /// Decodes a line of several components, interleaved by sample.
    pub(super) fn line_of_pixels(
        &mut self,
        bits: &mut BitReader<'_>,
        above: &[Vec<u16>],
        lines: &mut [Vec<u16>],
        run_index: &mut usize,
    ) {
        let parameters = self.parameters;
        let Some(width) = lines.first().and_then(|line| line.len().checked_sub(2)) else { return };
        for (line, above) in lines.iter_mut().zip(above) {
            let first = above.get(1).copied().unwrap_or_default();
            set(line, 0, first.into());
        }
        let mut at = 1;
        while at <= width {
            let mut contexts = [0; 4];
            for ((context, line), above) in contexts.iter_mut().zip(&*lines).zip(above) {
                let [left, top, corner, right] = around(line, above, at);
                *context = 81 * self.gradient(right - top)
                    + 9 * self.gradient(top - corner)
                    + self.gradient(corner - left);
            }
            if contexts != [0; 4] {
                for ((line, above), context) in lines.iter_mut().zip(above).zip(contexts) {
                    let [left, top, corner, _] = around(line, above, at);
                    let value =
                        self.regular::<false>(bits, &parameters, context, [left, top, corner]);
                    set(line, at, value);
                }
                at += 1;
                continue;
            }
            let room = width + 1 - at;
            let run = run_length(bits, room, run_index);
            for line in lines.iter_mut() {
                let left = line.get(at - 1).copied().unwrap_or_default();
                if let Some(own) = line.get_mut(at..at + run) {
                    own.fill(left);
                }
            }
            at += run;
            if run == room {
                break;
            }
            for (line, above) in lines.iter_mut().zip(above) {
                let [left, top, ..] = around(line, above, at);
                let error = self.interruption_error(bits, 0, *run_index);
                let error = if left > top { error.wrapping_neg() } else { error };
                set(line, at, self.parameters.sample::<false>(top, error));
            }
            *run_index = run_index.saturating_sub(1);
            at += 1;
        }
        for line in lines {
            let last = line.get(width).copied().unwrap_or_default();
            set(line, width + 1, last.into());
        }
    }
}

#[inline(always)]
fn set(line: &mut [u16], at: usize, value: i32) {
    if let Some(place) = line.get_mut(at) {
        *place = value as u16;
    }
}

/// The neighbours of a sample: left, top, top left, top right.
fn around(line: &[u16], above: &[u16], at: usize) -> [i32; 4] {
    let of = |line: &[u16], at: usize| i32::from(line.get(at).copied().unwrap_or_default());
    [of(line, at - 1), of(above, at), of(above, at - 1), of(above, at + 1)]
}

/// An error out of its code (A.5.2): 0, -1, 1, -2, 2, …
#[inline(always)]
fn unmapped(mapped: u32) -> i32 {
    (mapped >> 1) as i32 ^ -((mapped & 1) as i32)
}

fn run_bits(run_index: usize) -> u32 {
    RUN_BITS.get(run_index).copied().unwrap_or(15).into()
}

/// The length of a run (A.7.1), at most the rest of the line.
fn run_length(bits: &mut BitReader<'_>, room: usize, run_index: &mut usize) -> usize {
    let mut run = 0;
    while bits.take(1) == 1 {
        let whole = 1_usize << run_bits(*run_index);
        if whole <= room - run {
            run += whole;
            *run_index = (*run_index + 1).min(RUN_BITS.len() - 1);
        } else {
            run = room;
        }
        if run == room {
            return room;
        }
    }
    let rest = bits.take(run_bits(*run_index)) as usize;
    // A run that ends past its line is none; it stops there, and its samples are as good as any.
    (run + rest).min(room)
}
