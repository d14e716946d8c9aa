//! TLS: certificates, versions, names, and ports that fall silent.
//!
//! The direction of an alert decides the blame: theirs is about our hello or our certificate, ours about their certificate.

use super::{Found, Rule};
use crate::diagnosis::words::{long_span, span};
use crate::diagnosis::{Case, Ending};
use crate::observation::{
    CertInfo, ClientCertificateUse, Deadline, Direction, Moment, ReadEnd, TlsFailure, TlsFailureKind,
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("tls-mitm-proxy", mitm).implies(&["tls-unknown-ca", "tls-self-signed", "tls-missing-intermediate"]),
    Rule::new("tls-client-cert-required", client_cert).implies(&[
        "http-400",
        "tls-no-shared-cipher",
        "tls-fin-after-hello",
        "tls-reset-after-hello",
    ]),
    Rule::new("tls-self-signed", certificate),
    Rule::new("tls-missing-intermediate", certificate),
    Rule::new("tls-unknown-ca", certificate),
    Rule::new("tls-expired", certificate),
    Rule::new("tls-not-yet-valid", certificate),
    Rule::new("tls-name-mismatch", certificate),
    Rule::new("tls-version", alert),
    Rule::new("tls-no-shared-cipher", alert),
    Rule::new("tls-unrecognized-name", alert),
    Rule::new("tls-alpn-h2-only", alert),
    Rule::new("tls-reset-after-hello", end_after_hello),
    Rule::new("tls-fin-after-hello", end_after_hello),
    Rule::new("tls-silent", silent),
];

fn failure<'a>(case: &Case<'a>, ending: Ending) -> Option<(&'a TlsFailure, Moment)> {
    let tls = case.story.tls.as_ref().filter(|_| ending == Ending::TlsFailed)?;
    Some((tls.failure.as_ref()?, tls.ended.unwrap_or(tls.started)))
}

/// The ids of everything that is wrong with the certificate, the first of them the cause.
fn defects(case: &Case<'_>, ending: Ending) -> Vec<&'static str> {
    let mut found = Vec::new();
    if let Some((failure, at)) = failure(case, ending) {
        let kinds: Vec<TlsFailureKind> = std::iter::once(failure.kind).chain(failure.defects.iter().copied()).collect();
        let is_certificate = kinds.iter().any(|kind| defect_id(*kind, &failure.chain).is_some());
        found.extend(kinds.iter().filter_map(|kind| defect_id(*kind, &failure.chain)));
        if is_certificate && let (Some(leaf), Some(now)) = (failure.chain.first(), case.unix_at(at)) {
            found.extend(date_defect(leaf, now));
        }
    } else if let Some(info) = case.story.tls.as_ref().and_then(|tls| tls.info.as_ref()) {
        found.extend(info.defect_kinds.iter().filter_map(|kind| defect_id(*kind, &info.chain)));
    }
    let rank = |id: &str| RULES.iter().position(|rule| rule.id == id);
    found.sort_by_key(|id| rank(id));
    found.dedup();
    if found.contains(&"tls-self-signed") {
        found.retain(|id| !matches!(*id, "tls-unknown-ca" | "tls-missing-intermediate"));
    }
    found
}

fn defect_id(kind: TlsFailureKind, chain: &[CertInfo]) -> Option<&'static str> {
    match kind {
        TlsFailureKind::SelfSigned => Some("tls-self-signed"),
        TlsFailureKind::UnknownIssuer => Some(match chain {
            [leaf] if leaf.subject == leaf.issuer => "tls-self-signed",
            [leaf] if leaf.has_ca_issuers => "tls-missing-intermediate",
            _ => "tls-unknown-ca",
        }),
        TlsFailureKind::Expired => Some("tls-expired"),
        TlsFailureKind::NotYetValid => Some("tls-not-yet-valid"),
        TlsFailureKind::NameMismatch => Some("tls-name-mismatch"),
        TlsFailureKind::NotTls
        | TlsFailureKind::BadCertificate
        | TlsFailureKind::AlertReceived(_)
        | TlsFailureKind::Version
        | TlsFailureKind::Fin
        | TlsFailureKind::Reset
        | TlsFailureKind::TimedOut
        | TlsFailureKind::Other => None,
    }
}

fn date_defect(leaf: &CertInfo, now: f64) -> Option<&'static str> {
    if (leaf.not_after as f64) < now {
        Some("tls-expired")
    } else if leaf.not_before as f64 > now {
        Some("tls-not-yet-valid")
    } else {
        None
    }
}

fn certificate(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    if !defects(case, ending).contains(&id) {
        return None;
    }
    let tls = case.story.tls.as_ref()?;
    let at = tls.ended.unwrap_or(tls.started);
    let chain = tls.failure.as_ref().map(|f| &f.chain).or(tls.info.as_ref().map(|info| &info.chain))?;
    let leaf = chain.first();
    let issuer = leaf.map_or_else(|| "nobody known".to_owned(), |leaf| case.quote(&leaf.issuer, 80));
    let name = case.quote(&tls.server_name, 80);
    let summary = match id {
        "tls-self-signed" => {
            "The server's certificate is its own issuer, so nobody that this machine trusts vouches for it.".to_owned()
        }
        "tls-missing-intermediate" => format!(
            "The server sent its own certificate alone; its issuer ({issuer}) is not known here, and the certificate says \
             where to fetch it: the server should send the full chain."
        ),
        "tls-unknown-ca" => {
            format!("The server's certificate was issued by {issuer}, which this machine does not know.")
        }
        "tls-expired" => format!("The server's certificate expired{}.", date_words(leaf.map(|leaf| leaf.not_after))),
        "tls-not-yet-valid" => {
            format!(
                "The server's certificate is valid only from a later date{}.",
                date_words(leaf.map(|leaf| leaf.not_before))
            )
        }
        _ => format!(
            "The server's certificate does not name \u{201c}{name}\u{201d}{}.",
            leaf.map_or_else(String::new, |leaf| format!(", but {}", case.quote(&leaf.names.join(", "), 120)))
        ),
    };
    let mut found = if id == "tls-missing-intermediate" { Found::likely(summary) } else { Found::certain(summary) };
    if let Some(failure) = &tls.failure {
        found = found.seen(at, case.quote(&failure.text, 160));
        if let Some(alert) = failure.alert.filter(|alert| alert.direction == Direction::ClientToServer) {
            found = found.seen(at, format!("so we ended TLS: alert {}", alert.words()));
        }
    }
    for (nth, cert) in chain.iter().enumerate().take(4) {
        let text = format!("certificate {}: {} issued by {}", nth + 1, cert.subject, cert.issuer);
        found = found.seen(at, case.quote(&text, 200));
    }
    if let Some(leaf) = leaf.filter(|_| matches!(id, "tls-expired" | "tls-not-yet-valid")) {
        found = by_their_clock(case, leaf, found);
    }
    found = found.or_if(
        id == "tls-missing-intermediate",
        "tls-unknown-ca",
        "fetch the issuer that the certificate names and see whether this machine trusts it",
    );
    Some(found.cause_if(ending == Ending::TlsFailed))
}

/// What the server's clock, asked afterwards, adds to a certificate that is out of date by ours.
fn by_their_clock(case: &Case<'_>, leaf: &CertInfo, mut found: Found) -> Found {
    let (Some((at, _)), Some(skew)) = (case.date_of_a_probe(), case.clock_skew_secs()) else {
        return found;
    };
    if skew.abs() <= SKEW_SECS {
        return found.seen(at, "the server's clock agrees with ours, by the Date of its answer");
    }
    let way = if skew > 0.0 { "ahead of" } else { "behind" };
    let apart = format!("the server's clock is {} {way} ours, by the Date of its answer", long_span(skew.abs()));
    let theirs = case.unix_at(at).map(|ours| ours + skew);
    let is_valid = theirs.is_some_and(|now| (leaf.not_before as f64..=leaf.not_after as f64).contains(&now));
    if is_valid {
        found.summary =
            format!("{} By the server's clock it is valid: {apart}; see which of the two is wrong.", found.summary);
    }
    found.seen(at, apart)
}

/// From here on two clocks do not agree.
const SKEW_SECS: f64 = 60.0;

fn date_words(unix: Option<i64>) -> String {
    let stamp = unix.and_then(|unix| jiff::Timestamp::from_second(unix).ok());
    stamp.map_or_else(String::new, |stamp| format!(" ({})", stamp.strftime("%Y-%m-%d")))
}

/// The issuer is one that reads other people's traffic; trusted here, it is still worth saying.
fn mitm(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let tls = case.story.tls.as_ref()?;
    let failed = failure(case, ending);
    let chain = match (failed, &tls.info) {
        (Some((failure, _)), _) => &failure.chain,
        (None, Some(info)) => &info.chain,
        (None, None) => return None,
    };
    let issuers = chain.iter().map(|cert| cert.issuer.to_ascii_lowercase());
    let brand = issuers.into_iter().find_map(|issuer| INSPECTORS.iter().find(|brand| issuer.contains(**brand)))?;
    let issuer = case.quote(chain.first().map_or("", |leaf| leaf.issuer.as_str()), 80);
    let seen = format!("the issuer's name contains \u{201c}{brand}\u{201d}");
    let Some((failure, at)) = failed else {
        let at = tls.ended.unwrap_or(tls.started);
        let words =
            format!("Somebody between us and the server reads the traffic: the certificate was issued by {issuer}.");
        return Some(Found::likely(words).seen(at, seen).finding());
    };
    let is_unknown = matches!(failure.kind, TlsFailureKind::UnknownIssuer | TlsFailureKind::SelfSigned);
    is_unknown.then(|| {
        Found::likely(format!(
            "Somebody between us and the server reads the traffic: the certificate was issued by {issuer}, which this \
             machine does not trust."
        ))
        .seen(at, seen)
        .or("tls-unknown-ca", "compare the certificate with the one that the server itself is configured with")
    })
}

const INSPECTORS: &[&str] = &[
    "zscaler",
    "fortinet",
    "fortigate",
    "kaspersky",
    "netskope",
    "palo alto",
    "blue coat",
    "bluecoat",
    "sophos",
    "avast",
    "bitdefender",
    "eset ssl filter",
    "mitmproxy",
    "charles proxy",
    "fiddler",
    "burp",
    "portswigger",
    "checkpoint",
    "cisco umbrella",
    "forcepoint",
    "mcafee web gateway",
    "squid",
    "untangle",
    "websense",
];

/// The alert that the server sent, also one that came after our side of the handshake was done.
fn received_alert(case: &Case<'_>, ending: Ending) -> Option<(Alert, Moment)> {
    if let Some((failure, at)) = failure(case, ending) {
        return match failure.kind {
            TlsFailureKind::AlertReceived(code) => Some((Alert::of(code), at)),
            TlsFailureKind::Version => Some((Alert::Version, at)),
            TlsFailureKind::NotTls
            | TlsFailureKind::Expired
            | TlsFailureKind::NotYetValid
            | TlsFailureKind::UnknownIssuer
            | TlsFailureKind::SelfSigned
            | TlsFailureKind::NameMismatch
            | TlsFailureKind::BadCertificate
            | TlsFailureKind::Fin
            | TlsFailureKind::Reset
            | TlsFailureKind::TimedOut
            | TlsFailureKind::Other => None,
        };
    }
    let (at, end) = case.story.read_end.as_ref().filter(|_| ending == Ending::TlsFailed)?;
    let ReadEnd::Failed(failure) = end else {
        return None;
    };
    let words = failure.text.to_ascii_lowercase();
    let squeezed: String = words.chars().filter(char::is_ascii_alphanumeric).collect();
    let alert = if squeezed.contains("certificaterequired") {
        Alert::CertificateRequired
    } else if squeezed.contains("certificate") || squeezed.contains("unknownca") || squeezed.contains("accessdenied") {
        Alert::OurCertificate
    } else if squeezed.contains("handshakefailure") {
        Alert::HandshakeFailure
    } else {
        Alert::Other(0)
    };
    Some((alert, *at))
}

/// Alerts by what they mean for us (RFC 8446 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alert {
    HandshakeFailure,
    OurCertificate,
    Version,
    UnrecognizedName,
    CertificateRequired,
    NoApplicationProtocol,
    Other(u8),
}

impl Alert {
    fn of(code: u8) -> Self {
        match code {
            40 => Self::HandshakeFailure,
            42..=46 | 48 | 49 => Self::OurCertificate,
            70 => Self::Version,
            112 => Self::UnrecognizedName,
            116 => Self::CertificateRequired,
            120 => Self::NoApplicationProtocol,
            other => Self::Other(other),
        }
    }
}

fn client_cert(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let was_given = was_given(case);
    let summary = if was_given {
        "The server wants a client certificate and ended TLS because it does not accept ours."
    } else {
        "The server wants a client certificate and ended TLS because none came."
    };
    if ending == Ending::UpgradeRefused {
        let body = case.body_beginning().to_ascii_lowercase();
        let says = body.contains("no required ssl certificate was sent") || body.contains("ssl certificate error");
        return (says && case.story.answer.status() == Some(400)).then(|| {
            Found::certain("The server wants a client certificate, and says so in its 400.")
                .seen(case.head_at(), format!("400: {}", case.quote(&body, 160)))
        });
    }
    let (alert, at) = received_alert(case, ending)?;
    let tls = case.story.tls.as_ref()?;
    let asked_before = tls.info.as_ref().is_some_and(|info| info.client_certificate != ClientCertificateUse::NotAsked);
    let was_asked = asked_before || tls.failure.as_ref().is_some_and(|failure| failure.client_cert_requested);
    let saw_theirs = tls.info.is_some() || tls.failure.as_ref().is_some_and(|failure| !failure.chain.is_empty());
    let found = match alert {
        Alert::CertificateRequired => {
            Found::certain(summary).seen(at, "the server's alert: certificate_required (116)")
        }
        Alert::HandshakeFailure if was_asked => {
            Found::certain(summary).seen(at, "the server asked for a certificate, then sent handshake_failure (40)")
        }
        Alert::OurCertificate if was_given => {
            Found::certain(summary).seen(at, "the server's alert is about the certificate that we showed")
        }
        Alert::OurCertificate if was_asked || saw_theirs => {
            Found::likely("The server refused our part of the handshake: it wants a client certificate that it trusts.")
                .seen(at, "the server's alert is about a certificate of ours")
        }
        Alert::HandshakeFailure if saw_theirs => Found::likely(summary)
            .seen(at, "the server sent handshake_failure (40) after its own certificate had come")
            .or("tls-no-shared-cipher", "offer a client certificate, or look at the server's TLS log"),
        Alert::HandshakeFailure
        | Alert::OurCertificate
        | Alert::Version
        | Alert::UnrecognizedName
        | Alert::NoApplicationProtocol
        | Alert::Other(_) => return None,
    };
    Some(found)
}

/// Whether our client certificate was shown to the server.
fn was_given(case: &Case<'_>) -> bool {
    let Some(tls) = &case.story.tls else { return false };
    tls.failure.as_ref().is_some_and(|failure| failure.client_cert_given)
        || tls.info.as_ref().is_some_and(|info| info.client_certificate == ClientCertificateUse::Given)
}

fn alert(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let (alert, at) = received_alert(case, ending)?;
    let tls = case.story.tls.as_ref()?;
    let (own, summary, words) = match alert {
        Alert::Version => (
            "tls-version",
            "The server speaks only versions of TLS that we do not: we offer 1.2 and 1.3.".to_owned(),
            "the server's alert: protocol_version (70)",
        ),
        Alert::HandshakeFailure => (
            "tls-no-shared-cipher",
            "The server found no cipher suite in common with us.".to_owned(),
            "the server's alert: handshake_failure (40), before any certificate",
        ),
        Alert::UnrecognizedName => (
            "tls-unrecognized-name",
            format!("The server has no certificate for the name \u{201c}{}\u{201d}.", case.quote(&tls.server_name, 80)),
            "the server's alert: unrecognized_name (112)",
        ),
        Alert::NoApplicationProtocol => (
            "tls-alpn-h2-only",
            "The port does not offer HTTP/1.1 (probably HTTP/2 alone), and a WebSocket begins with HTTP/1.1."
                .to_owned(),
            "the server's alert: no_application_protocol (120)",
        ),
        Alert::OurCertificate | Alert::CertificateRequired | Alert::Other(_) => return None,
    };
    (own == id).then(|| Found::certain(summary).seen(at, words))
}

fn end_after_hello(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let (failure, at) = failure(case, ending)?;
    let word = match (id, failure.kind) {
        ("tls-reset-after-hello", TlsFailureKind::Reset) => "RST",
        ("tls-fin-after-hello", TlsFailureKind::Fin) => "FIN",
        _ => return None,
    };
    let started = case.story.tls.as_ref().map_or(at, |tls| tls.started);
    Some(
        Found::certain(format!(
            "TCP ended with {word} {} after our ClientHello, without a word of TLS.",
            span(at.millis_since(started))
        ))
        .seen(at, format!("{word} in place of a ServerHello"))
        .or_if(failure.client_cert_requested, "tls-client-cert-required", "set a client certificate"),
    )
}

fn silent(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if ending != Ending::TlsFailed {
        return None;
    }
    let tls = case.story.tls.as_ref()?;
    let timed_out = tls.failure.as_ref().is_some_and(|failure| failure.kind == TlsFailureKind::TimedOut);
    let (at, millis) = match case.story.ran_out(Deadline::Tls) {
        Some(ran_out) => ran_out,
        None => (tls.ended.filter(|_| timed_out)?, case.plan()?.time_outs.connect_millis),
    };
    let what = if tls.first_bytes.is_empty() { "nothing came back" } else { "the handshake was never finished" };
    Some(
        Found::certain(format!("Our ClientHello was taken, but {what} within {}.", span(millis as f64)))
            .seen(at, format!("our time limit of {} ran out", span(millis as f64)))
            .or("tls-to-plain", "send a plain GET to the port")
            .or("server-blocked", "look at the server process: does it accept and read?"),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::testing::{NOW, Scene, certificate, failure, finds};
    use crate::observation::{
        CertInfo, CloseOrigin, Fact, IoFailure, IoKind, ReadEnd, TlsFailure, TlsFailureKind, TlsInfo,
    };

    fn wss() -> Scene {
        Scene::to("wss://127.0.0.1:3001/").tcp()
    }

    fn good(issuer: &str) -> CertInfo {
        certificate(issuer, NOW - 1_000, NOW + 1_000)
    }

    fn failed(kind: TlsFailureKind, chain: Vec<CertInfo>) -> Scene {
        wss().tls_failed_with(kind, b"\x16\x03\x03", chain, Vec::new())
    }

    #[test]
    fn each_defect_of_a_certificate() {
        let ca = "CN=Practice CA";
        failed(TlsFailureKind::UnknownIssuer, vec![good(ca)]).certain("tls-failed", "tls-unknown-ca");
        let aia = CertInfo { has_ca_issuers: true, ..good(ca) };
        failed(TlsFailureKind::UnknownIssuer, vec![aia.clone()]).likely("tls-failed", "tls-missing-intermediate");
        failed(TlsFailureKind::UnknownIssuer, vec![aia, good(ca)]).certain("tls-failed", "tls-unknown-ca");
        failed(TlsFailureKind::SelfSigned, vec![good("CN=h")]).certain("tls-failed", "tls-self-signed");
        failed(TlsFailureKind::UnknownIssuer, vec![good("CN=h")]).certain("tls-failed", "tls-self-signed");
        let old = certificate(ca, NOW - 2_000, NOW - 1_000);
        failed(TlsFailureKind::Expired, vec![old]).certain("tls-failed", "tls-expired");
        let future = certificate(ca, NOW + 1_000, NOW + 2_000);
        failed(TlsFailureKind::NotYetValid, vec![future]).certain("tls-failed", "tls-not-yet-valid");
        failed(TlsFailureKind::NameMismatch, vec![good(ca)]).certain("tls-failed", "tls-name-mismatch");
        failed(TlsFailureKind::UnknownIssuer, vec![good("CN=Zscaler Root CA")]).likely("tls-failed", "tls-mitm-proxy");
        failed(TlsFailureKind::BadCertificate, vec![good(ca)]).is_not("tls-unknown-ca");
    }

    #[test]
    fn an_untrusted_chain_comes_before_its_dates() {
        let old = certificate("CN=Practice CA", NOW - 2_000, NOW - 1_000);
        let defects = vec![TlsFailureKind::NameMismatch, TlsFailureKind::UnknownIssuer];
        let scene = wss().tls_failed_with(TlsFailureKind::UnknownIssuer, b"", vec![old], defects);
        let verdict = scene.certain("tls-failed", "tls-unknown-ca");
        assert!(finds(&verdict, "tls-expired") && finds(&verdict, "tls-name-mismatch"), "{verdict:#?}");
    }

    #[test]
    fn defects_are_findings_where_we_went_on() {
        let info = TlsInfo {
            chain: vec![good("CN=Practice CA")],
            defects: vec!["the issuer is not known".to_owned()],
            defect_kinds: vec![TlsFailureKind::UnknownIssuer, TlsFailureKind::NameMismatch],
            ..TlsInfo::default()
        };
        let scene = wss()
            .fact(Fact::TlsStarted { server_name: "h".to_owned() })
            .fact(Fact::TlsEstablished(Box::new(info)))
            .request()
            .accept()
            .confirm()
            .we_close(CloseOrigin::WatchEnded)
            .server_close(1000, "");
        let verdict = scene.certain("open", "healthy");
        assert!(finds(&verdict, "tls-unknown-ca") && finds(&verdict, "tls-name-mismatch"), "{verdict:#?}");
    }

    #[test]
    fn an_inspector_is_named_also_where_it_is_trusted() {
        let info = TlsInfo { chain: vec![good("CN=Fortinet CA2")], ..TlsInfo::default() };
        let scene = wss()
            .fact(Fact::TlsStarted { server_name: "h".to_owned() })
            .fact(Fact::TlsEstablished(Box::new(info)))
            .request();
        let verdict = scene.accept().confirm().we_close(CloseOrigin::WatchEnded).server_close(1000, "");
        assert!(finds(&verdict.certain("open", "healthy"), "tls-mitm-proxy"));
    }

    #[test]
    fn a_client_certificate_of_ours_may_be_the_wrong_one() {
        let failed = |code, given| {
            let failure = TlsFailure {
                kind: TlsFailureKind::AlertReceived(code),
                client_cert_requested: true,
                client_cert_given: given,
                ..TlsFailure::default()
            };
            wss().fact(Fact::TlsStarted { server_name: "h".to_owned() }).fact(Fact::TlsFailed(Box::new(failure)))
        };
        let verdict = failed(48, true).certain("tls-failed", "tls-client-cert-required");
        assert!(verdict.summary.contains("does not accept ours"), "{}", verdict.summary);
        failed(40, false).certain("tls-failed", "tls-client-cert-required");
    }

    #[test]
    fn each_alert_has_its_meaning() {
        let alert = |code| wss().tls_failed(TlsFailureKind::AlertReceived(code), b"\x15\x03\x03");
        alert(70).certain("tls-failed", "tls-version");
        alert(40).certain("tls-failed", "tls-no-shared-cipher");
        alert(112).certain("tls-failed", "tls-unrecognized-name");
        alert(120).certain("tls-failed", "tls-alpn-h2-only");
        alert(116).certain("tls-failed", "tls-client-cert-required");
        wss().tls_failed(TlsFailureKind::Version, b"").certain("tls-failed", "tls-version");
        failed(TlsFailureKind::AlertReceived(40), vec![good("CN=x")]).likely("tls-failed", "tls-client-cert-required");
        alert(80).certain_not();
    }

    impl Scene {
        fn certain_not(&self) {
            assert_eq!(self.verdict().cause, "undetermined");
        }
    }

    #[test]
    fn an_alert_after_our_side_was_done_is_still_tls() {
        let info = TlsInfo { chain: vec![good("CN=x")], ..TlsInfo::default() };
        let established =
            wss().fact(Fact::TlsStarted { server_name: "h".to_owned() }).fact(Fact::TlsEstablished(Box::new(info)));
        let end = |text: &str| {
            Fact::ReadEnded(ReadEnd::Failed(IoFailure { text: text.to_owned(), ..failure(IoKind::Other) }))
        };
        let words = "received fatal alert: CertificateRequired";
        established.clone().request().fact(end(words)).certain("tls-failed", "tls-client-cert-required");
        established.clone().request().fact(end("broken")).is_not("tls-client-cert-required");
        established.request().server("HTTP/1.1 4").fact(end(words)).is_not("tls-client-cert-required");
        let body = "<center>No required SSL certificate was sent</center>";
        wss().request().answer("400 Bad Request", "", body).certain("upgrade-refused", "tls-client-cert-required");
    }

    #[test]
    fn ends_after_the_client_hello() {
        wss().tls_failed(TlsFailureKind::Fin, b"").certain("tls-failed", "tls-fin-after-hello");
        wss().tls_failed(TlsFailureKind::Reset, b"").certain("tls-failed", "tls-reset-after-hello");
        wss().tls_failed(TlsFailureKind::TimedOut, b"").certain("tls-failed", "tls-silent");
    }
}
