//! The client's own certificate and its key, from PEM files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::sign::CertifiedKey;

use super::verifier::Seen;
use crate::observation::ClientCertificateUse;

/// The files of a client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// A PEM file with the certificate first, and those that lead to its authority behind it.
    pub certificate: PathBuf,
    /// A PEM file with its key; without one the key stands in the certificate's file.
    pub key: Option<PathBuf>,
}

/// Why a client certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientCertificateError {
    /// A file cannot be read.
    #[error("cannot read {what} {}", path.display())]
    Read {
        /// The certificate or the key.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// There is nothing of the kind in the file.
    #[error("there is no {what} in PEM in {}", path.display())]
    Missing {
        /// The certificate or the key.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The key has a passphrase.
    #[error("the key is encrypted; write it without a passphrase with `openssl pkey -in {0} -out plain.pem`", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// The key cannot be used, or is not that of the certificate.
    #[error("the key does not fit the certificate")]
    Key(#[source] rustls::Error),
}

impl ClientCertificate {
    /// Reads the files and checks that the key belongs to the certificate.
    pub fn check(&self) -> Result<(), ClientCertificateError> {
        self.read(&rustls::crypto::ring::default_provider()).map(|_| ())
    }

    pub(super) fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, ClientCertificateError> {
        let read = |what, path: &Path, source| match source {
            pem::Error::NoItemsFound => ClientCertificateError::Missing { what, path: path.to_owned() },
            source => ClientCertificateError::Read { what, path: path.to_owned(), source },
        };
        let certificate_error = |source| read("the client certificate", &self.certificate, source);
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(&self.certificate).map_err(certificate_error)?.collect();
        let chain = chain.map_err(certificate_error)?;
        if chain.is_empty() {
            return Err(certificate_error(pem::Error::NoItemsFound));
        }
        let path = self.key.as_ref().unwrap_or(&self.certificate);
        let key = PrivateKeyDer::from_pem_file(path).map_err(|source| {
            let is_encrypted = std::fs::read(path).is_ok_and(|bytes| {
                let text = String::from_utf8_lossy(&bytes);
                text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
            });
            if is_encrypted {
                ClientCertificateError::Encrypted { path: path.clone() }
            } else {
                read("the client certificate's key", path, source)
            }
        })?;
        let key = provider.key_provider.load_private_key(key).map_err(ClientCertificateError::Key)?;
        let identity = CertifiedKey::new(chain, key);
        match identity.keys_match() {
            // A key that cannot tell is tried: the server will judge.
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(identity),
            Err(error) => Err(ClientCertificateError::Key(error)),
        }
    }
}

/// Shows the client certificate if there is one, and notes that one was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) identity: Option<Arc<CertifiedKey>>,
    pub(super) seen: Arc<Mutex<Seen>>,
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, _issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let fitting = self.identity.as_ref().filter(|identity| identity.key.choose_scheme(schemes).is_some()).cloned();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.client_certificate =
            if fitting.is_some() { ClientCertificateUse::Given } else { ClientCertificateUse::NotGiven };
        fitting
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a fresh certificate and its key into one file each.
    fn fresh(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed(vec!["client.test".to_owned()]).unwrap();
        let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (certificate, key)
    }

    #[test]
    fn a_certificate_is_used_with_its_own_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = fresh(folder.path(), "a");
        let (_, other) = fresh(folder.path(), "b");
        let check = |key: Option<PathBuf>| ClientCertificate { certificate: certificate.clone(), key }.check();
        check(Some(key.clone())).unwrap();
        assert!(matches!(check(Some(other)), Err(ClientCertificateError::Key(_))));
        assert!(matches!(check(None), Err(ClientCertificateError::Missing { .. })));
        let both = [std::fs::read(&key).unwrap(), std::fs::read(&certificate).unwrap()].concat();
        std::fs::write(&certificate, both).unwrap();
        check(None).unwrap();
        assert!(matches!(check(Some(folder.path().join("none"))), Err(ClientCertificateError::Read { .. })));
        std::fs::write(&key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
            .unwrap();
        assert!(matches!(check(Some(key)), Err(ClientCertificateError::Encrypted { .. })));
    }
}
