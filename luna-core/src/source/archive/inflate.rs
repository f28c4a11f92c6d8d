//! Raw deflate data out of a part of an archive, piece by piece.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::io::{self, BufRead as _};

use flate2::{Decompress, FlushDecompress, Status};

use super::bytes::Range;

/// Why inflating stopped before its end.
#[derive(Debug)]
pub(super) enum InflateError {
    /// The data end before the stream does.
    Truncated,
    /// The data break the rules of RFC 1951.
    Corrupt,
    /// The system could not read them.
    Io(io::Error),
}

/// The state of one stream.
#[derive(Debug)]
pub(super) struct Inflate {
    state: Decompress,
    finished: bool,
}

impl Inflate {
    pub(super) fn new() -> Self {
        Self { state: Decompress::new(false), finished: false }
    }

    /// True once the last block has ended.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Writes the next bytes; 0 only at the end of the stream (or for an empty `out`).
    pub(super) fn read(
        &mut self,
        input: &mut Range,
        out: &mut [u8],
    ) -> Result<usize, InflateError> {
        while !self.finished && !out.is_empty() {
            let (in_before, out_before) = (self.state.total_in(), self.state.total_out());
            let there = input.fill_buf().map_err(InflateError::Io)?;
            let exhausted = there.is_empty();
            let status = self
                .state
                .decompress(there, out, FlushDecompress::None)
                .map_err(|_| InflateError::Corrupt)?;
            let consumed = self.state.total_in().saturating_sub(in_before);
            let produced = self.state.total_out().saturating_sub(out_before);
            input.consume(consumed as usize);
            self.finished = status == Status::StreamEnd;
            if produced > 0 {
                return Ok(produced as usize);
            }
            if !self.finished && consumed == 0 {
                return Err(if exhausted {
                    InflateError::Truncated
                } else {
                    InflateError::Corrupt
                });
            }
        }
        Ok(0)
    }
}
