//! What a team holds, kept beside its name as files come and go: asked at every announcement, it must not be
//! counted anew.

use std::collections::BTreeMap;

use super::engine::{Tx, values};
use super::people::one;
use super::{Catalogue, Result};

/// What a team holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Files of all its data sets, as announced; one that several versions share counts once.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Data sets that are not complete.
    pub open_uploads: u64,
}

/// What came or went in one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    files: i64,
    bytes: i64,
}

impl Change {
    pub(super) fn came(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add_unsigned(bytes);
    }

    pub(super) fn went(&mut self, bytes: u64) {
        self.files -= 1;
        self.bytes = self.bytes.saturating_sub_unsigned(bytes);
    }
}

impl Catalogue {
    /// What a team holds by now; nothing if there is no such team.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn usage(&self, team_id: i64) -> Result<Usage> {
        let sql = "SELECT files_held, bytes_held,
                       (SELECT COUNT(*) FROM datasets d
                        WHERE d.team_id = teams.id AND d.state = 'uploading') AS uploads
                   FROM teams WHERE id = $1";
        let Some(row) = self.db.first(sql, values![team_id]).await? else {
            return Ok(Usage::default());
        };
        let (files, bytes) = (row.count("files_held")?, row.count("bytes_held")?);
        Ok(Usage { files, bytes, open_uploads: row.count("uploads")? })
    }

    /// Counts anew what every team holds: a version of LUNA from before this was kept may still be at work.
    /// The number of teams for which another count was kept comes back.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn recount_usage(&self) -> Result<u64> {
        let mut mended = 0;
        for row in self.db.rows("SELECT id FROM teams ORDER BY id", Vec::new()).await? {
            let team: i64 = row.get("id")?;
            let mut tx = self.db.begin().await?;
            // Locked before it is counted: whoever changes files meanwhile waits, and adds to what is kept.
            let sql = "UPDATE teams SET files_held = files_held WHERE id = $1";
            tx.run(sql, values![team]).await?;
            let sql =
                "SELECT COUNT(*) AS files, CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS bytes
                       FROM (SELECT DISTINCT f.object_key, f.size_bytes FROM files f
                             JOIN datasets d ON d.id = f.dataset_id WHERE d.team_id = $1) held";
            let row = tx.first(sql, values![team]).await?;
            let (files, bytes) =
                one("team", row, |row| Ok((row.count("files")?, row.count("bytes")?)))?;
            let sql = "UPDATE teams SET files_held = $2, bytes_held = $3
                       WHERE id = $1 AND (files_held <> $2 OR bytes_held <> $3)";
            mended += tx.run(sql, values![team, files, bytes]).await?;
            tx.commit().await?;
        }
        Ok(mended)
    }
}

/// Notes what came and went, by team. The last thing a transaction locks, in order of the teams, so that
/// nobody waits in a circle.
pub(super) async fn note(tx: &mut Tx, changes: &BTreeMap<i64, Change>) -> Result<()> {
    for (team, change) in changes.iter().filter(|(_, change)| **change != Change::default()) {
        // What a version from before this was kept did not count must not go below nothing.
        let sql = "UPDATE teams SET
                       files_held = CASE WHEN files_held + $2 > 0 THEN files_held + $2 ELSE 0 END,
                       bytes_held = CASE WHEN bytes_held + $3 > 0 THEN bytes_held + $3 ELSE 0 END
                   WHERE id = $1";
        tx.run(sql, values![*team, change.files, change.bytes]).await?;
    }
    Ok(())
}
