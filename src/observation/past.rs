//! How earlier connections to the same target ended, and what the idle lab measured.

use serde::{Deserialize, Serialize};

/// The end of an earlier connection to the same target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastEnd {
    /// When that connection was planned, Unix milliseconds.
    pub began_unix_millis: i64,
    /// The ending's id.
    pub ending: String,
    /// The cause's id, as the verdict named it then.
    pub cause: String,
    /// From the 101 to the end, in milliseconds.
    pub age_millis: f64,
    /// Silence in both directions before the end, in milliseconds.
    pub silence_millis: f64,
    /// The code of the server's Close frame, if one came; 1005 for none in it.
    pub close_code: Option<u16>,
}

/// What the idle lab measured with two connections to the same target, one silent, one pinging.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabMeasure {
    /// How often the pinging one pinged, in milliseconds.
    pub ping_every_millis: f64,
    /// The silent connection.
    pub silent: LabRun,
    /// The pinging one.
    pub pinging: LabRun,
    /// A second silent one, begun when the first had ended.
    pub again: Option<LabRun>,
}

/// One connection of the idle lab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabRun {
    /// When it was open, in milliseconds since the lab began; `None` if it never was.
    pub opened_at_millis: Option<f64>,
    /// How old it was when the server's side ended it, in milliseconds; `None` if it still lived when we stopped.
    pub ended_after_millis: Option<f64>,
    /// How long it was watched after it was open, in milliseconds.
    pub watched_millis: f64,
}
