//! What the catalogue does with many files: that the quick queries answer as the plain ones do, and how long
//! each takes with a million.

mod crowd;
mod measure;
pub(super) mod plain;
