//! What the benches run on: synthetic radiographs in every format, synthetic records. The same on
//! every machine, and no picture of a person.

use luna_core::conclude::Entry;
use luna_core::source::Item;
use luna_core::{Descriptor, Digest, KeyedIdentity, Settings, examine};
use luna_fixtures::random::Random;
use luna_fixtures::{Entry as Made, Recipe, RecipeError};

/// A file to examine.
#[derive(Debug)]
pub struct Input {
    /// Format and depth, as in `png-16`.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Names of the formats, with what a recipe says of them.
const FORMATS: &[(&str, &str)] = &[
    ("png-8", "format = \"png\"\nbits = 8"),
    ("png-16", "format = \"png\"\nbits = 16"),
    ("jpeg", "format = \"jpeg\"\nbits = 8\nquality = 90"),
    ("jpeg-progressive", "format = \"jpeg\"\nbits = 8\nquality = 90\nprogressive = true"),
    ("tiff-16", "format = \"tiff\"\nbits = 16"),
    ("bmp", "format = \"bmp\"\nbits = 8"),
    ("dicom-native", "format = \"dicom\"\nbits = 12\ntransfer_syntax = \"explicit\""),
    ("dicom-rle", "format = \"dicom\"\nbits = 12\ntransfer_syntax = \"rle\""),
    ("dicom-jpeg", "format = \"dicom\"\nbits = 8\ntransfer_syntax = \"jpeg\"\nquality = 90"),
];

/// A chest radiograph of `side` times `side` pixels in each format.
///
/// # Errors
/// If `luna-fixtures` no longer takes these recipes.
pub fn inputs(side: u32) -> Result<Vec<Input>, RecipeError> {
    let file = |(name, format): &(&str, &str)| {
        format!(
            "[[file]]\npath = \"{name}\"\npicture = \"chest\"\nwidth = {side}\nheight = {side}\n{format}\n"
        )
    };
    let recipe = FORMATS.iter().map(file).collect::<String>();
    let made = Recipe::parse(&recipe)?.build()?;
    let inputs = made.into_iter().filter_map(|(name, entry)| match entry {
        Made::File(bytes) => Some(Input { name, bytes }),
        Made::Link(_) => None,
    });
    Ok(inputs.collect())
}

/// Pictures of one projection look alike: hashes of a group differ in about a quarter of their bits.
const GROUP: usize = 50;
/// One in so many is a changed copy of the one before it: a few bits differ.
const COPY: usize = 100;

/// Records of `count` pictures as a large set has them: groups that look alike, a few copies.
///
/// # Errors
/// If `luna-fixtures` no longer makes a picture.
pub fn entries(count: usize) -> Result<Vec<Entry>, RecipeError> {
    let settings = Settings::default();
    let bytes = inputs(256)?.into_iter().find(|input| input.name == "dicom-native");
    let template = examine(&bytes.map(|input| input.bytes).unwrap_or_default(), &settings);
    let mut random = Random::new(1, 0);
    let mut centre = [0; 32];
    let mut last = [0; 32];
    let mut made = Vec::with_capacity(count);
    for number in 0..count {
        if number % GROUP == 0 {
            centre = digest(&mut random);
        }
        let few = if number % COPY == COPY - 1 { last } else { centre };
        let flips = if number % COPY == COPY - 1 { 4 } else { 64 };
        last = flipped(few, flips, &mut random);
        let mut record = template.clone();
        record.facts.sha256 = Some(digest(&mut random).into());
        record.facts.fingerprints.pixels = Some(digest(&mut random).into());
        record.facts.fingerprints.perceptual = Some(last.into());
        let keyed = |number: usize| Some(Digest::from(numbered(number)));
        record.identity = Some(Box::new(KeyedIdentity {
            patient: keyed(number / 3),
            study: keyed(number / 2),
            series: keyed(number),
            instance: keyed(number),
            ..KeyedIdentity::default()
        }));
        record.descriptor = record.descriptor.and_then(|descriptor| {
            let noise = |value: u8| value.wrapping_add((random.bits() & 63) as u8);
            Descriptor::new(&descriptor.values().into_iter().map(noise).collect::<Vec<u8>>())
        });
        let path = format!("images/{:03}/{number:07}.dcm", number / 1_000);
        made.push(Entry {
            item: Item::file(path.as_str(), record.facts.size_bytes),
            record: record.into(),
        });
    }
    Ok(made)
}

fn digest(random: &mut Random) -> [u8; 32] {
    std::array::from_fn(|_| random.bits() as u8)
}

fn numbered(number: usize) -> [u8; 32] {
    let mut bytes = [0; 32];
    if let Some((_, last)) = bytes.split_last_chunk_mut() {
        *last = (number as u64).to_be_bytes();
    }
    bytes
}

/// Flips up to `count` of the first 255 bits.
fn flipped(mut hash: [u8; 32], count: usize, random: &mut Random) -> [u8; 32] {
    for _ in 0..count {
        let bit = random.bits() as usize % 255;
        if let Some(byte) = hash.get_mut(bit / 8) {
            *byte ^= 0x80 >> (bit % 8);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_made_and_decoded() {
        let settings = Settings::default();
        for input in inputs(256).unwrap() {
            let record = examine(&input.bytes, &settings);
            assert!(record.facts.is_decoded_image(), "{}: {:?}", input.name, record.findings);
        }
    }

    #[test]
    fn entries_are_many_different_pictures() {
        let made = entries(300).unwrap();
        let hashes: std::collections::BTreeSet<_> =
            made.iter().map(|entry| &entry.record.facts.fingerprints.perceptual).collect();
        assert_eq!((made.len(), hashes.len()), (300, 300));
        assert!(made.iter().all(|entry| entry.record.descriptor.is_some()));
    }
}
