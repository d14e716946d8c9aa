//! The token of a request as it is sent, and where it stands, also where nobody has named it as one.

use crate::engine::ConnectOptions;
use crate::observation::TokenPlace;
use crate::token::looks_like_token;
use crate::token::place::{bearer, decode_form, in_query, percent_decode};
use crate::wire::Target;

/// A token and its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SentToken {
    /// Where it stands, or would.
    pub(super) place: Option<TokenPlace>,
    /// What stands there, escapes undone; `None` if there is no such place in the request.
    pub(super) text: Option<String>,
}

/// Reads the token where the options put it; where the query has no such parameter, looks for one elsewhere.
pub(super) fn sent_token(options: &ConnectOptions, target: Option<&Target>) -> SentToken {
    let place = options.token_place.clone();
    let query = target.map_or("", Target::query);
    let text = match &place {
        Some(TokenPlace::Query { name }) => in_query(query, name).first().map(|value| percent_decode(value.raw)),
        _ => options.token.clone(),
    };
    if text.is_some() || !matches!(place, None | Some(TokenPlace::Query { .. })) {
        return SentToken { place, text };
    }
    match elsewhere(options, query) {
        Some((place, text)) => SentToken { place: Some(place), text: Some(text) },
        None => SentToken { place, text },
    }
}

/// A token in another parameter, a header, a cookie or among the subprotocols.
fn elsewhere(options: &ConnectOptions, query: &str) -> Option<(TokenPlace, String)> {
    let parameter = parameters(query).find_map(|(name, raw)| {
        let value = percent_decode(raw);
        looks_like_token(&value).then_some((TokenPlace::Query { name }, value))
    });
    let header = || {
        options.headers.iter().find_map(|(name, value)| {
            if name.eq_ignore_ascii_case("cookie") {
                let mut cookies = value.split(';').filter_map(|pair| pair.split_once('='));
                let (name, value) = cookies.find(|(_, value)| looks_like_token(value.trim()))?;
                Some((TokenPlace::Cookie { name: name.trim().to_owned() }, value.trim().to_owned()))
            } else if name.eq_ignore_ascii_case("authorization") {
                bearer(value).map(|token| (TokenPlace::Bearer, token.to_owned()))
            } else {
                looks_like_token(value).then(|| (TokenPlace::Header { name: name.clone() }, value.clone()))
            }
        })
    };
    let subprotocol = || {
        let offered = options.subprotocols.iter().find(|offered| looks_like_token(offered))?;
        Some((TokenPlace::Subprotocol, offered.clone()))
    };
    parameter.or_else(header).or_else(subprotocol)
}

/// Whether a parameter of the query or a header is named as credentials are.
pub(super) fn names_credential(options: &ConnectOptions, query: &str) -> bool {
    let names = |name: &str| {
        let name = name.to_ascii_lowercase();
        name == "sid" || CREDENTIALS.iter().any(|word| name.contains(word))
    };
    parameters(query).any(|(name, raw)| !raw.is_empty() && names(&name))
        || options.headers.iter().any(|(name, value)| !value.is_empty() && names(name))
}

/// The parameters of a query: names decoded, values as they stand.
fn parameters(query: &str) -> impl Iterator<Item = (String, &str)> {
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, raw)| (decode_form(name), raw))
}

const CREDENTIALS: [&str; 8] = ["token", "apikey", "api_key", "api-key", "auth", "secret", "session", "ticket"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_url;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJlLW9mLTMyLWJ5dGVzLS0tLS0tLS0t";

    fn found(url: &str, headers: &[(&str, &str)]) -> SentToken {
        let mut options = ConnectOptions::new(url);
        options.token_place = Some(TokenPlace::Query { name: "token".to_owned() });
        options.headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        sent_token(&options, parse_url(url).ok().as_ref())
    }

    #[test]
    fn a_token_is_found_where_nobody_has_named_it() {
        let at = |place, found: SentToken| {
            assert_eq!(found, SentToken { place: Some(place), text: Some(TOKEN.to_owned()) });
        };
        let query = |name: &str| TokenPlace::Query { name: name.to_owned() };
        at(query("token"), found(&format!("ws://h/?access_token=x&token={TOKEN}"), &[]));
        at(query("access_token"), found(&format!("ws://h/?a=1&access_token={TOKEN}"), &[]));
        let cookie = TokenPlace::Cookie { name: "jwt".to_owned() };
        at(cookie, found("ws://h/", &[("Cookie", &format!("a=b; jwt={TOKEN}"))]));
        at(TokenPlace::Bearer, found("ws://h/", &[("authorization", &format!("Bearer {TOKEN}"))]));
        at(TokenPlace::Header { name: "X-Auth".to_owned() }, found("ws://h/", &[("X-Auth", TOKEN)]));
    }

    #[test]
    fn an_empty_place_is_another_thing_than_none() {
        assert_eq!(found("ws://h/?token=", &[]).text.as_deref(), Some(""));
        assert_eq!(found(&format!("ws://h/?token=&x={TOKEN}"), &[]).text.as_deref(), Some(""));
        assert_eq!(found("ws://h/?a=1", &[("Cookie", "sid=1"), ("Authorization", "Basic eA==")]).text, None);
    }

    #[test]
    fn other_credentials_are_known_by_their_names() {
        let mut options = ConnectOptions::new("ws://h/");
        assert!(names_credential(&options, "api_key=1") && names_credential(&options, "a=b&sid=x"));
        assert!(!names_credential(&options, "agentId=1&room=2") && !names_credential(&options, "token="));
        options.headers.push(("X-Api-Key".to_owned(), "k".to_owned()));
        assert!(names_credential(&options, ""));
    }
}
