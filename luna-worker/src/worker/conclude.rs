//! The last step of a job: all records in, the reports out, once.

use std::collections::BTreeSet;
use std::sync::Arc;

use luna_core::conclude::{Entry, Whole, conclude};
use luna_core::report::{Digest, RenderOptions, ReportFormat};
use luna_core::source::Item;
use luna_core::table::Tables;
use luna_core::{Report, Severity, Validator};
use sha2::{Digest as _, Sha256};

use super::Work;
use super::dataset::Dataset;
use super::trouble::{Trouble, patiently};
use crate::catalogue::{Catalogue, JobState, NewArtifact, Outcome, StoredRecord};
use crate::metrics;
use crate::output::{Pixels, write_report};

/// What every job leaves in the storage; other formats are rendered from the first.
const FORMATS: [ReportFormat; 2] = [ReportFormat::Json, ReportFormat::Html];

/// Rows that are read at once.
const PAGE: u32 = 1_000;
/// The report in short, beside them.
const DIGEST: &str = "digest.json";

/// A report, written out.
struct Document {
    name: String,
    content_type: String,
    bytes: Vec<u8>,
}

impl Work<'_> {
    pub(super) async fn conclude(&self) -> Result<(), Trouble> {
        let catalogue = &self.shared.catalogue;
        let (job, validator) = self.job().await?;
        let job_id = job.id;
        let dataset = Dataset::open(self.shared, job.dataset_id, &validator).await?;
        let entries = self.entries(job_id).await?;
        if (entries.len() as u64) < job.files_total {
            return Err(Trouble::lasting("records of the data set are missing; validate it again"));
        }
        let absent = absent(catalogue, job.dataset_id).await?;
        let (report, documents) = super::blocking(move || {
            let report = judge(&dataset, entries, absent, &validator)?;
            let documents = documents(&report, &dataset, &validator)?;
            dataset.is_sound()?;
            Ok((report, documents))
        })
        .await?;
        let artifacts = self.put(job_id, documents).await?;
        let summary = summary(&report).to_string();
        let keys: Vec<String> = artifacts.iter().map(|file| file.object_key.clone()).collect();
        let outcome = Outcome { report: &report, summary, artifacts };
        let ended = patiently!(catalogue.finish_job(self.lease, &outcome));
        if ended.is_err() {
            self.remove_unless_needed(job_id, &keys).await;
        }
        ended?;
        self.shared.note_end(Some(job_id), "completed").await;
        for (rule, found) in &report.counts.by_rule {
            metrics::FINDINGS.add(&[rule], *found);
        }
        tracing::info!(verdict = report.verdict.as_str(), "concluded");
        Ok(())
    }

    async fn entries(&self, job_id: i64) -> Result<Vec<Entry>, Trouble> {
        let mut pages = self.shared.catalogue.records_of(job_id);
        let mut entries = Vec::new();
        loop {
            let page = patiently!(pages.next())?;
            if page.is_empty() {
                return Ok(entries);
            }
            let unpacked = super::blocking(move || {
                let entries: Result<Vec<_>, _> = page.iter().map(StoredRecord::unpack).collect();
                entries.map_err(Trouble::from)
            });
            entries.append(&mut unpacked.await?);
        }
    }

    /// Puts the reports where they belong. The same job writes the same bytes to the same places, however
    /// often it is tried: who dies here leaves nothing that the next does not take over.
    async fn put(
        &self,
        job_id: i64,
        documents: Vec<Document>,
    ) -> Result<Vec<NewArtifact>, Trouble> {
        let mut artifacts = Vec::with_capacity(documents.len());
        for Document { name, content_type, bytes } in documents {
            let object_key = format!("reports/{job_id}/{name}");
            let (size_bytes, sha256) = (bytes.len() as u64, hex::encode(Sha256::digest(&bytes)));
            self.shared.storage.write(&object_key, bytes).await?;
            artifacts.push(NewArtifact { name, object_key, content_type, size_bytes, sha256 });
        }
        Ok(artifacts)
    }

    /// Removes reports of a job that was cancelled or removed meanwhile. One that another worker concludes
    /// needs them.
    async fn remove_unless_needed(&self, job_id: i64, keys: &[String]) {
        use crate::catalogue::Error;
        let needed = match self.shared.catalogue.job(job_id).await {
            Ok(job) => job.state == JobState::Completed || job.state.is_unfinished(),
            Err(Error::NotFound { .. }) => false,
            Err(_) => true,
        };
        if needed {
            return;
        }
        for key in keys {
            if let Err(error) = self.shared.storage.delete(key).await {
                tracing::warn!(%error, key, "a report that nobody needs could not be removed");
            }
        }
    }
}

/// Files that the team announced and never sent.
async fn absent(catalogue: &Catalogue, dataset_id: i64) -> Result<Vec<String>, Trouble> {
    let mut absent: Vec<String> = Vec::new();
    loop {
        let after = absent.last().map(String::as_str);
        let page = catalogue.missing_files(dataset_id, after, PAGE).await?;
        if page.is_empty() {
            return Ok(absent);
        }
        absent.extend(page.into_iter().map(|file| file.path));
    }
}

fn judge(
    dataset: &Dataset,
    entries: Vec<Entry>,
    absent: Vec<String>,
    validator: &Arc<Validator>,
) -> Result<Report, Trouble> {
    let settings = validator.settings();
    let items: Vec<Item> = entries.iter().map(|entry| entry.item.clone()).collect();
    let tables = Tables::of(dataset.source(), &items, None, settings);
    // A table that the storage did not give is no finding.
    dataset.is_sound()?;
    let defects = dataset.source().defects();
    Ok(conclude(Whole { entries, partial: false, defects, tables, absent }, settings))
}

fn documents(
    report: &Report,
    dataset: &Dataset,
    validator: &Arc<Validator>,
) -> Result<Vec<Document>, Trouble> {
    let options = RenderOptions::default();
    let document = |format| {
        let mut bytes = Vec::new();
        let look = validator.second_look(dataset.source());
        let pixels: Option<Pixels<'_>> = Some(&look);
        write_report(report, format, &options, pixels, &mut bytes)
            .map_err(|_| Trouble::lasting("the report cannot be written"))?;
        let name = format!("report.{}", format.endings()[0]);
        Ok(Document { name, content_type: format.media_type().to_owned(), bytes })
    };
    let digest = serde_json::to_vec(&Digest::of(report))
        .map_err(|_| Trouble::lasting("the report cannot be written"))?;
    let digest = Document {
        name: DIGEST.to_owned(),
        content_type: ReportFormat::Json.media_type().to_owned(),
        bytes: digest,
    };
    FORMATS.into_iter().map(document).chain([Ok(digest)]).collect()
}

/// What lists and the status page say of a report.
fn summary(report: &Report) -> serde_json::Value {
    let failed = |file: &&luna_core::report::FileEntry| {
        file.findings.iter().any(|it| it.severity == Severity::Error && !it.excepted)
    };
    let patients =
        report.files.iter().filter_map(|file| file.facts.dicom.as_ref()?.patient.as_deref());
    serde_json::json!({
        "valid": report.verdict == luna_core::report::Verdict::Pass,
        "verdict": report.verdict,
        "counts": report.counts,
        "files_checked": report.dataset.files,
        "images": report.dataset.images,
        "patients": patients.collect::<BTreeSet<_>>().len(),
        "files_failed": report.files.iter().filter(failed).count(),
    })
}
