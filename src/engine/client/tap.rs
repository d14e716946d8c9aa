//! The tap below the endpoint: records every byte that the operating system handed over or accepted.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::client::TlsStream;

use super::failure::{io_failure, read_end};
use super::ping_filter::PingFilter;
use super::tls::late_alert;
use crate::engine::sink::Sink;
use crate::observation::{Direction, Fact, ReadEnd};

/// How the transport below TLS ended, as its tap saw it.
pub(crate) type TransportEnd = Arc<OnceLock<ReadEnd>>;

/// A stream whose bytes are observed on their way.
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
pub(crate) struct Tap<S> {
    io: S,
    sink: Sink,
    layer: Layer,
    end: TransportEnd,
    ended: bool,
    ended_with_fin: bool,
    awaits_transport: bool,
    paused: bool,
    write_failed: bool,
    ping_filter: Option<PingFilter>,
    heard_bytes: u64,
}

/// What is tapped.
enum Layer {
    /// HTTP and frames: all is recorded, and reading stops while the recorder is behind.
    Plain {
        /// Whether TLS lies below.
        over_tls: bool,
    },
    /// TLS records: only the beginning of each direction is recorded.
    Cipher { left: [usize; 2] },
}

/// How much of the TLS record layer is kept in each direction, in bytes.
const CIPHER_BYTES: usize = 4096;

impl<S> Tap<S> {
    /// Taps the bytes of HTTP and frames; `below` tells how the transport under TLS ended.
    pub(crate) fn plain(io: S, sink: Sink, below: Option<TransportEnd>) -> Self {
        let over_tls = below.is_some();
        Self::new(io, sink, Layer::Plain { over_tls }, below.unwrap_or_default())
    }

    /// Taps the bytes of the TLS record layer.
    pub(crate) fn cipher(io: S, sink: Sink) -> Self {
        Self::new(io, sink, Layer::Cipher { left: [CIPHER_BYTES; 2] }, TransportEnd::default())
    }

    fn new(io: S, sink: Sink, layer: Layer, end: TransportEnd) -> Self {
        Self {
            io,
            sink,
            layer,
            end,
            ended: false,
            ended_with_fin: false,
            awaits_transport: false,
            paused: false,
            write_failed: false,
            ping_filter: None,
            heard_bytes: 0,
        }
    }

    /// How the transport ended, shared with the tap above.
    pub(crate) fn transport_end(&self) -> TransportEnd {
        Arc::clone(&self.end)
    }

    /// Whether reading has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether we do not read although bytes may have come.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// How many bytes came from the server.
    pub(crate) fn heard_bytes(&self) -> u64 {
        self.heard_bytes
    }

    /// Whether the server's pings are recorded and not passed on.
    pub(crate) fn withholds_pings(&self) -> bool {
        self.ping_filter.is_some()
    }

    /// From here on the pings of the server are recorded and not passed on, beginning with `tail`, which was read before.
    pub(crate) fn withhold_pings(&mut self, tail: &mut Vec<u8>) {
        let mut filter = PingFilter::default();
        let (kept, pings) = filter.retain(tail);
        tail.truncate(kept);
        self.ping_filter = Some(filter);
        self.withheld(pings);
    }

    /// Takes pings out of what was read; returns whether nothing is left, which would look like the end.
    fn filter_pings(&mut self, buf: &mut ReadBuf<'_>, before: usize) -> bool {
        let Some(filter) = &mut self.ping_filter else { return false };
        let (kept, pings) = buf.filled_mut().get_mut(before..).map_or((0, 0), |new| filter.retain(new));
        buf.set_filled(before + kept);
        self.withheld(pings);
        kept == 0
    }

    fn withheld(&self, pings: u64) {
        for _ in 0..pings {
            self.sink.push(Fact::PongWithheld);
        }
    }

    fn saw(&mut self, direction: Direction, bytes: &[u8]) {
        match &mut self.layer {
            Layer::Plain { .. } => {
                self.sink.push_bytes(direction, bytes);
            }
            Layer::Cipher { left } => {
                let left = &mut left[direction.index()];
                let take = bytes.len().min(*left);
                if take > 0 {
                    *left -= take;
                    self.sink.push(Fact::CipherBytes { direction, data: Bytes::copy_from_slice(&bytes[..take]) });
                }
            }
        }
    }

    fn read_ended(&mut self, error: Option<&io::Error>) {
        if self.ended {
            return;
        }
        self.ended = true;
        let end = error.map_or(ReadEnd::Fin, read_end);
        match self.layer {
            Layer::Cipher { .. } => {
                let _already_known = self.end.set(end);
            }
            Layer::Plain { over_tls: false } => self.tell_end(end),
            Layer::Plain { over_tls: true } => {
                if let Some(failure) = error.and_then(late_alert) {
                    self.sink.push(Fact::TlsFailed(Box::new(failure)));
                }
                let below = self.end.get().cloned();
                match (error, below) {
                    (None, below) => {
                        self.tell_end(ReadEnd::CloseNotify);
                        // It may have been read together with close_notify.
                        if let Some(below) = below {
                            self.tell_transport_end(below);
                        }
                    }
                    (Some(_), below) => self.tell_end(below.unwrap_or(end)),
                }
            }
        }
    }

    fn tell_end(&mut self, end: ReadEnd) {
        self.ended_with_fin = matches!(end, ReadEnd::Fin);
        self.awaits_transport = matches!(end, ReadEnd::CloseNotify);
        self.sink.push(Fact::ReadEnded(end));
    }

    fn tell_transport_end(&mut self, end: ReadEnd) {
        self.ended_with_fin = matches!(end, ReadEnd::Fin);
        self.awaits_transport = false;
        self.sink.push(Fact::TransportEnded(end));
    }
}

/// How long a RST is waited for after a FIN on this machine, where the way is short: the first verdict waits for it.
const RESET_ON_LOOPBACK: Duration = Duration::from_millis(20);

/// A stream that goes over a TCP connection.
pub(crate) trait OverTcp {
    /// The connection itself; `None` where it cannot be had.
    fn tcp(&self) -> Option<&TcpStream>;

    /// Sends `close_notify`, once, if this is TLS.
    fn poll_close_notify(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// Reads on below TLS, if this is TLS, until TCP ends there.
    fn poll_transport_end(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl OverTcp for TcpStream {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(self)
    }
}

/// The way through a proxy that is spoken to by TLS: how TLS to the proxy ends is the end of the tunnel.
impl OverTcp for TlsStream<TcpStream> {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(self.get_ref().0)
    }
}

#[cfg(unix)]
impl OverTcp for UnixStream {
    fn tcp(&self) -> Option<&TcpStream> {
        None
    }
}

impl<S: AsyncRead + AsyncWrite + OverTcp + Unpin> OverTcp for TlsStream<Tap<S>> {
    fn tcp(&self) -> Option<&TcpStream> {
        self.get_ref().0.tcp()
    }

    fn poll_close_notify(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().1.send_close_notify();
        // A server that is gone does not hear it, and how TCP ended is known.
        Pin::new(self).poll_flush(cx).map(|_sent| ())
    }

    fn poll_transport_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let tap = self.get_mut().0;
        let mut scratch = [0; 4096];
        while !tap.has_ended() {
            // What comes after close_notify is to be ignored (RFC 8446 §6.1).
            let mut buf = ReadBuf::new(&mut scratch);
            if ready!(Pin::new(&mut *tap).poll_read(cx, &mut buf)).is_err() {
                break;
            }
        }
        Poll::Ready(())
    }
}

impl<S: OverTcp> OverTcp for Tap<S> {
    fn tcp(&self) -> Option<&TcpStream> {
        self.io.tcp()
    }

    fn poll_close_notify(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.io.poll_close_notify(cx)
    }

    fn poll_transport_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.io.poll_transport_end(cx)
    }
}

impl<S: OverTcp> Tap<S> {
    /// Sees how TCP ends after the server's `close_notify`; `Err` if it has not ended at `deadline`.
    ///
    /// Many servers wait for our `close_notify` before they end TCP. It is not sent at once: to a server that has ended both
    /// ways already it would provoke a RST of ours.
    pub(crate) async fn see_transport_end(&mut self, deadline: Instant) -> Result<(), Elapsed> {
        if !self.awaits_transport {
            return Ok(());
        }
        let at_once = deadline.min(Instant::now() + FIN_AFTER_CLOSE_NOTIFY);
        if timeout_at(at_once, poll_fn(|cx| self.io.poll_transport_end(cx))).await.is_err() {
            timeout_at(deadline, poll_fn(|cx| self.io.poll_close_notify(cx))).await?;
            timeout_at(deadline, poll_fn(|cx| self.io.poll_transport_end(cx))).await?;
        }
        if let Some(end) = self.end.get().cloned() {
            self.tell_transport_end(end);
        }
        Ok(())
    }

    /// Says that we are done, where TLS has a word for it; it changes nothing of what is known.
    pub(crate) async fn farewell(&mut self) {
        // Without room in TCP's queue it is left out.
        timeout(FAREWELL, poll_fn(|cx| self.io.poll_close_notify(cx))).await.ok();
    }

    /// Looks for a moment whether a RST follows a FIN: reading does not show it.
    pub(crate) async fn look_for_reset(&self) {
        let Some(tcp) = self.tcp().filter(|_| self.ended_with_fin) else { return };
        let is_here = tcp.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
        let limit = if is_here { RESET_ON_LOOPBACK } else { RESET_AFTER_FIN };
        // On a machine that is busy it may be here and not told yet.
        timeout(limit, tcp.ready(Interest::ERROR)).await.ok();
        if matches!(tcp.take_error(), Ok(Some(_))) {
            self.sink.push(Fact::ResetAfterFin);
        }
    }
}

/// How long a RST is waited for after a FIN: a way there and back on most networks.
const RESET_AFTER_FIN: Duration = Duration::from_millis(100);
/// How long a FIN may take after `close_notify`: servers that send both send them together.
const FIN_AFTER_CLOSE_NOTIFY: Duration = Duration::from_millis(50);
/// How long our last word may take.
const FAREWELL: Duration = Duration::from_millis(50);

impl<S: AsyncRead + Unpin> Tap<S> {
    /// Reads the next bytes of HTTP and frames; none at the end. The recorder gets the very same buffer.
    ///
    /// The server's pings are in them, also if they are to be withheld.
    pub(crate) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        ready!(self.poll_room(cx));
        let mut buffer = self.sink.buffer();
        let mut read = ReadBuf::new(buffer.room());
        let result = ready!(Pin::new(&mut self.io).poll_read(cx, &mut read));
        let len = read.filled().len();
        if result.is_err() || len == 0 {
            self.read_ended(result.as_ref().err());
            return Poll::Ready(result.map(|()| Bytes::new()));
        }
        let data = buffer.into_bytes(len);
        self.heard_bytes += len as u64;
        self.sink.push(Fact::Bytes { direction: Direction::ServerToClient, data: data.clone() });
        Poll::Ready(Ok(data))
    }

    /// Ready while the recorder keeps up; what that means for the server is recorded.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.sink.poll_room(cx).is_pending() {
            if !self.paused {
                self.paused = true;
                self.sink.push(Fact::ReadPaused);
            }
            return Poll::Pending;
        }
        if self.paused {
            self.paused = false;
            self.sink.push(Fact::ReadResumed);
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        if matches!(me.layer, Layer::Plain { .. }) {
            ready!(me.poll_room(cx));
        }
        let before = buf.filled().len();
        let room = buf.remaining();
        loop {
            let result = ready!(Pin::new(&mut me.io).poll_read(cx, buf));
            match &result {
                Ok(()) => {
                    let filled = buf.filled();
                    if filled.len() > before {
                        me.heard_bytes += (filled.len() - before) as u64;
                        me.saw(Direction::ServerToClient, &filled[before..]);
                        if me.filter_pings(buf, before) {
                            continue;
                        }
                    } else if room > 0 {
                        me.read_ended(None);
                    }
                }
                Err(error) => me.read_ended(Some(error)),
            }
            return Poll::Ready(result);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let result = ready!(Pin::new(&mut me.io).poll_write(cx, bytes));
        match &result {
            Ok(written) => me.saw(Direction::ClientToServer, &bytes[..*written]),
            Err(error) if matches!(me.layer, Layer::Plain { .. }) && !me.write_failed => {
                me.write_failed = true;
                me.sink.push(Fact::WriteFailed(io_failure(error)));
            }
            Err(_) => {}
        }
        Poll::Ready(result)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
