//! After the end: a first verdict at once, then the follow-up probes, and another verdict with each round of answers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::ConnectOptions;
use super::intercept::Guest;
use super::probe::Asker;
use super::reconnect::{Reconnect, chance};
use super::recorder::Recorder;
use super::sink::Sink;
use crate::diagnosis::{Case, Verdict, diagnose, next_probes, useful_probes};
use crate::observation::{ConnId, Fact};
use crate::store::Story;

/// How often answers may lead to further questions.
const ROUNDS: usize = 5;
/// How long after the end the answers are waited for: the last verdict is due two and a half seconds after it.
const LIMIT: Duration = Duration::from_millis(2_050);
/// With less time left than this no question is begun.
const LEAST: Duration = Duration::from_millis(50);

/// Who may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// This machine alone, unless the plan says more.
    AsPlanned,
    /// The target, wherever it is: the user has seen the questions and agreed.
    Given,
}

/// One connection that is over, and what is asked about it.
pub(super) struct Inquiry<'a> {
    pub(super) conn: ConnId,
    pub(super) recorder: &'a Recorder,
    pub(super) sink: &'a Sink,
    pub(super) options: &'a ConnectOptions,
    /// When the connection was over, or the user agreed.
    pub(super) began: Instant,
}

impl Inquiry<'_> {
    /// Gives a verdict at once if there is anything to wait for: a lane whose lines may still come, or probes.
    pub(super) async fn first_verdict(&self, has_lane: bool) {
        let Some(story) = self.recorder.settle(self.conn).await else {
            return;
        };
        let case = Case { story: &story, probes_pending: true };
        if has_lane || !next_probes(&case).is_empty() {
            self.conclude_with(&story, diagnose(&case));
        }
    }

    /// Asks what may be asked; each round that changes the verdict has its own.
    pub(super) async fn ask(&self, consent: Consent) {
        let deadline = self.began + LIMIT;
        for round in 0..ROUNDS {
            let Some(story) = self.recorder.settle(self.conn).await else {
                return;
            };
            let case = Case { story: &story, probes_pending: true };
            if round > 0 {
                self.conclude_with(&story, diagnose(&case));
            }
            let probes = match consent {
                Consent::AsPlanned => next_probes(&case),
                Consent::Given => useful_probes(&case),
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if probes.is_empty() || left < LEAST {
                return;
            }
            let asker = &Asker { story: &story, options: self.options, sink: self.sink };
            join_all(probes.into_iter().map(|probe| async move {
                self.sink.push(Fact::ProbeStarted(probe.clone()));
                let outcome = asker.run(&probe, left).await;
                self.sink.push(Fact::ProbeEnded { probe, outcome });
            }))
            .await;
        }
    }

    /// Tells a client of somebody else why its connection failed.
    pub(super) async fn tell(&self, guest: Guest) {
        let Some(story) = self.recorder.settle(self.conn).await else {
            return;
        };
        let verdict = diagnose(&Case { story: &story, probes_pending: false });
        if let Some((code, reason)) = guest.tell(&verdict.cause, &verdict.summary).await {
            self.sink.push(Fact::ClientTold { code, reason });
        }
    }

    /// Gives the last verdict; returns the story that it is of, and how the connection is to be made again, if it is.
    pub(super) async fn conclude(&self) -> (Option<Arc<Story>>, Option<(Reconnect, Duration)>) {
        conclude(self.conn, self.options.reconnect, self.recorder, self.sink).await
    }

    /// Records a verdict unless it says what the last one said.
    fn conclude_with(&self, story: &Story, verdict: Verdict) {
        if story.verdict.as_deref() != Some(&verdict) {
            self.sink.push(Fact::Concluded(Box::new(verdict)));
        }
    }
}

/// Gives the last verdict; returns the story that it is of, and how the connection is to be made again, if it is.
pub(super) async fn conclude(
    conn: ConnId,
    reconnect: Option<Reconnect>,
    recorder: &Recorder,
    sink: &Sink,
) -> (Option<Arc<Story>>, Option<(Reconnect, Duration)>) {
    let Some(story) = recorder.settle(conn).await else {
        return (None, None);
    };
    sink.push(Fact::Concluded(Box::new(diagnose(&Case { story: &story, probes_pending: false }))));
    let next = reconnect.and_then(|reconnect| reconnect.after(&story)).map(|next| (next, next.pause(chance())));
    if let Some((next, pause)) = next {
        let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        sink.push(Fact::ReconnectPlanned { number: next.made, millis });
    }
    sink.push(Fact::Finished);
    (recorder.settle(conn).await, next)
}
