//! Where the pictures of a report come from, once it is there.

use std::collections::BTreeMap;

use luna_core::source::ItemPath;
use luna_core::{Limits, Look, SecondLook, Source, Validator};
use pyo3::prelude::*;

use crate::given::Given;
use crate::recipe::Recipe;

/// Pictures of a report that was just made.
pub(crate) struct Pictures {
    recipe: std::sync::Arc<Recipe>,
    origin: Origin,
}

/// Where files are read again.
pub(crate) enum Origin {
    /// In the source that was validated.
    Source(Box<dyn Source>),
    /// In objects that the caller still has, by their paths in the report.
    Objects(BTreeMap<ItemPath, Option<Py<PyAny>>>),
}

impl Pictures {
    pub(crate) fn new(recipe: std::sync::Arc<Recipe>, origin: Origin) -> Self {
        Self { recipe, origin }
    }

    /// Shows the files to `see`, on threads of their own. Not to be called with the GIL held.
    pub(crate) fn look<T: Send>(
        &self,
        see: impl FnOnce(&dyn SecondLook) -> T + Send,
    ) -> PyResult<T> {
        let validator: Validator = self.recipe.with_threads()?;
        Ok(validator.on_its_threads(|| match &self.origin {
            Origin::Source(source) => see(&validator.second_look(&**source)),
            Origin::Objects(objects) => {
                see(&ObjectLook { objects, limits: validator.settings().limits() })
            }
        }))
    }
}

struct ObjectLook<'a> {
    objects: &'a BTreeMap<ItemPath, Option<Py<PyAny>>>,
    limits: &'a Limits,
}

impl SecondLook for ObjectLook<'_> {
    fn look(&self, path: &str, see: &mut dyn FnMut(&Look)) {
        let Some(Some(object)) = self.objects.get(&ItemPath::from(path)) else { return };
        let given = Python::attach(|py| {
            let object = object.bind(py);
            // An open file was read to its end.
            if let Ok(Some(seek)) = object.getattr_opt("seek") {
                seek.call1((0,))?;
            }
            Given::of(object, None)
        });
        // What is gone by now has no picture; its report stands.
        if let Ok(given) = given {
            given.look(self.limits, see);
        }
    }
}
