//! The words of every cause: what happens, what a browser shows for it, and how to mend it.
//!
//! Pure data, a file for each phase, in the order in which a connection passes them. How a cause is recognised is not
//! here: that is the rules' work. Start with [`cause`]; [`fix`] fills in host and port; [`ending()`] holds the words of
//! the endings.

mod auth;
mod browser;
mod close;
mod dns_tcp;
pub mod ending;
pub mod fix;
mod none;
mod open;
mod protocol;
mod server_console;
mod tls;
mod token;
mod upgrade_invalid;
mod upgrade_refused;
mod url;

pub use ending::{EndingText, ending, endings};
pub use fix::{Command, Fix, Platform, Target};

use serde::Serialize;

/// The words of one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The stable id, as `verdict.cause` prints it.
    pub id: &'static str,
    /// Where in the life of a connection it belongs.
    pub phase: Phase,
    /// A heading of at most 60 characters.
    pub title: &'static str,
    /// What happens, how it looks on the wire, and why: a few sentences.
    pub what: &'static str,
    /// What a browser shows for it: close code and console text.
    pub browser: &'static str,
    /// How to mend it, the most likely way first.
    pub fixes: &'static [Fix],
    /// Software and situations it is known from.
    pub seen_with: &'static [&'static str],
    /// Ids of causes that are easily confused with it or come along with it.
    pub see_also: &'static [&'static str],
}

/// Where in the life of a connection a cause belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Nobody is accused: all well, undetermined, or ended on this side.
    None,
    /// The URL or the arguments of the constructor.
    Url,
    /// The text of the token.
    Token,
    /// Name resolution, TCP and proxies.
    DnsTcp,
    /// TLS and its certificates.
    Tls,
    /// The opening handshake was answered with another status than 101.
    UpgradeRefused,
    /// The answer to the opening handshake was invalid, cut off, or did not come.
    UpgradeInvalid,
    /// The connection was open.
    Open,
    /// A frame broke the protocol.
    Protocol,
    /// A Close frame, or the closing handshake.
    Close,
    /// The token's signature and claims.
    Auth,
    /// Known from the server's console only.
    ServerConsole,
    /// On the browser's side.
    Browser,
}

impl Phase {
    /// Returns a heading for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::None => "No cause",
            Self::Url => "URL",
            Self::Token => "Token text",
            Self::DnsTcp => "Name and connection",
            Self::Tls => "Encryption",
            Self::UpgradeRefused => "Opening handshake refused",
            Self::UpgradeInvalid => "Opening handshake invalid or unanswered",
            Self::Open => "Open connection",
            Self::Protocol => "Protocol violation",
            Self::Close => "Closing",
            Self::Auth => "Token",
            Self::ServerConsole => "Server console",
            Self::Browser => "Browser",
        }
    }
}

/// Returns every cause, phase by phase.
pub fn causes() -> impl Iterator<Item = &'static Cause> {
    PHASES.iter().flat_map(|parts| parts.iter()).flat_map(|part| part.iter())
}

/// Returns the words of the cause `id`.
pub fn cause(id: &str) -> Option<&'static Cause> {
    causes().find(|cause| cause.id == id)
}

/// Returns the id that was probably meant by `id`, or `None` if nothing is near.
///
/// Upper case, underscores and spaces count as typing slips; beyond them the fewest changed letters win, then an id
/// that contains what was typed.
pub fn nearest(id: &str) -> Option<&'static str> {
    let typed: String = id
        .trim()
        .chars()
        .take(64)
        .map(|letter| match letter {
            '_' | ' ' => '-',
            _ => letter.to_ascii_lowercase(),
        })
        .collect();
    if typed.chars().count() < 3 {
        return None;
    }
    let by_distance = causes()
        .map(|cause| (distance(&typed, cause.id), cause.id))
        .min_by_key(|(changes, _)| *changes)
        .filter(|(changes, _)| *changes <= typed.chars().count().div_ceil(4));
    by_distance.map(|(_, id)| id).or_else(|| causes().map(|cause| cause.id).find(|id| id.contains(&typed)))
}

/// Counts the letters that must be added, dropped or changed to make `a` of `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut costs: Vec<usize> = (0..=b.chars().count()).collect();
    for (row, from) in a.chars().enumerate() {
        let mut diagonal = row;
        let mut left = row + 1;
        for (cost, to) in costs.iter_mut().skip(1).zip(b.chars()) {
            let above = *cost;
            left = (diagonal + usize::from(from != to)).min(above + 1).min(left + 1);
            diagonal = above;
            *cost = left;
        }
        if let Some(first) = costs.first_mut() {
            *first = row + 1;
        }
    }
    costs.last().copied().unwrap_or(0)
}

static PHASES: [&[&[Cause]]; 13] = [
    &[none::CAUSES],
    &[url::CAUSES],
    &[token::CAUSES],
    &[dns_tcp::CAUSES],
    &[tls::CAUSES],
    &upgrade_refused::PARTS,
    &[upgrade_invalid::CAUSES],
    &[open::CAUSES],
    &[protocol::CAUSES],
    &close::PARTS,
    &[auth::CAUSES],
    &[server_console::CAUSES],
    &[browser::CAUSES],
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Part A of the specification, in its order.
    const PART_A: &str = "
        healthy undetermined ended-by-user our-limit url-scheme-http url-scheme-typo url-relative
        url-fragment url-bad-port url-unsafe-port url-host-placeholder url-space-or-quote
        url-userinfo url-too-long url-subprotocol-invalid token-missing token-placeholder
        token-bearer-prefix token-quoted token-whitespace token-double-encoded token-plus-in-query
        token-truncated dns-nxdomain dns-unreachable tcp-refused localhost-family-mismatch tcp-drop
        tcp-backlog-full tcp-unreachable port-not-http plain-to-tls tls-to-plain proxy-auth-407
        proxy-unreachable proxy-refused socks-refused tls-self-signed tls-unknown-ca
        tls-missing-intermediate tls-expired tls-not-yet-valid tls-name-mismatch tls-version
        tls-no-shared-cipher tls-client-cert-required tls-unrecognized-name tls-reset-after-hello
        tls-fin-after-hello tls-silent tls-alpn-h2-only tls-mitm-proxy http-200-spa http-200
        http-204 http-redirect-slash http-redirect-https http-redirect-login http-redirect
        http-upgrade-stripped http-400-path-mismatch http-400-missing-key http-400 http-401
        http-403-origin http-403-starlette http-403-proxy http-403 http-404 http-405 http-413
        http-414 http-426 http-429 http-431 http-500 http-502 http-503 http-504 http-505 http-other
        engineio-error upgrade-wrong-accept upgrade-no-accept upgrade-dup-accept
        upgrade-header-missing upgrade-header-wrong upgrade-http-version upgrade-bare-lf upgrade-1xx
        upgrade-headers-too-big subprotocol-unanswered subprotocol-unrequested subprotocol-mismatch
        extension-unrequested extension-bad-params upgrade-fin-nobytes upgrade-rst-nobytes
        upgrade-partial upgrade-unanswered upgrade-trickle confirmation-missing
        confirmation-mismatch server-process-died server-restarted connection-terminated
        connection-reset handler-exception heartbeat-terminate ping-timeout-1011
        engineio-ping-timeout idle-timeout lifetime-limit network-loss nat-state-lost server-blocked
        http-body-after-101 two-writers-interleave proto-masked-server proto-rsv1-no-deflate
        proto-deflate-corrupt proto-rsv1-on-continuation proto-rsv2-3 proto-bad-opcode
        proto-control-fragmented proto-control-too-long proto-continuation proto-interleaved-data
        proto-bad-utf8 proto-nonminimal-length proto-length-highbit frame-huge frame-truncated
        fragment-unfinished decompression-bomb middlebox-injection close-1000 close-1001 close-1002
        close-1003 close-1007 close-1008 message-too-big-by-server close-1010 close-1011 close-1012
        close-1013 close-1014 close-3000 close-3003 close-application close-empty close-illegal-code
        close-1byte close-bad-utf8 close-too-long data-after-close peer-never-answers-close
        peer-drops-tcp-on-our-close peer-never-closes-tcp duplicate-kick jwt-malformed jwt-expired
        jwt-not-active jwt-expired-mid-session jwt-clock-skew jwt-alg-mismatch jwt-alg-none
        jwt-wrong-secret jwt-secret-missing jwt-kid-missing jwt-audience jwt-issuer db-unreachable
        address-in-use fd-limit out-of-memory boot-crash close-while-connecting page-navigation
        mixed-content csp-connect-src browser-connection-limit browser-handshake-queue
        extension-blocked private-network-access browser-offline network-change
        background-tab-throttle send-before-open close-code-api
    ";
    /// Ids that only findings carry and that part A does not list by phase.
    const FINDINGS_ONLY: [&str; 2] = ["close-then-gone", "garbage-after-close"];
    const PLACEHOLDERS: [&str; 7] = ["scheme", "http", "host", "port", "path", "url", "pid"];

    #[test]
    fn every_id_of_part_a_has_its_words_in_the_same_order() {
        let wanted: Vec<&str> = PART_A.split_whitespace().collect();
        assert_eq!(wanted.len(), 191);
        let listed: Vec<&str> = causes().map(|cause| cause.id).filter(|id| !FINDINGS_ONLY.contains(id)).collect();
        assert_eq!(listed, wanted);
        for id in FINDINGS_ONLY {
            assert_eq!(cause(id).unwrap().phase, Phase::Close);
        }
    }

    #[test]
    fn ids_are_unique_and_phases_in_order() {
        let ids: BTreeSet<&str> = causes().map(|cause| cause.id).collect();
        assert_eq!(ids.len(), causes().count());
        let phases: Vec<Phase> = causes().map(|cause| cause.phase).collect();
        assert!(phases.is_sorted());
    }

    #[test]
    fn see_also_leads_to_other_causes() {
        for row in causes() {
            assert!(!row.see_also.is_empty(), "{} stands alone", row.id);
            let distinct: BTreeSet<_> = row.see_also.iter().collect();
            assert_eq!(distinct.len(), row.see_also.len(), "{} repeats itself", row.id);
            for other in row.see_also {
                assert!(cause(other).is_some(), "{}: no cause {other}", row.id);
                assert_ne!(row.id, *other);
            }
        }
    }

    #[test]
    fn every_cause_says_what_to_do() {
        for row in causes() {
            assert!(!row.fixes.is_empty(), "{} has no fix", row.id);
        }
    }

    #[test]
    fn texts_are_whole_and_titles_short() {
        for row in causes() {
            assert!(row.title.chars().count() <= 60, "{}: long title", row.id);
            assert!(!row.title.ends_with('.'), "{}: a title is no sentence", row.id);
            for text in prose(row) {
                assert!(!text.is_empty() && text.trim() == text, "{}: {text:?}", row.id);
                assert!(!text.contains("  ") && !text.contains('\n'), "{}: {text:?}", row.id);
            }
            let sentences = [row.what, row.browser].into_iter().chain(row.fixes.iter().map(|fix| fix.text));
            for text in sentences {
                assert!(text.ends_with(['.', ':', ')']), "{}: {text:?}", row.id);
            }
            for text in copyable(row) {
                assert!(!text.is_empty() && text.trim() == text, "{}: {text:?}", row.id);
                assert!(text.lines().all(|line| line.trim_end() == line), "{}: {text:?}", row.id);
            }
        }
    }

    #[test]
    fn placeholders_are_known() {
        for row in causes() {
            for text in prose(row).into_iter().chain(copyable(row)) {
                for name in placeholders(text) {
                    assert!(PLACEHOLDERS.contains(&name), "{}: unknown {{{name}}}", row.id);
                }
            }
        }
    }

    #[test]
    fn urls_and_paths_stand_in_quotes_where_a_shell_could_read_them() {
        for row in causes() {
            for text in copyable(row) {
                for name in ["{url}", "{path}"] {
                    for (at, _) in text.match_indices(name) {
                        let before = text.get(..at).unwrap();
                        let quoted = |quote| before.matches(quote).count() % 2 == 1;
                        assert!(quoted('"') || quoted('\''), "{}: {text}", row.id);
                    }
                }
            }
        }
    }

    #[test]
    fn commands_use_the_tools_of_their_platform() {
        let linux = [
            "ss -",
            "ip route",
            "timedatectl",
            "hwclock",
            "/proc/",
            "dmesg",
            "update-ca-cert",
            "iptables",
            "resolv.conf",
            "getent",
            "netstat -l",
            "top -H",
            "stat,cmd",
            " -ext ",
            "chromium",
        ];
        let posix =
            ["grep ", "/etc/", "/dev/null", "$(", "&&", "sudo ", "export ", "tail ", "lsof", "kill ", "nc -", "dig "];
        let all = causes().flat_map(|row| row.fixes.iter().filter_map(move |fix| Some((row.id, fix.command?))));
        // What reads the same everywhere is code, configuration, or a command of ours.
        for (id, command) in all.filter(|(_, command)| command.unix != command.windows) {
            for (text, foreign) in [(command.macos, &linux[..]), (command.windows, &posix[..])] {
                let found = foreign.iter().find(|tool| text.contains(*tool));
                assert!(found.is_none(), "{id}: {text:?} has {found:?}");
            }
            let globs = [command.unix, command.macos].map(|text| text.contains("=*."));
            assert_eq!(globs, [false, false], "{id}: zsh refuses a pattern that matches no file");
        }
    }

    #[test]
    fn slips_of_the_keyboard_find_their_cause() {
        for (typed, meant) in [
            ("tcp-refusd", "tcp-refused"),
            ("JWT_EXPIRED", "jwt-expired"),
            ("server-proces-dyed", "server-process-died"),
            ("idle timeout", "idle-timeout"),
            ("starlette", "http-403-starlette"),
        ] {
            assert_eq!(nearest(typed), Some(meant), "{typed}");
        }
        assert_eq!(nearest("completely different words"), None);
        assert_eq!(nearest(""), None);
    }

    #[test]
    fn every_id_is_nearest_to_itself() {
        for row in causes() {
            assert_eq!(nearest(row.id), Some(row.id));
        }
    }

    fn prose(row: &Cause) -> Vec<&'static str> {
        let mut texts = vec![row.title, row.what, row.browser];
        texts.extend(row.fixes.iter().map(|fix| fix.text));
        texts.extend(row.seen_with);
        texts
    }

    fn copyable(row: &Cause) -> Vec<&'static str> {
        let commands = row.fixes.iter().filter_map(|fix| fix.command);
        commands.flat_map(|command| [command.unix, command.macos, command.windows]).collect()
    }

    /// Lower-case words in braces without spaces.
    fn placeholders(text: &str) -> Vec<&str> {
        let openings = text.split('{').skip(1);
        let names = openings.filter_map(|after| after.split_once('}').map(|(name, _)| name));
        names.filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase())).collect()
    }
}
