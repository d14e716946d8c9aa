//! What a client needs in order to meet a fault: a URL with a token in it, and how to behave.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::certificate::PRACTICE_CA;
use super::fault::{Expected, Fault, Terms, TokenTweak};
use super::guide_token::{mint, unsigned};

/// One lesson, ready to connect to.
#[derive(Clone, Debug)]
pub struct Exercise {
    /// The URL, with token and agentId.
    pub url: String,
    /// The token as a user would have pasted it; it stands in `url` already.
    pub token: Option<String>,
    /// The secret with which a user would check the signature.
    pub secret: Option<Vec<u8>>,
    /// Subprotocols to offer.
    pub subprotocols: Vec<String>,
    /// Text messages to send once confirmed.
    pub send: Vec<String>,
    /// The confirmation to expect.
    pub confirm: Confirm,
    /// Limit for TCP and TLS, if the fault is one of silence.
    pub connect_timeout: Option<Duration>,
    /// Limit for the response, if the fault is one of silence.
    pub upgrade_timeout: Option<Duration>,
    /// Limit for the confirmation, if the fault is one of silence.
    pub confirm_timeout: Option<Duration>,
    /// How long to stay after the confirmation, if longer than usual.
    pub watch: Option<Duration>,
    /// How often to connect: what a clock brings about shows only when it comes again.
    pub times: u32,
    /// The URL of the proxy to go through.
    pub proxy: Option<String>,
    /// How often to ping, and how long each pong may take.
    pub ping: Option<(Duration, Duration)>,
    /// Whether to leave the server's pings unanswered.
    pub withhold_pongs: bool,
    /// The client's limit for a message, in bytes.
    pub message_limit: Option<u64>,
    /// Whether to go on although the certificate is invalid.
    pub insecure: bool,
    /// A CA to trust, in PEM.
    pub extra_ca: Option<&'static str>,
}

/// The confirmation that a client expects after the 101.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// Any first message.
    First,
    /// None.
    None,
    /// A first message that contains this.
    Contains(String),
}

/// The token of an exercise: as pasted, and as it stands in the URL.
pub(super) struct ExerciseToken {
    pasted: Option<String>,
    in_query: Option<String>,
}

impl Exercise {
    /// The exercise for `fault` (the guide's server itself without one) at `url`.
    pub(super) fn new(fault: Option<&Fault>, url: String, token: ExerciseToken, secret: &[u8]) -> Self {
        let terms = fault.map_or(Terms::PLAIN, |fault| fault.terms);
        let limit = terms.patience_millis.map(Duration::from_millis);
        Self {
            url,
            token: token.pasted,
            secret: Some(secret.to_vec()),
            subprotocols: terms.subprotocols.iter().map(|name| (*name).to_owned()).collect(),
            send: if terms.send_len == 0 { Vec::new() } else { vec!["a".repeat(terms.send_len)] },
            confirm: match terms.confirm {
                Expected::First => Confirm::First,
                Expected::None => Confirm::None,
                Expected::Contains(text) => Confirm::Contains(text.to_owned()),
            },
            connect_timeout: limit,
            upgrade_timeout: limit,
            confirm_timeout: limit,
            watch: terms.watch_millis.map(Duration::from_millis),
            times: terms.times,
            proxy: None,
            ping: terms.ping_millis.map(|millis| (Duration::from_millis(millis), Duration::from_millis(2 * millis))),
            withhold_pongs: terms.withholds_pongs,
            message_limit: terms.message_limit,
            insecure: false,
            extra_ca: terms.trusts_practice_ca.then_some(PRACTICE_CA),
        }
    }
}

impl ExerciseToken {
    /// A fresh token, tweaked.
    pub(super) fn new(tweak: TokenTweak, secret: &[u8], now_unix: i64) -> Self {
        let good = fresh(secret, now_unix);
        let (pasted, in_query) = match tweak {
            TokenTweak::None => (good.clone(), good),
            TokenTweak::Missing => {
                return Self { pasted: None, in_query: None };
            }
            TokenTweak::Replaced(text) => (text.to_owned(), text.to_owned()),
            TokenTweak::Prefixed(text) => (format!("{}{good}", spaced(text)), format!("{text}{good}")),
            TokenTweak::Suffixed(text) => (format!("{good}{}", spaced(text)), format!("{good}{text}")),
            TokenTweak::Quoted => (format!("\"{good}\""), format!("%22{good}%22")),
            TokenTweak::DoubleEncoded => (good.replace('.', "%2E"), good.replace('.', "%252E")),
            TokenTweak::Plus => same(with_plus(secret, now_unix)),
            TokenTweak::CutInClaims => same(cut_in_claims(&good)),
            TokenTweak::CutInSignature => same(good.chars().take(good.len().saturating_sub(20)).collect()),
            TokenTweak::ExpiresIn(secs) => {
                let issued = now_unix.min(now_unix.saturating_add(secs).saturating_sub(60));
                let times = json!({"iat": issued, "exp": now_unix.saturating_add(secs)});
                same(mint(&claims(&times), secret))
            }
            TokenTweak::NotBeforeIn(secs) => {
                let start = now_unix.saturating_add(secs);
                let times = json!({"iat": now_unix, "nbf": start, "exp": start.saturating_add(LIFETIME_SECS)});
                same(mint(&claims(&times), secret))
            }
            TokenTweak::WrongSecret => same(fresh(&[secret, b"-of-another-env"].concat(), now_unix)),
            TokenTweak::Unsecured => {
                same(format!("{}.", unsigned(&json!({"alg": "none", "typ": "JWT"}), &in_date(now_unix))))
            }
            TokenTweak::OtherAlgorithm => {
                let input = unsigned(&json!({"alg": "RS256", "typ": "JWT"}), &in_date(now_unix));
                let signature: Vec<u8> = (0..=255).collect();
                same(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
            }
        };
        Self { pasted: Some(pasted), in_query: Some(in_query) }
    }

    /// The query, without `?`, that carries this token.
    pub(super) fn query(&self, padding_len: usize) -> String {
        let mut query = self.in_query.as_ref().map_or_else(String::new, |token| format!("token={token}&"));
        query.push_str("agentId=");
        query.push_str(AGENT_ID);
        if padding_len > 0 {
            query.push_str("&context=");
            query.push_str(&"x".repeat(padding_len));
        }
        query
    }

    /// The token as it stands in the URL.
    pub(super) fn in_query(&self) -> &str {
        self.in_query.as_deref().unwrap_or_default()
    }
}

/// A token that the guide's server accepts for an hour.
pub(super) fn fresh(secret: &[u8], now_unix: i64) -> String {
    mint(&in_date(now_unix), secret)
}

fn in_date(now_unix: i64) -> Value {
    claims(&json!({"iat": now_unix, "exp": now_unix.saturating_add(LIFETIME_SECS)}))
}

fn claims(times: &Value) -> Value {
    let mut all = json!({
        "sub": "practice-user",
        "userId": "practice-user",
        "tenantId": "practice-tenant",
        "iss": "sockeye-practice",
        "aud": "sockeye-practice",
    });
    if let (Some(all), Some(times)) = (all.as_object_mut(), times.as_object()) {
        all.extend(times.clone());
    }
    all
}

/// A good token in standard base64, with at least one `+`.
fn with_plus(secret: &[u8], now_unix: i64) -> String {
    let mut token = String::new();
    for id in 0..256 {
        let times = json!({"iat": now_unix, "exp": now_unix.saturating_add(LIFETIME_SECS), "jti": id.to_string()});
        token = mint(&claims(&times), secret);
        if token.contains('-') {
            break;
        }
    }
    token.replace('-', "+").replace('_', "/")
}

fn cut_in_claims(token: &str) -> String {
    let (header, rest) = token.split_once('.').unwrap_or((token, ""));
    let claims = rest.split('.').next().unwrap_or_default();
    format!("{header}.{}", claims.chars().take(claims.len() / 2).collect::<String>())
}

fn same(token: String) -> (String, String) {
    (token.clone(), token)
}

fn spaced(encoded: &str) -> String {
    percent_encoding::percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}

/// The agent of every exercise.
const AGENT_ID: &str = "practice-agent";
const LIFETIME_SECS: i64 = 3600;

#[cfg(test)]
mod tests {
    use super::super::guide_token::verify;
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn check(tweak: TokenTweak, said: &str) {
        let token = ExerciseToken::new(tweak, b"practice", NOW);
        let seen = spaced(&token.in_query().replace('+', " "));
        assert_eq!(verify(&seen, b"practice", NOW).map(|_| ()), Err(said.to_owned()), "{tweak:?}");
    }

    #[test]
    fn tweaked_tokens_are_refused_for_their_own_reason() {
        check(TokenTweak::Missing, "jwt must be provided");
        check(TokenTweak::Replaced("undefined"), "jwt malformed");
        check(TokenTweak::Prefixed("Bearer%20"), "invalid token");
        check(TokenTweak::Suffixed("%0A"), "invalid token");
        check(TokenTweak::Quoted, "invalid token");
        check(TokenTweak::DoubleEncoded, "jwt malformed");
        check(TokenTweak::Plus, "invalid token");
        check(TokenTweak::CutInClaims, "jwt malformed");
        check(TokenTweak::CutInSignature, "invalid signature");
        check(TokenTweak::ExpiresIn(-3600), "jwt expired");
        check(TokenTweak::NotBeforeIn(3600), "jwt not active");
        check(TokenTweak::WrongSecret, "invalid signature");
        check(TokenTweak::Unsecured, "jwt signature is required");
        check(TokenTweak::OtherAlgorithm, "invalid algorithm");
    }

    #[test]
    fn plus_is_in_the_query_as_it_is() {
        for now in NOW..NOW + 50 {
            assert!(ExerciseToken::new(TokenTweak::Plus, b"practice", now).in_query().contains('+'));
        }
    }
}
