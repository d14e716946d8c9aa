//! One part of a token: base64url, then UTF-8, then a JSON object, each read as far as it is right.
//!
//! Offsets in the JSON text are told as offsets in the base64url: four characters there are three bytes here.

use std::collections::BTreeSet;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};

use super::members::{self, Fault, Member};
use super::mend::Working;
use super::problem::{Problem, ProblemKind};

/// A part as far as it can be read.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Where it stands in the text that is read.
    pub(super) range: Range<usize>,
    /// Its text after base64url, with U+FFFD for what is not UTF-8.
    pub(super) text: Option<String>,
    /// The members of its object, as far as it is one.
    pub(super) members: Vec<Member>,
    /// The first thing that is wrong with it.
    fault: Option<Problem>,
}

impl Part {
    /// Reads the part at `range` of the text in `working`.
    pub(super) fn read(working: &Working, range: Range<usize>) -> Self {
        let part = working.text().get(range.clone()).unwrap_or_default();
        let mut fault = bad_base64(working, range.clone(), "part");
        let bytes = lenient(part);
        if bytes.is_empty() {
            let fault =
                fault.or_else(|| Some(working.problem(ProblemKind::BadJson, range.clone(), "the part is empty")));
            return Self { range, text: None, members: Vec::new(), fault };
        }
        let place = |at: usize, len: usize| spread(&range, at, len);
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                fault = fault
                    .or_else(|| Some(working.problem(ProblemKind::BadJson, place(at, 1), "the part is not UTF-8")));
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        let (members, json_fault) = members::read(&text);
        fault = fault.or_else(|| match json_fault? {
            Fault::NotAnObject => {
                Some(working.problem(ProblemKind::NotAnObject, range.clone(), "the part is JSON, but not an object"))
            }
            Fault::Syntax { at, message } => {
                Some(working.problem(ProblemKind::BadJson, place(at, 1), format!("the part is not JSON: {message}")))
            }
        });
        Self { range, text: Some(text), members, fault }
    }

    /// Whether the part is a JSON object, whole and without fault.
    pub(super) fn is_object(&self) -> bool {
        self.fault.is_none()
    }

    /// What is wrong with it, said of the part's `name`.
    pub(super) fn problem(&self, name: &str) -> Option<Problem> {
        let mut problem = self.fault.clone()?;
        problem.message = problem.message.replacen("part", name, 1);
        Some(problem)
    }

    /// Where the value of `member` stands in the text that is read.
    pub(super) fn place(&self, member: &Member) -> Range<usize> {
        spread(&self.range, member.at, member.raw.len())
    }

    /// A problem for each name that occurred before.
    pub(super) fn duplicates(&self, working: &Working, what: &str) -> Vec<Problem> {
        let mut seen = BTreeSet::new();
        self.members
            .iter()
            .filter(|member| !seen.insert(member.name.as_str()))
            .take(MANY)
            .map(|member| {
                let name: String = member.name.chars().take(40).collect();
                let message = format!("the {what} `{name}` occurs again; most readers keep the last one (RFC 7519 §4)");
                working.problem(ProblemKind::DuplicateClaim, self.place(member), message)
            })
            .collect()
    }
}

/// The range of base64url characters within `part` that carry `len` bytes from `at` on.
fn spread(part: &Range<usize>, at: usize, len: usize) -> Range<usize> {
    let start = (part.start + at * 4 / 3).min(part.end);
    let end = (part.start + ((at + len) * 4).div_ceil(3)).clamp(start, part.end);
    start..end
}

/// What is wrong with the base64url at `range`, said of a part called `name`.
pub(super) fn bad_base64(working: &Working, range: Range<usize>, name: &str) -> Option<Problem> {
    let part = working.text().get(range.clone()).unwrap_or_default();
    if let Some((at, char)) = first_foreign(part) {
        let at = range.start + at;
        let message = format!("the {name} has {char:?}, which is not of base64url (RFC 7515 §2)");
        return Some(working.problem(ProblemKind::BadBase64, at..at + char.len_utf8(), message));
    }
    if part.len() % 4 == 1 {
        let message = format!("the {name} has {} characters, a length that base64url never has", part.len());
        return Some(working.problem(ProblemKind::BadBase64, range, message));
    }
    let has_stray_bits = !part.len().is_multiple_of(4) && {
        let last = part.get(part.len() - part.len() % 4..).unwrap_or_default();
        URL_SAFE_NO_PAD.decode(last).is_err()
    };
    has_stray_bits.then(|| {
        let message = format!("the last character of the {name} carries stray bits: it was changed or cut");
        working.problem(ProblemKind::BadBase64, range.end - 1..range.end, message)
    })
}

/// The text of a part, if it is UTF-8, forgiving a cut or padded end.
pub(super) fn lenient_text(part: &str) -> Option<String> {
    String::from_utf8(lenient(part)).ok()
}

/// Whether a part is the base64url of a JSON object.
pub(super) fn is_json_part(part: &str) -> bool {
    lenient_text(part).is_some_and(|json| members::read(&json).1.is_none())
}

/// The base64url of bytes.
pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes before the first character that is not of base64url.
pub(super) fn lenient(part: &str) -> Vec<u8> {
    let len = first_foreign(part).map_or(part.len(), |(at, _)| at);
    let whole = if len % 4 == 1 { len - 1 } else { len };
    part.get(..whole).and_then(|part| LENIENT.decode(part).ok()).unwrap_or_default()
}

/// The first character that is not of base64url, and where.
fn first_foreign(part: &str) -> Option<(usize, char)> {
    let at = part.bytes().position(|byte| !is_base64url(byte))?;
    Some((at, part.get(at..)?.chars().next()?))
}

/// Whether `byte` is of the alphabet of base64url.
pub(super) fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// At most so many duplicates are told.
const MANY: usize = 100;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
