//! Findings of finished reports, for questions: by rule, severity, path, page by page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use luna_core::{Finding, Report, Severity};
use sqlx::AssertSqlSafe;

use super::engine::{Row, Tx, Value, places, values};
use super::{Catalogue, Error, Result};

/// Rows a statement.
const BATCH: usize = 500;

/// Which findings are wanted.
#[derive(Clone, Debug, Default)]
pub struct FindingFilter {
    /// Of this rule.
    pub rule: Option<String>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Of this file.
    pub path: Option<String>,
    /// Those behind this position: the last one of the page before.
    pub after: Option<u64>,
}

/// A finding and its place in the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFinding {
    /// Place among the report's findings, from 0: the cursor of the next page.
    pub position: u64,
    /// The finding.
    pub finding: Finding,
}

impl Catalogue {
    /// Findings of a completed job, in the report's order.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn findings(
        &self,
        job_id: i64,
        filter: &FindingFilter,
        limit: u32,
    ) -> Result<Vec<StoredFinding>> {
        // One text for each set of questions, so that each can use its index.
        let index = match (&filter.path, &filter.rule) {
            (Some(_), _) => self.db.by_index("findings_by_path"),
            (None, Some(_)) => self.db.by_index("findings_by_rule"),
            (None, None) => String::new(),
        };
        let mut sql = format!(
            "SELECT position, body FROM findings{index} WHERE job_id = $1 AND position > $2"
        );
        let after = filter.after.map_or(-1, |after| i64::try_from(after).unwrap_or(i64::MAX));
        let mut all = values![job_id, after];
        let severity = filter.severity.map(Severity::as_str);
        let asked = [
            ("rule", filter.rule.as_deref()),
            ("severity", severity),
            ("path", filter.path.as_deref()),
        ];
        for (column, wanted) in asked {
            if let Some(wanted) = wanted {
                all.push(Value::from(wanted));
                let _ = write!(sql, " AND {column} = ${}", all.len());
            }
        }
        all.push(Value::from(i64::from(limit)));
        let _ = write!(sql, " ORDER BY position LIMIT ${}", all.len());
        self.db.rows(AssertSqlSafe(sql), all).await?.iter().map(stored).collect()
    }

    /// Rules that a completed job found at these files, with their severities: by path.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn rules_at(
        &self,
        job_id: i64,
        paths: &[&str],
    ) -> Result<BTreeMap<String, BTreeSet<(Severity, String)>>> {
        let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let index = self.db.by_index("findings_by_path");
        for batch in paths.chunks(BATCH) {
            let sql = format!(
                "SELECT DISTINCT path, severity, rule FROM findings{index}
                 WHERE path IN {} AND job_id = ${}",
                places(1, batch.len()),
                batch.len() + 1
            );
            let mut all: Vec<Value> = batch.iter().map(|path| Value::from(*path)).collect();
            all.push(Value::from(job_id));
            for row in self.db.rows(AssertSqlSafe(sql), all).await? {
                let (path, severity): (String, String) = (row.get("path")?, row.get("severity")?);
                let severity = Severity::ALL.into_iter().find(|it| it.as_str() == severity);
                let severity = severity.ok_or_else(|| Error::corrupt("an unknown severity"))?;
                found.entry(path).or_default().insert((severity, row.get("rule")?));
            }
        }
        Ok(found)
    }
}

/// Keeps the findings of a report.
pub(super) async fn insert(tx: &mut Tx, job_id: i64, report: &Report) -> Result<()> {
    let findings: Vec<&Finding> = report.all_findings().collect();
    for (number, batch) in findings.chunks(BATCH).enumerate() {
        let mut all = Vec::with_capacity(batch.len() * 6);
        for (place, finding) in batch.iter().enumerate() {
            let body = serde_json::to_string(finding)
                .map_err(|_| Error::Invalid { what: "a finding cannot be written as JSON" })?;
            all.extend(values![
                job_id,
                number * BATCH + place,
                &*finding.rule,
                finding.severity.as_str(),
                finding.path.as_deref().map(without_nul),
                body,
            ]);
        }
        let sql = format!(
            "INSERT INTO findings (job_id, position, rule, severity, path, body) VALUES {}",
            places(batch.len(), 6)
        );
        tx.run(AssertSqlSafe(sql), all).await?;
    }
    Ok(())
}

/// Names in archives may hold what a text column cannot; JSON escapes it, this is for the index.
pub(super) fn without_nul(path: &str) -> String {
    path.replace('\0', "\u{fffd}")
}

fn stored(row: &Row) -> Result<StoredFinding> {
    let body: String = row.get("body")?;
    let finding = serde_json::from_str(&body)
        .map_err(|_| Error::corrupt("a finding is not as it was written"))?;
    Ok(StoredFinding { position: row.count("position")?, finding })
}
