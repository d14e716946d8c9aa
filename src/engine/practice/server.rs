//! The listeners: who answers which path on the shared port, and what stands on the ports of single faults.
//!
//! One task owns everything that was started; when it ends, all connections and ports end with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::ConsoleSink;
use super::fault::{FAULTS, Fault, Setting, fault};
use super::guide::{Guide, Twist, finish};
use super::request::{Head, Request, read_head};
use super::script::{Stage, Step, response};

/// What all connections share.
pub(super) struct Server {
    /// The practice secret.
    pub(super) secret: Vec<u8>,
    /// Where console lines go.
    pub(super) console: ConsoleSink,
}

/// Something that stands on a port of its own for the sake of one exercise.
pub(super) enum Post {
    /// The script, for every connection, from its first moment on.
    Script(TcpListener, &'static [Step]),
    /// The script, for the first upgrade; it may close the listener.
    Dies(TcpListener, &'static [Step]),
    /// The guide's server.
    Guide(TcpListener),
    /// The guide's server behind TLS.
    Tls(TcpListener, TlsAcceptor),
    /// A proxy that connects everybody to this address, whatever is asked for.
    Proxy(TcpListener, SocketAddr),
    /// Sockets that only keep a port.
    Hold(Vec<socket2::Socket>),
}

/// Serves the shared port and every post, until the channel closes.
pub(super) async fn attend(server: Arc<Server>, shared: Vec<TcpListener>, mut posts: mpsc::Receiver<Post>) {
    let mut tasks = JoinSet::new();
    for listener in shared {
        tasks.spawn(serve_shared(Arc::clone(&server), listener));
    }
    loop {
        tokio::select! {
            post = posts.recv() => match post {
                Some(post) => {
                    tasks.spawn(keep(Arc::clone(&server), post));
                }
                None => return,
            },
            Some(_) = tasks.join_next() => {}
        }
    }
}

async fn serve_shared(server: Arc<Server>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = accept(&listener, &mut connections).await;
        connections.spawn(answer(Arc::clone(&server), stream, peer, true));
    }
}

/// A post ends by itself after [`POST_LIMIT`], so that a long session does not collect ports.
async fn keep(server: Arc<Server>, post: Post) {
    timeout(POST_LIMIT, stand(server, post)).await.ok();
}

async fn stand(server: Arc<Server>, post: Post) {
    let mut connections = JoinSet::new();
    match post {
        Post::Script(listener, steps) => loop {
            let (stream, _) = accept(&listener, &mut connections).await;
            let server = Arc::clone(&server);
            connections.spawn(async move {
                let stage = Stage::new(stream, Request::default(), &server.console);
                stage.run(steps, &mut None).await;
            });
        },
        Post::Dies(listener, steps) => serve_until_death(&server, listener, steps).await,
        Post::Guide(listener) => loop {
            let (stream, peer) = accept(&listener, &mut connections).await;
            connections.spawn(answer(Arc::clone(&server), stream, peer, false));
        },
        Post::Tls(listener, acceptor) => loop {
            let (stream, peer) = accept(&listener, &mut connections).await;
            connections.spawn(answer_tls(Arc::clone(&server), acceptor.clone(), stream, peer));
        },
        Post::Proxy(listener, server) => loop {
            let (stream, _) = accept(&listener, &mut connections).await;
            connections.spawn(pass_on(stream, server));
        },
        Post::Hold(sockets) => {
            sleep(POST_LIMIT).await;
            drop(sockets);
        }
    }
}

/// Answers CONNECT and passes on what comes behind it.
async fn pass_on(mut client: TcpStream, server: SocketAddr) {
    let Head::Request(request) = read_head(&mut client, HEAD_PATIENCE).await else { return };
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let answer = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 practice-proxy\r\n\r\n";
    if client.write_all(answer).await.is_ok() && server.write_all(&request.leftover).await.is_ok() {
        // Whichever end goes away first, the other is told by the end of its own connection.
        copy_bidirectional(&mut client, &mut server).await.ok();
    }
}

async fn serve_until_death(server: &Server, listener: TcpListener, steps: &'static [Step]) {
    let mut listener = Some(listener);
    while let Some(open) = listener.as_ref() {
        let (mut stream, _) = accept(open, &mut JoinSet::new()).await;
        match read_head(&mut stream, HEAD_PATIENCE).await {
            Head::Request(request) if request.is_upgrade() => {
                Stage::new(stream, request, &server.console).run(steps, &mut listener).await;
            }
            Head::Request(_) => say(&mut stream, &upgrade_required()).await,
            Head::TooLarge | Head::NotHttp | Head::Nothing => {}
        }
    }
}

/// The next connection; failures to accept (no descriptors left) are waited out.
async fn accept(listener: &TcpListener, connections: &mut JoinSet<()>) -> (TcpStream, SocketAddr) {
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) if connections.len() < CONNECTION_LIMIT => {
                // Without it only the timing of small frames changes.
                stream.set_nodelay(true).ok();
                return (stream, peer);
            }
            Ok(_) => {}
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn answer(server: Arc<Server>, mut stream: TcpStream, peer: SocketAddr, has_faults: bool) {
    let request = match read_head(&mut stream, HEAD_PATIENCE).await {
        Head::Request(request) => request,
        Head::TooLarge => return say(&mut stream, TOO_LARGE).await,
        Head::NotHttp => return say(&mut stream, NOT_HTTP).await,
        Head::Nothing => return,
    };
    let staged = if has_faults { staged_at(request.path()) } else { None };
    match (staged, request.is_upgrade()) {
        (Some(Staged::Script(steps)), is_upgrade) if is_upgrade || is_plain_answer(steps) => {
            Stage::new(stream, request, &server.console).run(steps, &mut None).await;
        }
        (Some(Staged::Guide(twist)), true) => {
            let guide = Guide { secret: &server.secret, console: &server.console, twist };
            guide.serve(stream, &request, Some(peer)).await;
        }
        (None, true) if is_guides(request.path()) => {
            let guide = Guide { secret: &server.secret, console: &server.console, twist: Twist::None };
            guide.serve(stream, &request, Some(peer)).await;
        }
        (Some(_), _) => say(&mut stream, &upgrade_required()).await,
        (None, _) if is_guides(request.path()) => say(&mut stream, &upgrade_required()).await,
        (None, _) => say(&mut stream, &not_found(request.path())).await,
    }
}

async fn answer_tls(server: Arc<Server>, acceptor: TlsAcceptor, stream: TcpStream, peer: SocketAddr) {
    let Ok(Ok(mut stream)) = timeout(HEAD_PATIENCE, acceptor.accept(stream)).await else {
        return;
    };
    let Head::Request(request) = read_head(&mut stream, HEAD_PATIENCE).await else {
        return;
    };
    if request.is_upgrade() {
        let guide = Guide { secret: &server.secret, console: &server.console, twist: Twist::None };
        guide.serve(stream, &request, Some(peer)).await;
    } else if stream.write_all(upgrade_required().as_bytes()).await.is_ok() {
        finish(&mut stream).await;
    }
}

/// What stands at a path under `/fault/`.
enum Staged {
    Script(&'static [Step]),
    Guide(Twist),
}

fn staged_at(path: &str) -> Option<Staged> {
    let id = path.strip_prefix("/fault/")?;
    if let Some(with_slash) = id.strip_suffix('/') {
        // Where the redirect leads to, all is well.
        return fault(with_slash).map(|_| Staged::Guide(Twist::None));
    }
    match fault(id)?.setting {
        Setting::Path(steps) => Some(Staged::Script(steps)),
        Setting::Guide(twist) => Some(Staged::Guide(twist)),
        Setting::OwnPort(..)
        | Setting::Dies(_)
        | Setting::NoListener(_)
        | Setting::BacklogFull
        | Setting::FamilyMismatch
        | Setting::UnsafePort
        | Setting::Tls(_)
        | Setting::Proxy(..)
        | Setting::WorkingProxy
        | Setting::AbsentProxy
        | Setting::Url(_) => None,
    }
}

/// A fault that is a mere HTTP response answers every request, as the server that it plays would.
fn is_plain_answer(steps: &[Step]) -> bool {
    match steps {
        [Step::Http { .. }, Step::Fin] => true,
        [Step::Head(head), Step::Fin] => head.ends_with("\r\n\r\n"),
        _ => false,
    }
}

fn is_guides(path: &str) -> bool {
    path == "/" || path.starts_with("//") || path.starts_with("/\\")
}

async fn say(stream: &mut TcpStream, text: &str) {
    if stream.write_all(text.as_bytes()).await.is_ok() {
        finish(stream).await;
    }
}

fn upgrade_required() -> String {
    let headers = "Upgrade: websocket\r\nContent-Type: text/plain; charset=utf-8\r\n";
    let body = "This is Sockeye's practice server. Connect with a WebSocket client.\n";
    response("426 Upgrade Required", headers, body)
}

fn not_found(path: &str) -> String {
    let own_port = path.strip_prefix("/fault/").and_then(fault);
    let mut body = own_port.map_or_else(
        || format!("There is nothing at {path}. The guide's server is at /, the faults are at\n\n"),
        |fault| format!("{} needs a port of its own: use practice/{}. Here are\n\n", fault.id, fault.id),
    );
    let shared = FAULTS.iter().filter(|fault| is_on_shared_port(fault));
    body.extend(shared.map(|Fault { id, title, .. }| format!("/fault/{id}  {title}\n")));
    response("404 Not Found", "Content-Type: text/plain; charset=utf-8\r\n", &body)
}

fn is_on_shared_port(fault: &Fault) -> bool {
    matches!(fault.setting, Setting::Path(_) | Setting::Guide(_))
}

const TOO_LARGE: &str = "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n";
const NOT_HTTP: &str = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
const POST_LIMIT: Duration = Duration::from_mins(10);
const CONNECTION_LIMIT: usize = 256;
