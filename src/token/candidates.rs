//! Several tokens in one text: a choice, each with what it says of itself.
//!
//! Also the JSON serialization of a JWS (RFC 7515 §7.2), of which each signature makes a token of its own.

use serde_json::Value;

use super::claims;
use super::find::find_tokens;
use super::jws::decode;

/// One of several tokens in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The token as it stands in the text, or made of its JSON serialization.
    pub text: String,
    /// What it says of itself: its algorithm, whom it is about, when it expires.
    pub about: String,
}

/// The tokens in `text`, if there are several or they are written as JSON; none where the text is to be read as one.
pub fn candidates(text: &str) -> Vec<Candidate> {
    let mut found = from_json(text);
    // Without a dot there is no token; so much can be said of megabytes at once.
    if found.is_empty() && !text.contains(['.', '%']) {
        return Vec::new();
    }
    if found.is_empty() {
        for range in find_tokens(text) {
            let token = text.get(range).unwrap_or_default();
            if !found.iter().any(|earlier| earlier == token) {
                found.push(token.to_owned());
            }
            if found.len() == MANY {
                break;
            }
        }
        if found.len() < 2 {
            return Vec::new();
        }
    }
    found.into_iter().map(|text| Candidate { about: about(&text), text }).collect()
}

fn about(token: &str) -> String {
    let decoded = decode(token);
    let mut words = vec![decoded.alg.clone().unwrap_or_else(|| "no algorithm".to_owned())];
    let short = |text: String| text.chars().take(40).collect::<String>();
    for name in ["sub", "aud", "iss", "typ", "token_use"] {
        if let Some(value) = decoded.claim(name).and_then(claims::Claim::as_string) {
            words.push(format!("{name} {}", short(value)));
        }
    }
    if let Some(exp) = decoded.claim("exp").and_then(|claim| claim.date) {
        words.push(format!("exp {}", claims::in_utc(exp)));
    }
    words.truncate(4);
    words.join(", ")
}

/// Each signature of a JWS in JSON serialization as a token in compact serialization.
fn from_json(text: &str) -> Vec<String> {
    let is_likely = text.len() <= JSON_LIMIT && text.trim_start().starts_with('{') && text.contains("\"payload\"");
    let Some(Value::Object(object)) = is_likely.then(|| serde_json::from_str(text).ok()).flatten() else {
        return Vec::new();
    };
    let string = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let Some(payload) = string(object.get("payload")) else {
        return Vec::new();
    };
    let one = |value: &Value| {
        let signature = string(value.get("signature"))?;
        Some(format!("{}.{payload}.{signature}", string(value.get("protected")).unwrap_or_default()))
    };
    match object.get("signatures") {
        Some(Value::Array(signatures)) => signatures.iter().take(MANY).filter_map(one).collect(),
        Some(_) => Vec::new(),
        None => one(&Value::Object(object.clone())).into_iter().collect(),
    }
}

/// Tokens that are offered; bytes of the largest JSON serialization.
const MANY: usize = 50;
const JSON_LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::mint;

    #[test]
    fn several_tokens_are_a_choice_and_one_is_none() {
        let access = mint(r#"{"sub":"a","exp":2000}"#, "HS256", b"s").unwrap();
        let refresh = mint(r#"{"sub":"b"}"#, "HS512", b"s").unwrap();
        let text = format!(r#"{{"access_token":"{access}","refresh_token":"{refresh}","again":"{access}"}}"#);
        let found = candidates(&text);
        assert_eq!(found.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), [&access, &refresh]);
        assert_eq!(found[0].about, "HS256, sub a, exp 1970-01-01T00:33:20Z");
        assert_eq!(found[1].about, "HS512, sub b");
        for text in [access.clone(), format!("Bearer {access}"), String::new(), format!("{access} {access}")] {
            assert!(candidates(&text).is_empty(), "{text}");
        }
    }

    #[test]
    fn each_signature_of_a_json_serialization_is_a_token() {
        let general = r#"{"payload":"e30","signatures":[{"protected":"eyJhbGciOiJSUzI1NiJ9","header":{"kid":"a"},
            "signature":"AA"},{"protected":"eyJhbGciOiJFUzI1NiJ9","signature":"BB"},{"protected":1}]}"#;
        let texts: Vec<_> = candidates(general).into_iter().map(|one| one.text).collect();
        assert_eq!(texts, ["eyJhbGciOiJSUzI1NiJ9.e30.AA", "eyJhbGciOiJFUzI1NiJ9.e30.BB"]);
        let flattened = r#"{"payload":"e30","protected":"eyJhbGciOiJFUzI1NiJ9","signature":"BB"}"#;
        assert_eq!(candidates(flattened)[0].text, "eyJhbGciOiJFUzI1NiJ9.e30.BB");
        assert!(
            candidates(r#"{"payload":1}"#).is_empty() && candidates(r#"{"payload":"a","signatures":1}"#).is_empty()
        );
    }
}
