//! The tap below the endpoint: records every byte that the operating system handed over or accepted.

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
use tokio::time::timeout;
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
                let end = match (error, below) {
                    (_, Some(below)) => below,
                    (None, None) => ReadEnd::CloseNotify,
                    (Some(_), None) => end,
                };
                self.tell_end(end);
            }
        }
    }

    fn tell_end(&mut self, end: ReadEnd) {
        self.ended_with_fin = matches!(end, ReadEnd::Fin | ReadEnd::CloseNotify);
        self.sink.push(Fact::ReadEnded(end));
    }
}

/// How long a RST is waited for after a FIN on this machine, where the way is short: the first verdict waits for it.
const RESET_ON_LOOPBACK: Duration = Duration::from_millis(20);

/// A stream that goes over a TCP connection.
pub(crate) trait OverTcp {
    /// The connection itself; `None` where it cannot be had.
    fn tcp(&self) -> Option<&TcpStream>;
}

impl OverTcp for TcpStream {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(self)
    }
}

#[cfg(unix)]
impl OverTcp for UnixStream {
    fn tcp(&self) -> Option<&TcpStream> {
        None
    }
}

impl<S: OverTcp> OverTcp for TlsStream<S> {
    fn tcp(&self) -> Option<&TcpStream> {
        self.get_ref().0.tcp()
    }
}

impl<S: OverTcp> OverTcp for Tap<S> {
    fn tcp(&self) -> Option<&TcpStream> {
        self.io.tcp()
    }
}

impl<S: OverTcp> Tap<S> {
    /// Looks for a moment whether a RST follows a FIN: reading does not show it.
    pub(crate) async fn look_for_reset(&self) {
        let Some(tcp) = self.tcp().filter(|_| self.ended_with_fin) else { return };
        let is_here = tcp.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
        let limit = if is_here { RESET_ON_LOOPBACK } else { RESET_AFTER_FIN };
        if let Ok(Ok(_)) = timeout(limit, tcp.ready(Interest::ERROR)).await
            && matches!(tcp.take_error(), Ok(Some(_)))
        {
            self.sink.push(Fact::ResetAfterFin);
        }
    }
}

/// How long a RST is waited for after a FIN: a way there and back on most networks.
const RESET_AFTER_FIN: Duration = Duration::from_millis(100);

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        if matches!(me.layer, Layer::Plain { .. }) {
            if me.sink.poll_room(cx).is_pending() {
                if !me.paused {
                    me.paused = true;
                    me.sink.push(Fact::ReadPaused);
                }
                return Poll::Pending;
            }
            if me.paused {
                me.paused = false;
                me.sink.push(Fact::ReadResumed);
            }
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
