//! The guide's server: token in the query, confirmation message, console lines in the guide's wording.
//!
//! What is right here is stock tungstenite. [`Twist`] names the ways in which a lesson departs from it.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::ConsoleSink;
use super::guide_token::{Claims, verify};
use super::request::Request;
use super::script::ACCEPT;

/// The console line of a confirmed connection.
pub(super) const CONFIRMED: &str = "[WebSocket] ✅ Connection confirmed message sent";

/// How one lesson departs from the guide's server.
#[derive(Clone, Copy, Debug)]
pub enum Twist {
    /// Not at all.
    None,
    /// No confirmation message is sent.
    NoConfirmation,
    /// This text is sent where the confirmation is due.
    OtherMessage(&'static str),
    /// So many bytes of text follow the confirmation, as one message.
    LongMessage(usize),
    /// The response head is this one; `{accept}` is filled in.
    OddHead(&'static str),
    /// The connection is closed with 1008 when the token expires.
    ClosesAtExpiry,
    /// The server's clock runs so many seconds ahead of ours, and its `Date` field says so.
    ClockAhead(i64),
    /// `aud` must be this.
    Audience(&'static str),
    /// `iss` must be this.
    Issuer(&'static str),
    /// `JWT_SECRET` is not set.
    NoSecret,
}

/// What a connection is served with.
pub(super) struct Guide<'a> {
    /// The practice secret, used as it is.
    pub(super) secret: &'a [u8],
    /// Where the console lines go.
    pub(super) console: &'a ConsoleSink,
    /// The departure.
    pub(super) twist: Twist,
}

impl Guide<'_> {
    /// Answers the opening handshake of `request` and serves the connection to its end.
    pub(super) async fn serve<S>(&self, mut stream: S, request: &Request, peer: Option<SocketAddr>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        announce(request, peer, self.console);
        let key = request.header("Sec-WebSocket-Key").unwrap_or_default();
        let head = self.head().replace("{accept}", &derive_accept_key(key.as_bytes()));
        if stream.write_all(head.as_bytes()).await.is_err() {
            return;
        }
        let leftover = request.leftover.clone();
        let mut socket = WebSocketStream::from_partially_read(stream, leftover, Role::Server, None).await;
        match self.admit(request) {
            Ok(claims) => self.converse(&mut socket, request, &claims).await,
            Err((code, reason)) => close(&mut socket, code, &reason).await,
        }
        finish(socket.get_mut()).await;
    }

    fn head(&self) -> String {
        match self.twist {
            Twist::OddHead(head) => head.to_owned(),
            Twist::ClockAhead(_) => {
                let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(self.now_unix().unsigned_abs());
                let date = format!("Date: {}\r\n\r\n", httpdate::fmt_http_date(moment));
                ACCEPT.replace("\r\n\r\n", &format!("\r\n{date}"))
            }
            Twist::None
            | Twist::NoConfirmation
            | Twist::OtherMessage(_)
            | Twist::LongMessage(_)
            | Twist::ClosesAtExpiry
            | Twist::Audience(_)
            | Twist::Issuer(_)
            | Twist::NoSecret => ACCEPT.to_owned(),
        }
    }

    /// The claims of a good token, or the close code and reason of the refusal.
    fn admit(&self, request: &Request) -> Result<Claims, (u16, String)> {
        let target = request.target.as_str();
        if target.starts_with("//") || target.starts_with("/\\") {
            self.say("[WebSocket] ❌ Failed to parse URL");
            return Err((1002, "Failed to parse URL".into()));
        }
        let token = request.query("token").unwrap_or_default();
        self.say(&format!("[WebSocket] Token received, length: {}", token.len()));
        let claims = self.verified(&token).map_err(|text| {
            self.say(&format!("[WebSocket] ❌ Token verification failed: {text}"));
            (1008, format!("Invalid token: {text}"))
        })?;
        self.say(&format!(
            "[WebSocket] ✅ Token verified successfully for user: {} tenant: {}",
            claims.user, claims.tenant
        ));
        if request.query("agentId").unwrap_or_default().is_empty() {
            self.say("[WebSocket] ❌ agentId is required");
            return Err((1008, "agentId is required".into()));
        }
        Ok(claims)
    }

    fn verified(&self, token: &str) -> Result<Claims, String> {
        let secret = if matches!(self.twist, Twist::NoSecret) { &[][..] } else { self.secret };
        let claims = verify(token, secret, self.now_unix())?;
        if let Twist::Audience(wanted) = self.twist
            && claims.audience.as_deref() != Some(wanted)
        {
            return Err(format!("jwt audience invalid. expected: {wanted}"));
        }
        if let Twist::Issuer(wanted) = self.twist
            && claims.issuer.as_deref() != Some(wanted)
        {
            return Err(format!("jwt issuer invalid. expected: {wanted}"));
        }
        Ok(claims)
    }

    async fn converse<S>(&self, socket: &mut WebSocketStream<S>, request: &Request, claims: &Claims)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let confirmation = confirmation(&request.query("agentId").unwrap_or_default());
        let first = if let Twist::OtherMessage(text) = self.twist {
            Some(text.to_owned())
        } else {
            (!matches!(self.twist, Twist::NoConfirmation)).then_some(confirmation)
        };
        if let Some(first) = first {
            if socket.send(Message::text(first)).await.is_err() {
                return;
            }
            self.say(CONFIRMED);
        }
        if let Twist::LongMessage(len) = self.twist
            && socket.send(Message::text("a".repeat(len))).await.is_err()
        {
            return;
        }
        let left_secs = match (self.twist, claims.expires_at) {
            (Twist::ClosesAtExpiry, Some(expires_at)) => (expires_at - self.now_unix() as f64).max(0.0),
            _ => f64::from(u32::MAX),
        };
        tokio::select! {
            () = echo(socket) => {}
            () = sleep(Duration::from_secs_f64(left_secs)) => {
                self.say("[WebSocket] ❌ Token verification failed: jwt expired");
                close(socket, 1008, "Invalid token: jwt expired").await;
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a server validates tokens against its own clock")]
    fn now_unix(&self) -> i64 {
        let ahead_secs = if let Twist::ClockAhead(secs) = self.twist { secs } else { 0 };
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX).saturating_add(ahead_secs)
    }

    fn say(&self, line: &str) {
        (self.console)(line);
    }
}

/// Prints the lines with which the guide's server greets every connection; no value of the query is shown.
pub(super) fn announce(request: &Request, peer: Option<SocketAddr>, console: &ConsoleSink) {
    console("[WebSocket] ========================================");
    let peer = peer.map_or_else(|| "unknown".into(), |peer| peer.ip().to_string());
    console(&format!("[WebSocket] New connection attempt from: {peer}"));
    console(&format!("[WebSocket] Request URL: {}", request.redacted_target()));
}

/// The confirmation message.
pub(super) fn confirmation(agent_id: &str) -> String {
    json!({"type": "ready", "message": "WebSocket connection established", "agentId": agent_id}).to_string()
}

/// Sends what the client sends back, until the closing handshake or the end of TCP.
async fn echo<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) {
    while let Some(Ok(message)) = socket.next().await {
        let is_data = message.is_text() || message.is_binary();
        if is_data && socket.send(message).await.is_err() {
            return;
        }
    }
}

/// Starts the closing handshake and waits for the answer.
async fn close<S>(socket: &mut WebSocketStream<S>, code: u16, reason: &str)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
    if socket.close(Some(frame)).await.is_ok() {
        let answered = async { while let Some(Ok(_)) = socket.next().await {} };
        timeout(GRACE, answered).await.ok();
    }
}

/// Ends with FIN: first our direction, then everything that the client still sends is read.
pub(super) async fn finish<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let orderly = async {
        stream.shutdown().await?;
        let mut scratch = [0; 4096];
        while stream.read(&mut scratch).await? > 0 {}
        std::io::Result::Ok(())
    };
    // The client may be gone already; then there is nothing left to end in order.
    timeout(GRACE, orderly).await.ok();
}

const GRACE: Duration = Duration::from_secs(5);
