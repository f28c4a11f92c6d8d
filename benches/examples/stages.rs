//! What each stage costs, in CPU time, on the files of a folder: `cargo run --release --example stages
//! -p luna-benches -- FOLDER [ENDING...]`. One thread; each stage runs over all files by itself, and
//! the cheapest of five rounds counts.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cpu_time::ProcessTime;
use luna_core::decode::{Image, Samples, decode};
use luna_core::measure::measure;
use luna_core::probe::{Flaws, probe};
use luna_core::{Limits, Settings, examine};
use sha2::{Digest as _, Sha256};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned()));
    let endings: Vec<String> = arguments.collect();
    let mut files = Vec::new();
    collect(&folder, &endings, &mut files)?;
    let (settings, limits) = (Settings::default(), Limits::default());
    let decoded = |bytes: &[u8]| -> Option<Image> {
        decode(bytes, &probe(bytes, &limits), &limits, &mut Flaws::new())
    };
    // What cannot be decoded whole would make the other stages look cheap.
    files.retain(|bytes| decoded(bytes).is_some_and(|image| image.is_complete()));
    let bytes: usize = files.iter().map(Vec::len).sum();
    let pixels: u64 = files
        .iter()
        .filter_map(|bytes| decoded(bytes))
        .map(|image| image.geometry.samples() / u64::from(image.geometry.channels))
        .sum();
    println!("{} files, {:.1} MB, {:.1} MP", files.len(), bytes as f64 / 1e6, pixels as f64 / 1e6);

    let report = |stage: &str, time: Duration| {
        let ms = time.as_secs_f64() * 1e3;
        println!("{stage:<10} {ms:>9.1} ms  {:>7.2} ns a pixel", ms * 1e6 / pixels as f64);
    };
    report(
        "sha-256",
        cheapest(&files, |bytes| {
            black_box(Sha256::digest(bytes));
        }),
    );
    report("probe", cheapest(&files, |bytes| drop(black_box(probe(bytes, &limits)))));
    report("decode", cheapest(&files, |bytes| drop(black_box(decoded(bytes)))));
    report("floor", files.iter().filter_map(|bytes| Some(floor(bytes, &decoded(bytes)?))).sum());
    let mut measured = Duration::ZERO;
    for bytes in &files {
        if let Some(image) = decoded(bytes) {
            measured += (0..ROUNDS)
                .map(|_| timed(|| drop(black_box(measure(&image)))))
                .min()
                .unwrap_or_default();
        }
    }
    report("measure", measured);
    report("examine", cheapest(&files, |bytes| drop(black_box(examine(bytes, &settings)))));
    Ok(())
}

/// What no program can do without that reports what LUNA reports: the file's SHA-256, the pixels'
/// BLAKE3 and how often each value occurs. Of 16-bit samples only.
fn floor(bytes: &[u8], image: &Image) -> Duration {
    let Samples::U16(samples) = &image.samples else { return Duration::ZERO };
    let canonical: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut counts = vec![0_u32; 1 << 16];
    let least = |work: &mut dyn FnMut()| (0..ROUNDS).map(|_| timed(&mut *work)).min();
    let times = [
        least(&mut || {
            black_box(Sha256::digest(bytes));
        }),
        least(&mut || {
            black_box(blake3::hash(&canonical));
        }),
        least(&mut || samples.iter().for_each(|sample| counts[usize::from(*sample)] += 1)),
    ];
    times.into_iter().flatten().sum()
}

/// The least CPU time that `work` takes over all files.
fn cheapest(files: &[Vec<u8>], mut work: impl FnMut(&[u8])) -> Duration {
    let round = |_| timed(|| files.iter().for_each(|bytes| work(bytes)));
    (0..ROUNDS).map(round).min().unwrap_or_default()
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = ProcessTime::now();
    work();
    started.elapsed()
}

fn collect(folder: &Path, endings: &[String], files: &mut Vec<Vec<u8>>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|it| it.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        let name = path.to_string_lossy();
        if path.is_dir() {
            collect(&path, endings, files)?;
        } else if endings.is_empty() || endings.iter().any(|ending| name.ends_with(ending.as_str()))
        {
            files.push(std::fs::read(&path)?);
        }
    }
    Ok(())
}
