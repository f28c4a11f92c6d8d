//! What the engine says when it cannot do its work, as Python exceptions.

use luna_worker::place::PlaceError;
use pyo3::PyErr;
use pyo3::create_exception;
use pyo3::exceptions::PyException;

create_exception!(luna_py, LunaError, PyException, "LUNA could not do its work.");
create_exception!(luna_py, ProfileError, LunaError, "A profile that cannot be used.");
create_exception!(luna_py, SourceError, LunaError, "A data set that cannot be listed or read.");
create_exception!(luna_py, ImageError, LunaError, "A picture that cannot be decoded whole.");
create_exception!(luna_py, VerdictError, LunaError, "A data set that did not pass.");

/// The exception for an error of the engine.
pub(crate) fn from_engine(error: &luna_core::Error) -> PyErr {
    match error {
        luna_core::Error::Profile(_) => ProfileError::new_err(in_full(error)),
        luna_core::Error::Source(_) => SourceError::new_err(in_full(error)),
        _ => LunaError::new_err(in_full(error)),
    }
}

/// The exception for a place that cannot be opened.
pub(crate) fn from_place(error: &PlaceError) -> PyErr {
    SourceError::new_err(in_full(error))
}

/// The message with its causes.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        message.push_str(": ");
        message.push_str(&next.to_string());
        cause = next.source();
    }
    message
}
