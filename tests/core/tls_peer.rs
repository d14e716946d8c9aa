//! A server's end of a connection, plain or TLS, of which each step of the end can be played alone.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

use crate::peer::read_to_end;

/// The server's end.
pub(crate) enum Peer {
    /// Without TLS.
    Plain(TcpStream),
    /// With TLS.
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Peer {
    /// TLS with the certificate of the practice server; the handshake runs with the first read.
    pub(crate) fn tls(stream: TcpStream) -> Self {
        Self::Tls(Box::new(over_tls(stream)))
    }

    /// The TCP connection below.
    pub(crate) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    /// Ends TLS; without TLS it does nothing.
    pub(crate) fn close_notify(&mut self) {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
            // The client may be gone.
            stream.flush().ok();
        }
    }

    /// Ends TCP with FIN and waits for the client to do so.
    pub(crate) fn fin(&self) {
        // It has no effect on a connection that is over.
        self.tcp().shutdown(Shutdown::Write).ok();
        read_to_end(self.tcp());
    }

    /// From here on, to drop it is to send RST.
    pub(crate) fn reset(&self) {
        SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Puts bytes into a TLS record and sends the first half of it.
    pub(crate) fn write_half_a_record(&mut self, bytes: &[u8]) {
        let Self::Tls(stream) = self else { panic!("only TLS has records") };
        stream.conn.writer().write_all(bytes).unwrap();
        let mut record = Vec::new();
        stream.conn.write_tls(&mut record).unwrap();
        stream.sock.write_all(&record[..record.len() / 2]).unwrap();
    }
}

impl Read for Peer {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buf),
            Self::Tls(stream) => stream.read(buf),
        }
    }
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// The server's end of TLS on any stream, with the certificate of the practice server.
pub(crate) fn over_tls<S: Read + Write>(stream: S) -> StreamOwned<ServerConnection, S> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/engine/practice/certificates");
    let chain = vec![CertificateDer::from_pem_file(format!("{folder}/good.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(format!("{folder}/leaf-key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream)
}
