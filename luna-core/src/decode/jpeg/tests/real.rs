//! The real chest JPEGs that builders share: whole, cut, and damaged.

use super::*;
use crate::probe::Rows;
use crate::probe::jpeg::Process;

/// Names and bytes; none where the files are absent.
fn files() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/cxr");
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("skipped: no shared data beside the repository");
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()))
        .filter(|(_, bytes)| bytes.starts_with(b"\xFF\xD8"))
        .collect();
    files.sort();
    files
}

#[test]
fn intact_files_have_no_flaw_and_another_decoder_sees_the_same_luma() {
    for (name, bytes) in files() {
        let (flaws, image) = examine(&bytes);
        assert_eq!(flaws, [], "{name}");
        assert!(image.unwrap().is_complete());
        let frame = decode_frame(&bytes, &Limits::default(), &mut Flaws::new()).unwrap();
        let luma = frame.samples.iter().step_by(frame.channels.into());
        let theirs = by_zune(&bytes, ColorSpace::Luma);
        assert_eq!(theirs.len(), luma.len(), "{name}");
        let worst = luma.zip(&theirs).map(|(own, other)| own.abs_diff(*other)).max();
        assert!(worst <= Some(1), "{name}: off by {worst:?}");
    }
}

#[test]
fn without_eoi_only_the_end_marker_is_missing() {
    for (name, bytes) in files() {
        let end = last_scan(&bytes).end;
        for kept in [end, end + 1] {
            let (flaws, image) = examine(&bytes[..kept]);
            assert!(
                matches!(flaws.as_slice(), [Flaw::NoEndMarker { what: "EOI", .. }]),
                "{name}: {flaws:?}"
            );
            assert!(image.unwrap().is_complete(), "{name}");
        }
    }
}

#[test]
fn a_cut_file_stops_at_a_plausible_row() {
    for (name, bytes) in files() {
        let scan = last_scan(&bytes);
        let (_, whole) = examine(&bytes);
        for percent in [10, 50, 90, 99] {
            let kept = scan.start + scan.len() * percent / 100;
            let (flaws, image) = examine(&bytes[..kept]);
            let [Flaw::Truncated { what, offset, rows: Some(Rows { stopped, of }), .. }] =
                flaws.as_slice()
            else {
                panic!("{name} at {percent} %: {flaws:?}");
            };
            // Zeros before the cut, which one file has, count as never written.
            let zeros = &bytes[*offset as usize..kept];
            assert!(what.starts_with("scan") && zeros.iter().all(|&byte| byte == 0), "{name}");
            let share = f64::from(*stopped) / f64::from(*of);
            let wanted = (kept - zeros.len() - scan.start) as f64 / scan.len() as f64;
            assert!((share - wanted).abs() < 0.35, "{name}: {share} at {percent} %");
            let (Some(image), Some(whole)) = (image, &whole) else { continue };
            assert!(!image.is_complete(), "{name}");
            if image.geometry.channels != whole.geometry.channels {
                continue;
            }
            // The last row may be blended with chroma that is missing.
            let row = image.geometry.width as usize * usize::from(image.geometry.channels);
            let certain = (image.rows_decoded as usize).saturating_sub(1) * row;
            let (own, all) = (&samples(&image)[..certain], &samples(whole)[..certain]);
            if jpeg::frame_header(&bytes).unwrap().process == Process::Progressive {
                let off: u64 = own.iter().zip(all).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
                assert!(off <= 8 * certain as u64, "{name}: {off} in {certain}");
            } else {
                assert!(own == all, "{name}");
            }
        }
    }
}

/// Damages each file in many places and gives the share of damage that was found.
fn found(files: &[(String, Vec<u8>)], damage: impl Fn(&mut Vec<u8>, usize)) -> (usize, usize) {
    let (mut tries, mut found) = (0, 0);
    for (_, bytes) in files {
        let scan = last_scan(bytes);
        for part in [2, 5, 8] {
            let mut bytes = bytes.clone();
            damage(&mut bytes, scan.start + scan.len() * part / 10);
            tries += 1;
            found += usize::from(!walk(&bytes).is_empty());
        }
    }
    (found, tries)
}

#[test]
fn nearly_all_damage_within_the_coded_data_is_found() {
    let files = files();
    if files.is_empty() {
        return;
    }
    let cut = found(&files, |bytes, at| {
        bytes.drain(at..(at + 1_024).min(bytes.len() - 2));
    });
    let zeroed = found(&files, |bytes, at| bytes[at..].fill(0));
    let flipped = found(&files, |bytes, at| bytes[at] ^= 0xFF);
    let one_bit = found(&files, |bytes, at| bytes[at] ^= 0x10);
    let added = found(&files, |bytes, at| bytes.splice(at..at, [0x5A; 16]).for_each(drop));
    assert_eq!((cut.0, zeroed.0), (cut.1, zeroed.1), "1 KB cut out, tail zeroed");
    // A changed bit mostly turns one good code into another; only a checksum shows the rest.
    assert!(flipped.0 * 4 > flipped.1 && added.0 * 3 > added.1);
    eprintln!(
        "cut {cut:?} zeroed {zeroed:?} flipped {flipped:?} one bit {one_bit:?} added {added:?}"
    );
}
