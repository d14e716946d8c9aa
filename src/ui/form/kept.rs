//! What of the form is kept between two starts: everything but tokens, secrets and whatever looks like one.

use serde::{Deserialize, Serialize};

use super::claims::ClaimTexts;
use super::network::Network;
use super::{ExpectChoice, ExpectTexts, Form, HeaderRow, PlaceChoice, PlaceNames, TimeOutTexts};
use crate::observation::{Family, Preset};
use crate::token::place::{percent_decode, percent_encode};
use crate::token::{find_tokens, looks_like_token};
use crate::ui::paste::BIG;
use crate::ui::query::QueryTable;

/// The part of a form that may lie in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptForm {
    url: String,
    query: QueryTable,
    place: PlaceChoice,
    names: PlaceNames,
    headers: Vec<HeaderRow>,
    preset: Preset,
    origin: String,
    subprotocols: String,
    is_uncompressed: bool,
    time_outs: TimeOutTexts,
    is_insecure: bool,
    ca_file: String,
    family: Family,
    network: Network,
    expect: ExpectChoice,
    expected: ExpectTexts,
    secret_file: String,
    claims: ClaimTexts,
}

impl KeptForm {
    /// Takes what may be kept.
    pub fn of(form: &Form) -> Self {
        let known = Known::of(form);
        let mut query = form.query.clone();
        for row in &mut query.rows {
            if row.name == form.names.query || is_secret(&row.name, &row.value) || known.are_in(&row.value) {
                row.value.clear();
            }
        }
        let url = if form.url.len() > BIG { String::new() } else { without_userinfo(&query.write(&form.url)) };
        let mut headers = form.headers.clone();
        headers.retain(|row| row.value.len() <= BIG);
        for row in &mut headers {
            if is_secret(&row.name, &row.value) || known.are_in(&row.value) {
                row.value.clear();
            }
        }
        let small = |text: &str| if text.len() > BIG { String::new() } else { known.taken_out(&without_tokens(text)) };
        let names = PlaceNames { template: small(&form.names.template), ..form.names.clone() };
        let expected = ExpectTexts {
            contains: small(&form.expected.contains),
            pointer: small(&form.expected.pointer),
            value: small(&form.expected.value),
            pattern: small(&form.expected.pattern),
        };
        let claims = ClaimTexts {
            audience: small(&form.claims.audience),
            issuer: small(&form.claims.issuer),
            leeway: small(&form.claims.leeway),
        };
        Self {
            url: if query.is_too_long { String::new() } else { known.taken_out(&without_tokens(&url)) },
            query,
            place: form.place,
            names,
            headers,
            preset: form.preset,
            origin: small(&form.origin),
            subprotocols: small(&form.subprotocols),
            is_uncompressed: form.is_uncompressed,
            time_outs: form.time_outs.clone(),
            is_insecure: form.is_insecure,
            ca_file: small(&form.ca_file),
            family: form.family,
            network: form.network.kept(),
            expect: form.expect,
            expected,
            secret_file: small(&form.secret_file),
            claims,
        }
    }

    /// The form again.
    pub fn into_form(self) -> Form {
        let mut form = Form {
            url: self.url,
            query: self.query,
            place: self.place,
            names: self.names,
            headers: self.headers,
            preset: self.preset,
            origin: self.origin,
            subprotocols: self.subprotocols,
            is_uncompressed: self.is_uncompressed,
            time_outs: self.time_outs,
            is_insecure: self.is_insecure,
            ca_file: self.ca_file,
            family: self.family,
            network: self.network,
            expect: self.expect,
            expected: self.expected,
            secret_file: self.secret_file,
            claims: self.claims,
            ..Form::default()
        };
        form.url_typed();
        form
    }
}

/// The secrets that the form knows by themselves, wherever they were typed a second time.
struct Known(Vec<String>);

impl Known {
    fn of(form: &Form) -> Self {
        let secrets = form.secrets();
        let texts = secrets.iter().filter_map(|secret| std::str::from_utf8(secret.bytes()).ok());
        let texts = texts.chain([form.token.as_str(), form.secret.as_str()]).map(str::trim);
        Self(texts.filter(|text| (SHORTEST_KNOWN..BIG).contains(&text.len())).map(str::to_owned).collect())
    }

    fn are_in(&self, text: &str) -> bool {
        let decoded = percent_decode(text);
        self.0.iter().any(|secret| text.contains(secret) || decoded.contains(secret))
    }

    fn taken_out(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "").replace(&percent_encode(secret), ""))
    }
}

/// Whether a name smells of a secret, or its value is a token.
fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word)) || looks_like_token(value)
}

/// The text with each token in it left out, wherever it stands.
fn without_tokens(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for range in find_tokens(text) {
        kept.push_str(text.get(at..range.start).unwrap_or_default());
        at = range.end;
    }
    kept.push_str(text.get(at..).unwrap_or_default());
    kept
}

fn without_userinfo(url: &str) -> String {
    let Some(start) = url.find("://").map(|at| at + 3) else {
        return url.to_owned();
    };
    let rest = url.get(start..).unwrap_or_default();
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    match rest.get(..end).and_then(|authority| authority.rfind('@')) {
        Some(at) => {
            format!("{}{}", url.get(..start).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default())
        }
        None => url.to_owned(),
    }
}

/// Anything shorter stands everywhere.
const SHORTEST_KNOWN: usize = 4;

const SECRET_WORDS: [&str; 10] =
    ["token", "jwt", "auth", "secret", "key", "pass", "cookie", "session", "credential", "ticket"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_kept() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let mut form = Form::default();
        form.set_url(format!("wss://user:hunter2@h:1/p/{token}?token={token}&agentId=a1&apiKey=k-9&x={token}"));
        form.secret = "practice makes perfect".to_owned();
        form.names.template = format!("{{\"auth\":\"{token}\"}}");
        for (name, value) in [("Authorization", "Basic Zm9v"), ("X-Trace", "on"), ("Cookie", "sid=77")] {
            form.headers.push(HeaderRow { is_on: true, name: name.into(), value: value.into() });
        }
        form.query.rows[2].is_on = false;
        form.query_typed();
        let kept = serde_json::to_string(&KeptForm::of(&form)).unwrap();
        for secret in ["eyJ", "hunter2", "k-9", "perfect", "Zm9v", "sid=77"] {
            assert!(!kept.contains(secret), "{secret} in {kept}");
        }
        let back = KeptForm::of(&form).into_form();
        assert_eq!(back.url, "wss://h:1/p/?token=&agentId=a1&x=");
        assert_eq!(back.query.rows[2].name, "apiKey");
        assert_eq!(back.headers[1].value, "on");
    }

    #[test]
    fn the_secret_is_not_kept_where_it_was_typed_a_second_time() {
        let mut form = Form::default();
        form.set_url("ws://h/mellon%20friend/x?note=say%20mellon%20friend&b=1");
        form.secret = "mellon friend".to_owned();
        form.headers.push(HeaderRow { is_on: true, name: "X-Door".into(), value: "mellon friend".into() });
        form.expected.contains = "the word is mellon friend!".to_owned();
        form.claims.audience = "mellon friend".to_owned();
        form.query_typed();
        let kept = serde_json::to_string(&KeptForm::of(&form)).unwrap();
        assert!(!kept.contains("mellon friend") && !kept.contains("mellon%20friend"), "{kept}");
        assert!(kept.contains("the word is !") && kept.contains("b=1"), "{kept}");
    }

    #[test]
    fn a_kept_form_of_another_version_is_still_read() {
        let form: KeptForm = serde_json::from_str(r#"{"url": "ws://h/?a=1", "unknown": 7}"#).unwrap();
        assert_eq!(form.into_form().query.rows[0].value, "1");
    }
}
