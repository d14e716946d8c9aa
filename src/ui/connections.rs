//! The connections of this window: which there are, which is shown, which are alive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::state_words::is_over;
use crate::engine::EngineHandle;
use crate::observation::ConnId;
use crate::store::View;

/// The connections of this window.
#[derive(Debug, Default)]
pub struct Connections {
    /// The newest view of each, the newest connection last.
    pub views: Vec<Arc<View>>,
    /// Which one is shown.
    pub shown: Option<ConnId>,
    /// Those that the engine still works on.
    running: BTreeSet<ConnId>,
    /// Files that are being read; the newest comes to the front as soon as its beginning is there.
    opening: BTreeSet<ConnId>,
    /// The names of the files that were opened.
    pub files: BTreeMap<ConnId, String>,
    newest: u32,
    /// Whether what arrives takes the place of what is over.
    follows: bool,
}

impl Connections {
    /// A fresh name for a connection.
    pub fn fresh(&mut self) -> ConnId {
        self.newest += 1;
        ConnId(self.newest)
    }

    /// A connection was asked for: it is shown, and alive until the engine says otherwise.
    pub fn begun(&mut self, conn: ConnId) {
        self.running.insert(conn);
        self.shown = Some(conn);
        self.follows = false;
    }

    /// A connection of somebody else goes through the engine: it is shown where nothing is, or in the place of one that is over.
    pub fn arrived(&mut self, conn: ConnId) {
        if self.shown.is_none_or(|shown| self.follows && !self.running.contains(&shown)) {
            self.shown = Some(conn);
        }
        self.running.insert(conn);
    }

    /// The user chose what is shown: nothing that arrives takes its place.
    pub fn keep_shown(&mut self) {
        self.follows = false;
    }

    /// What arrives is shown from here on, once what is shown is over.
    pub fn follow(&mut self) {
        self.follows = true;
    }

    /// The oldest connections of others that are over, where there are more than are kept at hand.
    pub fn to_put_aside(&self) -> Vec<ConnId> {
        let is_past = |conn: &ConnId| !self.running.contains(conn) && self.shown != Some(*conn);
        let guests = self.views.iter().map(|view| view.conn).filter(|conn| is_guest(*conn));
        let past: Vec<ConnId> = guests.filter(is_past).collect();
        past.iter().take(past.len().saturating_sub(MAX_GUESTS)).copied().collect()
    }

    /// A saved session was asked for: it is shown as soon as its beginning is there.
    pub fn opening(&mut self, conn: ConnId) {
        self.opening.insert(conn);
    }

    /// A saved session is there: it is shown.
    pub fn opened(&mut self, conn: ConnId, file: String, engine: &EngineHandle) {
        self.opening.remove(&conn);
        self.shown = Some(conn);
        self.follows = false;
        self.files.insert(conn, file);
        self.refresh_one(conn, engine);
    }

    /// The engine does nothing more for a connection.
    pub fn ended(&mut self, conn: ConnId, engine: &EngineHandle) {
        self.refresh_one(conn, engine);
        self.running.remove(&conn);
    }

    /// The engine would not begin this connection.
    pub fn refused(&mut self, conn: ConnId) {
        if self.opening.remove(&conn) && self.view(conn).is_some() {
            self.forget(conn);
        }
        if self.view(conn).is_none() {
            self.running.remove(&conn);
            if self.shown == Some(conn) {
                self.shown = self.views.last().map(|view| view.conn);
            }
        }
    }

    /// Takes the newest view of every connection that may have changed.
    pub fn refresh(&mut self, engine: &EngineHandle) {
        let shown = self.shown.filter(|conn| !self.running.contains(conn));
        let changing: Vec<_> = self.running.iter().copied().chain(shown).collect();
        for conn in changing {
            self.refresh_one(conn, engine);
        }
        for conn in std::mem::take(&mut self.opening) {
            let was_there = self.view(conn).is_some();
            self.refresh_one(conn, engine);
            if !was_there && self.view(conn).is_some() {
                self.shown = Some(conn);
            }
            self.opening.insert(conn);
        }
    }

    /// Forgets a connection; another one is shown.
    pub fn forget(&mut self, conn: ConnId) {
        self.views.retain(|view| view.conn != conn);
        self.files.remove(&conn);
        if self.shown == Some(conn) {
            // Nobody chose that one.
            self.follows = true;
            self.shown = self.views.last().map(|view| view.conn);
        }
    }

    /// The view of a connection.
    pub fn view(&self, conn: ConnId) -> Option<&Arc<View>> {
        self.views.iter().find(|view| view.conn == conn)
    }

    /// The view of the shown connection.
    pub fn shown_view(&self) -> Option<&Arc<View>> {
        self.view(self.shown?)
    }

    /// Whether the shown connection is alive.
    pub fn is_live(&self) -> bool {
        self.shown.is_some_and(|conn| {
            self.running.contains(&conn) && self.view(conn).is_none_or(|view| !is_over(&view.story))
        })
    }

    /// Whether the shown connection is alive and the form's own, which is locked meanwhile.
    pub fn locks_form(&self) -> bool {
        self.is_live() && !self.shown.is_some_and(is_guest)
    }

    /// Whether the engine still works on any connection.
    pub fn any_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Whether the engine still works on this connection.
    pub fn is_running(&self, conn: ConnId) -> bool {
        self.running.contains(&conn)
    }

    fn refresh_one(&mut self, conn: ConnId, engine: &EngineHandle) {
        let Some(view) = engine.view(conn) else {
            return;
        };
        match self.views.iter_mut().find(|old| old.conn == conn) {
            Some(old) => *old = view,
            None => self.views.push(view),
        }
    }
}

/// Whether somebody else began this connection.
fn is_guest(conn: ConnId) -> bool {
    conn.0 >= ConnId::INTERCEPTED
}

/// So many connections of others that are over are kept at hand: a page that connects again and again makes many.
const MAX_GUESTS: usize = 50;
