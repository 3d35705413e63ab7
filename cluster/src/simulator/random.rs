//! Seeded randomness: the same seed draws the same numbers on every machine.

use super::model::{NOISE, PROVISION_MEDIAN_S, PROVISION_P95_S};

/// z of the 95th percentile of the normal distribution.
const Z95: f64 = 1.644_853_6;

/// One stream of random numbers. What must be the same for all policies (noise, failures) and what
/// depends on a policy's doings (provisioning) come from different streams of one seed.
pub struct Random(fastrand::Rng);

impl Random {
    /// The stream called `stream` of `seed`.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mixed =
            seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03);
        Self(fastrand::Rng::with_seed(mixed))
    }

    /// Evenly in 0..1.
    pub fn share(&mut self) -> f64 {
        self.0.f64()
    }

    /// One of `0..n`; 0 if there is none.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { self.0.usize(..n) }
    }

    /// In a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }

    /// The factor of a tick's noise.
    pub fn noise(&mut self) -> f64 {
        1.0 + NOISE * (2.0 * self.share() - 1.0)
    }

    /// Seconds until a node joins: lognormal.
    pub fn provision_s(&mut self) -> f64 {
        let sigma = (PROVISION_P95_S / PROVISION_MEDIAN_S).ln() / Z95;
        PROVISION_MEDIAN_S * (sigma * self.normal()).exp()
    }

    /// Whether something that happens once in `mean` ticks happens now.
    pub fn once_in(&mut self, mean: f64) -> bool {
        self.share() * mean < 1.0
    }

    /// Normal, mean 0, deviation 1 (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provisioning_has_its_median_and_its_tail() {
        let mut random = Random::new(1, 1);
        let mut drawn: Vec<f64> = (0..20_001).map(|_| random.provision_s()).collect();
        drawn.sort_by(f64::total_cmp);
        assert!((drawn[10_000] - 60.0).abs() < 2.0, "{}", drawn[10_000]);
        assert!((drawn[19_000] - 180.0).abs() < 10.0, "{}", drawn[19_000]);
    }

    #[test]
    fn a_seed_says_everything() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..9).map(|_| random.noise()).collect::<Vec<_>>()
        };
        assert_eq!(draw(3, 1), draw(3, 1));
        assert_ne!(draw(3, 1), draw(4, 1));
        assert_ne!(draw(3, 1), draw(3, 2));
        assert!(draw(3, 1).iter().all(|n| (0.88..=1.12).contains(n)));
    }
}
