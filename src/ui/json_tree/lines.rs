//! The rows of a tree: its open nodes, walked in order, with ranges where there are too many members.

use crate::ui::{units, visible};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

/// The rows that a value shows with some of its nodes open.
pub(super) struct Lines<'a> {
    lines: Vec<Line<'a>>,
}

/// One row.
pub(super) struct Line<'a> {
    /// Stable while the value stays the same: made from the way to the node.
    pub(super) id: u64,
    pub(super) depth: u16,
    /// The row of the node around it.
    pub(super) parent: Option<usize>,
    /// Its name in that node; ranges and the root have none.
    pub(super) key: Option<Member<'a>>,
    pub(super) node: Node<'a>,
    pub(super) can_open: bool,
    pub(super) is_open: bool,
}

/// What stands in a row.
pub(super) enum Node<'a> {
    Value(&'a Value),
    /// Some of the members of an array or object.
    Members(&'a Value, Range<usize>),
}

/// How a node is called by the one around it.
#[derive(Clone, Copy)]
pub(super) enum Member<'a> {
    Key(&'a str),
    Index(usize),
}

impl fmt::Display for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

impl<'a> Lines<'a> {
    /// Walks the open nodes of `value`; `toggled` are the ids of those that are not as they are at first.
    pub(super) fn of(value: &'a Value, toggled: &BTreeSet<u64>) -> Self {
        let mut walk = Walk { lines: Vec::new(), toggled };
        walk.push(ROOT, 0, None, None, Node::Value(value));
        Self { lines: walk.lines }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn get(&self, row: usize) -> Option<&Line<'a>> {
        self.lines.get(row)
    }

    /// Returns the RFC 6901 pointer of the node in `row`; that of a range is its array's.
    pub(super) fn pointer(&self, row: usize) -> String {
        let mut keys = Vec::new();
        let mut at = self.lines.get(row);
        while let Some(line) = at {
            if let Some(key) = line.key {
                keys.push(key.to_string().replace('~', "~0").replace('/', "~1"));
            }
            at = line.parent.and_then(|row| self.lines.get(row));
        }
        keys.iter().rev().fold(String::new(), |pointer, key| pointer + "/" + key)
    }

    /// Returns the value in `row` to copy: a string as it is, anything else as indented JSON.
    pub(super) fn value_text(&self, row: usize) -> String {
        match self.lines.get(row).map(|line| &line.node) {
            Some(Node::Value(Value::String(text))) => text.clone(),
            Some(Node::Value(value)) => format!("{value:#}"),
            Some(Node::Members(Value::Array(items), range)) => {
                let items = items.get(range.clone()).unwrap_or_default();
                format!("{:#}", Value::Array(items.to_vec()))
            }
            Some(Node::Members(Value::Object(members), range)) => {
                let part = members.iter().skip(range.start).take(range.len());
                let part = part.map(|(key, value)| (key.clone(), value.clone())).collect();
                format!("{:#}", Value::Object(part))
            }
            Some(Node::Members(..)) | None => String::new(),
        }
    }
}

struct Walk<'a, 't> {
    lines: Vec<Line<'a>>,
    toggled: &'t BTreeSet<u64>,
}

impl<'a> Walk<'a, '_> {
    fn push(&mut self, id: u64, depth: u16, parent: Option<usize>, key: Option<Member<'a>>, node: Node<'a>) {
        let (of, members) = match node {
            Node::Value(value) => (value, 0..members_of(value)),
            Node::Members(value, ref range) => (value, range.clone()),
        };
        let can_open = !members.is_empty();
        let at_first = match (&node, depth) {
            (Node::Value(_), 0) => true,
            (Node::Value(_), 1) => members.len() <= FEW,
            _ => false,
        };
        let is_open = can_open && at_first != self.toggled.contains(&id);
        let row = self.lines.len();
        self.lines.push(Line { id, depth, parent, key, node, can_open, is_open });
        if is_open {
            self.push_members(of, members, id, depth.saturating_add(1), row);
        }
    }

    fn push_members(&mut self, of: &'a Value, members: Range<usize>, id: u64, depth: u16, row: usize) {
        let mut size = 1;
        while members.len().div_ceil(size) > PAGE {
            size *= PAGE;
        }
        if size > 1 {
            for start in members.clone().step_by(size) {
                let range = start..members.end.min(start + size);
                let id = below(below(id, range.start as u64), range.end as u64);
                self.push(id, depth, Some(row), None, Node::Members(of, range));
            }
            return;
        }
        match of {
            Value::Array(items) => {
                for index in members {
                    if let Some(item) = items.get(index) {
                        let key = Some(Member::Index(index));
                        self.push(below(id, index as u64), depth, Some(row), key, Node::Value(item));
                    }
                }
            }
            Value::Object(map) => {
                for (index, (key, value)) in map.iter().enumerate().skip(members.start).take(members.len()) {
                    let key = Some(Member::Key(key));
                    self.push(below(id, index as u64), depth, Some(row), key, Node::Value(value));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

impl Line<'_> {
    /// Returns the key as it is drawn.
    pub(super) fn key_text(&self) -> Option<String> {
        Some(match self.key? {
            Member::Key(key) => visible::one_line(key, KEY_CHARS).text,
            Member::Index(index) => index.to_string(),
        })
    }
}

/// Returns how an array or object stands in its row: `[ 1 204 items ]`.
pub(super) fn summary(open: char, members: usize, close: char) -> String {
    let what = if open == '[' { "item" } else { "member" };
    match members {
        0 => format!("{open}{close}"),
        1 => format!("{open} 1 {what} {close}"),
        _ => format!("{open} {} {what}s {close}", units::count(members as u64)),
    }
}

/// Returns a string as it stands in its row.
pub(super) fn quoted(text: &str, limit: usize) -> String {
    let shown = visible::one_line(text, limit);
    if shown.cut_bytes > 0 { format!("\"{}", shown.with_note()) } else { format!("\"{}\"", shown.text) }
}

fn members_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The id of the member at `index` of the node `id` (the mixing step of `SplitMix64`).
fn below(id: u64, index: u64) -> u64 {
    let mut mixed = (id ^ index).wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

const ROOT: u64 = 0x736F_636B_6579_6500;
/// The most members that a node shows as rows of their own.
const PAGE: usize = 100;
/// Up to how many members a node of the first level is open at first.
const FEW: usize = 8;
const KEY_CHARS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_level_is_open_at_first() {
        let value = json!({"type": "ready", "user": {"id": 7}, "list": (0..20).collect::<Vec<_>>()});
        let closed = BTreeSet::new();
        let lines = Lines::of(&value, &closed);
        let keys: Vec<_> = (0..lines.len()).filter_map(|row| lines.get(row)?.key_text()).collect();
        assert_eq!(keys, ["type", "user", "id", "list"]);
        assert_eq!(lines.pointer(3), "/user/id");
        assert_eq!(lines.value_text(1), "ready");
    }

    #[test]
    fn a_million_items_open_in_steps_of_a_hundred() {
        let value = Value::Array((0..1_000_000).map(Value::from).collect());
        let mut toggled = BTreeSet::new();
        let lines = Lines::of(&value, &toggled);
        assert_eq!(lines.len(), 101);
        let last = lines.get(100).map(|line| line.id).expect("the last range");
        toggled.insert(last);
        let lines = Lines::of(&value, &toggled);
        assert_eq!(lines.len(), 201);
        let last = lines.get(200).map(|line| line.id).expect("the last range");
        let toggled: BTreeSet<_> = toggled.iter().copied().chain([last]).collect();
        let lines = Lines::of(&value, &toggled);
        assert_eq!(lines.pointer(300), "/999999");
        assert_eq!(lines.value_text(300), "999999");
        assert_eq!(lines.pointer(200), "");
    }

    #[test]
    fn a_large_object_has_ranges_too() {
        let value = Value::Object((0..250).map(|n| (format!("k{n}"), json!(n))).collect());
        let mut toggled = BTreeSet::new();
        let lines = Lines::of(&value, &toggled);
        assert_eq!(lines.len(), 4);
        let id = lines.get(3).map(|line| line.id).expect("the last range");
        toggled.insert(id);
        let lines = Lines::of(&value, &toggled);
        assert_eq!(lines.pointer(lines.len() - 1), "/k249");
        assert!(lines.value_text(3).contains("\"k200\": 200"));
    }

    #[test]
    fn pointers_escape_as_rfc_6901_asks() {
        let value = json!({"a/b~c": 1});
        let closed = BTreeSet::new();
        assert_eq!(Lines::of(&value, &closed).pointer(1), "/a~1b~0c");
    }

    #[test]
    fn a_peers_key_and_string_cannot_break_the_row() {
        let value = json!({"a\u{202E}b": "x\ny"});
        let closed = BTreeSet::new();
        let lines = Lines::of(&value, &closed);
        assert_eq!(lines.get(1).and_then(Line::key_text).as_deref(), Some("a⟨U+202E⟩b"));
        assert_eq!(quoted("x\ny", 10), "\"x␊y\"");
    }
}
