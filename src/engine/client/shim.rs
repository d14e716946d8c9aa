//! What stands between the tap and tungstenite: [`Sieve`] where nothing is compressed, else [`Inbound`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::deflate_shim::Inbound;
use super::sieve::Sieve;
use super::tap::Tap;
use crate::engine::sink::Sink;
use crate::wire::Deflate;

/// The stream that tungstenite reads and writes.
pub(crate) struct Shim<S> {
    tap: Tap<S>,
    way: Way,
    written: u64,
}

/// What the server's bytes go through.
enum Way {
    /// They go straight to tungstenite.
    Straight,
    Sieve(Sieve),
    Inflate(Box<Inbound>),
}

impl<S> Shim<S> {
    /// A shim for what the 101 accepted; `tail` are the bytes that came behind it.
    ///
    /// Gives back the tail where the bytes go straight to tungstenite: without compression, while pings are withheld.
    pub(crate) fn new(
        tap: Tap<S>,
        deflate: Option<Deflate>,
        tail: Vec<u8>,
        limit_bytes: u64,
        sink: &Sink,
    ) -> (Self, Vec<u8>) {
        let (way, left) = match deflate {
            Some(deflate) => {
                let inbound = Inbound::new(deflate, tail, limit_bytes, sink.clone(), !tap.withholds_pings());
                (Way::Inflate(Box::new(inbound)), Vec::new())
            }
            // Bytes are missing from what is read then.
            None if tap.withholds_pings() => (Way::Straight, tail),
            None => (Way::Sieve(Sieve::new(tail, limit_bytes)), Vec::new()),
        };
        (Self { tap, way, written: 0 }, left)
    }

    /// Nobody reads messages from here on: those that break no rule need not reach tungstenite.
    pub(crate) fn withhold_messages(&mut self) {
        match &mut self.way {
            Way::Straight => {}
            Way::Sieve(sieve) => sieve.withhold_messages(),
            Way::Inflate(inbound) => inbound.withhold_messages(),
        }
    }

    /// The tap below.
    pub(crate) fn tap(&self) -> &Tap<S> {
        &self.tap
    }

    /// The tap below, for reading on without the endpoint.
    pub(crate) fn tap_mut(&mut self) -> &mut Tap<S> {
        &mut self.tap
    }

    /// Whether reading has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.tap.has_ended()
    }

    /// How many bytes were written after the handshake.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Notes how far the server's messages were inflated.
    pub(crate) fn note_end(&self) {
        if let Way::Inflate(inbound) = &self.way {
            inbound.note_end();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Shim<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        match &mut me.way {
            Way::Straight => Pin::new(&mut me.tap).poll_read(cx, buf),
            Way::Sieve(sieve) => sieve.poll_read(&mut me.tap, cx, buf),
            Way::Inflate(inbound) => inbound.poll_read(&mut me.tap, cx, buf),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Shim<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let written = ready!(Pin::new(&mut me.tap).poll_write(cx, bytes))?;
        me.written += written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tap).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tap).poll_shutdown(cx)
    }
}
