//! TLS on a connected stream: certificates checked by the platform, kept and explained whatever the check says.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, InvalidMessage, PeerIncompatible,
    RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::describe;
use super::tap::Tap;
use crate::engine::ConnectOptions;
use crate::engine::sink::Sink;
use crate::observation::{Deadline, Fact, ReadEnd, TlsFailure, TlsFailureKind, TlsInfo};
use crate::wire::Target;

/// Runs the TLS handshake; `None` if it failed, which the facts tell.
pub(crate) async fn handshake(
    stream: Tap<TcpStream>,
    target: &Target,
    options: &ConnectOptions,
    sink: &Sink,
) -> Option<TlsStream<Tap<TcpStream>>> {
    sink.push(Fact::TlsStarted { server_name: target.host.clone() });
    let end = stream.transport_end();
    let fail = |kind, text: String, seen: Seen| {
        let failure = TlsFailure {
            kind,
            text,
            chain: seen.chain.iter().filter_map(|der| describe(der)).collect(),
            defects: seen.defects.iter().map(certificate_kind).collect(),
            client_cert_requested: seen.client_cert_requested,
        };
        sink.push(Fact::TlsFailed(Box::new(failure)));
        None
    };
    let name = match ServerName::try_from(target.host.clone()) {
        Ok(name) => name,
        Err(error) => return fail(TlsFailureKind::NameMismatch, error.to_string(), Seen::default()),
    };
    let seen = Arc::new(Mutex::new(Seen::default()));
    let config = match config(options, Arc::clone(&seen)) {
        Ok(config) => config,
        Err(text) => return fail(TlsFailureKind::Other, text, Seen::default()),
    };
    let millis = options.time_outs.connect_millis;
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let result = timeout(Duration::from_millis(millis), connecting).await;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match result {
        Err(_elapsed) => {
            sink.push(Fact::TimedOut { deadline: Deadline::Tls, millis });
            fail(TlsFailureKind::TimedOut, format!("no TLS session within {millis} ms"), seen)
        }
        Ok(Ok(stream)) => {
            let (_, session) = stream.get_ref();
            let version = session.protocol_version().and_then(|v| v.as_str().map(str::to_owned));
            let cipher = session.negotiated_cipher_suite().and_then(|c| c.suite().as_str().map(str::to_owned));
            sink.push(Fact::TlsEstablished(Box::new(TlsInfo {
                version: version.unwrap_or_else(|| "unknown".to_owned()),
                cipher: cipher.unwrap_or_else(|| "unknown".to_owned()),
                alpn: session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
                chain: seen.chain.iter().filter_map(|der| describe(der)).collect(),
                defects: seen.defects.iter().map(ToString::to_string).collect(),
            })));
            Some(stream)
        }
        Ok(Err(error)) => {
            let kind = failure_kind(&error, end.get(), &seen);
            fail(kind, error.to_string(), seen)
        }
    }
}

/// Runs the TLS handshake of a follow-up probe, which trusts what the connection trusted and leaves no facts behind.
pub(crate) async fn connect_quietly(
    stream: TcpStream,
    target: &Target,
    options: &ConnectOptions,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(target.host.clone()).map_err(std::io::Error::other)?;
    let config = config(options, Arc::default()).map_err(std::io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// What the verifier saw, whatever it answered.
#[derive(Clone, Debug, Default)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    defects: Vec<CertificateError>,
    client_cert_requested: bool,
}

fn config(options: &ConnectOptions, seen: Arc<Mutex<Seen>>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
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
    let trusted = extra.clone();
    let inner: Arc<dyn ServerCertVerifier> = match Verifier::new_with_extra_roots(extra.clone(), Arc::clone(&provider))
    {
        Ok(verifier) => Arc::new(verifier),
        // A machine without any root: only what was given counts.
        Err(_) if !extra.is_empty() => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(extra);
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|e| e.to_string())?
        }
        Err(error) => return Err(format!("the platform's certificates cannot be used: {error}")),
    };
    let asked = Asked(Arc::clone(&seen));
    let insecure = options.insecure;
    let verifier = Recording { inner, trusted, seen, insecure, provider: Arc::clone(&provider) };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(asked));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Has no client certificate to give, but notes that one was asked for.
#[derive(Debug)]
struct Asked(Arc<Mutex<Seen>>);

impl ResolvesClientCert for Asked {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).client_cert_requested = true;
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// A verifier that keeps the chain and every complaint, and goes on where the user said so.
#[derive(Debug)]
struct Recording {
    inner: Arc<dyn ServerCertVerifier>,
    /// Certificates that the user trusts by themselves, also as a leaf.
    trusted: Vec<CertificateDer<'static>>,
    seen: Arc<Mutex<Seen>>,
    insecure: bool,
    provider: Arc<CryptoProvider>,
}

impl Recording {
    /// Whether the leaf itself is trusted, valid now and names this server.
    fn trusts(&self, leaf: &CertificateDer<'_>, server_name: &ServerName<'_>, now: UnixTime) -> bool {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        self.trusted.iter().any(|trusted| trusted == leaf)
            && describe(leaf).is_some_and(|cert| (cert.not_before..=cert.not_after).contains(&now))
            && ParsedCertificate::try_from(leaf).is_ok_and(|parsed| verify_server_name(&parsed, server_name).is_ok())
    }
}

impl ServerCertVerifier for Recording {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let result = self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.chain = std::iter::once(end_entity).chain(intermediates).map(|c| c.clone().into_owned()).collect();
        match result {
            // The rustls rule that a CA may not stand as the leaf is sound, but whoever names this very certificate means it.
            Err(TlsError::InvalidCertificate(_)) if self.trusts(end_entity, server_name, now) => {
                Ok(ServerCertVerified::assertion())
            }
            Err(TlsError::InvalidCertificate(defect)) => {
                seen.defects.push(defect.clone());
                if self.insecure {
                    Ok(ServerCertVerified::assertion())
                } else {
                    Err(TlsError::InvalidCertificate(defect))
                }
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The failure behind a read that ended in an alert: in TLS 1.3 the server judges our certificate after the handshake.
pub(crate) fn late_alert(error: &std::io::Error) -> Option<TlsFailure> {
    match error.get_ref()?.downcast_ref::<TlsError>()? {
        TlsError::AlertReceived(alert) => Some(TlsFailure {
            kind: TlsFailureKind::AlertReceived(u8::from(*alert)),
            text: error.to_string(),
            chain: Vec::new(),
            defects: Vec::new(),
            // Only who was asked for a certificate can be told that it is missing (RFC 8446 §6.2, certificate_required).
            client_cert_requested: u8::from(*alert) == 116,
        }),
        _ => None,
    }
}

fn failure_kind(error: &std::io::Error, end: Option<&ReadEnd>, seen: &Seen) -> TlsFailureKind {
    let tls = error.get_ref().and_then(|e| e.downcast_ref::<TlsError>());
    match tls {
        Some(TlsError::InvalidCertificate(defect)) => match certificate_kind(defect) {
            // A CA that signed itself and stands as the leaf has a complaint of its own.
            TlsFailureKind::UnknownIssuer | TlsFailureKind::BadCertificate if is_self_signed(seen) => {
                TlsFailureKind::SelfSigned
            }
            kind => kind,
        },
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

fn is_self_signed(seen: &Seen) -> bool {
    seen.chain.first().and_then(|leaf| describe(leaf)).is_some_and(|leaf| leaf.subject == leaf.issuer)
}

fn certificate_kind(defect: &CertificateError) -> TlsFailureKind {
    match defect {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFailureKind::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFailureKind::NotYetValid,
        CertificateError::UnknownIssuer => TlsFailureKind::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFailureKind::NameMismatch
        }
        _ => TlsFailureKind::BadCertificate,
    }
}
