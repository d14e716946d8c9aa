//! A JSON value as a tree that opens node by node; a million items cost as much as a hundred.
//!
//! Only open nodes are walked, and only rows in the view are made. An array or object of more than a hundred members shows
//! ranges of them (`[0…99]`), and ranges of ranges, so that no step shows more than a hundred rows.

mod lines;

use super::cells::job_ui;
use super::row_list::{RowList, RowSlot};
use super::row_scroll::{Move, Place, RowScroll};
use super::theme::{self, Palette};
use super::visible;
use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align, Event, EventFilter, Key, Modifiers, Rect, Sense, Ui, vec2};
use lines::{Line, Lines, Node};
use serde_json::Value;
use std::collections::BTreeSet;

/// Which nodes are open, scrolling and selection; one for each value that is shown.
#[derive(Clone, Debug, Default)]
pub struct JsonTree {
    scroll: RowScroll,
    /// Nodes that are not as they are at first: open or closed by hand.
    toggled: BTreeSet<u64>,
}

/// What happened to a tree in this pass.
#[derive(Debug, Default)]
pub struct JsonOutput {
    /// What was copied to the clipboard: `value`, `path` or `key`.
    pub copied: Option<&'static str>,
    /// The RFC 6901 pointer of the selected node.
    pub selected: Option<String>,
}

impl JsonTree {
    /// Returns a tree with its first level open.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows `value` in all the room that `ui` has left; screen readers call the tree `name`.
    ///
    /// Arrow keys move, open and close; Enter toggles; Ctrl/⌘+C copies the value.
    pub fn show(&mut self, ui: &mut Ui, name: &str, value: &Value) -> JsonOutput {
        let palette = theme::palette(ui);
        let lines = Lines::of(value, &self.toggled);
        let mut output = JsonOutput::default();
        let mut toggle = None;
        let total = lines.len() as u64;
        let list = RowList::new(name, total).show(ui, &mut self.scroll, |ui, slot| {
            let Some(line) = lines.get(slot.row as usize) else {
                return;
            };
            row_ui(ui, slot, line, palette, &mut toggle);
            slot.response.context_menu(|ui| menu_ui(ui, &lines, slot.row as usize, &mut output));
            slot.name(|| name_of(line));
        });
        let selected = self.scroll.selected().map(|row| row as usize);
        if list.response.has_focus() {
            let filter = EventFilter { vertical_arrows: true, horizontal_arrows: true, ..EventFilter::default() };
            let id = list.response.id;
            ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
            keys(ui, &lines, selected, &mut self.scroll, &mut toggle, &mut output);
        }
        // The second click of two would undo the first.
        let by_click = list.clicked.filter(|_| list.activated.is_none());
        let by_enter = list.activated.filter(|_| list.clicked.is_none());
        output.selected = selected.map(|row| lines.pointer(row));
        let toggled = by_click.or(by_enter).or(toggle);
        let line = toggled.and_then(|row| lines.get(row as usize));
        if let Some(id) = line.filter(|line| line.can_open).map(|line| line.id) {
            if !self.toggled.remove(&id) {
                self.toggled.insert(id);
            }
            ui.ctx().request_repaint();
        }
        output
    }
}

fn keys(
    ui: &Ui,
    lines: &Lines<'_>,
    selected: Option<usize>,
    scroll: &mut RowScroll,
    toggle: &mut Option<u64>,
    output: &mut JsonOutput,
) {
    let Some((row, line)) = selected.and_then(|row| Some((row, lines.get(row)?))) else {
        return;
    };
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if pressed(Key::ArrowRight) {
        if line.can_open && !line.is_open {
            *toggle = Some(row as u64);
        } else if line.can_open {
            scroll.go(Move::Down);
        }
    }
    if pressed(Key::ArrowLeft) {
        if line.is_open {
            *toggle = Some(row as u64);
        } else if let Some(parent) = line.parent {
            scroll.select(Some(parent as u64));
            scroll.scroll_to(parent as u64, Place::Nearest);
        }
    }
    if ui.input(|input| input.events.contains(&Event::Copy)) {
        ui.ctx().copy_text(lines.value_text(row));
        output.copied = Some("value");
    }
}
fn row_ui(ui: &Ui, slot: &RowSlot, line: &Line<'_>, palette: &Palette, toggle: &mut Option<u64>) {
    let left = slot.rect.left() + 2.0 * theme::STEP + f32::from(line.depth) * INDENT;
    let mark = Rect::from_min_size(egui::pos2(left, slot.rect.top()), vec2(INDENT, slot.rect.height()));
    if line.can_open {
        let sign = if line.is_open { "▾" } else { "▸" };
        let sign = LayoutJob::simple_singleline(sign.to_owned(), theme::mono_font(), palette.muted);
        job_ui(ui, mark, sign, Align::Min);
    }
    let words = slot.rect.with_min_x(mark.right()).shrink2(vec2(0.0, 1.0));
    let mut job = LayoutJob {
        wrap: TextWrapping::truncate_at_width(words.width().max(0.0)),
        break_on_newline: false,
        ..LayoutJob::default()
    };
    let mut push = |text: &str, colour| {
        job.append(text, 0.0, TextFormat::simple(theme::mono_font(), colour));
    };
    if let Some(key) = line.key_text() {
        push(&key, palette.sent);
        push(": ", palette.muted);
    }
    let (text, colour) = match line.node {
        Node::Members(_, ref range) => (format!("[{}…{}]", range.start, range.end.saturating_sub(1)), palette.muted),
        Node::Value(Value::Object(members)) => (lines::summary('{', members.len(), '}'), palette.muted),
        Node::Value(Value::Array(items)) => (lines::summary('[', items.len(), ']'), palette.muted),
        Node::Value(Value::String(text)) => (lines::quoted(text, PREVIEW), palette.ok),
        Node::Value(Value::Number(number)) => (number.to_string(), palette.received),
        Node::Value(literal @ (Value::Bool(_) | Value::Null)) => (literal.to_string(), palette.event),
    };
    push(&text, colour);
    job_ui(ui, words, job, Align::Min);

    if let Node::Value(Value::String(text)) = line.node
        && text.len() > SHORT
        && slot.response.hovered()
    {
        slot.response.clone().on_hover_ui_at_pointer(|ui| {
            let text = visible::many_lines(text, HOVER).with_note();
            ui.add(egui::Label::new(theme::mono(text)).wrap());
        });
    }
    let sign = ui.interact(mark, slot.response.id.with("open"), Sense::CLICK);
    if line.can_open && sign.clicked() {
        *toggle = Some(slot.row);
    }
    ui.ctx().accesskit_node_builder(slot.response.id, |node| {
        if line.can_open {
            node.set_expanded(line.is_open);
        }
        node.set_level(usize::from(line.depth) + 1);
    });
}

fn menu_ui(ui: &mut Ui, lines: &Lines<'_>, row: usize, output: &mut JsonOutput) {
    let Some(line) = lines.get(row) else {
        return;
    };
    let mut copy = |ui: &mut Ui, label: &str, what: &'static str, text: &dyn Fn() -> String| {
        if ui.button(label).clicked() {
            ui.ctx().copy_text(text());
            output.copied = Some(what);
            ui.close();
        }
    };
    copy(ui, "Copy value", "value", &|| lines.value_text(row));
    copy(ui, "Copy path (JSON pointer)", "path", &|| lines.pointer(row));
    if let Some(key) = line.key {
        copy(ui, "Copy key", "key", &|| key.to_string());
    }
}

fn name_of(line: &Line<'_>) -> String {
    let value = match line.node {
        Node::Members(_, ref range) => {
            format!("members {} to {}", range.start, range.end.saturating_sub(1))
        }
        Node::Value(Value::Object(members)) => format!("object, {} members", members.len()),
        Node::Value(Value::Array(items)) => format!("array, {} items", items.len()),
        Node::Value(Value::String(text)) => visible::one_line(text, SHORT).with_note(),
        Node::Value(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => value.to_string(),
    };
    match line.key_text() {
        Some(key) => format!("{key}: {value}"),
        None => value,
    }
}

/// Points that a level stands to the right of the one around it.
const INDENT: f32 = 16.0;
/// Characters of a string in its row, in its hover text, and up to which it needs no hover text.
const PREVIEW: usize = 300;
const HOVER: usize = 4000;
const SHORT: usize = 80;
