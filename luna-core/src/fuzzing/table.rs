//! A manifest: a byte that says how it is written, then its text. Places lie in the table, and what is
//! said of it can be printed.

use std::sync::OnceLock;

use super::{choice, limits};
use crate::profile::Profile;
use crate::rules::Registry;
use crate::settings::Settings;
use crate::table::Table;
use crate::text::is_unsafe;

const NAMES: [&str; 5] = ["manifest.json", "manifest.csv", "manifest.tsv", "SHA256SUMS", "other"];

pub(super) fn check(bytes: &[u8]) {
    let Some((first, text)) = choice(bytes) else { return };
    let name = NAMES[usize::from(first) % NAMES.len()];
    let Some(table) = Table::manifest(name, text, settings()) else { return };
    assert!(table.rows().len() <= text.len(), "more rows than bytes");
    let mut count = 0;
    for complaint in table.complaints().iter() {
        count += 1;
        for said in [Some(&complaint.message), complaint.found.as_ref()].into_iter().flatten() {
            let harmful = said.chars().find(|c| is_unsafe(*c));
            assert_eq!(harmful, None, "{said:?}");
            assert!(said.len() <= 4_096, "{} bytes of complaint", said.len());
        }
    }
    assert!(count <= 10_000, "{count} complaints");
    let again = Table::manifest(name, text, settings()).expect("as before");
    assert_eq!(again.rows().len(), table.rows().len(), "two readings, two tables");
    assert!(
        again
            .complaints()
            .iter()
            .map(|it| &it.message)
            .eq(table.complaints().iter().map(|it| &it.message))
    );
}

fn settings() -> &'static Settings {
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        let mut profile = Profile::builtin("default").expect("it is built in");
        profile.limits = limits();
        Settings::new(profile, Registry::default()).expect("the profile is sound")
    })
}
