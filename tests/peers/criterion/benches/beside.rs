// Ten benchmarks whose stored samples both perfkit and Criterion analyse.
use criterion::{black_box, criterion_group, criterion_main, Criterion};

fn work(n: u64) -> u64 {
    (0..n).fold(1, |x: u64, i| black_box(x).wrapping_mul(6364136223846793005).wrapping_add(i))
}

fn beside(c: &mut Criterion) {
    let mut group = c.benchmark_group("beside");
    for n in 1..=10u64 {
        group.bench_function(format!("work{}", n), |b| b.iter(|| work(black_box(100 * n))));
    }
    group.finish();
}

criterion_group!(benches, beside);
criterion_main!(benches);
