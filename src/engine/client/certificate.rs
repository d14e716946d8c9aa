//! A certificate in the few words that a person needs.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, ParsedExtension, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::observation::CertInfo;

/// Reads a certificate; `None` if it is none.
pub(crate) fn describe(der: &CertificateDer<'_>) -> Option<CertInfo> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map_or_else(Vec::new, |san| san.value.general_names.iter().filter_map(name).collect());
    let has_ca_issuers = certificate.extensions().iter().any(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => {
            access.accessdescs.iter().any(|a| a.access_method.to_id_string() == "1.3.6.1.5.5.7.48.2")
        }
        _ => false,
    });
    Some(CertInfo {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        names,
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        has_ca_issuers,
        key: key(&certificate),
        serial: certificate
            .raw_serial()
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 0x0F])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect(),
    })
}

/// The key in words: `RSA 2048 bits`, `EC P-256`.
fn key(certificate: &X509Certificate<'_>) -> String {
    let info = certificate.public_key();
    let curve = || info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {} bits", key.key_size()),
        Ok(PublicKey::EC(point)) => match curve().as_deref() {
            Some("1.2.840.10045.3.1.7") => "EC P-256".to_owned(),
            Some("1.3.132.0.34") => "EC P-384".to_owned(),
            Some("1.3.132.0.35") => "EC P-521".to_owned(),
            Some(_) | None => format!("EC {} bits", point.key_size()),
        },
        Ok(PublicKey::DSA(_)) => "DSA".to_owned(),
        Ok(PublicKey::GostR3410(_) | PublicKey::GostR3410_2012(_)) => "GOST R 34.10".to_owned(),
        Ok(PublicKey::Unknown(_)) | Err(_) => match info.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => "Ed25519".to_owned(),
            "1.3.101.113" => "Ed448".to_owned(),
            other => format!("algorithm {other}"),
        },
    }
}

fn name(general: &GeneralName<'_>) -> Option<String> {
    match general {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| IpAddr::from(b).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|b| IpAddr::from(b).to_string()),
            _ => None,
        },
        _ => None,
    }
}
