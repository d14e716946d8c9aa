//! Reads any string as a token and says what is right and what is wrong, and where.
//!
//! RFC 7515 §7.1 (compact serialization), RFC 7516 for five parts. Nothing here verifies or validates.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::claims::{self, Claim, Dates};
use super::mend::Working;
use super::oddities;
use super::parts::Part;
use super::problem::{Problem, ProblemKind};
use super::surface::{self, Inside};

/// What kind of thing the text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// There was no place to look at: no parameter, no header.
    #[default]
    Absent,
    /// There was a place, with nothing in it.
    Empty,
    /// A word in a token's place: `undefined`, `null`, `YOUR_TOKEN_HERE`.
    Placeholder,
    /// Three parts, of which header and claims can be read.
    Jws,
    /// Five parts: an encrypted token, of which only the header can be read.
    Jwe,
    /// One word without a dot: a session id or an API key, not a JWT.
    Opaque,
    /// Parts that cannot be read, or the wrong number of them.
    Malformed,
    /// Starts with a JOSE header that decodes, and ends too early.
    Truncated,
}

/// Where the three parts stand in the text as it was given, as byte ranges without the dots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segments {
    /// The JOSE header.
    pub header: Range<usize>,
    /// The claims set; of a JWE, the encrypted key.
    pub payload: Range<usize>,
    /// The signature; of a JWE, all that follows.
    pub signature: Range<usize>,
}

/// A string read as a token.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// What kind of thing it is.
    pub shape: Shape,
    /// The text that would be right, where it is not the text that was given.
    pub mended: Option<String>,
    /// Where the parts stand in the text that was given.
    pub segments: Segments,
    /// The header's JSON text, as far as it can be read.
    pub header: Option<String>,
    /// The header's parameters, in order.
    pub parameters: Vec<Claim>,
    /// The payload's text, as far as it can be read.
    pub payload: Option<String>,
    /// The claims, in order, duplicates included.
    pub claims: Vec<Claim>,
    /// `alg` of the header, if it is a string.
    pub alg: Option<String>,
    /// `typ` of the header, if it is a string.
    pub typ: Option<String>,
    /// `kid` of the header, if it is a string.
    pub kid: Option<String>,
    /// Everything that is wrong or odd, by position.
    pub problems: Vec<Problem>,
    /// The dates that decide.
    pub(super) dates: Dates,
    /// What is signed, and the signature, within the text that was read.
    pub(super) signed: Option<Signed>,
}

/// What a signature is checked over, as byte ranges of the text that was read.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    /// Header, dot and payload.
    pub(super) input: Range<usize>,
    /// The signature part.
    pub(super) signature: Range<usize>,
}

impl Decoded {
    /// The text that was read: the mended one, else `given`.
    pub fn text<'a>(&'a self, given: &'a str) -> &'a str {
        self.mended.as_deref().unwrap_or(given)
    }

    /// The first problem of a kind.
    pub fn problem(&self, kind: ProblemKind) -> Option<&Problem> {
        self.problems.iter().find(|problem| problem.kind == kind)
    }

    /// The value of a claim as `JSON.parse` would give it: the last of its name.
    pub fn claim(&self, name: &str) -> Option<&Claim> {
        self.claims.iter().rev().find(|claim| claim.name == name)
    }
}

/// Reads any string as a token; never fails, in time linear in its length.
pub fn decode(text: &str) -> Decoded {
    decode_working(text, Working::new(text))
}

/// Reads `working`, which came from `given`, as a token.
pub(super) fn decode_working(given: &str, mut working: Working) -> Decoded {
    let mut decoded = Decoded::default();
    match surface::mend(&mut working, &mut decoded.problems) {
        Inside::Empty => decoded.shape = Shape::Empty,
        Inside::Placeholder => decoded.shape = Shape::Placeholder,
        Inside::Text => {
            let is_shortened = decoded.problem(ProblemKind::Truncated).is_some();
            read(&working, &mut decoded);
            if is_shortened {
                // What the cut does to the part that it is in needs no words of its own.
                decoded.problems.retain(|problem| {
                    !matches!(problem.kind, ProblemKind::PartCount | ProblemKind::BadBase64 | ProblemKind::BadJson)
                });
                decoded.signed = None;
            } else if working.text() != given {
                decoded.mended = Some(working.into_text());
            }
        }
    }
    for problem in &mut decoded.problems {
        settle(given, problem);
    }
    decoded.problems.sort_by_key(|problem| problem.at);
    decoded
}

/// Widens a problem's range to character boundaries within `given`.
fn settle(given: &str, problem: &mut Problem) {
    let end = given.ceil_char_boundary(problem.at.saturating_add(problem.len));
    problem.at = given.floor_char_boundary(problem.at);
    problem.len = end.saturating_sub(problem.at);
}

fn read(working: &Working, decoded: &mut Decoded) {
    let text = working.text();
    let dots: Vec<usize> = text.match_indices('.').map(|(at, _)| at).take(2).collect();
    let count = 1 + text.bytes().filter(|&byte| byte == b'.').count();
    let header_end = dots.first().copied().unwrap_or(text.len());
    let payload_start = dots.first().map_or(text.len(), |dot| dot + 1);
    let payload_end = dots.get(1).copied().unwrap_or(text.len());
    let signature_start = dots.get(1).map_or(text.len(), |dot| dot + 1);
    let ranges = [0..header_end, payload_start..payload_end, signature_start..text.len()];
    let [header_range, payload_range, signature_range] = ranges;
    decoded.segments = Segments {
        header: working.original_range(&header_range),
        payload: working.original_range(&payload_range),
        signature: working.original_range(&signature_range),
    };

    let header = Part::read(working, header_range.clone());
    let is_header = header.is_object();
    if is_header {
        oddities::header_parameters(working, &header, decoded);
    }
    if count == 1 && !is_header && !surface::starts_like_header(text) {
        decoded.shape = Shape::Opaque;
        return;
    }
    let is_encrypted = decoded.parameters.iter().any(|one| one.name == "enc");
    decoded.header.clone_from(&header.text);
    if !is_header {
        decoded.problems.extend(header.problem("header"));
        if header.text.as_deref().is_some_and(|json| json.trim_start().starts_with('{')) {
            decoded.parameters = header.members.iter().cloned().map(claims::parameter).collect();
        }
    }
    if is_encrypted && count <= 5 {
        encrypted(working, count, decoded);
        return;
    }

    let payload = Part::read(working, payload_range.clone());
    let is_cut = count < 3 && is_header;
    if !is_cut && (2..=3).contains(&count) {
        decoded.problems.extend(payload.problem("payload"));
    }
    oddities::claim_problems(working, &payload, decoded);
    decoded.payload.clone_from(&payload.text);
    decoded.dates = dates(&payload);
    decoded.claims = payload.members.iter().cloned().map(claims::claim).collect();

    if count == 3 {
        decoded.signed = Some(Signed { input: 0..payload_range.end, signature: signature_range.clone() });
        let is_short = is_header && oddities::signature(working, signature_range, decoded);
        decoded.shape = match (is_header && payload.is_object(), is_short) {
            (true, true) => Shape::Truncated,
            (true, false) => Shape::Jws,
            (false, _) => Shape::Malformed,
        };
        return;
    }
    let end = text.len()..text.len();
    if is_cut {
        let message = match (count, payload.is_object()) {
            (1, _) => "only the header is there: claims and signature are missing",
            (_, true) => "the signature is missing",
            (_, false) => "cut off within the claims",
        };
        decoded.problems.push(working.problem(ProblemKind::Truncated, end, message));
        decoded.shape = Shape::Truncated;
        return;
    }
    let message = if count == 1 {
        "one part, where a token has three; it begins like a JOSE header that is cut off or damaged".to_owned()
    } else {
        format!("{count} parts, where a token has three (or five, if it is encrypted)")
    };
    decoded.problems.push(working.problem(ProblemKind::PartCount, 0..text.len(), message));
    decoded.shape = Shape::Malformed;
}

fn encrypted(working: &Working, count: usize, decoded: &mut Decoded) {
    if count == 5 {
        decoded.shape = Shape::Jwe;
        return;
    }
    let end = working.text().len();
    let message = format!("{count} parts of the five that an encrypted token has (RFC 7516 §7.1)");
    decoded.problems.push(working.problem(ProblemKind::Truncated, end..end, message));
    decoded.shape = Shape::Truncated;
}

fn dates(payload: &Part) -> Dates {
    let last = |name: &str| payload.members.iter().rev().find(|member| member.name == name);
    let date = |name: &str| last(name).and_then(|member| super::members::as_number(&member.raw));
    let (exp, nbf) = (date("exp"), date("nbf"));
    Dates {
        exp,
        nbf,
        is_readable: payload.is_object()
            && exp.is_some() == last("exp").is_some()
            && nbf.is_some() == last("nbf").is_some(),
    }
}
