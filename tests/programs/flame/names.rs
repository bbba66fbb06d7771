// Names as Rust has them. Usage: names_rs SECONDS
use std::time::{Duration, Instant};

const TURNS: u64 = 400_000;

#[inline(always)]
fn spin(turns: u64) -> u64 {
    let mut x = turns | 1;
    for _ in 0..turns {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x = std::hint::black_box(x);
    }
    x
}

mod kiln {
    pub trait Burn {
        fn burn(&self, turns: u64) -> u64;
    }
    pub struct Oven<T>(pub T);
    impl<T> Burn for Oven<T> {
        #[inline(never)]
        fn burn(&self, turns: u64) -> u64 {
            super::spin(7 * turns)
        }
    }
    #[inline(never)]
    pub fn simmer(turns: u64) -> u64 {
        super::spin(3 * turns)
    }
}

fn main() {
    use kiln::Burn;
    let seconds = std::env::args().nth(1).map_or(1.0, |s| s.parse().unwrap());
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut sum = 0u64;
    while Instant::now() < end {
        sum = sum.wrapping_add(kiln::Oven(1u8).burn(TURNS));
        sum = sum.wrapping_add(kiln::simmer(TURNS));
    }
    std::hint::black_box(sum);
}
