//! TLS on a connected stream: certificates checked by the platform, kept and explained whatever the check says.

mod identity;
mod key_log;
mod verifier;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, ClientConfig, Error as TlsError, InvalidMessage, PeerIncompatible, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::describe;
use super::tap::Tap;
use crate::engine::ConnectOptions;
use crate::engine::sink::Sink;
use crate::observation::{
    ClientCertificateUse, Deadline, Direction, Fact, ReadEnd, TlsAlert, TlsFailure, TlsFailureKind, TlsInfo,
};
use crate::wire::Target;

use identity::Asked;
pub use identity::{ClientCertificate, ClientCertificateError};
use key_log::KeyLogFile;
use verifier::{Recording, Seen};

/// Runs the TLS handshake; `None` if it failed, which the facts tell.
pub(crate) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: Tap<S>,
    target: &Target,
    options: &ConnectOptions,
    sink: &Sink,
) -> Option<TlsStream<Tap<S>>> {
    let chosen = options.sni.clone().filter(|name| !name.is_empty());
    let host = chosen.unwrap_or_else(|| target.host.clone());
    sink.push(Fact::TlsStarted { server_name: host.clone() });
    let end = stream.transport_end();
    let fail = |kind, text: String, seen: &Seen, alert| {
        let failure = TlsFailure {
            kind,
            text,
            chain: seen.chain.iter().filter_map(|der| describe(der)).collect(),
            defects: seen.kinds(),
            client_cert_requested: seen.client_certificate != ClientCertificateUse::NotAsked,
            client_cert_given: seen.client_certificate == ClientCertificateUse::Given,
            alert,
        };
        sink.push(Fact::TlsFailed(Box::new(failure)));
        None
    };
    let name = match ServerName::try_from(host) {
        Ok(name) => name,
        Err(error) => return fail(TlsFailureKind::NameMismatch, error.to_string(), &Seen::default(), None),
    };
    let seen = Arc::new(Mutex::new(Seen::default()));
    let config = match config(options, Arc::clone(&seen), sink) {
        Ok(config) => config,
        Err(text) => return fail(TlsFailureKind::Other, text, &Seen::default(), None),
    };
    let millis = options.time_outs.connect_millis;
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let result = timeout(Duration::from_millis(millis), connecting).await;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match result {
        Err(_elapsed) => {
            sink.push(Fact::TimedOut { deadline: Deadline::Tls, millis });
            fail(TlsFailureKind::TimedOut, format!("no TLS session within {millis} ms"), &seen, None)
        }
        Ok(Ok(stream)) => {
            sink.push(Fact::TlsEstablished(Box::new(info(&stream, &seen))));
            Some(stream)
        }
        Ok(Err(error)) => {
            let kind = failure_kind(&error, end.get(), &seen);
            fail(kind, failure_words(&error, &seen), &seen, alert(&error))
        }
    }
}

/// Runs the TLS handshake of a follow-up probe, which trusts what the connection trusted and leaves no facts behind.
pub(crate) async fn connect_quietly(
    stream: TcpStream,
    target: &Target,
    options: &ConnectOptions,
    sink: &Sink,
) -> std::io::Result<TlsStream<TcpStream>> {
    let chosen = options.sni.clone().filter(|name| !name.is_empty());
    let host = chosen.unwrap_or_else(|| target.host.clone());
    let name = ServerName::try_from(host).map_err(std::io::Error::other)?;
    let config = config(options, Arc::default(), sink).map_err(std::io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Runs the TLS handshake with a proxy, which gets neither the client certificate nor the server name of the session.
///
/// `Err` says in words what failed.
pub(crate) async fn connect_to_proxy(
    stream: TcpStream,
    host: &str,
    options: &ConnectOptions,
    sink: &Sink,
) -> Result<TlsStream<TcpStream>, String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let options = ConnectOptions { client_certificate: None, sni: None, ..options.clone() };
    let seen = Arc::new(Mutex::new(Seen::default()));
    let config = config(&options, Arc::clone(&seen), sink)?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| failure_words(&error, &seen.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// What was agreed on.
fn info<S>(stream: &TlsStream<S>, seen: &Seen) -> TlsInfo {
    let (_, session) = stream.get_ref();
    let version = session.protocol_version().and_then(|v| v.as_str().map(str::to_owned));
    let cipher = session.negotiated_cipher_suite().and_then(|c| c.suite().as_str().map(str::to_owned));
    TlsInfo {
        version: version.unwrap_or_else(|| "unknown".to_owned()),
        cipher: cipher.unwrap_or_else(|| "unknown".to_owned()),
        group: session.negotiated_key_exchange_group().map(|group| format!("{:?}", group.name())),
        alpn: session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        chain: seen.chain.iter().filter_map(|der| describe(der)).collect(),
        defects: seen.defects.iter().map(|defect| seen.words(defect)).collect(),
        defect_kinds: seen.kinds(),
        client_certificate: seen.client_certificate,
    }
}

fn config(options: &ConnectOptions, seen: Arc<Mutex<Seen>>, sink: &Sink) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trusted = authorities(options)?;
    let inner = platform(&trusted, &provider)?;
    let identity = match &options.client_certificate {
        Some(files) => Some(files.read(&provider).map_err(|error| crate::engine::error_chain(&error))?),
        None => None,
    };
    let asked = Asked { identity: identity.map(Arc::new), seen: Arc::clone(&seen) };
    let insecure = options.insecure;
    let verifier = Recording { inner, trusted, seen, insecure, provider: Arc::clone(&provider) };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(asked));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.enable_sni = options.sni.as_deref() != Some("");
    if let Some(path) = key_log::path(options.key_log.as_ref()) {
        let place = path.display();
        let text = match KeyLogFile::open(&path) {
            Ok(file) => {
                config.key_log = Arc::new(file);
                format!("the keys of this TLS session are written to {place}: whoever has them can read the traffic")
            }
            Err(error) => format!("the keys of this TLS session cannot be written to {place}: {error}"),
        };
        sink.push(Fact::Note { text });
    }
    Ok(config)
}

/// The authorities that the user trusts besides those of the platform.
fn authorities(options: &ConnectOptions) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut extra = Vec::new();
    for path in &options.ca_files {
        let file = path.display();
        let certificates = CertificateDer::pem_file_iter(path).map_err(|e| format!("cannot read {file}: {e}"))?;
        for certificate in certificates {
            extra.push(certificate.map_err(|e| format!("cannot read a certificate of {file}: {e}"))?);
        }
    }
    for pem in &options.ca_pems {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            extra.push(certificate.map_err(|e| format!("cannot read a certificate: {e}"))?);
        }
    }
    Ok(extra)
}

/// The platform's own check, with further authorities.
fn platform(
    extra: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    match Verifier::new_with_extra_roots(extra.to_vec(), Arc::clone(provider)) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        // A machine without any root: only what was given counts.
        Err(_) if !extra.is_empty() => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(extra.to_vec());
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            Ok(verifier.build().map_err(|e| e.to_string())?)
        }
        Err(error) => Err(format!("the platform's certificates cannot be used: {error}")),
    }
}

/// The failure behind a read that ended in an alert: in TLS 1.3 the server judges our certificate after the handshake.
pub(crate) fn late_alert(error: &std::io::Error) -> Option<TlsFailure> {
    match error.get_ref()?.downcast_ref::<TlsError>()? {
        TlsError::AlertReceived(alert) => Some(TlsFailure {
            kind: TlsFailureKind::AlertReceived(u8::from(*alert)),
            text: error.to_string(),
            alert: Some(received(*alert)),
            // Only who was asked for a certificate can be told that it is missing (RFC 8446 §6.2, certificate_required).
            client_cert_requested: u8::from(*alert) == 116,
            ..TlsFailure::default()
        }),
        _ => None,
    }
}

fn failure_kind(error: &std::io::Error, end: Option<&ReadEnd>, seen: &Seen) -> TlsFailureKind {
    let tls = error.get_ref().and_then(|e| e.downcast_ref::<TlsError>());
    match tls {
        Some(TlsError::InvalidCertificate(defect)) => seen.kind(defect),
        Some(TlsError::AlertReceived(alert)) => TlsFailureKind::AlertReceived(u8::from(*alert)),
        Some(TlsError::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion)) => {
            TlsFailureKind::NotTls
        }
        Some(TlsError::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)) => TlsFailureKind::Version,
        _ => match end {
            Some(ReadEnd::Fin | ReadEnd::CloseNotify) => TlsFailureKind::Fin,
            Some(ReadEnd::Reset) => TlsFailureKind::Reset,
            Some(ReadEnd::Failed(_)) | None => TlsFailureKind::Other,
        },
    }
}

/// The fatal alert of a failed handshake, as far as it is known who sent which.
fn alert(error: &std::io::Error) -> Option<TlsAlert> {
    let sent = |alert: AlertDescription| TlsAlert { direction: Direction::ClientToServer, code: u8::from(alert) };
    match error.get_ref()?.downcast_ref::<TlsError>()? {
        TlsError::AlertReceived(alert) => Some(received(*alert)),
        TlsError::InvalidCertificate(defect) => Some(sent(AlertDescription::from(defect.clone()))),
        TlsError::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
            Some(sent(AlertDescription::ProtocolVersion))
        }
        TlsError::NoApplicationProtocol => Some(sent(AlertDescription::NoApplicationProtocol)),
        _ => None,
    }
}

fn received(alert: AlertDescription) -> TlsAlert {
    TlsAlert { direction: Direction::ServerToClient, code: u8::from(alert) }
}

/// The library's words, and those for people where a certificate is at fault.
fn failure_words(error: &std::io::Error, seen: &Seen) -> String {
    match error.get_ref().and_then(|e| e.downcast_ref::<TlsError>()) {
        Some(TlsError::InvalidCertificate(defect)) => format!("invalid certificate: {}", seen.words(defect)),
        Some(_) | None => error.to_string(),
    }
}
