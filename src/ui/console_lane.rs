//! The attached consoles as the window keeps them: their newest lines, and what is attached.

use std::collections::VecDeque;

use crate::engine::{ConsoleEntry, ConsoleId, ConsoleState, EngineHandle};

/// The newest lines of the attached consoles.
#[derive(Debug, Default)]
pub struct ConsoleLane {
    /// The newest entries, at most [`ConsoleLane::MAX_ENTRIES`].
    pub entries: VecDeque<ConsoleEntry>,
    /// What is attached.
    pub consoles: Vec<ConsoleState>,
    /// How many older entries are no longer here.
    pub left_out: u64,
    next: u64,
    newest: u32,
}

impl ConsoleLane {
    /// How many entries the window keeps.
    pub const MAX_ENTRIES: usize = 10_000;

    /// A fresh name for a console.
    pub fn fresh(&mut self) -> ConsoleId {
        self.newest += 1;
        ConsoleId(self.newest)
    }

    /// Takes what is new.
    pub fn refresh(&mut self, engine: &EngineHandle) {
        let tail = engine.console_tail(self.next);
        self.left_out += tail.first.saturating_sub(self.next);
        self.next = tail.next;
        self.consoles = tail.consoles;
        self.entries.extend(tail.entries);
        let excess = self.entries.len().saturating_sub(Self::MAX_ENTRIES);
        self.entries.drain(..excess);
        self.left_out += excess as u64;
    }
}
