//! The open connection: tungstenite behaves, the tap below it records, and this loop decides when to end.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Wish;
use super::confirm::{Rule, preview};
use super::deflate_shim::ShimError;
use super::keep_alive::{Due, KeepAlive};
use super::sending::Sending;
use super::shim::Shim;
use super::tap::{OverTcp, Tap};
use super::upgrade::Accepted;
use crate::engine::sink::Sink;
use crate::engine::tcp_queues::{Ends, queues};
use crate::engine::{ConnectOptions, Outgoing};
use crate::observation::{CloseOrigin, Deadline, Expect, Fact, Limit, TimeOuts, TokenPlace};
use crate::wire::looks_like_http_or_html;

/// How many messages are taken in a row before timers and wishes are looked at again.
const BURST: usize = 256;
/// How long a write may take until we give up.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// How long the answer to the ping after a missing confirmation may take.
const PING_LIMIT: Duration = Duration::from_secs(1);

/// Runs an open connection until its TCP connection is over.
pub(crate) async fn run<S>(
    mut stream: Tap<S>,
    accepted: Accepted,
    ends: Option<Ends>,
    options: &ConnectOptions,
    sink: &Sink,
    wishes: &mut mpsc::Receiver<Wish>,
) where
    S: AsyncRead + AsyncWrite + OverTcp + Unpin,
{
    let limit = usize::try_from(options.limit_bytes).unwrap_or(usize::MAX);
    let config = WebSocketConfig::default().max_message_size(Some(limit)).max_frame_size(Some(limit));
    let Accepted { mut tail, deflate } = accepted;
    let begins_with_text = looks_like_http_or_html(&tail) == Some(true);
    if options.keep_alive.withhold_pongs {
        stream.withhold_pings(&mut tail);
    }
    let (shim, left) = Shim::new(stream, deflate, tail, options.limit_bytes, sink);
    let ws = WebSocketStream::from_partially_read(shim, left, Role::Client, Some(config)).await;
    let mut open = Open {
        ws,
        sending: Sending::new(deflate),
        sink,
        rule: Rule::new(&options.expect),
        confirmed: false,
        mismatch: None,
        time_outs: options.time_outs,
        limit_bytes: options.limit_bytes,
        send: options.send.iter().cloned().collect(),
        send_delay: options.send_delay,
        echo: options.echo,
        watch: options.watch,
        close: options.close.clone(),
        timers: Timers::default(),
        keep_alive: KeepAlive::new(options.keep_alive, Instant::now()),
        ends,
    };
    sink.push(Fact::Opened);
    if begins_with_text {
        // tungstenite would take the text for a frame that is not whole yet, and wait.
        let wait = open.fail(CloseCode::Protocol, CloseOrigin::Violation).await;
        return open.drain(wait).await;
    }
    if let (Some(token), Some(TokenPlace::FirstMessage { template })) = (&options.token, &options.token_place) {
        let text = template.replace("{{token}}", token);
        if open.write(Message::text(text)).await.is_break() {
            return open.drain(TcpWait::Lost).await;
        }
    }
    if options.expect == Expect::None {
        open.confirm(None);
    } else {
        open.timers.confirm = Some(in_millis(options.time_outs.confirm_millis));
    }
    let wait = open.watch(wishes).await;
    open.drain(wait).await;
}

/// Why the loop ended, which tells how long the end of TCP is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TcpWait {
    /// Both Close frames travelled: the server should end TCP.
    Closed,
    /// We failed the connection.
    Failed,
    /// Reading or writing failed, or ended.
    Lost,
    /// Nobody waits: we drop TCP.
    Abort,
}

type Flow = std::ops::ControlFlow<TcpWait>;

/// When something is due; `None` if it is not.
#[derive(Clone, Copy, Debug, Default)]
struct Timers {
    confirm: Option<Instant>,
    send: Option<Instant>,
    watch: Option<Instant>,
    close: Option<Instant>,
    ping: Option<Instant>,
}

impl Timers {
    fn next(&self) -> Option<Instant> {
        [self.confirm, self.send, self.watch, self.close, self.ping].into_iter().flatten().min()
    }
}

struct Open<'a, S> {
    ws: WebSocketStream<Shim<S>>,
    sending: Sending,
    sink: &'a Sink,
    rule: Rule,
    confirmed: bool,
    mismatch: Option<String>,
    time_outs: TimeOuts,
    limit_bytes: u64,
    send: VecDeque<String>,
    send_delay: Duration,
    echo: bool,
    watch: Option<Duration>,
    close: (u16, String),
    timers: Timers,
    keep_alive: KeepAlive,
    ends: Option<Ends>,
}

impl<S: AsyncRead + AsyncWrite + OverTcp + Unpin> Open<'_, S> {
    /// Takes messages, wishes and timers until the connection ends.
    async fn watch(&mut self, wishes: &mut mpsc::Receiver<Wish>) -> TcpWait {
        let mut wishes_open = true;
        loop {
            let due = [self.timers.next(), self.keep_alive.due()].into_iter().flatten().min();
            let step = tokio::select! {
                biased;
                wish = wishes.recv(), if wishes_open => {
                    wishes_open = wish.is_some();
                    Step::Wish(wish.unwrap_or(Wish::Shutdown))
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => Step::Timer,
                message = self.ws.next() => Step::Message(message),
            };
            let flow = match step {
                Step::Wish(wish) => self.wish(wish).await,
                Step::Timer => self.timer().await,
                Step::Message(first) => self.messages(first).await,
            };
            if let Flow::Break(wait) = flow {
                return wait;
            }
        }
    }

    /// Takes a message and all that are there already.
    async fn messages(&mut self, first: Option<Result<Message, Error>>) -> Flow {
        let mut next = first;
        for _ in 0..BURST {
            self.message(next).await?;
            match self.ws.next().now_or_never() {
                Some(message) => next = message,
                None => return Flow::Continue(()),
            }
        }
        self.message(next).await
    }

    async fn message(&mut self, message: Option<Result<Message, Error>>) -> Flow {
        if let Some(Ok(Message::Pong(payload))) = &message
            && let Some(took) = self.keep_alive.pong(payload, Instant::now())
        {
            self.sink.push(Fact::RoundTrip { micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX) });
        }
        match message {
            Some(Ok(Message::Text(text))) => {
                self.first_messages(text.as_bytes(), true);
                return self.echo(Message::Text(text)).await;
            }
            Some(Ok(Message::Binary(data))) => {
                self.first_messages(&data, false);
                return self.echo(Message::Binary(data)).await;
            }
            Some(Ok(Message::Pong(_))) if self.timers.ping.is_some() => {
                self.timers.ping = None;
                return self.begin_close(CloseOrigin::Unconfirmed).await;
            }
            Some(Ok(Message::Close(_))) => {
                // The echo is queued: it has to go out before reading on.
                let flushed = timeout(WRITE_LIMIT, self.ws.flush()).await;
                return Flow::Break(if matches!(flushed, Ok(Ok(()) | Err(Error::ConnectionClosed))) {
                    TcpWait::Closed
                } else {
                    TcpWait::Lost
                });
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return self.failed(&error).await,
            None => return Flow::Break(TcpWait::Lost),
        }
        Flow::Continue(())
    }

    async fn echo(&mut self, message: Message) -> Flow {
        if self.echo { self.write(message).await } else { Flow::Continue(()) }
    }

    /// Asks of each message until one confirms the connection.
    fn first_messages(&mut self, payload: &[u8], is_text: bool) {
        if self.confirmed {
            return;
        }
        if self.rule.is_met_by(payload, is_text) {
            self.confirm(Some(preview(payload, is_text)));
        } else if self.mismatch.is_none() {
            self.mismatch = Some(preview(payload, is_text));
        }
    }

    fn confirm(&mut self, preview: Option<String>) {
        self.confirmed = true;
        self.timers.confirm = None;
        self.timers.ping = None;
        self.sink.push(Fact::Confirmed { preview });
        if !self.echo {
            self.ws.get_mut().withhold_messages();
        }
        self.timers.watch = self.watch.map(|watch| Instant::now() + watch);
        if !self.send.is_empty() {
            self.timers.send = Some(Instant::now() + self.send_delay);
        }
    }

    async fn timer(&mut self) -> Flow {
        let now = Instant::now();
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.timers.send) {
            self.timers.send = None;
            if let Some(text) = self.send.pop_front() {
                self.write(Message::text(text)).await?;
            }
            if !self.send.is_empty() {
                self.timers.send = Some(Instant::now() + self.send_delay);
            }
        } else if due(self.timers.confirm) {
            self.timers.confirm = None;
            let millis = self.time_outs.confirm_millis;
            self.sink.push(Fact::TimedOut { deadline: Deadline::Confirm, millis });
            self.sink.push(Fact::ConfirmationFailed { mismatch: self.mismatch.take() });
            // A last question: is the other end alive but mute, or does nobody read?
            self.write(Message::Ping(Bytes::from_static(b"sockeye"))).await?;
            if self.watch.is_some() {
                self.timers.ping = Some(Instant::now() + PING_LIMIT);
            }
        } else if due(self.timers.ping) {
            self.timers.ping = None;
            return self.begin_close(CloseOrigin::Unconfirmed).await;
        } else if due(self.timers.watch) {
            self.timers.watch = None;
            return self.begin_close(CloseOrigin::WatchEnded).await;
        } else if due(self.timers.close) {
            self.timers.close = None;
            self.look_at_queues().await;
            self.sink.push(Fact::TimedOut { deadline: Deadline::Close, millis: self.time_outs.close_millis });
            return Flow::Break(TcpWait::Abort);
        } else {
            return self.keep_alive(now).await;
        }
        Flow::Continue(())
    }

    /// Asks whether the other end lives, or finds that it does not say so.
    async fn keep_alive(&mut self, now: Instant) -> Flow {
        match self.keep_alive.act(now, self.ws.get_ref().tap().is_paused(), self.ws.get_ref().tap().heard_bytes()) {
            Due::Nothing => Flow::Continue(()),
            Due::Ping(payload) => {
                self.write(Message::Ping(payload.clone())).await?;
                self.keep_alive.sent(payload, now, self.ws.get_ref().tap().heard_bytes(), true);
                Flow::Continue(())
            }
            Due::PongMissing => {
                self.look_at_queues().await;
                let millis = u64::try_from(self.keep_alive.pong_limit().as_millis()).unwrap_or(u64::MAX);
                self.sink.push(Fact::TimedOut { deadline: Deadline::Pong, millis });
                Flow::Break(TcpWait::Abort)
            }
        }
    }

    /// Records what TCP holds: whether the other end's system still takes what we send, and its program reads it.
    async fn look_at_queues(&self) {
        if let Some(ends) = self.ends {
            let queues = queues(ends).await;
            self.sink.push(Fact::TcpQueues { queues });
        }
    }

    async fn wish(&mut self, wish: Wish) -> Flow {
        match wish {
            Wish::Send(message) => {
                let message = match message {
                    Outgoing::Text(text) => Message::text(text),
                    Outgoing::Binary(data) => Message::Binary(data),
                    Outgoing::Ping(data) => {
                        self.keep_alive.sent(
                            data.clone(),
                            Instant::now(),
                            self.ws.get_ref().tap().heard_bytes(),
                            false,
                        );
                        Message::Ping(data)
                    }
                    Outgoing::Pong(data) => Message::Pong(data),
                };
                self.write(message).await
            }
            Wish::Close { code, reason } => {
                self.sink.push(Fact::CloseBegun { by: CloseOrigin::User });
                self.send_close(code.map(|code| CloseFrame { code: code.into(), reason: reason.into() })).await
            }
            Wish::Abort => {
                self.sink.push(Fact::CloseBegun { by: CloseOrigin::Abort });
                Flow::Break(TcpWait::Abort)
            }
            Wish::Shutdown => {
                self.sink.push(Fact::CloseBegun { by: CloseOrigin::Shutdown });
                let going = CloseFrame { code: CloseCode::Away, reason: "".into() };
                // The program ends: the frame goes out, its answer is not waited for.
                let _farewell = timeout(Duration::from_millis(200), self.ws.close(Some(going))).await;
                Flow::Break(TcpWait::Abort)
            }
        }
    }

    async fn begin_close(&mut self, by: CloseOrigin) -> Flow {
        self.sink.push(Fact::CloseBegun { by });
        let (code, reason) = self.close.clone();
        self.send_close(Some(CloseFrame { code: code.into(), reason: reason.into() })).await
    }

    /// Sends our Close and waits for theirs.
    async fn send_close(&mut self, frame: Option<CloseFrame>) -> Flow {
        if self.timers.close.is_some() {
            return Flow::Continue(());
        }
        self.keep_alive.stop();
        self.timers = Timers { close: Some(in_millis(self.time_outs.close_millis)), ..Timers::default() };
        self.write(Message::Close(frame)).await
    }

    async fn write(&mut self, message: Message) -> Flow {
        let message = self.sending.prepare(message);
        match timeout(WRITE_LIMIT, self.ws.send(message)).await {
            Ok(Ok(())) => {
                let written = self.ws.get_ref().written();
                if let Some(inflated) = self.sending.due(written) {
                    self.sink.push(Fact::Inflated(Box::new(inflated)));
                }
                Flow::Continue(())
            }
            // Reading goes on: what the server said before it went is worth more than our message.
            Ok(Err(Error::Io(_))) => Flow::Break(TcpWait::Lost),
            Ok(Err(error)) => {
                self.sink.push(Fact::EndpointError { text: error.to_string() });
                Flow::Continue(())
            }
            Err(_elapsed) => {
                self.look_at_queues().await;
                let millis = WRITE_LIMIT.as_millis() as u64;
                self.sink.push(Fact::TimedOut { deadline: Deadline::Write, millis });
                Flow::Break(TcpWait::Abort)
            }
        }
    }

    /// The endpoint reported an error: fail the connection (RFC 6455 §7.1.7).
    async fn failed(&mut self, error: &Error) -> Flow {
        let shim_error = match error {
            Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref::<ShimError>()),
            _ => None,
        };
        let (code, by) = match error {
            Error::Io(_) if matches!(shim_error, Some(ShimError::Corrupt)) => {
                (CloseCode::Protocol, CloseOrigin::Violation)
            }
            Error::Io(_) if shim_error.is_some() => {
                if let Some(&ShimError::Limit { limit, limit_bytes, actual_bytes }) = shim_error {
                    self.sink.push(Fact::LimitPassed { limit, limit_bytes, actual_bytes });
                }
                (CloseCode::Size, CloseOrigin::Limit)
            }
            Error::Io(_) | Error::ConnectionClosed | Error::AlreadyClosed => return Flow::Break(TcpWait::Lost),
            Error::Capacity(CapacityError::MessageTooLong { size, .. }) if *size as u64 >> 63 == 0 => {
                let (limit_bytes, actual_bytes) = (self.limit_bytes, *size as u64);
                self.sink.push(Fact::LimitPassed { limit: Limit::Message, limit_bytes, actual_bytes });
                (CloseCode::Size, CloseOrigin::Limit)
            }
            Error::Utf8(_) => (CloseCode::Invalid, CloseOrigin::Violation),
            _ => (CloseCode::Protocol, CloseOrigin::Violation),
        };
        if self.ws.get_ref().has_ended() {
            return Flow::Break(TcpWait::Lost);
        }
        self.sink.push(Fact::EndpointError { text: error.to_string() });
        Flow::Break(self.fail(code, by).await)
    }

    /// Fails the connection: our Close, and no further reading but for the end of TCP.
    async fn fail(&mut self, code: CloseCode, by: CloseOrigin) -> TcpWait {
        self.sink.push(Fact::CloseBegun { by });
        let frame = CloseFrame { code, reason: "".into() };
        // The server may be gone already: how TCP ended is told by draining.
        let _sent = timeout(WRITE_LIMIT, self.ws.send(Message::Close(Some(frame)))).await;
        TcpWait::Failed
    }

    /// Reads until TCP ends or the grace time is over: how it ended is evidence.
    async fn drain(&mut self, wait: TcpWait) {
        self.ws.get_ref().note_end();
        if let Some(inflated) = self.sending.total(self.ws.get_ref().written()) {
            self.sink.push(Fact::Inflated(Box::new(inflated)));
        }
        let grace = match wait {
            TcpWait::Closed | TcpWait::Failed | TcpWait::Lost => self.time_outs.grace_millis,
            TcpWait::Abort => return,
        };
        let deadline = in_millis(grace);
        let tap = self.ws.get_mut().tap_mut();
        let mut buffer = vec![0; 64 * 1024];
        while !tap.has_ended() {
            match tokio::time::timeout_at(deadline, tap.read(&mut buffer)).await {
                Err(_elapsed) => {
                    self.sink.push(Fact::TimedOut { deadline: Deadline::TcpEnd, millis: grace });
                    return;
                }
                Ok(Ok(read)) if read > 0 => {}
                Ok(_) => break,
            }
        }
        if tap.see_transport_end(deadline).await.is_err() {
            self.sink.push(Fact::TimedOut { deadline: Deadline::TcpEnd, millis: grace });
        }
        tap.look_for_reset().await;
        tap.farewell().await;
    }
}

enum Step {
    Wish(Wish),
    Timer,
    Message(Option<Result<Message, Error>>),
}

fn in_millis(millis: u64) -> Instant {
    Instant::now() + Duration::from_millis(millis)
}
