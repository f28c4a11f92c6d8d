//! Ctrl-C: the first one ends the run in order, the second one at once.

use std::io::Write as _;
use std::sync::OnceLock;

use luna_core::CancelToken;

use super::Exit;

/// The token that Ctrl-C (or SIGTERM, SIGHUP) cancels; the process has one.
pub(super) fn token() -> &'static CancelToken {
    static TOKEN: OnceLock<CancelToken> = OnceLock::new();
    TOKEN.get_or_init(|| {
        let token = CancelToken::default();
        let seen = token.clone();
        // Where no handler can be set, Ctrl-C ends the process as usual.
        let _ = ctrlc::set_handler(move || interrupt(&seen));
        token
    })
}

fn interrupt(token: &CancelToken) {
    if token.is_cancelled() {
        #[expect(clippy::exit, reason = "the user asked twice and wants no more waiting")]
        std::process::exit(Exit::Interrupted.code().into());
    }
    token.cancel();
    let _ = writeln!(
        anstream::stderr(),
        "\nstopping when what is in work allows it; Ctrl-C again quits at once"
    );
}
