//! Exceptions of a profile that have run out. Reports do not know today's date; the command does.

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use luna_core::Profile;

/// Reminds on stderr of exceptions whose last day has come.
pub(super) fn print(profile: &Profile) {
    for reminder in due(profile, &today()) {
        // Without stderr there is nobody to remind.
        let _ = writeln!(anstream::stderr(), "reminder: {reminder}");
    }
}

fn due(profile: &Profile, today: &str) -> Vec<String> {
    let ended = profile.exceptions.iter().filter_map(|exception| {
        let until = exception.until.as_deref().filter(|until| *until <= today)?;
        Some(format!(
            "the exception of {} for {} was to last until {until} ({})",
            exception.rules.join(", "),
            exception.paths.join(", "),
            exception.reason
        ))
    });
    ended.collect()
}

/// Today's date in UTC, `YYYY-MM-DD`.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    date(seconds / 86_400)
}

/// The Gregorian date of a day counted from 1970-01-01.
fn date(mut days: u64) -> String {
    let mut year = 1970;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days + 1)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(19_722), "2023-12-31");
        assert_eq!(date(20_781), "2026-11-24");
    }

    #[test]
    fn an_exception_reminds_from_its_last_day_on() {
        let text = "[[exceptions]]\nrules = [\"LP003\"]\npaths = [\"film/**\"]\n\
                    reason = \"scanned film\"\nuntil = 2027-01-31\n";
        let profile = Profile::parse(text, "ours").unwrap();
        assert!(due(&profile, "2027-01-30").is_empty());
        let reminders = due(&profile, "2027-01-31");
        assert!(reminders[0].contains("LP003 for film/**"), "{reminders:?}");
    }
}
