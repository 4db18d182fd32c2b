//! Now: the machine's clock, a faster one for demonstrations, or one set by hand for tests.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant as Monotonic},
};

use crate::base::Instant;

/// Where the engine has its time from.
#[derive(Clone)]
pub enum Clock {
    /// The machine's clock, jumps included: what is due by the wall is due (SEMANTICS R16, R26).
    Real,
    /// From the start on, time goes so many times as fast.
    Scaled {
        /// When it was started, on the flow's clock.
        from: Instant,
        /// When it was started, on the machine's steady clock.
        started: Monotonic,
        /// How many times as fast.
        scale: f64,
    },
    /// Set by hand; stands still in between.
    Fake(Arc<AtomicI64>),
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real => f.write_str("Real"),
            Self::Scaled { scale, .. } => write!(f, "Scaled({scale})"),
            Self::Fake(at) => write!(f, "Fake({})", Instant::from_millis(at.load(Ordering::SeqCst))),
        }
    }
}

impl Clock {
    /// A clock that begins now and goes `scale` times as fast; the real one for 1.
    ///
    /// Errors: a sentence, for a scale outside of 0.001 to 1,000,000.
    pub fn scaled(scale: f64) -> Result<Self, String> {
        if !(0.001..=1_000_000.0).contains(&scale) {
            return Err(format!("{scale} is no scale of time: write a number from 0.001 to 1000000"));
        }
        if (scale - 1.0).abs() < f64::EPSILON {
            return Ok(Self::Real);
        }
        Ok(Self::Scaled { from: Self::Real.now(), started: Monotonic::now(), scale })
    }

    /// A faster clock goes on from an instant that it has reached before: time must not run twice. The real one needs
    /// no such word, and one set by hand is its owner's.
    #[must_use]
    pub fn gone_on_from(self, reached: Instant) -> Self {
        match self {
            Self::Scaled { from, started, scale } => Self::Scaled { from: from.max(reached), started, scale },
            other => other,
        }
    }

    /// A clock set by hand.
    pub fn fake(at: Instant) -> Self {
        Self::Fake(Arc::new(AtomicI64::new(at.as_millis())))
    }

    /// Now.
    pub fn now(&self) -> Instant {
        match self {
            Self::Real => Instant::from_millis(jiff::Timestamp::now().as_millisecond()),
            Self::Scaled { from, started, scale } => {
                from.plus_millis((started.elapsed().as_secs_f64() * 1_000.0 * scale) as i64)
            }
            Self::Fake(at) => Instant::from_millis(at.load(Ordering::SeqCst)),
        }
    }

    /// Sets a fake clock; others stay as they are.
    pub fn set(&self, at: Instant) {
        if let Self::Fake(now) = self {
            now.store(at.as_millis(), Ordering::SeqCst);
        }
    }

    /// How long to sleep on the machine's clock until `at`, at most `most`. A real clock may jump while one sleeps, so
    /// callers look again at least every `most`.
    pub fn until(&self, at: Instant, most: Duration) -> Duration {
        let millis = at.since(self.now()).max(0) as f64;
        Duration::from_secs_f64((millis / self.scale() / 1_000.0).min(most.as_secs_f64()))
    }

    /// How many times as fast as the machine's it goes.
    pub fn scale(&self) -> f64 {
        match self {
            Self::Scaled { scale, .. } => *scale,
            Self::Real | Self::Fake(_) => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_go_as_they_are_told() {
        let fake = Clock::fake(Instant::from_millis(5));
        assert_eq!(fake.now(), Instant::from_millis(5));
        fake.clone().set(Instant::from_millis(1_005));
        assert_eq!(fake.now(), Instant::from_millis(1_005));
        assert_eq!(fake.until(Instant::from_millis(1_505), Duration::from_secs(9)), Duration::from_millis(500));
        assert_eq!(fake.until(Instant::from_millis(5), Duration::from_secs(9)), Duration::ZERO);
        assert_eq!(fake.until(Instant::MAX, Duration::from_secs(9)), Duration::from_secs(9));
        let quick = Clock::scaled(1_000.0).expect("a scale");
        assert!(
            quick.until(quick.now().plus_millis(1_000_000), Duration::from_secs(9)) <= Duration::from_millis(1_001)
        );
        let ahead = Clock::Real.now().plus_millis(1_000_000_000);
        assert!(quick.clone().gone_on_from(ahead).now() >= ahead);
        assert!(quick.gone_on_from(Instant::from_millis(5)).now() < ahead);
        assert!(Clock::Real.gone_on_from(ahead).now() < ahead);
        assert!(Clock::scaled(0.0).is_err() && Clock::scaled(f64::NAN).is_err());
    }
}
