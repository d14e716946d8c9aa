//! The idle lab as the window keeps it: which connections it is made of, and what came of it.

use std::time::Duration;

use crate::observation::{ConnId, LabMeasure};

/// A measurement, under way or done.
#[derive(Debug)]
pub struct Lab {
    /// The silent connection, the pinging one, and the second silent one.
    pub conns: [ConnId; 3],
    /// How long the silent connection is watched at most.
    pub limit: Duration,
    /// Whether it goes on.
    pub is_running: bool,
    /// What was measured.
    pub measure: Option<LabMeasure>,
}

impl Lab {
    /// How often the other connection pings.
    pub const PING_EVERY: Duration = Duration::from_millis(500);

    /// A measurement that begins.
    pub fn new(conns: [ConnId; 3], limit: Duration) -> Self {
        Self { conns, limit, is_running: true, measure: None }
    }
}
