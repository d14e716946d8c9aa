//! Unix sockets in place of TCP; where there are none, that is said.

#[cfg(unix)]
pub(crate) use tokio::net::UnixStream as LocalStream;

/// Connects to the socket at `path`.
#[cfg(unix)]
pub(crate) async fn connect(path: &str) -> std::io::Result<LocalStream> {
    LocalStream::connect(path).await
}

/// Stands for a stream that cannot be.
#[cfg(not(unix))]
pub(crate) use tokio::net::TcpStream as LocalStream;

/// Says that there are no Unix sockets here.
#[cfg(not(unix))]
pub(crate) async fn connect(_path: &str) -> std::io::Result<LocalStream> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "this system has no Unix sockets"))
}
