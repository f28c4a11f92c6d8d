//! What the pixel rules share: places in the stored picture, and which pictures are left to LP001.

use crate::finding::Location;
use crate::measure::{FramePicture, GreyHistogram, Rect};
use crate::rules::{Draft, ImageContext};

/// Adds the frame to a finding about a multi-frame picture; of a single frame it says nothing.
pub(super) fn in_frame(draft: Draft, cx: &ImageContext<'_>, picture: &FramePicture) -> Draft {
    if cx.image.geometry.frames > 1 {
        draft.at(Location::Frame { frame: picture.frame })
    } else {
        draft
    }
}

/// A rectangle of the display picture, in pixels of the stored picture.
pub(super) fn stored_box(cx: &ImageContext<'_>, picture: &FramePicture, rect: Rect) -> Location {
    let shape = &cx.image.geometry;
    let (x, width) = stretch(rect.x, rect.width, picture.grey.width, shape.width);
    let (y, height) = stretch(rect.y, rect.height, picture.grey.height, shape.height);
    Location::Box { x, y, width, height, frame: picture.frame }
}

/// Start and length of a stretch of `shown` pixels, in `stored` ones; grows to whole pixels.
fn stretch(start: u32, length: u32, shown: u32, stored: u32) -> (u32, u32) {
    let shown = u64::from(shown.max(1));
    let first = u64::from(start) * u64::from(stored) / shown;
    let end = (u64::from(start + length) * u64::from(stored)).div_ceil(shown);
    (first as u32, end.saturating_sub(first) as u32)
}

/// The largest share of pixels, 0 to 1, that lie within one grey value and its two neighbours.
pub(super) fn share_of_commonest(histogram: &GreyHistogram) -> f64 {
    let counts = &histogram.counts;
    let most = (0..counts.len())
        .map(|value| {
            let near = &counts[value.saturating_sub(1)..(value + 2).min(counts.len())];
            near.iter().map(|count| u64::from(*count)).sum::<u64>()
        })
        .max();
    most.unwrap_or(0) as f64 / histogram.total().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_box_covers_its_stored_pixels() {
        assert_eq!(stretch(10, 5, 1_024, 2_500), (24, 13));
        assert_eq!(stretch(0, 1_024, 1_024, 2_500), (0, 2_500));
        assert_eq!(stretch(3, 4, 100, 100), (3, 4));
    }

    #[test]
    fn neighbours_of_the_commonest_value_count_with_it() {
        let mut histogram = GreyHistogram::default();
        histogram.add(&[0, 1, 1, 2, 9, 255]);
        assert!((share_of_commonest(&histogram) - 4.0 / 6.0).abs() < 1e-12);
    }
}
