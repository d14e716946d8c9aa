//! A verifier that keeps the chain and every defect, not the first alone, and goes on where the user said so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error as TlsError, SignatureScheme};

use super::super::certificate::describe;
use crate::observation::{ClientCertificateUse, TlsFailureKind};

/// What the verifier saw, whatever it answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// Everything that is wrong with the chain: the issuer, the dates, the name, the rest.
    pub(super) defects: Vec<CertificateError>,
    pub(super) client_certificate: ClientCertificateUse,
}

impl Seen {
    /// The defects as kinds, each once.
    pub(super) fn kinds(&self) -> Vec<TlsFailureKind> {
        let mut kinds = Vec::new();
        for defect in &self.defects {
            let kind = self.kind(defect);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }

    /// The kind of one defect.
    pub(super) fn kind(&self, defect: &CertificateError) -> TlsFailureKind {
        match kind(defect) {
            // A CA that signed itself and stands as the leaf has a complaint of its own.
            TlsFailureKind::UnknownIssuer | TlsFailureKind::BadCertificate if self.is_self_signed() => {
                TlsFailureKind::SelfSigned
            }
            kind => kind,
        }
    }

    /// One defect in words for people.
    pub(super) fn words(&self, defect: &CertificateError) -> String {
        if self.kind(defect) == TlsFailureKind::SelfSigned {
            return "the certificate signed itself, and nobody else vouches for it".to_owned();
        }
        words(defect)
    }

    fn is_self_signed(&self) -> bool {
        self.chain.first().and_then(|leaf| describe(leaf)).is_some_and(|leaf| leaf.subject == leaf.issuer)
    }
}

/// A verifier that records; see the module.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) inner: Arc<dyn ServerCertVerifier>,
    /// Certificates that the user trusts by themselves, also as a leaf.
    pub(super) trusted: Vec<CertificateDer<'static>>,
    pub(super) seen: Arc<Mutex<Seen>>,
    pub(super) insecure: bool,
    pub(super) provider: Arc<CryptoProvider>,
}

impl Recording {
    /// Whether the leaf itself is trusted, valid now and names this server.
    fn trusts(&self, leaf: &CertificateDer<'_>, server_name: &ServerName<'_>, now: UnixTime) -> bool {
        self.trusted.iter().any(|trusted| trusted == leaf)
            && date_defect(leaf, now).is_none()
            && name_defect(leaf, server_name).is_none()
    }

    /// Everything that is wrong, given what the platform's own check found first.
    ///
    /// That check ends at the first fault, so the issuer is asked about at a moment and under a name for which nothing
    /// else can be wrong, and dates and name are looked at apart.
    fn defects(&self, chain: &Chain<'_>, now: UnixTime, first: CertificateError) -> Vec<CertificateError> {
        let mut defects = Vec::new();
        let issuer = chain.verify_for_its_own(self.inner.as_ref());
        let is_of_the_issuer = |defect: &CertificateError| {
            !matches!(
                kind(defect),
                TlsFailureKind::Expired | TlsFailureKind::NotYetValid | TlsFailureKind::NameMismatch
            )
        };
        let is_trusted = self.trusted.iter().any(|trusted| trusted == chain.leaf);
        defects.extend(issuer.filter(|defect| is_of_the_issuer(defect) && !is_trusted));
        let certificates = std::iter::once(chain.leaf).chain(chain.intermediates);
        defects.extend(certificates.filter_map(|certificate| date_defect(certificate, now)));
        defects.extend(name_defect(chain.leaf, chain.server_name));
        let is_told = defects.iter().any(|defect| kind(defect) == kind(&first));
        let is_forgiven = is_trusted && is_of_the_issuer(&first);
        if !(is_told || is_forgiven) {
            defects.push(first);
        }
        defects
    }
}

/// What a server showed, and for which name.
struct Chain<'a> {
    leaf: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    server_name: &'a ServerName<'a>,
    ocsp_response: &'a [u8],
}

impl Chain<'_> {
    /// What the platform says in the middle of the leaf's validity and under a name that the leaf carries.
    fn verify_for_its_own(&self, inner: &dyn ServerCertVerifier) -> Option<CertificateError> {
        let leaf = describe(self.leaf)?;
        let middle = u64::try_from(leaf.not_before.midpoint(leaf.not_after)).ok()?;
        let moment = UnixTime::since_unix_epoch(Duration::from_secs(middle));
        let own = leaf.names.iter().find_map(|name| ServerName::try_from(name.replacen("*.", "any.", 1)).ok());
        let name = own.unwrap_or_else(|| self.server_name.to_owned());
        match inner.verify_server_cert(self.leaf, self.intermediates, &name, self.ocsp_response, moment) {
            Err(TlsError::InvalidCertificate(defect)) => Some(defect),
            Ok(_) | Err(_) => None,
        }
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
            Err(TlsError::InvalidCertificate(first)) => {
                let chain = Chain { leaf: end_entity, intermediates, server_name, ocsp_response };
                seen.defects = self.defects(&chain, now, first.clone());
                if self.insecure {
                    Ok(ServerCertVerified::assertion())
                } else {
                    Err(TlsError::InvalidCertificate(seen.defects.first().cloned().unwrap_or(first)))
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

/// The kind of a defect by itself.
pub(super) fn kind(defect: &CertificateError) -> TlsFailureKind {
    match defect {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFailureKind::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFailureKind::NotYetValid,
        // A CA that was made anew has the old one's name and not its key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFailureKind::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFailureKind::NameMismatch
        }
        _ => TlsFailureKind::BadCertificate,
    }
}

/// The defect in words, as far as it alone tells.
fn words(defect: &CertificateError) -> String {
    match defect {
        CertificateError::UnknownIssuer => "the issuer is not known".to_owned(),
        CertificateError::BadSignature => {
            "the issuer has the name of an authority that is known, but signed with another key".to_owned()
        }
        // rustls has no words for it.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the certificate of an authority stands where that of a server should".to_owned()
        }
        _ => defect.to_string(),
    }
}

fn date_defect(certificate: &CertificateDer<'_>, now: UnixTime) -> Option<CertificateError> {
    let described = describe(certificate)?;
    let at = |unix: i64| UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(unix).unwrap_or(0)));
    if described.not_after < i64::try_from(now.as_secs()).unwrap_or(i64::MAX) {
        Some(CertificateError::ExpiredContext { time: now, not_after: at(described.not_after) })
    } else if at(described.not_before).as_secs() > now.as_secs() {
        Some(CertificateError::NotValidYetContext { time: now, not_before: at(described.not_before) })
    } else {
        None
    }
}

fn name_defect(leaf: &CertificateDer<'_>, server_name: &ServerName<'_>) -> Option<CertificateError> {
    match verify_server_name(&ParsedCertificate::try_from(leaf).ok()?, server_name) {
        Err(TlsError::InvalidCertificate(defect)) => Some(defect),
        Ok(()) | Err(_) => None,
    }
}
