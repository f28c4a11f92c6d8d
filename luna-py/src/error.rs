//! What the engine says when it cannot do its work, as Python exceptions.

use luna_worker::place::PlaceError;
use luna_worker::push::{self, Refusal};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;

create_exception!(luna_py, LunaError, PyException, "LUNA could not do its work.");
create_exception!(luna_py, ProfileError, LunaError, "A profile that cannot be used.");
create_exception!(luna_py, SourceError, LunaError, "A data set that cannot be listed or read.");
create_exception!(luna_py, ImageError, LunaError, "A picture that cannot be decoded whole.");
create_exception!(luna_py, VerdictError, LunaError, "A data set that did not pass.");
create_exception!(
    luna_py,
    ServiceError,
    LunaError,
    "A service that cannot be reached, that refused, or that could not validate.

Attributes
----------
status : int or None
    Status of the answer; None if none came.
code : str or None
    The service's own word for what is wrong, which stays the same in later versions.
detail : str or None
    What the service said.
request_id : str or None
    By which who runs the service finds the request in the log.
remedy : str or None
    What to do."
);

/// What a [`ServiceError`] says besides its message.
const ATTRIBUTES: [&str; 5] = ["status", "code", "detail", "request_id", "remedy"];

/// Lets every [`ServiceError`] have its attributes, also where no answer came.
pub(crate) fn give_attributes(py: Python<'_>) -> PyResult<()> {
    let kind = py.get_type::<ServiceError>();
    ATTRIBUTES.iter().try_for_each(|name| kind.setattr(*name, py.None()))
}

/// The exception for a service, and for what is handed in to one.
pub(crate) fn from_push(py: Python<'_>, error: push::Error) -> PyErr {
    use push::Error;
    let message = error.in_short();
    match error {
        Error::Place(error) => from_place(&error),
        Error::Engine(error) => from_engine(&error),
        Error::Address(_) => PyValueError::new_err(format!("url {message}")),
        Error::Secret => PyValueError::new_err(format!("api_key: {message}")),
        Error::Unfit(_) | Error::Unread { .. } | Error::Changed { .. } => {
            SourceError::new_err(format!("path {message}"))
        }
        Error::Objection(_) => VerdictError::new_err(format!(
            "path: {message}; validate() shows what it is; check=False sends all the same, and what was sent cannot be \
             taken back"
        )),
        Error::Refused(refusal) => refused(py, &refusal, message).unwrap_or_else(|error| error),
        _ => ServiceError::new_err(message),
    }
}

fn refused(py: Python<'_>, refusal: &Refusal, message: String) -> PyResult<PyErr> {
    let raised = ServiceError::new_err(message);
    let value = raised.value(py);
    let code = Some(refusal.code()).filter(|code| !code.is_empty());
    value.setattr("status", refusal.status())?;
    value.setattr("code", code)?;
    value.setattr("detail", refusal.detail())?;
    value.setattr("request_id", refusal.request_id())?;
    value.setattr("remedy", refusal.remedy())?;
    Ok(raised)
}

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
