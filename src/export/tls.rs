//! What TLS agreed on, and the certificates that came, as JSON and as lines.

use serde_json::{Value, json};

use super::words;
use crate::observation::{CertInfo, ClientCertificateUse, TlsFailureKind};
use crate::store::Tls;

/// The detail of the TLS phase, and whether it ended with `close_notify`; null while nothing came of it.
pub(super) fn detail(tls: &Tls, close_notify: Option<bool>) -> Value {
    let kinds = |kinds: &[TlsFailureKind]| kinds.iter().map(|kind| words::tls_kind(*kind)).collect::<Vec<_>>();
    match (&tls.info, &tls.failure) {
        (Some(info), _) => json!({
            "server_name": tls.server_name,
            "version": info.version,
            "cipher": info.cipher,
            "group": info.group,
            "alpn": info.alpn,
            "certificates": info.chain.iter().map(certificate).collect::<Vec<_>>(),
            "defects": info.defects,
            "client_certificate": client_certificate(info.client_certificate),
            "alert": null,
            "close_notify": close_notify,
        }),
        (None, Some(failure)) => {
            let used = match (failure.client_cert_requested, failure.client_cert_given) {
                (false, false) => ClientCertificateUse::NotAsked,
                (true, false) => ClientCertificateUse::NotGiven,
                (_, true) => ClientCertificateUse::Given,
            };
            json!({
                "server_name": tls.server_name,
                "version": null,
                "cipher": null,
                "group": null,
                "alpn": null,
                "certificates": failure.chain.iter().map(certificate).collect::<Vec<_>>(),
                "defects": kinds(&failure.defects),
                "client_certificate": client_certificate(used),
                "alert": failure.alert.map(|alert| json!({
                    "direction": alert.direction.word(), "code": alert.code, "name": alert.name(),
                })),
                "close_notify": null,
            })
        }
        (None, None) => Value::Null,
    }
}

fn client_certificate(used: ClientCertificateUse) -> &'static str {
    match used {
        ClientCertificateUse::NotAsked => "not asked for",
        ClientCertificateUse::NotGiven => "asked for, none given",
        ClientCertificateUse::Given => "asked for and given",
    }
}

fn certificate(certificate: &CertInfo) -> Value {
    json!({
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": certificate.names,
        "not_before": stamp(certificate.not_before),
        "not_after": stamp(certificate.not_after),
        "key": certificate.key,
        "serial": certificate.serial,
    })
}

/// What stands under the TLS step of a report: a line for each certificate, and what was wrong with them.
pub(super) fn lines(tls: &Tls) -> Vec<String> {
    let (chain, defects) = match (&tls.info, &tls.failure) {
        (Some(info), _) => (&info.chain, info.defects.clone()),
        (None, Some(failure)) => {
            let others = failure.defects.iter().filter(|kind| **kind != failure.kind);
            (&failure.chain, others.map(|kind| words::tls_kind(*kind)).collect())
        }
        (None, None) => return Vec::new(),
    };
    let mut lines: Vec<String> = chain.iter().enumerate().map(|(nth, one)| certificate_line(nth, one)).collect();
    let lead = if tls.info.is_some() { "went on although" } else { "also" };
    lines.extend(defects.into_iter().map(|defect| format!("{lead}: {defect}")));
    let alert = tls.failure.as_ref().and_then(|failure| failure.alert);
    lines.extend(alert.map(|alert| format!("TLS alert {}", alert.words())));
    let used = tls.info.as_ref().map(|info| info.client_certificate);
    match used {
        Some(ClientCertificateUse::Given) => lines.push("our client certificate was asked for and shown".to_owned()),
        Some(ClientCertificateUse::NotGiven) => {
            lines.push("a client certificate was asked for; we have none".to_owned());
        }
        Some(ClientCertificateUse::NotAsked) | None => {}
    }
    lines
}

fn certificate_line(nth: usize, certificate: &CertInfo) -> String {
    let names =
        if certificate.names.is_empty() { String::new() } else { format!(" for {}", certificate.names.join(", ")) };
    let key = if certificate.key.is_empty() { String::new() } else { format!(", {}", certificate.key) };
    format!(
        "{}. {}{names}, issued by {}, valid {} to {}{key}",
        nth + 1,
        certificate.subject,
        certificate.issuer,
        day(certificate.not_before),
        day(certificate.not_after),
    )
}

fn stamp(unix: i64) -> Option<String> {
    jiff::Timestamp::from_second(unix).ok().map(|stamp| stamp.to_string())
}

fn day(unix: i64) -> String {
    let stamp = jiff::Timestamp::from_second(unix).ok();
    stamp.map_or_else(|| "?".to_owned(), |stamp| stamp.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Direction, TlsAlert, TlsFailure};

    #[test]
    fn a_failure_lists_the_chain_every_defect_and_the_alert() {
        let chain = vec![CertInfo {
            subject: "CN=a".to_owned(),
            issuer: "CN=b".to_owned(),
            names: vec!["a.test".to_owned()],
            not_before: 0,
            not_after: 86_400,
            key: "EC P-256".to_owned(),
            ..CertInfo::default()
        }];
        let failure = TlsFailure {
            kind: TlsFailureKind::UnknownIssuer,
            chain,
            defects: vec![TlsFailureKind::UnknownIssuer, TlsFailureKind::Expired],
            alert: Some(TlsAlert { direction: Direction::ClientToServer, code: 48 }),
            ..TlsFailure::default()
        };
        let tls = Tls { server_name: "h".to_owned(), failure: Some(failure), ..Tls::default() };
        let wanted = [
            "1. CN=a for a.test, issued by CN=b, valid 1970-01-01 to 1970-01-02, EC P-256",
            "also: the certificate has expired",
            "TLS alert sent unknown_ca (48)",
        ];
        assert_eq!(lines(&tls), wanted);
        assert_eq!(detail(&tls, None)["alert"]["name"], "unknown_ca");
        assert_eq!(detail(&tls, None)["certificates"][0]["not_after"], "1970-01-02T00:00:00Z");
    }
}
