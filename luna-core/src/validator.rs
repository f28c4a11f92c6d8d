//! The whole way, for hosts that have all files at hand: list, examine in parallel, conclude.

use std::borrow::Cow;
use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::ThreadPool;

use crate::conclude::{Entry, Whole, conclude};
use crate::error::{Error, SourceError};
use crate::examine::{examine_within, unread};
use crate::illustrate::SourceLook;
use crate::limits::MemoryBudget;
use crate::observer::{CancelToken, Observer, Unobserved};
use crate::probe::Flaw;
use crate::profile::Profile;
use crate::record::Record;
use crate::report::Report;
use crate::rules::{Registry, Rule};
use crate::settings::{IdentityKey, Settings};
use crate::source::{Defect, Item, ItemKind, ReadError, Reading, Source};
use crate::table::{Table, Tables};

/// Memory for all threads together, unless the host says otherwise.
const DEFAULT_MEMORY: u64 = 2 << 30;
/// Below this, single images of the default limits would not fit.
const LEAST_MEMORY: u64 = 512 << 20;

/// Validates sets of files: built once, used as often as you like, from any thread.
///
/// ```
/// use luna_core::{Validator, report::Verdict, source::Memory};
/// let validator = Validator::builder().threads(2).build()?;
/// let report = validator.validate(&Memory::single("scan.png", b"no picture".to_vec()))?;
/// assert_eq!(report.verdict, Verdict::Fail);
/// # Ok::<(), luna_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Validator {
    settings: Settings,
    /// `None`: rayon's global pool.
    pool: Option<ThreadPool>,
    /// Files as they were read. Apart from the decoded ones, so that a thread that holds a file and
    /// waits for room to decode it never waits for another that does the same.
    files: MemoryBudget,
    pictures: MemoryBudget,
}

impl Validator {
    /// A validator with other than the default settings.
    pub fn builder() -> ValidatorBuilder {
        ValidatorBuilder::default()
    }

    /// What is in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Validates everything in a source.
    ///
    /// # Errors
    /// If the source cannot be listed, or is lost on the way. Bad files are findings.
    pub fn validate(&self, source: &dyn Source) -> Result<Report, Error> {
        self.validate_with(source, &Unobserved, &CancelToken::default())
    }

    /// Validates everything in a source, watched by an observer, until it is done or cancelled.
    ///
    /// The report is the same, byte for byte, for any number of threads and order of listing. A
    /// cancelled run reports what was examined so far and is `partial`.
    ///
    /// # Errors
    /// If the source cannot be listed, or is lost on the way. Bad files are findings.
    pub fn validate_with(
        &self,
        source: &dyn Source,
        observer: &dyn Observer,
        cancel: &CancelToken,
    ) -> Result<Report, Error> {
        self.validate_against(None, source, observer, cancel)
    }

    /// Validates everything in a source against a manifest from outside it, which stands in for
    /// those of the set; else as [`validate_with`](Self::validate_with).
    ///
    /// # Errors
    /// If the source cannot be listed, or is lost on the way. What is wrong with the manifest is a
    /// finding.
    pub fn validate_against(
        &self,
        manifest: Option<Table>,
        source: &dyn Source,
        observer: &dyn Observer,
        cancel: &CancelToken,
    ) -> Result<Report, Error> {
        let items = source.items()?;
        let tables = Tables::of(source, &items, manifest, &self.settings);
        let bytes = items.iter().map(|item| item.size_bytes).sum();
        observer.listed(items.len() as u64, bytes);
        // Names are held once: records by number until all are there, for this is when most memory is taken.
        let examined = Mutex::new(Vec::with_capacity(items.len()));
        let md5 = tables.want_md5();
        self.examine_numbered(source, &items, md5, cancel, &|number, Entry { item, record }| {
            observer.examined(item.path.as_str(), item.size_bytes, &record.findings);
            let defects = item.defects.into_boxed_slice();
            let kept = (number, defects, record);
            examined.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        })?;
        let examined = examined.into_inner().unwrap_or_else(PoisonError::into_inner);
        observer.concluding();
        let partial = examined.len() < items.len();
        let entries = with_names(items, examined);
        let whole =
            Whole { entries, partial, defects: source.defects(), tables, absent: Vec::new() };
        Ok(conclude(whole, &self.settings))
    }

    /// Examines items of a source, all or a part of them, and hands each [`Entry`] on as it is done, from
    /// several threads and in any order; with their MD5, if that is wanted. What a cancelled run did not
    /// come to is not handed on.
    ///
    /// This is the first half of [`validate`](Self::validate), for hosts that keep entries or share them
    /// out; the second is [`conclude()`](crate::conclude()).
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use luna_core::{Source, Validator, source::Memory};
    /// let source = Memory::single("a.png", Vec::new());
    /// let entries = Mutex::new(Vec::new());
    /// let keep = |entry| entries.lock().unwrap().push(entry);
    /// Validator::default().examine_items(&source, &source.items()?, false, &Default::default(), &keep)?;
    /// assert_eq!(entries.into_inner().unwrap()[0].record.facts.size_bytes, 0);
    /// # Ok::<(), luna_core::SourceError>(())
    /// ```
    ///
    /// # Errors
    /// If the source is lost on the way; bad files are findings.
    pub fn examine_items(
        &self,
        source: &dyn Source,
        items: &[Item],
        md5: bool,
        cancel: &CancelToken,
        done: &(dyn Fn(Entry) + Sync),
    ) -> Result<(), SourceError> {
        self.examine_numbered(source, items, md5, cancel, &|_, entry| done(entry))
    }

    /// As [`examine_items`](Self::examine_items), with the number of each item.
    fn examine_numbered(
        &self,
        source: &dyn Source,
        items: &[Item],
        md5: bool,
        cancel: &CancelToken,
        done: &(dyn Fn(usize, Entry) + Sync),
    ) -> Result<(), SourceError> {
        let lost = OnceLock::new();
        let reading = Reading {
            max_bytes: self.settings.limits().file_bytes,
            memory: &self.files,
            stop: &|| cancel.is_cancelled() || lost.get().is_some(),
        };
        let work = || {
            source.each(items, &reading, &|number, bytes| {
                let Some(item) = items.get(number) else { return };
                if let Err(ReadError::SourceLost(error)) = bytes {
                    // Of several threads that lose it, the first one tells.
                    let _ = lost.set(error);
                    return;
                }
                done(number, self.examine_item(item.clone(), bytes, md5));
            });
        };
        self.on_its_threads(work);
        lost.into_inner().map_or(Ok(()), Err)
    }

    /// Examines the bytes of one file, as [`examine()`](crate::examine()) does, once there is room for what it
    /// decodes to; with their MD5, if that is wanted.
    ///
    /// ```
    /// let record = luna_core::Validator::default().examine(b"%PDF-1.7", true);
    /// assert_eq!(record.md5.as_deref().map(str::len), Some(32));
    /// ```
    pub fn examine(&self, bytes: &[u8], md5: bool) -> Record {
        let mut record = examine_within(bytes, &self.settings, &self.pictures);
        record.md5 = md5.then(|| crate::table::md5(bytes).into());
        record
    }

    /// Does work whose parallel parts run on the threads of this validator, such as
    /// [`illustrate`](crate::illustrate()).
    ///
    /// ```
    /// let validator = luna_core::Validator::builder().threads(2).build()?;
    /// assert_eq!(validator.on_its_threads(|| 1 + 1), 2);
    /// # Ok::<(), luna_core::Error>(())
    /// ```
    pub fn on_its_threads<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// The entry of a file that is not to be examined, since so many processes died of it: LF007/killed.
    ///
    /// ```
    /// use luna_core::{Validator, source::Item};
    /// let entry = Validator::default().set_aside(Item::file("a.dcm", 9), 3);
    /// assert!(entry.record.findings[0].message.starts_with("3 workers died"));
    /// ```
    pub fn set_aside(&self, item: Item, workers: u64) -> Entry {
        let record = unread(item.size_bytes, Some(Flaw::Killed { workers }), &self.settings);
        Entry { item, record: Box::new(record) }
    }

    /// Pixels of a source's files once more, for [`illustrate`](crate::illustrate()).
    pub fn second_look<'a>(&'a self, source: &'a dyn Source) -> SourceLook<'a> {
        SourceLook::new(source, self.settings.limits()).within(&self.pictures)
    }

    /// Examines one listed name.
    fn examine_item(
        &self,
        mut item: Item,
        bytes: Result<Cow<'_, [u8]>, ReadError>,
        md5: bool,
    ) -> Entry {
        let settings = &self.settings;
        let seen = |bytes: &[u8]| self.examine(bytes, md5);
        let record = match bytes {
            _ if item.kind != ItemKind::File => unread(item.size_bytes, None, settings),
            Ok(bytes) => seen(&bytes),
            Err(ReadError::Damaged { mut defects, bytes }) => {
                item.defects.append(&mut defects);
                match bytes {
                    Some(bytes) => seen(&bytes),
                    None => unread(item.size_bytes, None, settings),
                }
            }
            Err(ReadError::TooLarge { max_bytes, found }) => {
                let flaw =
                    Flaw::OverBudget { limit: "file_bytes", allowed: max_bytes, seen: found };
                unread(found, Some(flaw), settings)
            }
            Err(ReadError::Io(_) | ReadError::NotAFile | ReadError::SourceLost(_)) => {
                unread(item.size_bytes, None, settings)
            }
        };
        Entry { item, record: Box::new(record) }
    }
}

impl Default for Validator {
    /// The built-in profile `default` on rayon's global thread pool.
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            pool: None,
            files: MemoryBudget::new(DEFAULT_MEMORY / 2),
            pictures: MemoryBudget::new(DEFAULT_MEMORY / 2),
        }
    }
}

/// Settings of a [`Validator`] in the making.
///
/// ```
/// use luna_core::{Profile, Validator};
/// let validator = Validator::builder()
///     .profile(Profile::load("chest-xray")?)
///     .threads(4)
///     .memory(1 << 30)
///     .build()?;
/// # Ok::<(), luna_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct ValidatorBuilder {
    profile: Profile,
    registry: Registry,
    identity_key: Option<IdentityKey>,
    show_values: bool,
    threads: Option<usize>,
    memory: Option<u64>,
}

impl ValidatorBuilder {
    /// The profile; `default` unless this is called.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Adds a rule of the embedding program. It runs when the profile selects its code.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.profile.rules.select.push(rule.code.to_owned());
        self.registry.add(rule);
        self
    }

    /// The key under which identities are hashed; random unless this is called.
    #[must_use]
    pub fn identity_key(mut self, key: IdentityKey) -> Self {
        self.identity_key = Some(key);
        self
    }

    /// Lets findings repeat values that may identify a person. Off unless this is called.
    #[must_use]
    pub fn show_values(mut self, show: bool) -> Self {
        self.show_values = show;
        self
    }

    /// Number of threads; one a core unless this is called.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Memory for files and pictures of all threads together, in bytes; 2 GiB unless this is called,
    /// and never less than 512 MiB. Verdicts do not depend on it.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Builds the validator.
    ///
    /// # Errors
    /// If the profile names a rule or option that there is not, or threads cannot be started.
    pub fn build(self) -> Result<Validator, Error> {
        let mut settings =
            Settings::new(self.profile, self.registry)?.with_values_shown(self.show_values);
        if let Some(key) = self.identity_key {
            settings = settings.with_identity_key(key);
        }
        let pool = self.threads.map(start_threads).transpose()?;
        let memory = self.memory.unwrap_or(DEFAULT_MEMORY).max(LEAST_MEMORY);
        Ok(Validator {
            settings,
            pool,
            files: MemoryBudget::new(memory / 2),
            pictures: MemoryBudget::new(memory / 2),
        })
    }
}

/// The number of an item, what was found wrong with it, and its record.
type Examined = (usize, Box<[Defect]>, Box<Record>);

/// Entries of the items that were examined.
fn with_names(items: Vec<Item>, mut examined: Vec<Examined>) -> Vec<Entry> {
    examined.sort_unstable_by_key(|(number, ..)| *number);
    let mut entries = Vec::with_capacity(examined.len());
    let mut examined = examined.into_iter().peekable();
    let entry = |(number, item): (usize, Item)| {
        let (_, defects, record) = examined.next_if(|(examined, ..)| *examined == number)?;
        Some(Entry { item: Item { defects: defects.into_vec(), ..item }, record })
    };
    entries.extend(items.into_iter().enumerate().filter_map(entry));
    entries
}

fn start_threads(threads: usize) -> Result<ThreadPool, Error> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .thread_name(|number| format!("luna-{number}"))
        .build()
        .map_err(|source| Error::Threads { threads, source })
}
