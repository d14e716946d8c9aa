//! The practice server: the guide's server on loopback, and every fault that one process can stage there.
//!
//! What is right is stock tokio-tungstenite (`guide`), what is wrong is literal bytes (`script`).
//! Deliberately not here: our own decoder, client or diagnosis; what a fault must yield is plain text in [`FAULTS`].
//! Start at [`Practice::start`] and [`Practice::exercise`]; the rows are in `faults/`.

mod certificate;
mod exercise;
mod fault;
mod faults;
mod guide;
mod guide_token;
mod port;
mod request;
mod script;
mod server;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

pub use certificate::{CertificateError, PRACTICE_CA};
pub use exercise::{Confirm, Exercise};
pub use fault::{Certificate, Expected, FAULTS, Fault, Setting, Terms, TokenTweak, fault, nearest_id, unproducible};
pub use guide::Twist;
pub use script::Step;

use exercise::{ExerciseToken, fresh};
use server::{Post, Server, attend};

/// Where the server's console lines go; it is called from the server's tasks and must not block.
pub type ConsoleSink = Arc<dyn Fn(&str) + Send + Sync>;

/// How a practice server is started.
pub struct PracticeOptions {
    /// The port of the guide's server; 0 for any free one.
    pub port: u16,
    /// The practice secret; a random one without it.
    pub secret: Option<Vec<u8>>,
    /// Where the console lines go.
    pub console: ConsoleSink,
}

/// A running practice server; dropping it ends all its connections and ports.
pub struct Practice {
    address: SocketAddr,
    server: Arc<Server>,
    posts: mpsc::Sender<Post>,
    task: AbortHandle,
}

/// Why there is no practice server, or no exercise.
#[derive(Debug, thiserror::Error)]
pub enum PracticeError {
    /// Another process listens on the port.
    #[error("listen on port {port}: it is taken")]
    PortTaken {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// No listener, for another reason.
    #[error("listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// There is no fault with this id.
    #[error("no fault is called {id:?}; the nearest is {nearest:?}")]
    UnknownFault {
        /// What was asked for.
        id: String,
        /// The id most like it.
        nearest: &'static str,
    },
    /// The fault cannot be staged on this machine.
    #[error("stage {id}: {reason}")]
    CannotStage {
        /// The fault.
        id: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// TLS could not be set up.
    #[error("stage {id}")]
    Certificate {
        /// The fault.
        id: &'static str,
        /// What failed.
        source: CertificateError,
    },
    /// The task of the server has ended.
    #[error("the practice server has stopped")]
    Stopped,
}

impl Practice {
    /// Listens on loopback and serves until the value is dropped; must be called within a tokio runtime.
    pub async fn start(options: PracticeOptions) -> Result<Self, PracticeError> {
        let PracticeOptions { port, secret, console } = options;
        let shared = port::shared(port).await?;
        let is_custom = secret.is_some();
        let secret = secret.unwrap_or_else(random_secret);
        let server = Arc::new(Server { secret, console });
        let (posts, inbox) = mpsc::channel(POSTS);
        let address = shared.address;
        let task = tokio::spawn(attend(Arc::clone(&server), shared.listeners, inbox)).abort_handle();
        let say = &server.console;
        let kind = if is_custom { "custom" } else { "practice" };
        say(&format!("[WebSocket] JWT_SECRET configured: Yes ({kind} secret)"));
        say(&format!("[WebSocket] Server listening on port {}", address.port()));
        say(&format!("✅ Voice WebSocket Server running on ws://localhost:{}", address.port()));
        Ok(Self { address, server, posts, task })
    }

    /// The IPv4 address of the guide's server; the same port of `[::1]` is served where that is possible.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The practice secret; HS256 uses these bytes as they are.
    pub fn secret(&self) -> &[u8] {
        &self.server.secret
    }

    /// A token that the guide's server accepts for an hour from `now_unix` on.
    pub fn fresh_token(&self, now_unix: i64) -> String {
        fresh(&self.server.secret, now_unix)
    }

    /// Stages a fault, or the guide's server as it is, and says how to connect to it.
    ///
    /// A fault with a port of its own gets a fresh one each time; it stands for at most ten minutes.
    pub async fn exercise(&self, id: Option<&str>, now_unix: i64) -> Result<Exercise, PracticeError> {
        let row = match id {
            Some(id) => Some(
                fault(id).ok_or_else(|| PracticeError::UnknownFault { id: id.to_owned(), nearest: nearest_id(id) })?,
            ),
            None => None,
        };
        let terms = row.map_or(Terms::PLAIN, |row| row.terms);
        let token = ExerciseToken::new(terms.token, &self.server.secret, now_unix);
        let query = token.query(terms.padding_len);
        let own = || format!("ws://{}/?{query}", self.address);
        let (url, proxy) = match row {
            Some(row) => match self.stage_proxy(row).await? {
                Some(proxy) => (own(), Some(proxy)),
                None => (self.stage(row, &query, token.in_query()).await?, None),
            },
            None => (own(), None),
        };
        Ok(Exercise { proxy, ..Exercise::new(row, url, token, &self.server.secret) })
    }

    /// Puts up what `row` needs and returns its URL.
    async fn stage(&self, row: &'static Fault, query: &str, token: &str) -> Result<String, PracticeError> {
        let at = |scheme: &str, address: SocketAddr| format!("{scheme}://{address}/?{query}");
        let url = match row.setting {
            Setting::Guide(Twist::None) | Setting::Proxy(..) | Setting::WorkingProxy | Setting::AbsentProxy => {
                at("ws", self.address)
            }
            Setting::Guide(_) | Setting::Path(_) => {
                format!("ws://{}/fault/{}?{query}", self.address, row.id)
            }
            Setting::Url(template) => template
                .replace("{authority}", &self.address.to_string())
                .replace("{query}", query)
                .replace("{token}", token),
            Setting::OwnPort(scheme, steps) => {
                let (listener, address) = port::own().await?;
                self.post(Post::Script(listener, steps)).await?;
                at(scheme, address)
            }
            Setting::Dies(steps) => {
                let (listener, address) = port::own().await?;
                self.post(Post::Dies(listener, steps)).await?;
                at("ws", address)
            }
            Setting::Tls(certificate) => {
                let acceptor = certificate::acceptor(certificate)
                    .map_err(|source| PracticeError::Certificate { id: row.id, source })?;
                let (listener, address) = port::own().await?;
                self.post(Post::Tls(listener, acceptor)).await?;
                at("wss", address)
            }
            Setting::UnsafePort => {
                let (listener, address) = port::blocked_by_browsers(row.id).await?;
                self.post(Post::Guide(listener)).await?;
                at("ws", address)
            }
            Setting::NoListener(lines) => {
                let (socket, address) = port::without_listener()?;
                self.post(Post::Hold(vec![socket])).await?;
                for line in lines {
                    (self.server.console)(line);
                }
                at("ws", address)
            }
            Setting::BacklogFull => {
                let (sockets, address) = port::with_full_backlog(row.id).await?;
                self.post(Post::Hold(sockets)).await?;
                at("ws", address)
            }
            Setting::FamilyMismatch => {
                let (listener, held) = port::of_the_other_family(row.id).await?;
                let port = listener.1.port();
                self.post(Post::Guide(listener.0)).await?;
                self.post(Post::Hold(vec![held])).await?;
                format!("ws://localhost:{port}/?{query}")
            }
        };
        Ok(url)
    }

    /// The URL of the proxy that a fault stages, if it stages one.
    async fn stage_proxy(&self, row: &Fault) -> Result<Option<String>, PracticeError> {
        let (scheme, address) = match row.setting {
            Setting::Proxy(scheme, steps) => {
                let (listener, address) = port::own().await?;
                self.post(Post::Script(listener, steps)).await?;
                (scheme, address)
            }
            Setting::WorkingProxy => {
                let (listener, address) = port::own().await?;
                self.post(Post::Proxy(listener, self.address)).await?;
                ("http", address)
            }
            Setting::AbsentProxy => {
                let (socket, address) = port::without_listener()?;
                self.post(Post::Hold(vec![socket])).await?;
                ("http", address)
            }
            Setting::Guide(_)
            | Setting::Path(_)
            | Setting::OwnPort(..)
            | Setting::Dies(_)
            | Setting::NoListener(_)
            | Setting::BacklogFull
            | Setting::FamilyMismatch
            | Setting::UnsafePort
            | Setting::Tls(_)
            | Setting::Url(_) => return Ok(None),
        };
        Ok(Some(format!("{scheme}://{address}")))
    }

    async fn post(&self, post: Post) -> Result<(), PracticeError> {
        // The receiver is gone only if the task is; nothing else can be said about it.
        self.posts.send(post).await.ok().ok_or(PracticeError::Stopped)
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// 256 random bits as text, so that the secret can be pasted; tungstenite's keys are the source.
fn random_secret() -> Vec<u8> {
    let key = || generate_key().replace('=', "");
    format!("practice-{}{}", key(), key()).into_bytes()
}

/// How many posts may wait to be put up.
const POSTS: usize = 16;

#[cfg(test)]
mod tests;
