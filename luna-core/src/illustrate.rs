//! The third of the three functions: the bounded set of pictures that an HTML report shows.

use crate::decode::Image;

/// A file, opened and decoded once more.
#[derive(Clone, Debug)]
pub struct Look {
    /// The picture, or the part of it that could be decoded.
    pub image: Image,
    /// False if its header admits burned-in text: measured and compared, but never shown.
    pub may_be_shown: bool,
}

/// How `conclude` and `illustrate` ask for pixels again. A host that has none passes none.
///
/// The same path gives the same answer every time, whoever asks first.
pub trait SecondLook: Sync {
    /// Opens the file of this report path; `None` if there is no picture, or none can be decoded.
    fn look(&self, path: &str) -> Option<Look>;
}

/// The pictures of one report.
#[derive(Clone, Debug, Default)]
pub struct Illustrations {}
