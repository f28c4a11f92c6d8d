//! A whole set: what `conclude` does with the records of 1,000 to 100,000 pictures.
#![expect(clippy::expect_used, reason = "a bench without its input has nothing to say")]

use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use luna_benches::entries;
use luna_core::Settings;
use luna_core::conclude::{Whole, conclude};

fn sets(criterion: &mut Criterion) {
    let settings = Settings::default();
    let mut group = criterion.benchmark_group("conclude");
    group.sample_size(10).warm_up_time(Duration::from_millis(500));
    for count in [1_000, 10_000, 100_000] {
        let made = entries(count).expect("synthetic records");
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::from_parameter(count), &made, |run, made| {
            run.iter_batched(
                || made.clone(),
                |entries| conclude(Whole::of(entries), &settings),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, sets);
criterion_main!(benches);
