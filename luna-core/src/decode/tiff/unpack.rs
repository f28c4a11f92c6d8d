//! Decompression of a strip or tile, and its predictor.

use flate2::{Decompress, FlushDecompress};
use weezl::{BitOrder, LzwStatus, decode::Decoder};

use crate::probe::tiff::TiffPage;
use crate::probe::tiff::page::Compression;

/// Decompresses into `out`; the answer is how many bytes of it are good.
pub(super) fn decompress(compression: Compression, packed: &[u8], out: &mut [u8]) -> usize {
    match compression {
        Compression::None => {
            let length = packed.len().min(out.len());
            out.iter_mut().zip(packed).for_each(|(to, from)| *to = *from);
            length
        }
        Compression::PackBits => pack_bits(packed, out),
        // Decoded by `jpeg`.
        Compression::Jpeg { .. } => 0,
        Compression::Lzw => lzw(packed, out),
        Compression::Deflate => {
            let mut inflater = Decompress::new(true);
            let result = inflater.decompress(packed, out, FlushDecompress::Finish);
            let good = usize::try_from(inflater.total_out()).unwrap_or(0).min(out.len());
            // All bytes, but another Adler-32: which of them are good cannot be told.
            if result.is_err() && good == out.len() { 0 } else { good }
        }
    }
}

/// TIFF 6, section 9: a count, then so many bytes, or one byte so many times.
fn pack_bits(packed: &[u8], out: &mut [u8]) -> usize {
    let (mut rest, mut done) = (packed, 0_usize);
    while let [count, after @ ..] = rest {
        let room = out.get_mut(done..).unwrap_or_default();
        if room.is_empty() {
            break;
        }
        let (written, used) = match *count {
            count @ ..=127 => {
                let length = usize::from(count).saturating_add(1).min(after.len());
                room.iter_mut().zip(after.iter().take(length)).for_each(|(to, from)| *to = *from);
                (length.min(room.len()), length)
            }
            128 => (0, 0),
            count => {
                let Some(value) = after.first() else { break };
                let length = 257_usize.saturating_sub(usize::from(count)).min(room.len());
                room.iter_mut().take(length).for_each(|to| *to = *value);
                (length, 1)
            }
        };
        done = done.saturating_add(written);
        rest = after.get(used..).unwrap_or_default();
    }
    done
}

fn lzw(packed: &[u8], out: &mut [u8]) -> usize {
    let mut decoder = Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
    let (mut input, mut done) = (packed, 0_usize);
    loop {
        let room = out.get_mut(done..).unwrap_or_default();
        let step = decoder.decode_bytes(input, room);
        done = done.saturating_add(step.consumed_out);
        input = input.get(step.consumed_in..).unwrap_or_default();
        let stuck = step.consumed_in == 0 && step.consumed_out == 0;
        if !matches!(step.status, Ok(LzwStatus::Ok)) || stuck || done >= out.len() {
            return done.min(out.len());
        }
    }
}

/// Turns differences back into samples, row by row (TIFF 6, section 14; Technical Note 3).
pub(super) fn undo_predictor(page: &TiffPage, row_bytes: usize, data: &mut [u8]) {
    let samples = usize::from(page.chunk_samples());
    let width = usize::from(page.bits / 8);
    for row in data.chunks_exact_mut(row_bytes.max(1)) {
        match page.predictor {
            2 => add_up(row, samples, width, page.big_endian),
            3 => join_floats(row, samples, width, page.big_endian),
            _ => {}
        }
    }
}

/// Each sample is the difference from the one a pixel before it.
fn add_up(row: &mut [u8], samples: usize, width: usize, big_endian: bool) {
    let mut sums = vec![0_u32; samples];
    for (index, sample) in row.chunks_exact_mut(width.max(1)).enumerate() {
        let Some(sum) = index.checked_rem(samples).and_then(|at| sums.get_mut(at)) else { return };
        let join = |bits: u32, byte: &u8| bits << 8 | u32::from(*byte);
        let difference = if big_endian {
            sample.iter().fold(0, join)
        } else {
            sample.iter().rev().fold(0, join)
        };
        *sum = sum.wrapping_add(difference);
        let low_first = sum.to_le_bytes();
        if big_endian {
            sample.iter_mut().rev().zip(low_first).for_each(|(to, from)| *to = from);
        } else {
            sample.iter_mut().zip(low_first).for_each(|(to, from)| *to = from);
        }
    }
}

/// Bytes are differences; they stand apart by their place in the number, the highest first.
fn join_floats(row: &mut [u8], samples: usize, width: usize, big_endian: bool) {
    let mut sums = vec![0_u8; samples];
    for (index, byte) in row.iter_mut().enumerate() {
        let Some(sum) = index.checked_rem(samples).and_then(|at| sums.get_mut(at)) else { return };
        *sum = sum.wrapping_add(*byte);
        *byte = *sum;
    }
    let Some(count) = row.len().checked_div(width) else { return };
    let apart = row.to_vec();
    for (index, number) in row.chunks_exact_mut(width).enumerate() {
        let high_first = apart.iter().skip(index).step_by(count.max(1));
        if big_endian {
            number.iter_mut().zip(high_first).for_each(|(to, from)| *to = *from);
        } else {
            number.iter_mut().rev().zip(high_first).for_each(|(to, from)| *to = *from);
        }
    }
}
