//! The token as it was sent, read again from the request's bytes, beside the one that was pasted.

use super::marked::{marked_job, marked_ui, windows};
use crate::observation::{ConnId, TokenPlace};
use crate::store::Story;
use crate::token::{looks_like_token, place};
use crate::ui::action::Action;
use crate::ui::context::{Actions, Context};
use crate::ui::panels::parts::{section_ui, words_ui};
use crate::ui::theme;
use crate::ui::{units, visible};
use egui::Ui;
use std::ops::Range;

/// What was found in the request, kept as long as the request is the same.
#[derive(Debug, Default)]
pub(super) struct Sent {
    key: Option<(ConnId, usize)>,
    found: Option<Found>,
    /// The comparison with the pasted text, and which revision of it that was.
    compared: Option<(u64, Comparison)>,
}

/// A token in the request.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    /// Where it stood, in words.
    place: String,
    /// Its bytes in the request, percent escapes included.
    raw: String,
    /// What the server reads there.
    decoded: String,
    /// How many tokens stood in that place.
    count: usize,
    /// What is wrong with it exactly as it was sent.
    problems: Vec<String>,
}

/// Two texts: the same, or where they differ.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Comparison {
    Same,
    Differ { sent: Range<usize>, pasted: Range<usize> },
}

impl Sent {
    /// Shows the token that the shown connection sent, if it sent one, beside the pasted text and its revision.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        ctx: &Context<'_>,
        (revision, pasted): (u64, &str),
        actions: &mut Actions,
    ) {
        let Some(view) = ctx.view else {
            return;
        };
        let key = (view.conn, view.story.request.as_ref().map_or(0, |request| request.raw.len()));
        if self.key != Some(key) {
            *self = Self { key: Some(key), found: find(&view.story), compared: None };
        }
        let palette = theme::palette(ui);
        let Some(found) = &self.found else {
            if view.story.request.is_some() && view.story.plan.as_ref().is_some_and(|plan| plan.token_place.is_some()) {
                section_ui(ui, "As sent");
                words_ui(ui, "No token stands in the request.", palette.warn);
            }
            return;
        };
        section_ui(ui, "As sent");
        words_ui(ui, format!("{}, {}", found.place, units::size(found.raw.len() as u64)), palette.muted);
        if found.count > 1 {
            let text = format!("⚠ There are {} of them; servers differ in which one they take.", found.count);
            words_ui(ui, text, palette.warn);
        }
        for problem in &found.problems {
            words_ui(ui, format!("✗ {problem}"), palette.bad);
        }
        if pasted.is_empty() {
            words_ui(ui, visible::middle_ellipsis(&found.raw, 60), palette.text);
        } else {
            if self.compared.as_ref().is_none_or(|(with, _)| *with != revision) {
                self.compared = Some((revision, compare(&found.decoded, pasted)));
            }
            if let Some((_, comparison)) = &self.compared {
                comparison_ui(ui, comparison, &found.decoded, pasted);
            }
        }
        if ui.button("Inspect the sent one").clicked() {
            actions.push(Action::InspectToken(found.decoded.clone()));
        }
    }
}

/// The token that a connection sent, as the server reads it.
pub(super) fn sent_token(story: &Story) -> Option<String> {
    find(story).map(|found| found.decoded)
}

fn comparison_ui(ui: &mut Ui, comparison: &Comparison, sent: &str, pasted: &str) {
    let palette = theme::palette(ui);
    match comparison {
        Comparison::Same => words_ui(ui, "✓ The same as pasted, byte for byte", palette.ok),
        Comparison::Differ { sent: in_sent, pasted: in_pasted } => {
            let at = units::count(in_sent.start as u64);
            words_ui(ui, format!("✗ Not the one above: they differ from byte {at} on"), palette.bad);
            for (name, text, range) in [("as sent", sent, in_sent), ("as pasted", pasted, in_pasted)] {
                words_ui(ui, name, palette.muted);
                let around = around(text, range);
                let windows =
                    if text.len() > 400 { vec![around] } else { windows(text, std::iter::once(range.clone())) };
                let job = marked_job(text, &windows, std::slice::from_ref(range), &[], |_| palette.text, palette);
                marked_ui(ui, job, "The difference is marked");
            }
        }
    }
}

/// What differs between two texts once their common beginning and end are left out.
fn compare(sent: &str, pasted: &str) -> Comparison {
    if sent == pasted {
        return Comparison::Same;
    }
    let same =
        |a: &mut dyn Iterator<Item = u8>, b: &mut dyn Iterator<Item = u8>| a.zip(b).take_while(|(a, b)| a == b).count();
    let mut front = same(&mut sent.bytes(), &mut pasted.bytes());
    while !sent.is_char_boundary(front) {
        front -= 1;
    }
    let (sent_rest, pasted_rest) = (&sent.as_bytes()[front..], &pasted.as_bytes()[front..]);
    let mut back = same(&mut sent_rest.iter().rev().copied(), &mut pasted_rest.iter().rev().copied());
    while !sent.is_char_boundary(sent.len() - back) {
        back -= 1;
    }
    Comparison::Differ { sent: front..sent.len() - back, pasted: front..pasted.len() - back }
}

/// A difference with its surroundings; only the beginning of a long one.
fn around(text: &str, range: &Range<usize>) -> Range<usize> {
    let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    boundary(range.start.saturating_sub(AROUND))..boundary(range.end.min(range.start + AROUND) + AROUND)
}

fn find(story: &Story) -> Option<Found> {
    let request = story.request.as_ref()?;
    let head = &request.head;
    let header = |name: &str| head.values(name).map(str::to_owned).collect::<Vec<_>>();
    let (place, raws): (String, Vec<String>) = match story.plan.as_ref()?.token_place.as_ref()? {
        TokenPlace::Query { name } => {
            let spans = place::in_query(&head.target, name).into_iter().map(|span| span.raw.to_owned());
            (format!("in the query, {name}="), spans.collect())
        }
        TokenPlace::Bearer => {
            let values = header("authorization");
            let tokens = values.iter().map(|value| place::bearer(value).unwrap_or(value).to_owned());
            ("in Authorization".to_owned(), tokens.collect())
        }
        TokenPlace::Header { name } => (format!("in the header {name}"), header(name)),
        TokenPlace::Cookie { name } => {
            let values = header("cookie");
            let tokens = values.iter().filter_map(|value| place::cookie(value, name)).map(str::to_owned);
            (format!("in the cookie {name}"), tokens.collect())
        }
        TokenPlace::Subprotocol => {
            let values = header("sec-websocket-protocol");
            let all = values.iter().flat_map(|value| value.split(',')).map(str::trim);
            (
                "in Sec-WebSocket-Protocol".to_owned(),
                all.filter(|word| looks_like_token(word)).map(str::to_owned).collect(),
            )
        }
        TokenPlace::FirstMessage { .. } => return None,
    };
    let is_query = place.starts_with("in the query");
    let raw = raws.first()?.clone();
    let decoded = if is_query { place::percent_decode(&raw) } else { raw.clone() };
    let problems = place::lint_sent(&raw).into_iter().take(8);
    let problems = problems.map(|problem| visible::one_line(&problem.message, 300).text).collect();
    Some(Found { place: visible::one_line(&place, 80).text, raw, decoded, count: raws.len(), problems })
}

/// Bytes shown on each side of a difference.
const AROUND: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_differ_between_their_common_ends() {
        assert_eq!(compare("abc", "abc"), Comparison::Same);
        assert_eq!(compare("abXcd", "abYZcd"), Comparison::Differ { sent: 2..3, pasted: 2..4 });
        assert_eq!(compare("abc", "abc\n"), Comparison::Differ { sent: 3..3, pasted: 3..4 });
        assert_eq!(compare("aa", "aaa"), Comparison::Differ { sent: 2..2, pasted: 2..3 });
        assert_eq!(compare("é", "è"), Comparison::Differ { sent: 0..2, pasted: 0..2 });
    }
}
