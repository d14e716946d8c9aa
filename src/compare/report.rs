//! A comparison in words and as JSON, without secrets.

use serde_json::{Value, json};

use super::{Comparison, Difference, Part};
use crate::export::Redactor;
use crate::export::text::{Line, Tone};
use crate::export::visible::{shortened, visible};

/// The comparison as lines for people; `names` are those of the two sessions.
pub fn report(found: &Comparison, names: [&str; 2], mut redactor: Option<&mut Redactor>) -> Vec<Line> {
    let mut lines = Vec::new();
    let [one, other] = names.map(visible);
    lines.push(Line::new().add(Tone::Bad, "− ").plain(&one));
    lines.push(Line::new().add(Tone::Good, "+ ").plain(&other));
    lines.push(Line::new());
    match found.first() {
        Some(first) => {
            lines.push(Line::new().add(Tone::Strong, "First difference: ").plain(&visible(&format!(
                "{}, {}",
                first.part.word(),
                first.what
            ))));
        }
        None => lines.push(Line::new().add(Tone::Good, "No difference but what is new in every session.")),
    }
    for part in Part::ALL {
        let decisive: Vec<&Difference> = found.of(part).filter(|difference| !difference.is_volatile).collect();
        if decisive.is_empty() {
            continue;
        }
        lines.push(Line::new());
        lines.push(Line::new().add(Tone::Strong, &heading(part)));
        for difference in decisive {
            push(difference, redactor.as_deref_mut(), &mut lines);
        }
        if part == Part::Frames && found.more > 0 {
            lines.push(Line::new().dim(&format!("  … and {} more", found.more)));
        }
    }
    let volatile: Vec<&Difference> = found.differences.iter().filter(|difference| difference.is_volatile).collect();
    if !volatile.is_empty() {
        lines.push(Line::new());
        lines.push(Line::new().add(Tone::Strong, "New in every session"));
    }
    for difference in volatile.iter().take(SHOWN_VOLATILE) {
        push(difference, redactor.as_deref_mut(), &mut lines);
    }
    if let Some(more) = volatile.len().checked_sub(SHOWN_VOLATILE).filter(|more| *more > 0) {
        lines.push(Line::new().dim(&format!("  … and {more} more")));
    }
    lines.push(Line::new());
    let [ours, theirs] = found.messages;
    lines.push(Line::new().dim(&format!("{ours} and {theirs} messages were compared.")));
    lines
}

/// The comparison as one JSON object.
pub fn as_json(found: &Comparison, mut redactor: Option<&mut Redactor>) -> Value {
    let mut difference = |difference: &Difference| {
        let mut value = |value: Option<&String>| {
            value.map(|text| redactor.as_deref_mut().map_or_else(|| text.clone(), |redactor| redactor.text(text)))
        };
        let [one, other] = &difference.values;
        json!({
            "part": difference.part.word(), "what": difference.what, "one": value(one.as_ref()), "other": value(other.as_ref()),
            "rows": difference.rows, "volatile": difference.is_volatile,
        })
    };
    let first = found.first().map(&mut difference);
    let all: Vec<Value> = found.differences.iter().map(difference).collect();
    json!({
        "schema": 1, "same": found.is_same(false), "first": first, "differences": all, "more": found.more,
        "messages": found.messages,
    })
}

fn push(difference: &Difference, mut redactor: Option<&mut Redactor>, lines: &mut Vec<Line>) {
    let rows: Vec<String> = difference.rows.iter().flatten().map(ToString::to_string).collect();
    let rows = if rows.is_empty() { String::new() } else { format!("  row {}", rows.join(" and ")) };
    lines.push(Line::new().plain("  ").plain(&visible(&difference.what)).dim(&rows));
    for (sign, tone, value) in [("−", Tone::Bad, &difference.values[0]), ("+", Tone::Good, &difference.values[1])] {
        let line = Line::new().add(tone, &format!("    {sign} "));
        lines.push(match value {
            Some(value) => {
                let value = redactor.as_deref_mut().map_or_else(|| value.clone(), |redactor| redactor.text(value));
                line.plain(&visible(&shortened(&value, VALUE_CHARS))).hang(6)
            }
            None => line.dim("missing"),
        });
    }
}

fn heading(part: Part) -> String {
    let word = part.word();
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

const VALUE_CHARS: usize = 300;
const SHOWN_VOLATILE: usize = 20;
