//! Runs the target that `LUNA_FUZZ` names; `LUNA_FUZZ=list` lists all.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use luna_core::fuzzing::{TARGETS, Target};

static CHOSEN: OnceLock<Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("LUNA_FUZZ").unwrap_or_default();
        if name == "list" {
            TARGETS.iter().for_each(|target| println!("{}", target.name));
            std::process::exit(0);
        }
        let target = TARGETS.iter().find(|target| target.name == name);
        CHOSEN.get_or_init(|| *target.expect("LUNA_FUZZ names a target; `list` lists them"));
    },
    |bytes: &[u8]| {
        if let Some(target) = CHOSEN.get() {
            (target.check)(bytes);
        }
    }
);
