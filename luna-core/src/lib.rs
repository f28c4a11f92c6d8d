//! LUNA's engine: it says exactly what is wrong with a set of X-ray images.
//!
//! A file goes one way, and each word is a module:
//! [`source`] → [`probe`] → [`decode`] → [`measure`] → [`rules`] (*check*) → [`report`].
#![warn(missing_docs)]

pub mod conclude;
pub mod decode;
mod descriptor;
pub mod dicom;
mod digest;
mod error;
mod examine;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
pub mod illustrate;
pub mod limits;
pub mod measure;
mod names;
mod observer;
pub mod probe;
pub mod profile;
mod record;
pub mod report;
pub mod rules;
mod settings;
pub mod source;
pub mod table;
#[cfg(test)]
mod testing;
pub mod text;
mod validator;

pub use self::conclude::conclude;
pub use self::descriptor::Descriptor;
pub use self::digest::{Digest, NoDigest};
pub use self::error::{Error, ProfileError, SourceError};
pub use self::examine::{examine, examine_image};
pub use self::finding::{Finding, Location, Severity};
pub use self::illustrate::{
    Illustrations, Look, Picture, PictureBudget, SecondLook, SourceLook, illustrate,
};
pub use self::limits::Limits;
pub use self::observer::{CancelToken, Observer, Unobserved};
pub use self::probe::Format;
pub use self::profile::Profile;
pub use self::record::{
    DicomFacts, Facts, Fingerprints, KeyedIdentity, Kind, Measurements, Record,
};
pub use self::report::Report;
pub use self::settings::{IdentityKey, Settings};
pub use self::source::Source;
pub use self::validator::{Validator, ValidatorBuilder};
