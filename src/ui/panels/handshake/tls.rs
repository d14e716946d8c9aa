//! What TLS agreed on, the certificates that came, and what is wrong with them.

use super::{heading_ui, safe};
use crate::observation::{CertInfo, ClientCertificateUse, Direction, TlsFailure, TlsInfo};
use crate::store::Story;
use crate::ui::panels::dates;
use crate::ui::panels::fact_words::tls_words;
use crate::ui::panels::parts::{fields_ui, words_ui};
use crate::ui::theme;
use egui::Ui;

/// Shows the TLS handshake, if there was one.
pub(super) fn tls_ui(ui: &mut Ui, story: &Story, now_unix_millis: i64) {
    let Some(tls) = &story.tls else {
        return;
    };
    heading_ui(ui, "TLS", |_| {});
    let now = now_unix_millis as f64 / 1000.0;
    match (&tls.info, &tls.failure) {
        (Some(info), _) => info_ui(ui, info, &tls.server_name, now),
        (None, Some(failure)) => failure_ui(ui, failure, &tls.server_name, now),
        (None, None) => {
            words_ui(ui, format!("Waits for {} …", safe(&tls.server_name)), theme::palette(ui).muted);
        }
    }
}

fn info_ui(ui: &mut Ui, info: &TlsInfo, server_name: &str, now: f64) {
    let palette = theme::palette(ui);
    let fields = [
        ("Version", info.version.clone()),
        ("Cipher suite", info.cipher.clone()),
        ("Key exchange", info.group.clone().unwrap_or_else(|| "not known".to_owned())),
        ("ALPN", info.alpn.clone().unwrap_or_else(|| "none".to_owned())),
        ("Name asked for", server_name.to_owned()),
        ("Our certificate", client_certificate_words(info.client_certificate).to_owned()),
    ];
    fields_ui(ui, "tls", &fields.map(|(name, value)| (name.to_owned(), safe(&value))));
    for defect in &info.defects {
        words_ui(ui, format!("⚠ {} (taken as it is, as asked)", safe(defect)), palette.warn);
    }
    chain_ui(ui, &info.chain, now);
}

fn client_certificate_words(used: ClientCertificateUse) -> &'static str {
    match used {
        ClientCertificateUse::NotAsked => "not asked for",
        ClientCertificateUse::NotGiven => "asked for, we have none",
        ClientCertificateUse::Given => "asked for and shown",
    }
}

fn failure_ui(ui: &mut Ui, failure: &TlsFailure, server_name: &str, now: f64) {
    let palette = theme::palette(ui);
    words_ui(ui, format!("✗ {}", tls_words(failure.kind)), palette.bad);
    words_ui(ui, format!("Asked for {}. The library says: {}", safe(server_name), safe(&failure.text)), palette.muted);
    for defect in failure.defects.iter().filter(|defect| **defect != failure.kind) {
        words_ui(ui, format!("✗ also: {}", tls_words(*defect)), palette.bad);
    }
    if let Some(alert) = failure.alert {
        let whose = match alert.direction {
            Direction::ClientToServer => "We ended it: their certificate is not good enough for us.",
            Direction::ServerToClient => "The server ended it: our hello or our certificate is not good enough for it.",
        };
        words_ui(ui, format!("Alert {}. {whose}", alert.words()), palette.text);
    }
    if failure.client_cert_requested {
        let shown = if failure.client_cert_given { ", and ours was shown" } else { ", and we have none" };
        words_ui(ui, format!("The server asked for a client certificate{shown}."), palette.warn);
    }
    chain_ui(ui, &failure.chain, now);
}

fn chain_ui(ui: &mut Ui, chain: &[CertInfo], now: f64) {
    let palette = theme::palette(ui);
    for (index, certificate) in chain.iter().enumerate() {
        ui.add_space(theme::STEP);
        let place = if index == 0 { "The server's certificate" } else { "Signed by" };
        words_ui(ui, format!("{}. {place}", index + 1), palette.muted);
        let mut fields = vec![("Subject", safe(&certificate.subject)), ("Issuer", safe(&certificate.issuer))];
        if !certificate.names.is_empty() {
            fields.push(("Valid for", safe(&certificate.names.join(", "))));
        }
        let (from, until) = (certificate.not_before as f64, certificate.not_after as f64);
        let day = |at| dates::day(at).unwrap_or_else(|| "?".to_owned());
        fields.push(("Valid", format!("{} to {}", day(from), day(until))));
        if !certificate.key.is_empty() {
            fields.push(("Key", safe(&certificate.key)));
            fields.push(("Serial number", safe(&certificate.serial)));
        }
        let fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        ui.push_id(index, |ui| fields_ui(ui, "certificate", &fields));
        if now > until {
            words_ui(ui, format!("✗ Expired {}", dates::relative(until, now)), palette.bad);
        } else if now < from {
            words_ui(ui, format!("✗ Not valid yet: begins {}", dates::relative(from, now)), palette.bad);
        }
    }
}
