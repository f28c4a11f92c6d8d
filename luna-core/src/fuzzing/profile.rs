//! A profile's text: what is taken can be written and taken again, what is refused is refused in words
//! that can be printed.

use crate::Profile;
use crate::rules::Registry;
use crate::settings::Settings;
use crate::text::is_unsafe;

pub(super) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Profile::parse(text, "fuzzed") {
        Ok(profile) => {
            let written = profile.to_toml();
            let again = Profile::parse(&written, "again");
            let again = again.unwrap_or_else(|error| panic!("{error}\n{written}"));
            assert_eq!(again, profile, "{written}");
            assert_eq!(again.hash(), profile.hash());
            if let Err(error) = Settings::new(profile, Registry::default()) {
                printable(&error.to_string());
            }
        }
        Err(error) => printable(&error.to_string()),
    }
}

fn printable(message: &str) {
    let harmful = message.chars().find(|c| is_unsafe(*c) && *c != '\n');
    assert_eq!(harmful, None, "{message:?}");
}
