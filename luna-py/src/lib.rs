//! The native part of the Python package `luna_py`.

mod client;
mod data_set;
mod error;
mod fsspec;
mod given;
mod image;
mod interrupt;
mod many;
mod pictures;
mod profile;
mod progress;
mod recipe;
mod record;
mod report;
mod rule;
mod rules;
mod table;
mod validate;
mod validator;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _luna {
    use std::ffi::OsString;

    use pyo3::prelude::*;

    #[pymodule_export]
    use super::client::Client;
    #[pymodule_export]
    use super::error::{
        ImageError, LunaError, ProfileError, ServiceError, SourceError, VerdictError,
    };
    #[pymodule_export]
    use super::image::read_image;
    #[pymodule_export]
    use super::many::Records;
    #[pymodule_export]
    use super::profile::Profile;
    #[pymodule_export]
    use super::record::Record;
    #[pymodule_export]
    use super::report::{FileView, Report, ReportDiff, read_report};
    #[pymodule_export]
    use super::rule::{Finding, Rule};
    #[pymodule_export]
    use super::rules::{explain, rules};
    #[pymodule_export]
    use super::table::Table;
    #[pymodule_export]
    use super::validate::{conclude, examine, validate};
    #[pymodule_export]
    use super::validator::Validator;

    /// Version of the engine.
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's own name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Run the ``luna`` command and return its exit code; the first argument is the program's name.
    #[pyfunction]
    fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
        py.detach(|| luna_worker::command::run(arguments).code())
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::error::give_attributes(module.py())
    }
}
