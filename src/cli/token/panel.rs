//! What `sockeye token` shows of a token; never the token itself, nor its signature.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Reading;
use crate::export::text::{Line, Tone};
use crate::export::visible::{shortened, visible};
use crate::token::{self, Shape, Signature, TokenReport, Validity};

/// What is known about a token; never the token itself, nor its signature.
pub(super) fn panel(text: &str, reading: &Reading, now: i64) -> Vec<Line> {
    let report = &reading.report;
    let (shape, tone) = shape_words(report.shape);
    let mut lines = vec![Line::new().add(tone, shape).dim(&format!("  {} bytes", report.length_bytes))];
    if let Some(header) = &report.header {
        lines.extend([Line::new(), Line::new().add(Tone::Strong, "Header")]);
        lines.push(Line::new().plain("  ").plain(&visible(header)).hang(2));
    }
    if !report.claims.is_empty() {
        lines.extend([Line::new(), Line::new().add(Tone::Strong, "Claims")]);
    }
    for claim in &report.claims {
        let name = visible(&shortened(&claim.name, 40));
        let mut line = Line::new().add(Tone::Command, &format!("  {name:<14}")).plain(" ");
        line = line.plain(&visible(&shortened(&claim.raw, 400)));
        if let Some(date) = claim.date {
            line = line.plain(&format!("  {}", date_words(date, now)));
        }
        if let Some(explanation) = &claim.explanation {
            line = line.dim(&format!("  {explanation}"));
        }
        lines.push(line.hang(17));
    }
    lines.extend([Line::new(), Line::new().add(Tone::Strong, "Judgement")]);
    lines.push(signature_line(report));
    lines.push(validity_line(report));
    for objection in reading.objections.iter().filter(|one| matches!(one.cause, "jwt-audience" | "jwt-issuer")) {
        lines.push(Line::new().add(Tone::Bad, "  ✗ ").plain(&visible(&objection.message)).hang(4));
    }
    if let Some(words) = &reading.library_words {
        lines.push(Line::new().plain("  · ").plain(&visible(words)).hang(4));
    }
    for note in &report.notes {
        lines.push(Line::new().plain("  · ").plain(&visible(note)).hang(4));
    }
    if !report.problems.is_empty() {
        lines.extend([Line::new(), Line::new().add(Tone::Strong, "What is wrong")]);
    }
    for problem in &report.problems {
        let at = text.get(..problem.at).map_or(problem.at, |before| before.chars().count());
        let line = Line::new().add(Tone::Bad, "  ✗ ").plain(&visible(&problem.message));
        lines.push(line.dim(&format!("  at character {}", at + 1)).hang(4));
    }
    if token::decode(text).mended.is_some() {
        let how = "  · the token is read as if that were mended; it is sent as it is unless you mend it";
        lines.push(Line::new().dim(how).hang(4));
    }
    lines
}

fn shape_words(shape: Shape) -> (&'static str, Tone) {
    match shape {
        Shape::Absent | Shape::Empty => ("Nothing: there is no token", Tone::Bad),
        Shape::Placeholder => ("A word that stands where a token should be", Tone::Bad),
        Shape::Jws => ("A signed token (JWS)", Tone::Strong),
        Shape::Jwe => ("An encrypted token (JWE): only its header can be read", Tone::Strong),
        Shape::Opaque => ("Not a JWT: one opaque word", Tone::Warn),
        Shape::Malformed => ("Not a readable JWT", Tone::Bad),
        Shape::Truncated => ("A JWT that ends too early", Tone::Bad),
    }
}

fn signature_line(report: &TokenReport) -> Line {
    let (sign, tone, words) = match report.signature {
        Signature::Valid => ("✓", Tone::Good, "the signature is valid"),
        Signature::Invalid => ("✗", Tone::Bad, "the signature is not valid with this secret"),
        Signature::Unchecked => ("·", Tone::Dim, "the signature was not checked"),
    };
    let line = Line::new().plain("  ").add(tone, sign).plain(&format!(" {words}"));
    match &report.verified_as {
        Some(how) => line.plain(&format!(": it verifies with {}", visible(how))).hang(4),
        None => line.hang(4),
    }
}

fn validity_line(report: &TokenReport) -> Line {
    let (sign, tone, words) = match report.validity {
        Validity::Valid => ("✓", Tone::Good, "valid at this moment"),
        Validity::NoExpiry => ("✓", Tone::Good, "valid, and for ever: it has no exp"),
        Validity::Expired => ("✗", Tone::Bad, "expired"),
        Validity::NotYetValid => ("✗", Tone::Bad, "not valid yet"),
        Validity::Unknown => ("·", Tone::Dim, "its dates cannot be read"),
    };
    Line::new().plain("  ").add(tone, sign).plain(&format!(" {words}"))
}

/// A NumericDate in local time, and from now; its explanation has it in UTC.
fn date_words(date: f64, now: i64) -> String {
    let Ok(moment) = Timestamp::from_second(date as i64) else {
        let meant = (date.abs() < MOST_MILLIS).then(|| date_words(date / 1000.0, now));
        return meant.map_or_else(|| "no date".to_owned(), |meant| format!("if it counts milliseconds: {meant}"));
    };
    let local = moment.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string();
    let delta = date as i64 - now;
    let relative = match delta.unsigned_abs() {
        0 => "now".to_owned(),
        secs if delta > 0 => format!("in {}", span(secs)),
        secs => format!("{} ago", span(secs)),
    };
    format!("{local}, {relative}")
}

fn span(secs: u64) -> String {
    match secs {
        0..=119 => format!("{secs} s"),
        120..=7199 => format!("{} min", secs / 60),
        7200..=172_799 => format!("{} h", secs / 3600),
        _ => format!("{} days", secs / 86_400),
    }
}

/// Milliseconds beyond this are no date either: the year 9999.
const MOST_MILLIS: f64 = 2.5e14;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Expectations, Secret, mint};

    fn words(text: &str, secret: &[u8]) -> String {
        let secrets = [Secret::new("--secret-file", secret)];
        let reading = Reading::of(text, &secrets, 1_000, &Expectations::default());
        panel(text, &reading, 1_000).iter().map(|line| line.text() + "\n").collect()
    }

    #[test]
    fn the_panel_shows_claims_and_never_the_token() {
        let token = mint(r#"{"sub":"me\u202e","exp":2000}"#, "HS256", b"a-secret-of-mine").unwrap();
        let text = words(&token, b"a-secret-of-mine");
        for wanted in ["sub", "exp", "in 16 min", "the signature is valid", "HS256", "jsonwebtoken for Node accepts it"]
        {
            assert!(text.contains(wanted), "{wanted} in\n{text}");
        }
        assert!(!text.contains('\u{202e}') && !text.contains("a-secret-of-mine"), "{text}");
        for part in token.split('.') {
            assert!(!text.contains(part), "{text}");
        }
        let text = words(&token, b"other");
        assert!(
            text.contains("not valid with this secret") && text.contains("\u{201c}invalid signature\u{201d}"),
            "{text}"
        );
    }

    #[test]
    fn any_text_has_a_panel() {
        for text in ["", "undefined", "a.b.c", "\u{1b}[31m", "Bearer eyJ", "é.é"] {
            assert!(words(text, b"x").contains("Judgement"), "{text:?}");
        }
    }
}
