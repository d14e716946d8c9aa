//! The practice CA and the certificates that the TLS lessons show.
//!
//! The CA may vouch for loopback and `example.test` alone, and its private key exists no more. The leaves share one
//! key, which is public.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::fault::Certificate;

/// The certificate of the practice CA, in PEM.
pub const PRACTICE_CA: &str = include_str!("certificates/ca.pem");

/// The TLS side of the practice server could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// An embedded file is not PEM.
    #[error("read an embedded certificate")]
    Pem(#[from] pem::Error),
    /// TLS refuses a certificate or key.
    #[error("set up TLS")]
    Tls(#[from] rustls::Error),
    /// The demand for a client certificate could not be made.
    #[error("set up the demand for a client certificate")]
    Demand(#[from] VerifierBuilderError),
}

/// An acceptor that shows `certificate`.
pub(super) fn acceptor(certificate: Certificate) -> Result<TlsAcceptor, CertificateError> {
    let pem = match certificate {
        Certificate::Good | Certificate::ClientRequired => include_str!("certificates/good.pem"),
        Certificate::SelfSigned => include_str!("certificates/self-signed.pem"),
        Certificate::Expired => include_str!("certificates/expired.pem"),
        Certificate::NotYetValid => include_str!("certificates/future.pem"),
        Certificate::OtherName => include_str!("certificates/other-name.pem"),
        Certificate::NoIntermediate => include_str!("certificates/no-intermediate.pem"),
        Certificate::Inspected => include_str!("certificates/inspected.pem"),
        Certificate::Worn => include_str!("certificates/worn.pem"),
    };
    let chain = vec![CertificateDer::from_pem_slice(pem.as_bytes())?];
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("certificates/leaf-key.pem"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = if certificate == Certificate::ClientRequired {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(PRACTICE_CA.as_bytes())?)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::ClientConfig;
    use rustls::pki_types::ServerName;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio_rustls::TlsConnector;

    use super::*;

    #[tokio::test]
    async fn certificates_have_the_defect_that_they_teach() {
        for (certificate, said) in [
            (Certificate::Good, None),
            (Certificate::NoIntermediate, None),
            (Certificate::Inspected, Some("UnknownIssuer")),
            (Certificate::Worn, Some("InvalidCertificate")),
            (Certificate::SelfSigned, Some("UnknownIssuer")),
            (Certificate::Expired, Some("Expired")),
            (Certificate::NotYetValid, Some("NotValidYet")),
            (Certificate::OtherName, Some("NotValidForName")),
            (Certificate::ClientRequired, Some("CertificateRequired")),
        ] {
            let result = greet(certificate).await.map_err(|error| format!("{error:?}"));
            match said {
                Some(said) => {
                    assert!(result.is_err_and(|text| text.contains(said)), "{certificate:?}");
                }
                None => assert!(result.is_ok(), "{certificate:?}: {result:?}"),
            }
        }
    }

    /// A TLS handshake of a client that trusts the practice CA, and one read behind it.
    async fn greet(certificate: Certificate) -> io::Result<u8> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(PRACTICE_CA.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (client, server) = duplex(64 * 1024);
        let acceptor = acceptor(certificate).unwrap();
        tokio::spawn(async move {
            if let Ok(mut stream) = acceptor.accept(server).await {
                stream.write_all(b"!").await.ok();
            }
        });
        let name = ServerName::try_from("127.0.0.1").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, client).await?.read_u8().await
    }
}
