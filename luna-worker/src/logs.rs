//! What of the log is never written, whoever asks for it.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Libraries that write credentials or signed addresses into their finer lines and spans. Names are
/// beginnings of targets.
const DISCREET: [&str; 5] =
    ["reqsign=warn", "opendal=info", "hyper=info", "reqwest=info", "h2=info"];

/// The filter for these directives of the user's (a level, or tracing's own), except for what libraries
/// would tell of secrets.
///
/// ```
/// let filter = luna_worker::logs::filter("debug")?;
/// assert!(filter.to_string().contains("reqsign=warn"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If they are no directives.
pub fn filter(directives: &str) -> Result<EnvFilter, ParseError> {
    let mut filter = EnvFilter::try_new(directives)?;
    for directive in DISCREET {
        filter = filter.add_directive(directive.parse()?);
    }
    Ok(filter)
}
