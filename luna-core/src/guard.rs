//! Panics of decoders and rules, caught and kept off the terminal.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; `None` if it panics. The panic prints nothing, since its message may hold text from
/// the file.
///
/// A stack overflow or a failed allocation cannot be caught; those are prevented elsewhere.
pub(crate) fn quiet<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A fuzzer wants to see the panic where it is.
            if !QUIET.get() || cfg!(feature = "fuzzing") {
                loud(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    result.ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_panic_is_caught_and_the_thread_goes_on() {
        assert_eq!(super::quiet(|| -> u8 { panic!("secret") }), None);
        assert_eq!(super::quiet(|| 7), Some(7));
    }
}
