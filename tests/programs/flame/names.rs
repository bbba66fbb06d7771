// Names as Rust has them. Usage: names_rs SECONDS

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
    let seconds: f64 = std::env::args().nth(1).map_or(1.0, |s| s.parse().unwrap());
    // A round takes some 8 ms: work is what is asked for, so that a busy machine does as much.
    let rounds = (seconds * 125.0) as u64;
    let mut sum = 0u64;
    for _ in 0..rounds {
        sum = sum.wrapping_add(kiln::Oven(1u8).burn(TURNS));
        sum = sum.wrapping_add(kiln::simmer(TURNS));
    }
    std::hint::black_box(sum);
}
