//! How long the other end takes from a ping to its pong.

/// The times from our pings to their pongs, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTrips {
    /// How many were measured.
    pub count: u64,
    /// The shortest.
    pub shortest: u64,
    /// The longest.
    pub longest: u64,
    /// The newest.
    pub last: u64,
    /// All together.
    pub sum: u64,
}

impl RoundTrips {
    /// Takes another one in.
    pub fn take(&mut self, micros: u64) {
        self.shortest = if self.count == 0 { micros } else { self.shortest.min(micros) };
        self.longest = self.longest.max(micros);
        self.last = micros;
        self.sum = self.sum.saturating_add(micros);
        self.count += 1;
    }

    /// The mean; `None` if there was none.
    pub fn mean(&self) -> Option<u64> {
        self.sum.checked_div(self.count)
    }
}
