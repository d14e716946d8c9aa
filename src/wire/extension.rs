//! Extensions: the header in which they are offered and accepted, and what permessage-deflate agreed on.
//!
//! RFC 6455 §9.1 has the grammar, RFC 7692 §7.1 the parameters. Start at [`negotiate`].

use serde::{Deserialize, Serialize};

/// What Chrome offers.
pub const CHROME_OFFER: &str = "permessage-deflate; client_max_window_bits";

/// What permessage-deflate was agreed on with (RFC 7692 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deflate {
    /// The server begins each message with an empty window.
    pub server_no_context_takeover: bool,
    /// We begin each message with an empty window.
    pub client_no_context_takeover: bool,
    /// Binary logarithm of the largest window that the server uses, 8–15.
    pub server_max_window_bits: u8,
    /// Binary logarithm of the largest window that we may use, 8–15.
    pub client_max_window_bits: u8,
}

/// What is wrong with the extensions that a server accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtensionProblem {
    /// This one was not offered.
    NotOffered(String),
    /// Parameters, or the header itself, break the rules: in words.
    BadParameters(String),
}

impl ExtensionProblem {
    /// The id in the catalogue of causes.
    pub fn cause_id(&self) -> &'static str {
        match self {
            Self::NotOffered(_) => "extension-unrequested",
            Self::BadParameters(_) => "extension-bad-params",
        }
    }

    /// What is wrong, in words.
    pub fn words(&self) -> String {
        match self {
            Self::NotOffered(name) => format!("{name} was not offered"),
            Self::BadParameters(why) => why.clone(),
        }
    }
}

/// One extension with its parameters, as a header lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its name, in lower case.
    pub name: String,
    /// Its parameters in order: names in lower case, values without quotes.
    pub parameters: Vec<(String, Option<String>)>,
}

/// Reads the value of a `Sec-WebSocket-Extensions` header; `None` if it does not follow the grammar of RFC 6455 §9.1.
pub fn parse_extensions(value: &str) -> Option<Vec<Extension>> {
    let mut all = Vec::new();
    for element in split_outside_quotes(value, ',')? {
        if element.trim().is_empty() {
            continue;
        }
        let mut parts = split_outside_quotes(element, ';')?.into_iter();
        let name = token(parts.next()?)?.to_ascii_lowercase();
        let mut parameters = Vec::new();
        for part in parts {
            let (name, value) = part.split_once('=').map_or((part, None), |(name, value)| (name, Some(value)));
            let value = match value {
                Some(value) => Some(unquoted(value)?),
                None => None,
            };
            parameters.push((token(name)?.to_ascii_lowercase(), value));
        }
        all.push(Extension { name, parameters });
    }
    Some(all)
}

/// Checks what a server accepted against what was offered; both are header values, joined with commas.
///
/// Gives what permessage-deflate was agreed on with, if it was.
pub fn negotiate(offered: &str, accepted: &str) -> Result<Option<Deflate>, ExtensionProblem> {
    let bad = |why: &str| Err(ExtensionProblem::BadParameters(why.to_owned()));
    let offers = parse_extensions(offered).unwrap_or_default();
    let Some(answers) = parse_extensions(accepted) else {
        return bad("the header does not follow the grammar of RFC 6455 §9.1");
    };
    let mut agreed = None;
    for answer in &answers {
        if !offers.iter().any(|offer| offer.name == answer.name) {
            return Err(ExtensionProblem::NotOffered(answer.name.clone()));
        }
        if answer.name != DEFLATE {
            continue;
        }
        if agreed.is_some() {
            return bad("permessage-deflate is accepted twice");
        }
        let deflate = accepted_parameters(answer)?;
        let mut misfit = None;
        for offer in offers.iter().filter(|offer| offer.name == DEFLATE) {
            misfit = misfit_with(offer, answer, deflate);
            if misfit.is_none() {
                break;
            }
        }
        if let Some(why) = misfit {
            return bad(why);
        }
        agreed = Some(deflate);
    }
    Ok(agreed)
}

/// What permessage-deflate was accepted with, whatever was offered and however odd its parameters are.
pub(super) fn accepted_deflate(accepted: &str) -> Option<Deflate> {
    let answers = parse_extensions(accepted)?;
    let answer = answers.iter().find(|answer| answer.name == DEFLATE)?;
    Some(accepted_parameters(answer).unwrap_or(Deflate {
        server_no_context_takeover: answer.has(SERVER_NO_TAKEOVER),
        client_no_context_takeover: answer.has(CLIENT_NO_TAKEOVER),
        server_max_window_bits: 15,
        client_max_window_bits: 15,
    }))
}

const DEFLATE: &str = "permessage-deflate";
const SERVER_NO_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_BITS: &str = "server_max_window_bits";
const CLIENT_BITS: &str = "client_max_window_bits";

impl Extension {
    fn has(&self, name: &str) -> bool {
        self.parameters.iter().any(|(n, _)| n == name)
    }

    fn bits(&self, name: &str) -> Option<u8> {
        self.parameters.iter().find(|(n, _)| n == name).and_then(|(_, value)| window_bits(value.as_deref()?))
    }
}

/// The parameters of an answer: known names, once each, with legal values (RFC 7692 §7.1).
fn accepted_parameters(answer: &Extension) -> Result<Deflate, ExtensionProblem> {
    let bad = |why: String| Err(ExtensionProblem::BadParameters(why));
    for (number, (name, value)) in answer.parameters.iter().enumerate() {
        let is_legal = match name.as_str() {
            SERVER_NO_TAKEOVER | CLIENT_NO_TAKEOVER => value.is_none(),
            SERVER_BITS | CLIENT_BITS => value.as_deref().and_then(window_bits).is_some(),
            _ => return bad(format!("permessage-deflate has no parameter {name}")),
        };
        if !is_legal {
            let value = value.as_deref().unwrap_or("(none)");
            return bad(format!("{name} cannot have the value {value}"));
        }
        if answer.parameters.iter().take(number).any(|(earlier, _)| earlier == name) {
            return bad(format!("{name} is there twice"));
        }
    }
    Ok(Deflate {
        server_no_context_takeover: answer.has(SERVER_NO_TAKEOVER),
        client_no_context_takeover: answer.has(CLIENT_NO_TAKEOVER),
        server_max_window_bits: answer.bits(SERVER_BITS).unwrap_or(15),
        client_max_window_bits: answer.bits(CLIENT_BITS).unwrap_or(15),
    })
}

/// Why an answer does not fit an offer (RFC 7692 §7.1.1.1, §7.1.2.1 and §7.1.2.2); `None` if it does.
fn misfit_with(offer: &Extension, answer: &Extension, deflate: Deflate) -> Option<&'static str> {
    if offer.has(SERVER_NO_TAKEOVER) && !deflate.server_no_context_takeover {
        return Some("server_no_context_takeover was asked for, but not granted");
    }
    if let Some(offered) = offer.bits(SERVER_BITS)
        && (!answer.has(SERVER_BITS) || deflate.server_max_window_bits > offered)
    {
        return Some("the window of the server is larger than server_max_window_bits allowed");
    }
    if answer.has(CLIENT_BITS) && !offer.has(CLIENT_BITS) {
        return Some("client_max_window_bits is answered, but was not offered");
    }
    None
}

/// 8–15 without leading zeros.
fn window_bits(value: &str) -> Option<u8> {
    let is_plain = value.bytes().all(|b| b.is_ascii_digit()) && !value.starts_with('0');
    value.parse().ok().filter(|bits| is_plain && (8..=15).contains(bits))
}

/// An RFC 7230 token with white space around it.
fn token(text: &str) -> Option<&str> {
    let text = text.trim_matches([' ', '\t']);
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (!text.is_empty() && text.bytes().all(is_token)).then_some(text)
}

/// A token, or a quoted string that holds one.
fn unquoted(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t']);
    match text.strip_prefix('"') {
        Some(rest) => token(&rest.strip_suffix('"')?.replace('\\', "")).map(str::to_owned),
        None => token(text).map(str::to_owned),
    }
}

/// The parts between separators that stand outside of quoted strings; `None` if a quoted string has no end.
fn split_outside_quotes(text: &str, separator: char) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut from, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if c == '"' {
            is_quoted = !is_quoted;
        } else if is_quoted && c == '\\' {
            is_escaped = true;
        } else if c == separator && !is_quoted {
            parts.push(&text[from..at]);
            from = at + c.len_utf8();
        }
    }
    parts.push(&text[from..]);
    (!is_quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_the_grammar_says() {
        let extension = |name: &str, parameters: &[(&str, Option<&str>)]| Extension {
            name: name.to_owned(),
            parameters: parameters.iter().map(|(n, v)| ((*n).to_owned(), v.map(str::to_owned))).collect(),
        };
        let check = |value: &str, expected: Option<&[Extension]>| {
            assert_eq!(parse_extensions(value).as_deref(), expected, "{value}");
        };
        check("", Some(&[]));
        check(" , ,", Some(&[]));
        check("a;b ; C = 1 , D", Some(&[extension("a", &[("b", None), ("c", Some("1"))]), extension("d", &[])]));
        check("a; b=\"1\\0\"", Some(&[extension("a", &[("b", Some("10"))])]));
        check("a; b=\"1,2;3\"", None);
        check("a; b=\"1", None);
        check("a;", None);
        check("a b", None);
        check("a; b=", None);
        check("\u{e9}", None);
    }

    #[test]
    fn answers_are_held_against_the_offer() {
        let check = |offered: &str, accepted: &str, expected: Result<[u8; 4], &str>| {
            let found = negotiate(offered, accepted).map(|deflate| deflate.map(flags));
            let expected = expected.map(Some);
            assert_eq!(
                found.as_ref().map_err(ExtensionProblem::cause_id),
                expected.as_ref().map_err(|id| *id),
                "{accepted}"
            );
        };
        let flags_of = |accepted: &str, expected| check(CHROME_OFFER, accepted, expected);
        let bad = Err("extension-bad-params");
        flags_of("permessage-deflate", Ok([0, 0, 15, 15]));
        flags_of("Permessage-Deflate; server_no_context_takeover", Ok([1, 0, 15, 15]));
        flags_of("permessage-deflate; client_no_context_takeover; client_max_window_bits=8", Ok([0, 1, 15, 8]));
        flags_of("permessage-deflate; server_max_window_bits=\"10\"", Ok([0, 0, 10, 15]));
        flags_of("permessage-deflate; server_max_window_bits=7", bad);
        flags_of("permessage-deflate; server_max_window_bits=08", bad);
        flags_of("permessage-deflate; server_max_window_bits=+9", bad);
        flags_of("permessage-deflate; server_max_window_bits", bad);
        flags_of("permessage-deflate; client_max_window_bits", bad);
        flags_of("permessage-deflate; server_no_context_takeover=1", bad);
        flags_of("permessage-deflate; server_no_context_takeover; server_no_context_takeover", bad);
        flags_of("permessage-deflate; mux", bad);
        flags_of("permessage-deflate, permessage-deflate", bad);
        flags_of("permessage-deflate;", bad);
        flags_of("x-webkit-deflate-frame", Err("extension-unrequested"));
        check("", "permessage-deflate", Err("extension-unrequested"));
        let plain = "permessage-deflate";
        check(plain, "permessage-deflate; client_max_window_bits=9", bad);
        check("permessage-deflate; server_max_window_bits=10", "permessage-deflate", bad);
        check("permessage-deflate; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=11", bad);
        check(
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits=9",
            Ok([0, 0, 9, 15]),
        );
        check("permessage-deflate; server_no_context_takeover", "permessage-deflate", bad);
        check(
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            "permessage-deflate",
            Ok([0, 0, 15, 15]),
        );
        assert_eq!(negotiate(CHROME_OFFER, ""), Ok(None));
    }

    fn flags(d: Deflate) -> [u8; 4] {
        let (server, client) = (d.server_no_context_takeover, d.client_no_context_takeover);
        [u8::from(server), u8::from(client), d.server_max_window_bits, d.client_max_window_bits]
    }
}
