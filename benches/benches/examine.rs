//! One file: all that `examine` does, and decoding alone beside it, in one run.
#![expect(clippy::expect_used, reason = "a bench without its input has nothing to say")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use luna_benches::inputs;
use luna_core::decode::decode;
use luna_core::probe::{Flaws, probe};
use luna_core::{Settings, examine};

fn files(criterion: &mut Criterion) {
    let settings = Settings::default();
    for side in [512, 1_024, 2_048] {
        let mut group = criterion.benchmark_group(format!("{side} px"));
        group.throughput(Throughput::Elements(u64::from(side) * u64::from(side)));
        group.sample_size(10).warm_up_time(Duration::from_millis(500));
        group.measurement_time(Duration::from_secs(2));
        for input in inputs(side).expect("synthetic radiographs") {
            let bytes = input.bytes.as_slice();
            group.bench_with_input(BenchmarkId::new("decode", &input.name), bytes, |run, bytes| {
                run.iter(|| {
                    let mut flaws = Flaws::new();
                    let found = probe(bytes, settings.limits());
                    black_box(decode(bytes, &found, settings.limits(), &mut flaws))
                });
            });
            group.bench_with_input(
                BenchmarkId::new("examine", &input.name),
                bytes,
                |run, bytes| {
                    run.iter(|| black_box(examine(bytes, &settings)));
                },
            );
        }
        group.finish();
    }
}

criterion_group!(benches, files);
criterion_main!(benches);
