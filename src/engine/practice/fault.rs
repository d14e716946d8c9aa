//! The faults: what each teaches, how it is staged, and the verdict that it must yield.
//!
//! The rows stand in `faults/`, a file per family; [`FAULTS`] is all of them. What a fault must yield is plain text
//! (the ids of the catalogue of causes): this server knows nothing of the diagnosis that it is the test of.

use super::faults;
use super::guide::Twist;
use super::script::Step;

/// A lesson of the practice server.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Stable id, and the path under `/fault/`; the id of the cause, or that with a suffix.
    pub id: &'static str,
    /// A few words for a list.
    pub title: &'static str,
    /// What happens, how it is seen, how it is mended.
    pub lesson: &'static str,
    /// The ending that the verdict must name.
    pub ending: &'static str,
    /// The cause that the verdict must name; it supposes that the practice console is heard and the secret known.
    pub cause: &'static str,
    /// Ids that the verdict must carry as further findings.
    pub findings: &'static [&'static str],
    /// Where and how the fault is staged.
    pub setting: Setting,
    /// What the client must do for the fault to show.
    pub terms: Terms,
}

/// Where and how a fault is staged.
#[derive(Clone, Copy, Debug)]
pub enum Setting {
    /// The guide's server, with one departure; on the shared port.
    Guide(Twist),
    /// A script after the request head; on the shared port, under `/fault/<id>`.
    Path(&'static [Step]),
    /// A script from the first moment of TCP; on a fresh port.
    OwnPort(&'static str, &'static [Step]),
    /// A script after the request head, on a fresh port that it can close: the end of a process.
    Dies(&'static [Step]),
    /// A port at which nobody listens; the lines are printed on the console when the exercise is made.
    NoListener(&'static [&'static str]),
    /// A port whose queue of new connections is full and stays so.
    BacklogFull,
    /// A listener on the one loopback address that `localhost` does not resolve to.
    FamilyMismatch,
    /// The guide's server on a port that browsers refuse to dial.
    UnsafePort,
    /// The guide's server behind TLS.
    Tls(Certificate),
    /// The guide's server, to be reached through a proxy of this scheme, on a fresh port, that runs this script.
    Proxy(&'static str, &'static [Step]),
    /// The guide's server, to be reached through a proxy that gives a way to it.
    WorkingProxy,
    /// The guide's server, to be reached through a proxy that is not there.
    AbsentProxy,
    /// A URL, and nothing behind it but the shared port; `{authority}`, `{query}` are filled in.
    Url(&'static str),
}

/// The certificate of a [`Setting::Tls`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Right in everything, issued by the practice CA.
    Good,
    /// Its own issuer.
    SelfSigned,
    /// Out of date.
    Expired,
    /// Valid from 2075 on.
    NotYetValid,
    /// For another host.
    OtherName,
    /// Sent alone, though it says where its issuer's certificate is to be fetched.
    NoIntermediate,
    /// Issued by the CA of a program that reads other people's traffic.
    Inspected,
    /// Wrong in everything: an unknown CA, out of date, for another host.
    Worn,
    /// As [`Certificate::Good`], and the client must show one too.
    ClientRequired,
}

/// What the client must do for a fault to show, beyond connecting.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What is done to the token.
    pub token: TokenTweak,
    /// The confirmation that the client expects.
    pub confirm: Expected,
    /// Length of one text message to send once confirmed; 0 for none.
    pub send_len: usize,
    /// Subprotocols to offer.
    pub subprotocols: &'static [&'static str],
    /// The time limit for each phase, if this is a fault of silence.
    pub patience_millis: Option<u64>,
    /// The client's limit for a message, in bytes.
    pub message_limit: Option<u64>,
    /// How long the client must stay after the confirmation, if longer than usual.
    pub watch_millis: Option<u64>,
    /// How often the client must connect: what a clock brings about shows only when it comes again.
    pub times: u32,
    /// How often the client is to ping, if the fault shows by its pongs; each may take twice as long.
    pub ping_millis: Option<u64>,
    /// The client is to leave pings unanswered.
    pub withholds_pongs: bool,
    /// The practice CA is to be trusted.
    pub trusts_practice_ca: bool,
    /// Characters added to the query.
    pub padding_len: usize,
}

/// The confirmation that a client expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Any first message.
    First,
    /// None.
    None,
    /// A first message that contains this.
    Contains(&'static str),
}

/// What is done to the fresh token of an exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenTweak {
    /// Nothing.
    None,
    /// It is left out.
    Missing,
    /// This text stands in its place, percent-encoded as it is here.
    Replaced(&'static str),
    /// This text stands before it.
    Prefixed(&'static str),
    /// This text stands behind it.
    Suffixed(&'static str),
    /// It stands in `%22`.
    Quoted,
    /// Its dots are percent-encoded twice.
    DoubleEncoded,
    /// It is in standard base64, with `+` as it is.
    Plus,
    /// It ends in the middle of its claims.
    CutInClaims,
    /// It ends in the middle of its signature.
    CutInSignature,
    /// `exp` is so many seconds from now (negative: past).
    ExpiresIn(i64),
    /// `nbf` is so many seconds from now.
    NotBeforeIn(i64),
    /// It is signed with another secret.
    WrongSecret,
    /// `alg` is `none` and there is no signature.
    Unsecured,
    /// `alg` is `RS256`.
    OtherAlgorithm,
}

impl Terms {
    /// Nothing special.
    pub const PLAIN: Self = Self {
        token: TokenTweak::None,
        confirm: Expected::First,
        send_len: 0,
        subprotocols: &[],
        patience_millis: None,
        message_limit: None,
        watch_millis: None,
        times: 1,
        ping_millis: None,
        withholds_pongs: false,
        trusts_practice_ca: false,
        padding_len: 0,
    };
}

impl Fault {
    /// A row whose cause has the id of the fault.
    pub(super) const fn new(
        id: &'static str,
        ending: &'static str,
        title: &'static str,
        lesson: &'static str,
        setting: Setting,
    ) -> Self {
        Self { id, title, lesson, ending, cause: id, findings: &[], setting, terms: Terms::PLAIN }
    }

    /// A row that is staged on the shared port.
    pub(super) const fn path(
        id: &'static str,
        ending: &'static str,
        title: &'static str,
        lesson: &'static str,
        steps: &'static [Step],
    ) -> Self {
        Self::new(id, ending, title, lesson, Setting::Path(steps))
    }

    /// The same row with another cause.
    pub(super) const fn cause(mut self, cause: &'static str) -> Self {
        self.cause = cause;
        self
    }

    /// The same row with findings.
    pub(super) const fn findings(mut self, findings: &'static [&'static str]) -> Self {
        self.findings = findings;
        self
    }

    /// The same row with a token that is not as it should be.
    pub(super) const fn token(mut self, token: TokenTweak) -> Self {
        self.terms.token = token;
        self
    }

    /// The same row with another confirmation expected.
    pub(super) const fn confirm(mut self, confirm: Expected) -> Self {
        self.terms.confirm = confirm;
        self
    }

    /// The same row with short time-outs.
    pub(super) const fn silent(self) -> Self {
        self.patience(1_200)
    }

    /// The same row with this time limit for each phase.
    pub(super) const fn patience(mut self, millis: u64) -> Self {
        self.terms.patience_millis = Some(millis);
        self
    }

    /// The same row with a client that pings so often.
    pub(super) const fn pings(mut self, millis: u64) -> Self {
        self.terms.ping_millis = Some(millis);
        self
    }

    /// The same row with a client that leaves pings unanswered, as one does whose program is stuck.
    pub(super) const fn deaf(mut self) -> Self {
        self.terms.withholds_pongs = true;
        self
    }

    /// The same row with subprotocols offered.
    pub(super) const fn offers(mut self, subprotocols: &'static [&'static str]) -> Self {
        self.terms.subprotocols = subprotocols;
        self
    }

    /// The same row with a message of `len` bytes that the client sends.
    pub(super) const fn sends(mut self, len: usize) -> Self {
        self.terms.send_len = len;
        self
    }

    /// The same row with a limit of the client.
    pub(super) const fn limit(mut self, len: u64) -> Self {
        self.terms.message_limit = Some(len);
        self
    }

    /// The same row with a client that stays longer.
    pub(super) const fn watch(mut self, millis: u64) -> Self {
        self.terms.watch_millis = Some(millis);
        self
    }

    /// The same row with a client that connects so often.
    pub(super) const fn times(mut self, times: u32) -> Self {
        self.terms.times = times;
        self
    }

    /// The same row with a client that trusts the practice CA.
    pub(super) const fn trusted(mut self) -> Self {
        self.terms.trusts_practice_ca = true;
        self
    }

    /// The same row with a query so much longer.
    pub(super) const fn padded(mut self, len: usize) -> Self {
        self.terms.padding_len = len;
        self
    }
}

/// The fault with this id.
pub fn fault(id: &str) -> Option<&'static Fault> {
    FAULTS.iter().find(|fault| fault.id == id)
}

/// The id most like `id`, for a suggestion.
pub fn nearest_id(id: &str) -> &'static str {
    FAULTS.iter().map(|fault| fault.id).min_by_key(|known| distance(id, known)).unwrap_or_default()
}

/// Ids of the catalogue that one process cannot produce on loopback, each with the reason.
pub fn unproducible() -> &'static [(&'static str, &'static str)] {
    faults::UNPRODUCIBLE
}

/// Levenshtein's distance in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.chars().take(64).enumerate() {
        let mut next = vec![line + 1];
        let mut beside = line + 1;
        for (pair, to) in row.windows(2).zip(&right) {
            let [diagonal, above] = pair else { continue };
            beside = (diagonal + usize::from(from != *to)).min(above + 1).min(beside + 1);
            next.push(beside);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Every fault, in the order of the catalogue.
pub static FAULTS: &[Fault] = &faults::ALL;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_are_unique_and_name_what_the_catalogue_names() {
        let causes: BTreeSet<&str> = CAUSES.split_whitespace().collect();
        let endings: BTreeSet<&str> = ENDINGS.split_whitespace().collect();
        let mut ids = BTreeSet::new();
        for row in FAULTS {
            assert!(ids.insert(row.id), "{} twice", row.id);
            assert!(causes.contains(row.cause) && !FINDINGS.contains(&row.cause), "{}: {}", row.id, row.cause);
            assert!(endings.contains(row.ending), "{}: {}", row.id, row.ending);
            for finding in row.findings {
                assert!(causes.contains(finding) || FINDINGS.contains(finding), "{}: {finding}", row.id);
            }
            assert!(row.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{}", row.id);
            assert!(row.lesson.len() > 60 && !row.lesson.contains("  "), "{}: {}", row.id, row.lesson);
            if let Setting::Path(steps) | Setting::OwnPort(_, steps) | Setting::Dies(steps) | Setting::Proxy(_, steps) =
                row.setting
            {
                assert!(matches!(steps.last(), Some(Step::Fin | Step::Rst | Step::Silence)), "{}", row.id);
            }
        }
        assert!(FAULTS.len() >= 190, "{}", FAULTS.len());
    }

    #[test]
    fn every_id_of_the_catalogue_is_staged_or_excused() {
        let shown: BTreeSet<&str> =
            FAULTS.iter().flat_map(|row| row.findings.iter().copied().chain([row.cause])).collect();
        let excused: BTreeSet<&str> = unproducible().iter().map(|(id, _)| *id).collect();
        assert!(shown.is_disjoint(&excused), "{:?}", shown.intersection(&excused));
        for id in CAUSES.split_whitespace() {
            assert!(shown.contains(id) || excused.contains(id), "{id} is neither staged nor excused");
        }
    }

    #[test]
    fn nearest_id_is_suggested() {
        assert_eq!(nearest_id("close-108"), "close-1008");
        assert_eq!(nearest_id("http404"), "http-404");
    }

    const ENDINGS: &str = "not-attempted resolve-failed connect-failed tls-failed upgrade-cut upgrade-unanswered \
        upgrade-refused upgrade-invalid protocol-error closed closed-unclean fin rst network-timeout unconfirmed open \
        ended-by-us";

    /// Part A of the catalogue.
    const CAUSES: &str = "\
        healthy undetermined ended-by-user our-limit url-scheme-http url-scheme-typo url-relative \
        url-fragment url-bad-port url-unsafe-port url-host-placeholder url-space-or-quote url-userinfo \
        url-too-long url-subprotocol-invalid token-missing token-placeholder token-bearer-prefix \
        token-quoted token-whitespace token-double-encoded token-plus-in-query token-truncated dns-nxdomain \
        dns-unreachable tcp-refused localhost-family-mismatch tcp-drop tcp-backlog-full tcp-unreachable \
        port-not-http plain-to-tls tls-to-plain proxy-auth-407 proxy-unreachable proxy-refused socks-refused \
        tls-self-signed tls-unknown-ca tls-missing-intermediate tls-expired tls-not-yet-valid \
        tls-name-mismatch tls-version tls-no-shared-cipher tls-client-cert-required tls-unrecognized-name \
        tls-reset-after-hello tls-fin-after-hello tls-silent tls-alpn-h2-only tls-mitm-proxy http-200-spa \
        http-200 http-204 http-redirect-slash http-redirect-https http-redirect-login http-redirect \
        http-upgrade-stripped http-400-path-mismatch http-400-missing-key http-400 http-401 http-403-origin \
        http-403-starlette http-403-proxy http-403 http-404 http-405 http-413 http-414 http-426 http-429 \
        http-431 http-500 http-502 http-503 http-504 http-505 http-other engineio-error upgrade-wrong-accept \
        upgrade-no-accept upgrade-dup-accept upgrade-header-missing upgrade-header-wrong \
        upgrade-http-version upgrade-bare-lf upgrade-1xx upgrade-headers-too-big subprotocol-unanswered \
        subprotocol-unrequested subprotocol-mismatch extension-unrequested extension-bad-params \
        upgrade-fin-nobytes upgrade-rst-nobytes upgrade-partial upgrade-unanswered upgrade-trickle \
        confirmation-missing confirmation-mismatch server-process-died server-restarted \
        connection-terminated connection-reset handler-exception heartbeat-terminate ping-timeout-1011 \
        engineio-ping-timeout idle-timeout lifetime-limit network-loss nat-state-lost server-blocked \
        http-body-after-101 two-writers-interleave proto-masked-server proto-rsv1-no-deflate \
        proto-deflate-corrupt proto-rsv1-on-continuation proto-rsv2-3 proto-bad-opcode \
        proto-control-fragmented proto-control-too-long proto-continuation proto-interleaved-data \
        proto-bad-utf8 proto-nonminimal-length proto-length-highbit frame-huge frame-truncated \
        fragment-unfinished decompression-bomb middlebox-injection close-1000 close-1001 close-1002 \
        close-1003 close-1007 close-1008 message-too-big-by-server close-1010 close-1011 close-1012 \
        close-1013 close-1014 close-3000 close-3003 close-application close-empty close-illegal-code \
        close-1byte close-bad-utf8 close-too-long data-after-close peer-never-answers-close \
        peer-drops-tcp-on-our-close peer-never-closes-tcp duplicate-kick jwt-malformed jwt-expired \
        jwt-not-active jwt-expired-mid-session jwt-clock-skew jwt-alg-mismatch jwt-alg-none jwt-wrong-secret \
        jwt-secret-missing jwt-kid-missing jwt-audience jwt-issuer db-unreachable address-in-use fd-limit \
        out-of-memory boot-crash close-while-connecting page-navigation mixed-content csp-connect-src \
        browser-connection-limit browser-handshake-queue extension-blocked private-network-access \
        browser-offline network-change background-tab-throttle send-before-open close-code-api";

    /// What the catalogue calls findings, never causes.
    const FINDINGS: [&str; 4] = ["upgrade-http-version", "upgrade-bare-lf", "close-then-gone", "garbage-after-close"];
}
