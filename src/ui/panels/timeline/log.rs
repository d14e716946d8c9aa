//! What is kept of one connection's log between passes: where it stands, what is hidden, marked and asked for.

use crate::diagnosis::Place;
use crate::observation::{Direction, Moment};
use crate::store::{FrameRow, Hits, Page, Row, Story, View};
use crate::ui::row_scroll::RowScroll;
use crate::ui::state_words::is_over;
use std::collections::{BTreeMap, BTreeSet};

/// The log of one connection.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) scroll: RowScroll,
    /// The selected row by its number, also while a filter hides it.
    pub(super) selected: Option<u64>,
    /// Rows below this number were cleared from the view.
    pub(super) hidden: u64,
    /// How many rows there were when the view was paused.
    pub(super) paused_at: Option<u64>,
    pub(super) marks: BTreeSet<u64>,
    /// What the filter found, as of this pass.
    pub(super) hits: Hits,
    pub(super) wanted: Option<Wanted>,
    pub(super) copying: Option<Copying>,
    /// The rows of the last pass were filtered: positions mean something else.
    pub(super) was_filtered: bool,
    /// The rows of the last pass: while their page is being loaded again they stay as they are.
    pub(super) seen: BTreeMap<u64, Row>,
    /// Points of the list's height in the last pass.
    pub(super) view_height: f32,
    /// The connection is over, and the view was left standing where it closed.
    pub(super) has_rested: bool,
}

/// A row that is asked for, and perhaps not found yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Row(u64),
    Place(Place),
    Moment(Moment),
}

/// A payload that is to be copied once it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Copying {
    pub(super) direction: Direction,
    pub(super) offset: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            scroll: RowScroll::following_end(),
            selected: None,
            hidden: 0,
            paused_at: None,
            marks: BTreeSet::new(),
            hits: Hits::default(),
            wanted: None,
            copying: None,
            was_filtered: false,
            seen: BTreeMap::new(),
            view_height: 400.0,
            has_rested: false,
        }
    }
}

impl Log {
    /// How many rows of the view may be shown.
    pub(super) fn end(&self, view: &View) -> u64 {
        self.paused_at.map_or(view.rows, |at| at.min(view.rows))
    }

    /// Looks for the wanted row; `None` as long as it is being loaded, or if nothing is wanted.
    pub(super) fn find_wanted(&mut self, view: &View) -> Option<u64> {
        let row = find(view, self.wanted?)?;
        self.wanted = None;
        Some(row)
    }

    /// Finds the row at which a view that follows comes to rest once its connection is over: what comes later are our own
    /// questions, and the close is what people look for. `None` if there is none, or as long as it is being loaded.
    pub(super) fn find_rest(&mut self, view: &View) -> Option<u64> {
        if self.has_rested || !is_over(&view.story) {
            return None;
        }
        let close = close_of(&view.story).filter(|_| self.scroll.is_following() && self.selected.is_none());
        let row = close.and_then(|close| find(view, close));
        self.has_rested = row.is_some() || close.is_none();
        row
    }

    /// Stops the view where it is, or lets it go on; it follows again only if it did before.
    pub(super) fn toggle_pause(&mut self, view: &View) {
        self.paused_at = if self.paused_at.is_some() { None } else { Some(view.rows) };
    }

    /// Hides every row there is.
    pub(super) fn clear(&mut self, view: &View) {
        self.hidden = view.rows;
        self.paused_at = None;
        self.selected = None;
        self.scroll.to_end();
    }

    /// Marks the row, or takes its mark away.
    pub(super) fn toggle_mark(&mut self, row: u64) {
        if !self.marks.remove(&row) {
            self.marks.insert(row);
        }
    }

    /// The payload that was to be copied, once it is there.
    pub(super) fn copied(&mut self, view: &View) -> Option<bytes::Bytes> {
        let Copying { direction, offset } = self.copying?;
        match view.source.payload(direction, offset, COPIED_BYTES) {
            Page::Ready(payload) => {
                self.copying = None;
                Some(payload)
            }
            Page::Pending => None,
        }
    }
}

/// Looks for a row; `None` as long as it is being loaded.
fn find(view: &View, wanted: Wanted) -> Option<u64> {
    let found = match wanted {
        Wanted::Row(row) => Page::Ready(row),
        Wanted::Place(place) => view.source.row_of(place.direction, place.offset),
        Wanted::Moment(at) => view.source.row_at(at),
    };
    match found {
        Page::Ready(row) if view.rows > 0 => Some(row.min(view.rows - 1)),
        Page::Ready(_) | Page::Pending => None,
    }
}

/// Where a connection closed: the first Close frame, else where the bytes broke off, else the end of reading.
pub(super) fn close_of(story: &Story) -> Option<Wanted> {
    let closes = [&story.close_received, &story.close_sent].into_iter().flatten();
    if let Some(close) = closes.min_by_key(|close| close.at) {
        let place = Place { direction: close.info.direction, offset: close.info.offset };
        return Some(Wanted::Place(place));
    }
    let moments = [story.cut.map(|(at, _)| at), story.read_end.as_ref().map(|(at, _)| *at), story.finished];
    moments.into_iter().flatten().next().map(Wanted::Moment)
}

/// The payload as text for the clipboard: UTF-8 as it is, anything else in hexadecimal.
pub(super) fn clipboard_text(payload: &[u8]) -> String {
    std::str::from_utf8(payload)
        .map_or_else(|_| payload.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "), str::to_owned)
}

/// Whether a row holds its whole payload.
pub(super) fn is_whole(frame: &FrameRow) -> bool {
    frame.is_preview_whole()
}

/// How much of a payload is copied at most.
const COPIED_BYTES: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::CloseSeen;
    use crate::wire::CloseInfo;

    #[test]
    fn the_close_is_the_first_close_frame_else_the_end_of_reading() {
        let mut story = Story::default();
        assert_eq!(close_of(&story), None);
        story.read_end = Some((Moment(9), crate::observation::ReadEnd::Fin));
        assert_eq!(close_of(&story), Some(Wanted::Moment(Moment(9))));
        let seen = |at, direction| {
            let info = CloseInfo { direction, offset: 3, code: None, reason: String::new() };
            Some(CloseSeen { at: Moment(at), info })
        };
        story.close_received = seen(5, Direction::ServerToClient);
        story.close_sent = seen(4, Direction::ClientToServer);
        let place = Place { direction: Direction::ClientToServer, offset: 3 };
        assert_eq!(close_of(&story), Some(Wanted::Place(place)));
    }

    #[test]
    fn bytes_are_copied_as_text_or_hexadecimal() {
        assert_eq!(clipboard_text("grüße".as_bytes()), "grüße");
        assert_eq!(clipboard_text(&[0xFF, 0x00]), "ff 00");
    }
}
