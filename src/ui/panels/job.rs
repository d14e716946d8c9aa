//! Work too long for a pass: a named thread whose result a later pass picks up.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

/// A piece of work on its way.
#[derive(Debug)]
pub(super) struct Job<T> {
    result: Receiver<T>,
}

/// Where a job stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome<T> {
    /// Still at work; it asks for a pass when it is done.
    Running,
    /// Done.
    Done(T),
    /// The thread could not be started, or ended without a result.
    Lost,
}

impl<T: Send + 'static> Job<T> {
    /// Starts `work` on a thread called `name`, which asks `ctx` for a pass at its end.
    pub(super) fn start(name: &str, ctx: &egui::Context, work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, result) = sync_channel(1);
        let ctx = ctx.clone();
        let run = move || {
            // Nobody waits for a job that was replaced by a newer one.
            sender.send(work()).ok();
            ctx.request_repaint();
        };
        // Without a thread the sender is dropped, and the job is `Lost`.
        std::thread::Builder::new().name(format!("job-{name}")).spawn(run).ok();
        Self { result }
    }

    /// Looks, without waiting, whether the work is done; `Done` comes once.
    pub(super) fn poll(&self) -> Outcome<T> {
        match self.result.try_recv() {
            Ok(result) => Outcome::Done(result),
            Err(TryRecvError::Empty) => Outcome::Running,
            Err(TryRecvError::Disconnected) => Outcome::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn a_job_gives_its_result_once() {
        let (go, wait) = sync_channel::<()>(0);
        let job = Job::start("test", &egui::Context::default(), move || {
            wait.recv().ok();
            7
        });
        assert_eq!(job.poll(), Outcome::Running);
        go.send(()).unwrap();
        let result = loop {
            match job.poll() {
                Outcome::Running => std::thread::yield_now(),
                other => break other,
            }
        };
        assert_eq!(result, Outcome::Done(7));
    }
}
