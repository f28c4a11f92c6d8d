//! A short run of every target on any toolchain: seeds, seeds with a few bytes changed the same way
//! every time, and the inputs that once broke an invariant.

use std::path::{Path, PathBuf};

use luna_fixtures::{Entry, Recipe};

use super::{CODESTREAMS, TARGETS, Target};

/// Changed copies of each seed.
const COPIES: u64 = 60;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn seeds() -> Vec<(String, Vec<u8>)> {
    let recipe = Recipe::load(&fuzz_folder().join("seeds.toml")).unwrap();
    let made = recipe.build().unwrap().into_iter().filter_map(|(path, entry)| match entry {
        Entry::File(bytes) => Some((path, bytes)),
        Entry::Link(_) => None,
    });
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/codestreams");
    let kept = std::fs::read_dir(folder).unwrap().map(|file| {
        let file = file.unwrap();
        let name = format!("{CODESTREAMS}/{}", file.file_name().display());
        (name, std::fs::read(file.path()).unwrap())
    });
    made.chain(kept).collect()
}

/// Numbers that look random and are the same on every machine (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// One to four changes: a bit, a byte, a number at its edge, a cut, a copy of a piece.
fn changed(bytes: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(out.len());
        match numbers.below(6) {
            0 => out.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << numbers.below(8)),
            1 => out.iter_mut().skip(at).take(1).for_each(|byte| *byte = numbers.below(256) as u8),
            2 => out.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0xff),
            3 => out.iter_mut().skip(at).take(2).for_each(|byte| *byte = 0),
            4 => out.truncate(at),
            _ => {
                let end = (at + numbers.below(64)).min(out.len());
                let piece = out[at..end].to_vec();
                let to = numbers.below(out.len());
                out.splice(to..to, piece);
            }
        }
    }
    out
}

/// Runs a check and names the input that breaks it.
fn hold(target: &Target, name: &str, bytes: &[u8]) {
    let broken = std::panic::catch_unwind(|| (target.check)(bytes)).is_err();
    assert!(!broken, "{}: {name} breaks it: {}", target.name, hex::encode(bytes));
}

#[test]
fn seeds_and_their_changed_copies_break_nothing() {
    let seeds = seeds();
    for target in TARGETS {
        let own =
            |path: &str| target.seeds.iter().any(|folder| path.starts_with(&format!("{folder}/")));
        let chosen: Vec<_> = seeds.iter().filter(|(path, _)| own(path)).collect();
        assert!(!chosen.is_empty(), "{} has no seeds", target.name);
        for (path, bytes) in chosen {
            hold(target, path, bytes);
            let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
            for copy in 0..COPIES {
                hold(target, &format!("copy {copy} of {path}"), &changed(bytes, &mut numbers));
            }
        }
    }
}

#[test]
fn what_once_broke_a_target_breaks_none() {
    let mut count = 0;
    for target in TARGETS {
        let folder = fuzz_folder().join("regressions").join(target.name);
        for file in std::fs::read_dir(folder).into_iter().flatten() {
            let file = file.unwrap().path();
            hold(target, &file.display().to_string(), &std::fs::read(&file).unwrap());
            count += 1;
        }
    }
    println!("{count} regressions");
}

#[test]
fn targets_have_names_of_their_own_in_order() {
    assert!(TARGETS.is_sorted_by(|one, next| one.name < next.name));
}
