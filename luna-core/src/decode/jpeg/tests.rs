use super::*;
use crate::probe::probe;

/// Names and bytes of the real JPEGs that are shared between builders; none where they are absent.
fn real() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/cxr");
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("skipped: no {folder}");
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .filter(|(_, bytes)| bytes.starts_with(b"\xFF\xD8"))
        .collect();
    files.sort();
    files
}

fn examine(bytes: &[u8]) -> (Flaws, Option<Image>) {
    let limits = Limits::default();
    let found = probe(bytes, &limits);
    let mut flaws = found.flaws.clone();
    let image = super::super::decode(bytes, &found, &limits, &mut flaws);
    (flaws, image)
}

#[test]
fn intact_files_have_no_flaw() {
    for (name, bytes) in real() {
        let (flaws, image) = examine(&bytes);
        eprintln!("{name} {flaws:?} {}", image.as_ref().map_or(0, |i| i.geometry.channels));
        assert!(image.unwrap().is_complete());
    }
}
