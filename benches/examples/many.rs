//! Many different radiographs of mixed sizes and formats, for measuring memory:
//! `cargo run --release -p luna-benches --example many -- FOLDER COUNT`.

use std::path::PathBuf;

use luna_fixtures::Recipe;

/// Files made at a time.
const BATCH: usize = 200;
const FORMATS: &[&str] = &[
    "format = \"png\"\nbits = 8",
    "format = \"jpeg\"\nbits = 8\nquality = 90",
    "format = \"dicom\"\nbits = 12\ntransfer_syntax = \"explicit\"",
    "format = \"dicom\"\nbits = 12\ntransfer_syntax = \"rle\"",
    "format = \"png\"\nbits = 16",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("usage: many FOLDER COUNT".into());
    };
    let (folder, count) = (PathBuf::from(folder), count.parse::<usize>()?);
    std::fs::create_dir_all(&folder)?;
    for start in (0..count).step_by(BATCH) {
        let recipe: String = (start..count.min(start + BATCH)).map(file).collect();
        Recipe::parse(&recipe)?.write_to(&folder)?;
    }
    Ok(())
}

fn file(number: usize) -> String {
    let format = FORMATS[number % FORMATS.len()];
    // Mostly small, a few large: 96 to 1,024 pixels a side.
    let (width, height) = match number % 100 {
        0 => (1_024, 1_024),
        1..10 => (320, 400),
        rest => (96 + rest as u32, 128 + rest as u32 % 64),
    };
    format!(
        "[[file]]\npath = \"{:03}/{number:06}\"\npicture = \"chest\"\nseed = {number}\n\
         width = {width}\nheight = {height}\n{format}\n",
        number / 1_000
    )
}
