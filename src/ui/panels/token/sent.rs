//! The token as it was sent, read again from the request's bytes, beside the one that was pasted.

use super::marked::{marked_job, marked_ui, windows_around};
use crate::observation::{ConnId, TokenPlace};
use crate::store::Story;
use crate::token::{Difference, differences, looks_like_token, place};
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
    compared: Option<(u64, Vec<Difference>)>,
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
                self.compared = Some((revision, differences(&found.decoded, pasted)));
            }
            if let Some((_, differences)) = &self.compared {
                differences_ui(ui, differences, &found.decoded, pasted);
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

fn differences_ui(ui: &mut Ui, differences: &[Difference], sent: &str, pasted: &str) {
    let palette = theme::palette(ui);
    let Some(first) = differences.first() else {
        words_ui(ui, "✓ The same as pasted, byte for byte", palette.ok);
        return;
    };
    let at = units::count(first.left.start as u64);
    let words = match differences.len() {
        1 => format!("✗ Not the one above: they differ from byte {at} on"),
        count => format!("✗ Not the one above: they differ in {count} places, the first at byte {at}"),
    };
    words_ui(ui, words, palette.bad);
    let left: Vec<Range<usize>> = differences.iter().take(MOST_MARKS).map(|one| one.left.clone()).collect();
    let right: Vec<Range<usize>> = differences.iter().take(MOST_MARKS).map(|one| one.right.clone()).collect();
    for (name, text, ranges) in [("as sent", sent, left), ("as pasted", pasted, right)] {
        words_ui(ui, name, palette.muted);
        // Of a long difference the beginning is enough.
        let heads = || ranges.iter().map(|range| range.start..range.end.min(range.start.saturating_add(AROUND)));
        let windows = around(text, heads());
        let job = marked_job(text, &windows, &ranges, &[], |_| palette.text, palette);
        marked_ui(ui, job, "The differences are marked");
    }
}

/// The parts of a text worth showing: all of a short one, else the surroundings of each difference.
fn around(text: &str, ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    if text.len() <= SHORT { std::iter::once(0..text.len()).collect() } else { windows_around(text, ranges) }
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

/// Bytes of a difference that are shown; of a text that is shown whole; differences that are marked.
const AROUND: usize = 64;
const SHORT: usize = 400;
const MOST_MARKS: usize = 40;
