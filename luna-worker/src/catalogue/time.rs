//! Points in time, as the catalogue keeps them.

use std::fmt;
use std::time::Duration;

/// Microseconds since 1970-01-01T00:00:00Z, by the database's clock: one clock for all hosts.
///
/// ```
/// use luna_worker::catalogue::Moment;
/// assert_eq!(Moment(1_732_492_800_000_000).to_string(), "2024-11-25T00:00:00Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// What RFC 3339 text says, such as `2026-12-01T12:00:00Z` or `2026-12-01T13:00:00.5+01:00`.
    ///
    /// ```
    /// use luna_worker::catalogue::Moment;
    /// let moment = Moment::parse("2024-11-25T01:00:00+01:00");
    /// assert_eq!(moment, Some(Moment(1_732_492_800_000_000)));
    /// assert_eq!(Moment::parse("2024-11-25"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|read| Self(read.as_microsecond()))
    }

    /// The moment this much later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(micros(time)))
    }

    /// The moment this much earlier.
    #[must_use]
    pub fn before(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(micros(time)))
    }

    /// How long after an earlier moment; zero if that one is the later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0).try_into().unwrap_or(0))
    }
}

pub(crate) fn micros(time: Duration) -> i64 {
    time.as_micros().try_into().unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC, with `Z`; as many fractional digits as are needed.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: i64 = 86_400;
        let (seconds, fraction) = (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000));
        let (year, month, day) = date(seconds.div_euclid(DAY));
        let second = seconds.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if fraction > 0 {
            write!(f, ".{}", format!("{fraction:06}").trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Years are taken to begin in March, so that a leap day is the last of its year; 400 of them always
/// have the same number of days.
fn date(day: i64) -> (i64, i64, i64) {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    // 0000-03-01 lies 719,468 days before 1970-01-01.
    let day = day + 719_468;
    let (cycle, day) = (day.div_euclid(DAYS_OF_400_YEARS), day.rem_euclid(DAYS_OF_400_YEARS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // From March on, months of 31, 30, 31, 30, 31 days repeat: 153 days in five.
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + carry, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other_through_eight_hundred_years() {
        let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let mut expected = (1600, 1, 1);
        let first = (0..200_000).map(|back| -back).find(|day| date(*day) == expected).unwrap();
        for day in first..first + 300_000 {
            assert_eq!(date(day), expected);
            let (year, month, of_month) = expected;
            let last = match month {
                2 => 28 + i64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, of_month) {
                (12, 31) => (year + 1, 1, 1),
                (_, of_month) if of_month == last => (year, month + 1, 1),
                _ => (year, month, of_month + 1),
            };
        }
        assert_eq!(date(0), (1970, 1, 1));
    }

    #[test]
    fn moments_are_written_as_short_as_they_can_be() {
        assert_eq!(Moment(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Moment(1_500_000).to_string(), "1970-01-01T00:00:01.5Z");
        assert_eq!(Moment(-1).to_string(), "1969-12-31T23:59:59.999999Z");
    }
}
