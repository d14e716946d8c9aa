//! What is wrong with a token, and the places marked in the text itself.

use crate::token::{Decoded, ProblemKind};
use crate::ui::panels::parts::{section_ui, words_ui};
use crate::ui::theme::{self, Palette};
use crate::ui::{units, visible};
use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, CornerRadius, Frame, Label, Margin, Stroke, Ui};
use std::ops::Range;

/// Lists the problems, then shows the text with each of them marked.
pub(super) fn problems_ui(ui: &mut Ui, text: &str, decoded: &Decoded) {
    let palette = theme::palette(ui);
    section_ui(ui, "What is wrong");
    for problem in decoded.problems.iter().take(MOST_LISTED) {
        let (sign, colour) = if is_odd_only(problem.kind) { ("⚠", palette.warn) } else { ("✗", palette.bad) };
        let place = match (problem.at, problem.len) {
            (at, 0) => format!("at byte {}", units::count(at as u64)),
            (at, 1) => format!("byte {}", units::count(at as u64)),
            (at, len) => format!("bytes {} to {}", units::count(at as u64), units::count((at + len - 1) as u64)),
        };
        let message = visible::one_line(&problem.message, 400).text;
        words_ui(ui, format!("{sign} {message} ({place})"), colour);
    }
    let more = decoded.problems.len().saturating_sub(MOST_LISTED);
    if more > 0 {
        words_ui(ui, format!("and {} more", units::count(more as u64)), palette.muted);
    }
    let ranges = decoded.problems.iter().take(MOST_LISTED).map(|problem| problem.at..problem.at + problem.len);
    let windows = windows(text, ranges.clone());
    Frame::NONE
        .fill(palette.background)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(CornerRadius::same(theme::CORNER))
        .inner_margin(Margin::symmetric(6, 4))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let marks: Vec<Range<usize>> = ranges.collect();
            let segments = &decoded.segments;
            let segments = [&segments.header, &segments.payload, &segments.signature];
            let cuts = segments.map(|segment| [segment.start, segment.end]).concat();
            let job = marked_job(text, &windows, &marks, &cuts, |at| segment_colour(decoded, at, palette), palette);
            marked_ui(ui, job, "The text with the places marked");
        });
}

/// Text with marks, wrapped anywhere.
pub(super) fn marked_ui(ui: &mut Ui, mut job: LayoutJob, name: &str) {
    job.wrap.max_width = ui.available_width();
    job.wrap.break_anywhere = true;
    let response = ui.add(Label::new(job).wrap().selectable(true));
    response.on_hover_text(name);
}

/// Lays out the `windows` of a text, with `marks` on a tinted ground; `colour` is asked for the first byte of each piece,
/// and pieces end at `cuts` too.
pub(super) fn marked_job(
    text: &str,
    windows: &[Range<usize>],
    marks: &[Range<usize>],
    cuts: &[usize],
    colour: impl Fn(usize) -> Color32,
    palette: &Palette,
) -> LayoutJob {
    let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
    let font = theme::mono_font();
    let mut before = 0;
    for window in windows {
        if window.start > before {
            job.append("… ", 0.0, TextFormat::simple(font.clone(), palette.muted));
        }
        for piece in pieces(window, marks, cuts, text.len()) {
            let at = piece.start;
            if marks.iter().any(|mark| mark.is_empty() && mark.start == at) {
                let missing = TextFormat {
                    background: palette.tint(palette.bad),
                    ..TextFormat::simple(font.clone(), palette.bad)
                };
                job.append("▯", 0.0, missing);
            }
            let is_marked = marks.iter().any(|mark| mark.contains(&at));
            let mut format = TextFormat::simple(font.clone(), colour(at));
            if is_marked {
                format.color = palette.text;
                format.background = palette.tint(palette.bad);
                format.underline = Stroke::new(1.0, palette.bad);
            }
            let shown = visible::one_line(text.get(piece).unwrap_or("�"), SHOWN_WHOLE * 2).text;
            job.append(&shown, 0.0, format);
        }
        before = window.end;
    }
    if before < text.len() {
        job.append(" …", 0.0, TextFormat::simple(font, palette.muted));
    }
    job
}

/// The parts of a text worth showing: all of a short one, else the surroundings of each mark.
fn windows(text: &str, marks: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    if text.len() <= SHOWN_WHOLE { std::iter::once(0..text.len()).collect() } else { windows_around(text, marks) }
}

/// The surroundings of each mark, joined where they meet.
pub(super) fn windows_around(text: &str, marks: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut around: Vec<Range<usize>> = marks
        .map(|mark| {
            let end = mark.end.min(mark.start.saturating_add(WINDOW_CHARS));
            let end = end.saturating_add(WINDOW_CHARS).min(text.len());
            floor(text, mark.start.saturating_sub(WINDOW_CHARS))..floor(text, end)
        })
        .collect();
    around.sort_by_key(|window| window.start);
    let mut windows: Vec<Range<usize>> = Vec::new();
    for window in around {
        match windows.last_mut() {
            Some(last) if window.start <= last.end => last.end = last.end.max(window.end),
            Some(_) | None => windows.push(window),
        }
    }
    windows
}

/// Cuts a window where marks begin and end; a window at the text's end has an empty piece there for what is missing.
fn pieces(window: &Range<usize>, marks: &[Range<usize>], more_cuts: &[usize], text_len: usize) -> Vec<Range<usize>> {
    let mut cuts: Vec<usize> = marks.iter().flat_map(|mark| [mark.start, mark.end]).collect();
    cuts.extend(more_cuts);
    cuts.extend([window.start, window.end]);
    cuts.retain(|cut| (window.start..=window.end).contains(cut));
    cuts.sort_unstable();
    cuts.dedup();
    let mut pieces: Vec<Range<usize>> = cuts.windows(2).map(|pair| pair[0]..pair[1]).collect();
    if window.end == text_len {
        pieces.push(text_len..text_len);
    }
    pieces
}

fn segment_colour(decoded: &Decoded, at: usize, palette: &Palette) -> Color32 {
    let segments = &decoded.segments;
    if segments.header.contains(&at) {
        palette.sent
    } else if segments.payload.contains(&at) {
        palette.received
    } else if segments.signature.contains(&at) {
        palette.control
    } else {
        palette.muted
    }
}

/// What is odd but does not break the token by itself.
fn is_odd_only(kind: ProblemKind) -> bool {
    match kind {
        ProblemKind::DuplicateClaim
        | ProblemKind::NonStringKid
        | ProblemKind::MillisecondsDate
        | ProblemKind::HugeNumber
        | ProblemKind::AlgNone
        | ProblemKind::SurroundingText
        | ProblemKind::UnknownAlg => true,
        ProblemKind::Empty
        | ProblemKind::Placeholder
        | ProblemKind::BearerPrefix
        | ProblemKind::Quoted
        | ProblemKind::Whitespace
        | ProblemKind::DoubleEncoded
        | ProblemKind::Plus
        | ProblemKind::Truncated
        | ProblemKind::PartCount
        | ProblemKind::BadBase64
        | ProblemKind::BadJson
        | ProblemKind::NotAnObject
        | ProblemKind::MissingAlg
        | ProblemKind::EmptySignature
        | ProblemKind::SignatureLength
        | ProblemKind::NonNumericDate => false,
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Problems that are listed; bytes up to which a text is shown whole; bytes shown around a mark.
const MOST_LISTED: usize = 20;
const SHOWN_WHOLE: usize = 1500;
const WINDOW_CHARS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::DARK;

    fn drawn(text: &str, marks: &[Range<usize>]) -> String {
        let windows = windows(text, marks.iter().cloned());
        marked_job(text, &windows, marks, &[], |_| DARK.text, &DARK).text
    }

    #[test]
    fn marks_cut_the_text_and_what_is_missing_has_a_sign() {
        assert_eq!(drawn("Bearer abc", &[0..7, 10..10]), "Bearer abc▯");
        assert_eq!(drawn("a\u{202E}b", &[1..4, 4..5]), "a⟨U+202E⟩b");
        assert_eq!(drawn("", &[0..0, 0..0]), "▯");
    }

    #[test]
    fn long_texts_show_the_surroundings_of_each_mark() {
        let text = "é".repeat(5000);
        let shown = drawn(&text, &[4000..4002, 9998..9999]);
        assert!(shown.starts_with("… é") && shown.chars().count() < 200, "{}", shown.chars().count());
        assert_eq!(windows(&text, [0..10, 20..30].into_iter()).len(), 1);
    }
}
