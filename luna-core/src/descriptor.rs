//! A small normalised picture by which pictures are compared without their pixels. A large set holds one
//! a file until it is judged, and looks at few of them: packed, it takes about seven tenths.

use std::fmt;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateDecoder, DeflateEncoder};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::measure::DESCRIPTOR_SIDE;

const SIDE: usize = DESCRIPTOR_SIDE as usize;
const LEN: usize = SIDE * SIDE;

/// The content box of a picture as 32 x 32 grey values (0 to 255), row by row.
///
/// ```
/// use luna_core::Descriptor;
/// let values: Vec<u8> = (0..1_024).map(|at| (at / 32) as u8).collect();
/// let descriptor = Descriptor::new(&values).unwrap();
/// assert_eq!(descriptor.values(), values);
/// assert!(Descriptor::new(&[0; 7]).is_none());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// What the values differ by from what their neighbours let expect, deflated; the values themselves
    /// if that is not less.
    packed: Box<[u8]>,
}

impl Descriptor {
    /// Packs 1,024 values; `None` if it is another number of them.
    pub fn new(values: &[u8]) -> Option<Self> {
        if values.len() != LEN {
            return None;
        }
        let rests: Vec<u8> =
            (0..LEN).map(|at| values[at].wrapping_sub(expected(values, at))).collect();
        let mut out = DeflateEncoder::new(Vec::with_capacity(LEN), Compression::default());
        let packed = out.write_all(&rests).and_then(|()| out.finish());
        let packed = packed.ok().filter(|packed| packed.len() < LEN);
        Some(Self { packed: packed.unwrap_or_else(|| values.to_vec()).into() })
    }

    /// The values.
    pub fn values(&self) -> Vec<u8> {
        if self.packed.len() == LEN {
            return self.packed.to_vec();
        }
        let mut out = DeflateDecoder::new(Vec::with_capacity(LEN));
        let rests = out.write_all(&self.packed).and_then(|()| out.finish());
        let mut values = rests.unwrap_or_default();
        // Only `new` packs, so that this changes nothing; what reads 1,024 values finds as many.
        values.resize(LEN, 0);
        for at in 0..LEN {
            values[at] = values[at].wrapping_add(expected(&values, at));
        }
        values
    }
}

/// What the left, upper and upper left neighbour let expect: a plane through them, but for edges (the
/// predictor of JPEG-LS).
fn expected(values: &[u8], at: usize) -> u8 {
    let (left, upper) = (!at.is_multiple_of(SIDE), at >= SIDE);
    match (left, upper) {
        (false, false) => 0,
        (true, false) => values[at - 1],
        (false, true) => values[at - SIDE],
        (true, true) => {
            let (left, upper, corner) = (values[at - 1], values[at - SIDE], values[at - SIDE - 1]);
            let (least, most) = (left.min(upper), left.max(upper));
            // least + most - corner, held between the two.
            if corner >= most {
                least
            } else if corner <= least {
                most
            } else {
                least + (most - corner)
            }
        }
    }
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Descriptor({} bytes)", self.packed.len())
    }
}

/// As a list of the values.
impl Serialize for Descriptor {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.values().serialize(out)
    }
}

impl<'de> Deserialize<'de> for Descriptor {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let values = Vec::deserialize(input)?;
        Self::new(&values).ok_or_else(|| D::Error::invalid_length(values.len(), &"1,024 values"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_there_again(values in prop::collection::vec(any::<u8>(), LEN), few in 1_u8..) {
            for values in [values.clone(), values.iter().map(|value| value % few).collect()] {
                let descriptor = Descriptor::new(&values).unwrap();
                prop_assert_eq!(descriptor.values(), values.clone());
                let written = serde_json::to_string(&descriptor).unwrap();
                prop_assert_eq!(&written, &serde_json::to_string(&values).unwrap());
                prop_assert_eq!(serde_json::from_str::<Descriptor>(&written).unwrap(), descriptor);
            }
        }
    }

    #[test]
    fn what_is_smooth_takes_little_and_noise_no_more_than_itself() {
        let smooth: Vec<u8> = (0..LEN).map(|at| (at / SIDE + 2 * (at % SIDE)) as u8).collect();
        assert!(Descriptor::new(&smooth).unwrap().packed.len() < LEN / 4);
        let noise: Vec<u8> =
            (0..LEN as u32).map(|at| (at.wrapping_mul(0x9E37_79B1) >> 13) as u8).collect();
        assert!(Descriptor::new(&noise).unwrap().packed.len() <= LEN);
        assert!(serde_json::from_str::<Descriptor>("[1, 2]").is_err());
    }
}
