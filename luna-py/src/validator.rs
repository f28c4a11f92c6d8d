//! `luna_py.Validator`: settings that several calls share.

use std::collections::BTreeMap;
use std::sync::Arc;

use luna_core::CancelToken;
use luna_core::conclude::{Entry, Whole};
use luna_core::source::{Item, ItemPath, free_name};
use luna_core::table::{Table, Tables};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyString, PyTuple};

use crate::data_set::{DataSet, Objects};
use crate::error::from_engine;
use crate::given::{Given, path_of};
use crate::interrupt::watched;
use crate::many::{Line, Records};
use crate::pictures::{Origin, Pictures};
use crate::profile::{Profile, ProfileArgument};
use crate::progress::Progress;
use crate::recipe::{self, Recipe, Size, not_yet};
use crate::record::Record;
use crate::report::Report;
use crate::rule::Rule;

/// Validates data sets and files with the same settings, as often as you like, from any thread.
///
/// It can be pickled for other processes; the pickle holds the identity key.
///
/// Parameters
/// ----------
/// profile : str, os.PathLike, dict or Profile, optional
///     As of :class:`Profile`; ``"default"`` unless given.
/// rules : iterable of Rule, optional
///     Rules of one's own, made with :func:`rule`.
/// threads : int, optional
///     Number of threads; one a core unless given. No report depends on it.
/// memory : int or str, optional
///     Bytes that files may take while they are looked at, or a text such as ``"4GiB"``; 2 GiB unless given.
/// identity_key : str, optional
///     64 hexadecimal digits under which patients, studies and series are hashed in records; random unless
///     given. Records that are to be concluded together need one key. It is a secret.
/// cache : optional
///     Not in this version.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> validator = luna.Validator("chest-xray", threads=2)
/// >>> sources = b"%PDF-1.7", b"BM"
/// >>> tuple(record.format for record in validator.examine_many(sources))
/// ('pdf', 'bmp')
#[pyclass(frozen, module = "luna_py")]
pub(crate) struct Validator {
    recipe: Arc<Recipe>,
    /// For single files, and to see that the settings are sound.
    alone: Arc<luna_core::Validator>,
    rules: Vec<Py<Rule>>,
}

impl Validator {
    pub(crate) fn build(
        py: Python<'_>,
        profile: Option<ProfileArgument>,
        rules: Option<&Bound<'_, PyAny>>,
        threads: Option<usize>,
        memory: Option<&Size>,
        identity_key: Option<&str>,
    ) -> PyResult<Self> {
        let profile =
            profile.map_or_else(|| Ok(luna_core::Profile::default()), ProfileArgument::load)?;
        let rules = rules.map_or_else(|| Ok(Vec::new()), own_rules)?;
        let declared = rules.iter().map(|it| it.bind(py).get().declared.clone()).collect();
        let recipe = Recipe::new(profile, declared, threads, memory, identity_key)?;
        let alone = Arc::new(recipe.alone()?);
        Ok(Self { recipe: Arc::new(recipe), alone, rules })
    }

    /// A data set that can be read again: the engine's own way.
    fn validate_source(
        &self,
        py: Python<'_>,
        source: Box<dyn luna_core::Source>,
        manifest: Option<Table>,
        progress: &Progress,
    ) -> PyResult<Report> {
        let cancel = CancelToken::default();
        let report = watched(py, &cancel, &|py| progress.tell(py), || {
            let validator = self.recipe.with_threads()?;
            let report =
                validator.validate_against(manifest, &*source, progress.observer(), &cancel);
            report.map_err(|error| from_engine(&error))
        })?;
        progress.tell(py)?;
        Ok(Report::new(report, Pictures::new(Arc::clone(&self.recipe), Origin::Source(source))))
    }

    /// Objects, taken one after another.
    fn validate_objects(
        &self,
        py: Python<'_>,
        objects: &Objects<'_>,
        manifest: Option<Table>,
        bits_stored: Option<u8>,
        progress: &Progress,
    ) -> PyResult<Report> {
        let tables = Tables { read: manifest.into_iter().collect(), left: Vec::new() };
        let mut line = self.line(&objects.sources, bits_stored, tables.want_md5());
        let mut kept: BTreeMap<ItemPath, Option<Py<PyAny>>> = BTreeMap::new();
        let mut entries = Vec::new();
        progress.observer().listed(objects.len.unwrap_or_default() as u64, 0);
        while let Some(examined) = line.next(py, &|py| progress.tell(py))? {
            let name = match (examined.name, &examined.source) {
                (None, Some(source)) => own_name(source.bind(py))?,
                (name, _) => name,
            };
            let name = name.unwrap_or_else(|| format!("item-{}", entries.len() + 1));
            let name = free_name(&ItemPath::from(name.as_str()), &kept);
            let size = examined.record.facts.size_bytes;
            progress.observer().examined(name.as_str(), size, &examined.record.findings);
            let item = Item::file(name.as_str(), size);
            kept.insert(name, examined.source.filter(|_| objects.stay));
            entries.push(Entry { item, record: Box::new(examined.record) });
        }
        if entries.is_empty() {
            return Err(PyValueError::new_err("source: it is empty, so there is no data set"));
        }
        progress.observer().concluding();
        progress.tell(py)?;
        let report = self.concluded(py, entries, tables);
        Ok(if objects.stay {
            Report::new(report, Pictures::new(Arc::clone(&self.recipe), Origin::Objects(kept)))
        } else {
            Report::stored(report)
        })
    }

    fn concluded(&self, py: Python<'_>, entries: Vec<Entry>, tables: Tables) -> luna_core::Report {
        let whole = Whole { tables, ..Whole::of(entries) };
        py.detach(|| luna_core::conclude(whole, self.alone.settings()))
    }

    fn line(&self, sources: &Bound<'_, PyIterator>, bits_stored: Option<u8>, md5: bool) -> Line {
        let room = (self.recipe.threads(), self.recipe.memory() / 2);
        Line::new(sources, bits_stored, md5, Arc::clone(&self.alone), room)
    }
}

#[pymethods]
impl Validator {
    #[new]
    #[pyo3(signature = (profile=None, *, rules=None, threads=None, memory=None, identity_key=None, cache=None))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives values")]
    fn new(
        py: Python<'_>,
        profile: Option<ProfileArgument>,
        rules: Option<Bound<'_, PyAny>>,
        threads: Option<usize>,
        memory: Option<Size>,
        identity_key: Option<&str>,
        cache: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        not_yet("cache", cache.as_ref(), "every run looks at every file")?;
        Self::build(py, profile, rules.as_ref(), threads, memory.as_ref(), identity_key)
    }

    /// Validate a data set, as :func:`validate` does.
    ///
    /// Parameters
    /// ----------
    /// source, manifest, labels, reference, storage_options, filesystem, bits_stored, progress
    ///     As of :func:`validate`.
    ///
    /// Returns
    /// -------
    /// Report
    #[pyo3(signature = (source, *, manifest=None, labels=None, reference=None, storage_options=None, filesystem=None, bits_stored=None, progress=None))]
    #[expect(clippy::too_many_arguments, reason = "all but the first are given by name")]
    pub(crate) fn validate(
        &self,
        source: &Bound<'_, PyAny>,
        manifest: Option<Bound<'_, PyAny>>,
        labels: Option<Bound<'_, PyAny>>,
        reference: Option<Bound<'_, PyAny>>,
        storage_options: Option<Bound<'_, PyDict>>,
        filesystem: Option<Bound<'_, PyAny>>,
        bits_stored: Option<u8>,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Report> {
        let py = source.py();
        refuse_later(labels.as_ref(), reference.as_ref())?;
        let table = manifest.map(|it| recipe::manifest(&it, &self.alone)).transpose()?;
        let limits = self.alone.settings().limits();
        let set = DataSet::of(source, storage_options.as_ref(), filesystem.as_ref(), limits)?;
        let progress = Progress::of(py, progress.as_ref())?;
        match set {
            DataSet::Source(_) if bits_stored.is_some() => Err(PyValueError::new_err(
                "bits_stored: only arrays need it; files say themselves how deep they are",
            )),
            DataSet::Source(source) => self.validate_source(py, source, table, &progress),
            DataSet::Objects(objects) => {
                self.validate_objects(py, &objects, table, bits_stored, &progress)
            }
        }
    }

    /// Examine one file, as :func:`examine` does.
    ///
    /// Parameters
    /// ----------
    /// source, bits_stored
    ///     As of :func:`examine`.
    ///
    /// Returns
    /// -------
    /// Record
    #[pyo3(signature = (source, *, bits_stored=None))]
    pub(crate) fn examine(
        &self,
        source: &Bound<'_, PyAny>,
        bits_stored: Option<u8>,
    ) -> PyResult<Record> {
        examined(source, bits_stored, &self.alone)
    }

    /// Examine many files, in parallel and in order.
    ///
    /// Parameters
    /// ----------
    /// sources : iterable
    ///     Whatever :func:`examine` takes, or pairs of a name and such. Few are held at a time, however many
    ///     there are: what is not yet due is not taken from the iterable.
    /// bits_stored : int, optional
    ///     Bits of a sample that carry its value, where the sources are arrays of integers.
    ///
    /// Returns
    /// -------
    /// iterator of Record
    ///     A record a source, in the order of the sources. A file that cannot be read raises
    ///     :class:`SourceError` when it is its turn; the next call goes on behind it.
    ///
    /// Examples
    /// --------
    /// >>> import luna_py as luna
    /// >>> files = {"a.pdf": b"%PDF-1.7", "b.pdf": b"%PDF-1.4"}
    /// >>> validator = luna.Validator()
    /// >>> report = validator.conclude(zip(files, validator.examine_many(files.values())))
    /// >>> len(report.rejected)
    /// 2
    #[pyo3(signature = (sources, *, bits_stored=None))]
    fn examine_many(
        &self,
        sources: &Bound<'_, PyAny>,
        bits_stored: Option<u8>,
    ) -> PyResult<Records> {
        if sources.is_instance_of::<PyString>() {
            let said =
                "sources: an iterable of files is due, not one text; examine() takes one file";
            return Err(PyTypeError::new_err(said));
        }
        Ok(Records::new(self.line(&sources.try_iter()?, bits_stored, false)))
    }

    /// Make a report of records, as :func:`conclude` does.
    ///
    /// Parameters
    /// ----------
    /// records, manifest, labels, reference
    ///     As of :func:`conclude`.
    ///
    /// Returns
    /// -------
    /// Report
    #[pyo3(signature = (records, *, manifest=None, labels=None, reference=None))]
    pub(crate) fn conclude(
        &self,
        records: &Bound<'_, PyAny>,
        manifest: Option<Bound<'_, PyAny>>,
        labels: Option<Bound<'_, PyAny>>,
        reference: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Report> {
        refuse_later(labels.as_ref(), reference.as_ref())?;
        let table = manifest.map(|it| recipe::manifest(&it, &self.alone)).transpose()?;
        let tables = Tables { read: table.into_iter().collect(), left: Vec::new() };
        let entries = entries(records)?;
        Ok(Report::stored(self.concluded(records.py(), entries, tables)))
    }

    /// Profile: The profile in force.
    #[getter]
    fn profile(&self) -> Profile {
        Profile { inner: self.recipe.profile.clone() }
    }

    #[expect(clippy::type_complexity, reason = "it is what pickle asks for")]
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Profile, Bound<'py, PyTuple>, Bound<'py, PyDict>))> {
        let py = slf.py();
        let this = slf.get();
        let options = PyDict::new(py);
        options.set_item("threads", this.recipe.threads)?;
        options.set_item("memory", this.recipe.memory)?;
        options.set_item("identity_key", this.recipe.key.to_hex())?;
        let rules = PyTuple::new(py, this.rules.iter().map(|rule| rule.clone_ref(py)))?;
        let make = slf.get_type().getattr("_make")?;
        Ok((make, (this.profile(), rules, options)))
    }

    #[classmethod]
    fn _make<'py>(
        class: &Bound<'py, pyo3::types::PyType>,
        profile: Bound<'py, PyAny>,
        rules: Bound<'py, PyAny>,
        options: Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        options.set_item("rules", rules)?;
        class.call((profile,), Some(&options))
    }

    fn __repr__(&self) -> String {
        let threads = self.recipe.threads();
        format!("<luna_py.Validator: profile {}, {threads} threads>", self.recipe.profile.name)
    }
}

/// One file, read and examined without the GIL.
pub(crate) fn examined(
    source: &Bound<'_, PyAny>,
    bits_stored: Option<u8>,
    validator: &luna_core::Validator,
) -> PyResult<Record> {
    let given = Given::of(source, bits_stored)?;
    let record = source.py().detach(|| given.examine(validator, false))?;
    Ok(Record { record })
}

fn own_rules(given: &Bound<'_, PyAny>) -> PyResult<Vec<Py<Rule>>> {
    let unfit = || {
        PyTypeError::new_err(
            "rules: a list of rules is due, each made with @luna_py.rule(\"ORG001\")",
        )
    };
    let rules: Vec<Py<Rule>> = given
        .try_iter()
        .map_err(|_| unfit())?
        .map(|rule| rule?.cast_into::<Rule>().map(Bound::unbind).map_err(|_| unfit()))
        .collect::<PyResult<_>>()?;
    let mut codes: Vec<&str> = rules.iter().map(|rule| rule.get().declared.code).collect();
    codes.sort_unstable();
    if let Some(pair) = codes.windows(2).find(|pair| pair.first() == pair.last()) {
        let code = pair.first().copied().unwrap_or_default();
        return Err(PyValueError::new_err(format!("rules: {code} is there twice")));
    }
    Ok(rules)
}

/// The name that an open file, a dataset or a path has by itself.
fn own_name(source: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    for name in [source.getattr_opt("name")?, source.getattr_opt("filename")?, Some(source.clone())]
    {
        if let Some(path) = name.as_ref().map(path_of).transpose()?.flatten() {
            return Ok(Some(luna_worker::place::file_name(&path)));
        }
    }
    Ok(None)
}

fn refuse_later(
    labels: Option<&Bound<'_, PyAny>>,
    reference: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let table = "label tables are read for their paths where they lie at the root of the data set";
    not_yet("labels", labels, table)?;
    not_yet("reference", reference, "data sets are not compared with earlier ones yet")
}

/// Pairs of a path and a record.
fn entries(records: &Bound<'_, PyAny>) -> PyResult<Vec<Entry>> {
    let pairs = match records.cast::<PyDict>() {
        Ok(records) => records.items().into_any(),
        Err(_) => records.clone(),
    };
    let mut entries = Vec::new();
    for (number, pair) in pairs.try_iter()?.enumerate() {
        let (path, record) =
            pair?.extract::<(Bound<'_, PyString>, PyRef<'_, Record>)>().map_err(|_| {
                PyTypeError::new_err(format!(
                    "records: item {number} is no pair of a path and a Record"
                ))
            })?;
        let item = Item::file(path.to_str()?, record.record.facts.size_bytes);
        entries.push(Entry { item, record: Box::new(record.record.clone()) });
    }
    Ok(entries)
}
