//! Why did it close, why did it not open: reads a story, gives a verdict.
//!
//! Pure: the same [`Case`] always gives the same [`Verdict`]. The catalogue's words are in [`catalogue`], the rules in
//! [`rules`], a file per family of causes. Start at [`diagnose`].

mod asked;
mod case;
pub mod catalogue;
mod checklist;
pub mod close_code;
pub mod console;
mod credential;
mod ending;
mod lab;
mod probes;
mod reception;
mod remedy;
mod rules;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod words;

use serde::{Deserialize, Serialize};

use crate::observation::{Direction, Moment};
use crate::store::Story;

pub use checklist::checklist;
pub use lab::{LabFinding, is_repeated, lab_finding, proof_millis};
pub use probes::{next_probes, useful_probes};
pub use reception::{Reception, reception};
pub use rules::{Found, Rule, rules};

/// All that a diagnosis may look at.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The connection.
    pub story: &'a Story,
    /// Whether follow-up probes may still come: the verdict is then provisional.
    pub probes_pending: bool,
}

/// Gives the verdict: what happened, and why.
///
/// The first rule that finds a cause decides; what it implies is left out, everything else that matched is a finding.
pub fn diagnose(case: &Case<'_>) -> Verdict {
    rules::verdict(case)
}

/// The end of a connection that a clock may have brought about, to be remembered for the next one to its target.
pub fn end_of(case: &Case<'_>) -> Option<crate::observation::PastEnd> {
    rules::end_of(case)
}

/// What happened; exactly one for each connection that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Nothing left the machine.
    NotAttempted,
    /// The name was not resolved.
    ResolveFailed,
    /// No TCP connection, or a proxy refused.
    ConnectFailed,
    /// No TLS session.
    TlsFailed,
    /// TCP ended before a whole response.
    UpgradeCut,
    /// Our time-out for the response ran out.
    UpgradeUnanswered,
    /// A whole HTTP response with another final status than 101.
    UpgradeRefused,
    /// An answer that is not HTTP, or a 101 (or a 1xx before it) that breaks the rules.
    UpgradeInvalid,
    /// After the 101 the server broke RFC 6455 or 7692.
    ProtocolError,
    /// Both Close frames travelled.
    Closed,
    /// A Close frame travelled in one direction only.
    ClosedUnclean,
    /// FIN with no Close frame.
    Fin,
    /// RST with no Close frame.
    Rst,
    /// Keep-alive, the pong deadline or TCP itself gave up.
    NetworkTimeout,
    /// Open, but the confirmation did not come or did not match.
    Unconfirmed,
    /// Open and well when the watch ended; we then closed, and the peer answered.
    Open,
    /// The user, a limit of ours, or shutdown.
    EndedByUs,
}

impl Ending {
    /// The stable id.
    pub fn id(self) -> &'static str {
        match self {
            Self::NotAttempted => "not-attempted",
            Self::ResolveFailed => "resolve-failed",
            Self::ConnectFailed => "connect-failed",
            Self::TlsFailed => "tls-failed",
            Self::UpgradeCut => "upgrade-cut",
            Self::UpgradeUnanswered => "upgrade-unanswered",
            Self::UpgradeRefused => "upgrade-refused",
            Self::UpgradeInvalid => "upgrade-invalid",
            Self::ProtocolError => "protocol-error",
            Self::Closed => "closed",
            Self::ClosedUnclean => "closed-unclean",
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::NetworkTimeout => "network-timeout",
            Self::Unconfirmed => "unconfirmed",
            Self::Open => "open",
            Self::EndedByUs => "ended-by-us",
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Less than possible: an honest "not known".
    Undetermined,
    /// Fits, rivals remain.
    Possible,
    /// One row left after a probe or a correlated fact.
    Likely,
    /// On the wire, from the system or from cryptography, and nothing else matches.
    Certain,
}

/// The answer of a diagnosis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What happened.
    pub ending: Ending,
    /// Why: an id of the catalogue.
    pub cause: String,
    /// How sure the cause is.
    pub certainty: Certainty,
    /// One sentence about this case: what and when.
    pub summary: String,
    /// What a browser would have shown for it.
    pub browser_shows: String,
    /// What shows it, in order of weight.
    pub evidence: Vec<Evidence>,
    /// What to do, the best first.
    pub fixes: Vec<Remedy>,
    /// What is also true and worth saying.
    pub findings: Vec<Finding>,
    /// Rivals that were not excluded, at most three.
    pub alternatives: Vec<Alternative>,
    /// Whether follow-up probes may still revise it.
    pub provisional: bool,
}

/// What shows something, tied to its place in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// When it was seen.
    pub at: Moment,
    /// In words.
    pub text: String,
    /// Where the bytes are, if it is bytes.
    pub place: Option<Place>,
}

/// A place in the bytes after the handshake; row numbers may change with a better decoder, this does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Who sent them.
    pub direction: Direction,
    /// Offset in that direction's bytes after the handshake.
    pub offset: u64,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// What to do.
    pub text: String,
    /// A command to copy, for the platform that Sockeye runs on.
    pub command: Option<String>,
}

/// Something else that is true.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// An id of the catalogue.
    pub id: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// One sentence about this case.
    pub summary: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// What to do.
    pub fixes: Vec<Remedy>,
}

/// A rival that was not excluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// An id of the catalogue.
    pub cause: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// The one act that would decide.
    pub decide_by: String,
}

/// A line of the guide's status checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckItem {
    /// What is checked, e.g. `port open`.
    pub item: String,
    /// Passed, failed, or not known.
    pub ok: Option<bool>,
    /// In words.
    pub detail: String,
}
