//! The idle lab: twin connections to the same target, one silent and one pinging, and what becomes of them.
//!
//! The twins are ordinary connections, recorded and judged as any other; the lab only begins them at the right moments,
//! pings, and looks when they end. What its measurement means is in `diagnosis/lab.rs`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use super::recorder::Recorder;
use super::{Command, ConnectOptions, Outgoing};
use crate::diagnosis::proof_millis;
use crate::observation::{ConnId, Expect, LabMeasure, LabRun};
use crate::store::{State, Story};

/// How long after the silent connection the pinging one is begun: ends at one moment then differ in age.
const STAGGER: Duration = Duration::from_secs(1);
/// How often the connections are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long connections may take to be open, and to end when we are done.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the lab is asked for.
#[derive(Debug)]
pub(super) struct LabOrder {
    /// The names of the silent connection, the pinging one, and the second silent one.
    pub(super) conns: [ConnId; 3],
    /// How to connect.
    pub(super) options: ConnectOptions,
    /// How long the silent connection is watched at most.
    pub(super) limit: Duration,
    /// How often the other one pings.
    pub(super) ping_every: Duration,
}

/// What the lab asks of the supervisor.
pub(super) enum LabWish {
    /// As a face would.
    Command(Command),
    /// The measurement is done: it belongs to the silent connection.
    Measured {
        /// The silent connection.
        conn: ConnId,
        /// What was measured.
        measure: Box<LabMeasure>,
    },
}

/// Runs a measurement to its end, or until `stop` says so; what was measured until then counts.
pub(super) async fn run(
    order: LabOrder,
    recorder: Arc<Recorder>,
    wishes: mpsc::Sender<LabWish>,
    mut stop: watch::Receiver<bool>,
) {
    let lab = Lab { recorder, wishes, began: Instant::now(), options: order.options };
    let conn = order.conns[0];
    let ping_every_millis = order.ping_every.as_secs_f64() * 1e3;
    let mut measure =
        LabMeasure { ping_every_millis, silent: LabRun::default(), pinging: LabRun::default(), again: None };
    tokio::select! {
        () = lab.measure(order.conns, order.limit, order.ping_every, &mut measure) => {}
        // An error means that nobody can stop us any more, because the program ends.
        _ = stop.wait_for(|stops| *stops) => {}
    }
    let runs = [Some(&mut measure.silent), Some(&mut measure.pinging), measure.again.as_mut()];
    for (conn, run) in order.conns.into_iter().zip(runs) {
        if let (Some(story), Some(run)) = (lab.story(conn), run) {
            lab.look(&story, run);
        }
    }
    lab.end(order.conns).await;
    lab.ask(LabWish::Measured { conn, measure: Box::new(measure) }).await;
}

struct Lab {
    recorder: Arc<Recorder>,
    wishes: mpsc::Sender<LabWish>,
    began: Instant,
    options: ConnectOptions,
}

impl Lab {
    async fn measure(
        &self,
        [silent, pinging, again]: [ConnId; 3],
        limit: Duration,
        ping_every: Duration,
        measure: &mut LabMeasure,
    ) {
        self.connect(silent, limit).await;
        if !self.opens(silent, &mut measure.silent).await {
            return;
        }
        sleep(STAGGER).await;
        self.connect(pinging, limit * 3).await;
        if !self.opens(pinging, &mut measure.pinging).await {
            return;
        }
        let mut pinged_at = Instant::now();
        let mut is_repeating = false;
        loop {
            let stories = [self.story(silent), self.story(pinging), self.story(again)];
            let [Some(silent_story), Some(pinging_story), again_story] = &stories else { return };
            self.look(silent_story, &mut measure.silent);
            self.look(pinging_story, &mut measure.pinging);
            if let (Some(story), Some(run)) = (again_story, &mut measure.again) {
                self.look(story, run);
            }
            match measure.silent.ended_after_millis {
                None if is_over(silent_story) => return,
                None => {}
                Some(age) if !is_repeating => {
                    is_repeating = true;
                    measure.again = Some(LabRun::default());
                    self.connect(again, Duration::from_secs_f64(age / 1e3) + PATIENCE).await;
                }
                Some(age) => {
                    let spared = measure.pinging.watched_millis >= age + proof_millis(age);
                    let is_proved = spared || measure.pinging.ended_after_millis.is_some() || is_over(pinging_story);
                    let again_waits = measure.again.is_some_and(|run| {
                        run.ended_after_millis.is_none() && run.watched_millis < age * 1.05 + 1_000.0
                    });
                    if is_proved && (!again_waits || again_story.as_deref().is_some_and(is_over)) {
                        return;
                    }
                }
            }
            if pinged_at.elapsed() >= ping_every {
                pinged_at = Instant::now();
                let message = Outgoing::Ping(Bytes::from_static(b"sockeye idle lab"));
                self.command(Command::Send { conn: pinging, message }).await;
            }
            sleep(LOOK).await;
        }
    }

    async fn connect(&self, conn: ConnId, watch: Duration) {
        let mut options = self.options.clone();
        // Nothing travels that the lab did not ask for, and the 101 is enough.
        options.expect = Expect::None;
        options.send = Vec::new();
        options.watch = Some(watch);
        self.command(Command::Connect { conn, options: Box::new(options) }).await;
    }

    /// Waits until a connection is open; `false` if it does not get that far.
    async fn opens(&self, conn: ConnId, run: &mut LabRun) -> bool {
        let waiting = async {
            loop {
                if let Some(story) = self.story(conn) {
                    self.look(&story, run);
                    if run.opened_at_millis.is_some() || is_over(&story) {
                        return run.opened_at_millis.is_some();
                    }
                }
                sleep(LOOK).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or(false)
    }

    /// Takes over what a story tells of a run.
    fn look(&self, story: &Story, run: &mut LabRun) {
        let Some(opened) = story.opened else { return };
        if run.opened_at_millis.is_none() {
            let age = story.last_at.millis_since(opened);
            run.opened_at_millis = Some((self.began.elapsed().as_secs_f64() * 1e3 - age).max(0.0));
        }
        let opened_at = run.opened_at_millis.unwrap_or_default();
        let close = story.close_received.as_ref().map(|close| close.at);
        let end = [story.read_end.as_ref().map(|(at, _)| *at), close].into_iter().flatten().min();
        let by_us = story.close_begun.map(|(at, _)| at);
        match (end, by_us) {
            (Some(end), None) => {
                run.ended_after_millis = Some(end.millis_since(opened));
                run.watched_millis = end.millis_since(opened);
            }
            (Some(end), Some(ours)) if end <= ours => {
                run.ended_after_millis = Some(end.millis_since(opened));
                run.watched_millis = end.millis_since(opened);
            }
            (_, Some(ours)) => run.watched_millis = ours.millis_since(opened),
            (None, None) => run.watched_millis = self.began.elapsed().as_secs_f64() * 1e3 - opened_at,
        }
    }

    /// Closes what is still open and waits until it is.
    async fn end(&self, conns: [ConnId; 3]) {
        let is_open = |conn: &ConnId| self.story(*conn).is_some_and(|story| story.finished.is_none());
        for conn in conns.into_iter().filter(is_open) {
            self.command(Command::Close { conn, code: Some(1000), reason: String::new() }).await;
        }
        let ending = async {
            while conns.iter().any(is_open) {
                sleep(LOOK).await;
            }
        };
        // What does not end by then goes on as any other connection.
        timeout(PATIENCE, ending).await.ok();
    }

    fn story(&self, conn: ConnId) -> Option<Arc<Story>> {
        self.recorder.view(conn).map(|view| Arc::clone(&view.story))
    }

    async fn command(&self, command: Command) {
        self.ask(LabWish::Command(command)).await;
    }

    async fn ask(&self, wish: LabWish) {
        // The supervisor is gone only when the program ends.
        self.wishes.send(wish).await.ok();
    }
}

fn is_over(story: &Story) -> bool {
    matches!(story.state(), State::Closed(_) | State::Failed)
}
