//! What is odd about a header, claims or a signature that can be read.
//!
//! None of this keeps a token from being read; much of it keeps a server from accepting it.

use std::ops::Range;

use super::alg;
use super::claims;
use super::jws::Decoded;
use super::members;
use super::mend::Working;
use super::parts::{self, Part};
use super::problem::ProblemKind;

/// Takes `alg`, `typ` and `kid` from the header, with what is wrong about them.
pub(super) fn header_parameters(working: &Working, header: &Part, decoded: &mut Decoded) {
    decoded.problems.extend(header.duplicates(working, "header parameter"));
    let last = |name: &str| header.members.iter().rev().find(|member| member.name == name);
    let string = |name: &str| last(name).and_then(|member| members::as_string(&member.raw));
    decoded.alg = string("alg");
    decoded.typ = string("typ");
    decoded.kid = string("kid");
    let whole = header.range.clone();
    match (&decoded.alg, last("alg")) {
        (Some(alg), Some(member)) => {
            let range = header.place(member);
            if alg::is_none(Some(alg)) {
                let message = "`alg` is `none`: nobody signed this token, anybody can have written it (RFC 7519 §6)";
                decoded.problems.push(working.problem(ProblemKind::AlgNone, range, message));
            } else if !alg::ALGS.contains(&alg.as_str()) && last("enc").is_none() {
                let near = alg::ALGS.iter().find(|known| known.eq_ignore_ascii_case(alg));
                let message = match near {
                    Some(known) => {
                        format!("`alg` is `{}`; names are case-sensitive, and this one is `{known}`", shorten(alg))
                    }
                    None => format!("`alg` is `{}`, which is no algorithm of RFC 7518 §3.1", shorten(alg)),
                };
                decoded.problems.push(working.problem(ProblemKind::UnknownAlg, range, message));
            }
        }
        (_, Some(member)) => {
            let message = "`alg` is not a string (RFC 7515 §4.1.1)";
            decoded.problems.push(working.problem(ProblemKind::MissingAlg, header.place(member), message));
        }
        (_, None) => {
            let message = "the header has no `alg`, which it must have (RFC 7515 §4.1.1)";
            decoded.problems.push(working.problem(ProblemKind::MissingAlg, whole, message));
        }
    }
    if let (None, Some(member)) = (&decoded.kid, last("kid")) {
        let message = "`kid` is not a string (RFC 7515 §4.1.4)";
        decoded.problems.push(working.problem(ProblemKind::NonStringKid, header.place(member), message));
    }
    decoded.parameters = header.members.iter().cloned().map(claims::parameter).collect();
}

/// Looks at every claim: duplicates, dates, long integers.
pub(super) fn claim_problems(working: &Working, payload: &Part, decoded: &mut Decoded) {
    decoded.problems.extend(payload.duplicates(working, "claim"));
    for member in &payload.members {
        let place = payload.place(member);
        let name = member.name.as_str();
        let number = members::as_number(&member.raw);
        if matches!(name, "exp" | "nbf" | "iat") {
            match number {
                None => {
                    let message = format!("`{name}` is not a number (RFC 7519 §2: seconds since 1970)");
                    decoded.problems.push(working.problem(ProblemKind::NonNumericDate, place, message));
                    continue;
                }
                Some(date) if date.abs() > MILLISECONDS_FROM => {
                    let message = format!(
                        "`{name}` counts milliseconds where seconds belong (RFC 7519 §2); meant is {}",
                        claims::in_utc(date / 1000.0)
                    );
                    decoded.problems.push(working.problem(ProblemKind::MillisecondsDate, place, message));
                    continue;
                }
                Some(_) => {}
            }
        }
        let is_integer = member.raw.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if is_integer && number.is_some_and(|number| number.abs() > LARGEST_EXACT) {
            let message = format!("`{}` loses digits where numbers are doubles, as in JavaScript", shorten(name));
            decoded.problems.push(working.problem(ProblemKind::HugeNumber, place, message));
        }
    }
}

/// Looks at the signature's length and alphabet; true if it is too short to be whole.
pub(super) fn signature(working: &Working, range: Range<usize>, decoded: &mut Decoded) -> bool {
    let text = working.text().get(range.clone()).unwrap_or_default();
    let alg = decoded.alg.as_deref();
    let is_none = alg::is_none(alg);
    if text.is_empty() {
        if !is_none {
            let message = "the signature is empty, as in an unsecured JWT, but `alg` asks for one";
            decoded.problems.push(working.problem(ProblemKind::EmptySignature, range, message));
        }
        return false;
    }
    if is_none {
        let message = "`alg` is `none`, and yet a signature follows (RFC 7519 §6.1)";
        decoded.problems.push(working.problem(ProblemKind::SignatureLength, range, message));
        return false;
    }
    let name = shorten(alg.unwrap_or("this algorithm"));
    let len = text.len();
    if let Some(end) = alg.and_then(|alg| alg::surplus_from(alg, len))
        && text.bytes().all(parts::is_base64url)
    {
        let message = format!("the signature has {len} characters, {name} makes {}", alg::usual_len(alg));
        decoded.problems.push(working.problem(ProblemKind::SignatureLength, range.start + end..range.end, message));
        return false;
    }
    if let Some(problem) = parts::bad_base64(working, range.clone(), "signature") {
        let is_alphabet = problem.len > 0 && !alg::is_short_signature(alg, len);
        if is_alphabet {
            decoded.problems.push(problem);
            return false;
        }
    }
    if alg::is_short_signature(alg, len) {
        let wanted = alg::usual_len(alg);
        let message = format!("the signature has {len} characters, {name} makes {wanted}: its end is missing");
        let end = range.end..range.end;
        decoded.problems.push(working.problem(ProblemKind::Truncated, end, message));
        return true;
    }
    false
}

/// At most forty characters of a name that a peer chose.
fn shorten(name: &str) -> String {
    if name.chars().count() <= 40 {
        return name.to_owned();
    }
    name.chars().take(39).chain(['…']).collect()
}

/// A NumericDate beyond this (the year 5138) is in milliseconds.
const MILLISECONDS_FROM: f64 = 1e11;
/// 2^53 − 1, the largest integer that a double holds exactly together with its neighbours.
const LARGEST_EXACT: f64 = 9_007_199_254_740_991.0;
