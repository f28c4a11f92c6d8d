//! The content box: what is left when near-constant rows and columns are trimmed from outside.

use super::grey::{GreyPicture, Rect};
use super::kernels;

/// A row or column whose 1st to 99th percentile spans at most this many of 255 grey values holds
/// no picture. (Measured on 1,248 radiographs; collimation borders and scanner lids stay below.)
const NEAR_CONSTANT: u8 = 6;

/// Trims rows of `within`, then columns within the rows left, and again until nothing changes.
/// Where nothing would be left, all is content.
pub(super) fn content_box(picture: &GreyPicture, within: Rect) -> Rect {
    let mut rect = within;
    loop {
        let before = rect;
        let row = |y: u32| {
            let row = Rect { y: before.y + y, height: 1, ..before };
            picture.is_near_constant(row)
        };
        let (top, bottom) = flat_ends(before.height, row);
        rect = Rect { y: before.y + top, height: before.height - top - bottom, ..before };
        let rows = rect;
        let (lowest, highest) = column_ranges(picture, rows);
        let column = |x: u32| {
            let range = (lowest[x as usize], highest[x as usize]);
            is_narrow(range) || picture.is_near_constant(Rect { x: rows.x + x, width: 1, ..rows })
        };
        let (left, right) = flat_ends(rows.width, column);
        rect = Rect { x: rows.x + left, width: rows.width - left - right, ..rows };
        if rect.area() == 0 {
            return within;
        }
        if rect == before {
            return rect;
        }
    }
}

/// How many lines at the beginning and at the end are flat.
fn flat_ends(lines: u32, flat: impl Fn(u32) -> bool) -> (u32, u32) {
    let first = (0..lines).take_while(|line| flat(*line)).count() as u32;
    let last = (first..lines).rev().take_while(|line| flat(*line)).count() as u32;
    (first, last)
}

pub(super) fn is_near_constant(picture: &GreyPicture, rect: Rect) -> bool {
    let ranges = picture.rows(rect).map(kernels::range);
    // Most that are flat are flat to the last pixel, which is seen in less time than counted.
    if is_narrow(ranges.fold((u8::MAX, 0), |a, b| (a.0.min(b.0), a.1.max(b.1)))) {
        return true;
    }
    let histogram = picture.histogram(rect);
    is_narrow((histogram.percentile(1), histogram.percentile(99)))
}

fn is_narrow((low, high): (u8, u8)) -> bool {
    high.saturating_sub(low) <= NEAR_CONSTANT
}

/// Lowest and highest value of each column inside `rect`.
fn column_ranges(picture: &GreyPicture, rect: Rect) -> (Vec<u8>, Vec<u8>) {
    let mut lowest = vec![u8::MAX; rect.width as usize];
    let mut highest = vec![0; rect.width as usize];
    for row in picture.rows(rect) {
        kernels::widen(&mut lowest, &mut highest, row);
    }
    (lowest, highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gradient of 20 x 10 at (5, 3) on black.
    fn framed() -> GreyPicture {
        let mut values = vec![0; 40 * 30];
        for y in 3..13 {
            for x in 5..25 {
                values[y * 40 + x] = (x * y) as u8 % 200 + 20;
            }
        }
        GreyPicture { width: 40, height: 30, values }
    }

    #[test]
    fn a_frame_is_trimmed_to_the_pixel() {
        assert_eq!(
            framed().content_box(framed().bounds()),
            Rect { x: 5, y: 3, width: 20, height: 10 }
        );
    }

    #[test]
    fn a_flat_picture_is_its_own_content() {
        let picture = GreyPicture { width: 4, height: 3, values: vec![7; 12] };
        assert_eq!(picture.content_box(picture.bounds()), picture.bounds());
    }

    #[test]
    fn white_bars_above_do_not_hide_black_borders_beside() {
        let mut picture = framed();
        picture.values[..80].fill(255);
        assert_eq!(
            picture.content_box(picture.bounds()),
            Rect { x: 5, y: 3, width: 20, height: 10 }
        );
    }
}
