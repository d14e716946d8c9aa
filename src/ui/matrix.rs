//! The token matrix: a connection for each variant of a token, one after the other, and how the server answered each.

use std::time::Duration;

use crate::diagnosis::{Reception, reception};
use crate::engine::ConnectOptions;
use crate::observation::ConnId;
use crate::store::Story;
use crate::token::Variant;

/// A matrix, under way or done.
#[derive(Debug)]
pub struct Matrix {
    /// A row for each variant, in the order in which they are tried.
    pub rows: Vec<MatrixRow>,
    is_stopped: bool,
}

/// A variant, and what became of it.
#[derive(Debug)]
pub struct MatrixRow {
    /// The variant.
    pub variant: Variant,
    /// The connection that tries it, once begun.
    pub conn: Option<ConnId>,
    /// How the server answered.
    pub told: Option<Reception>,
    options: ConnectOptions,
}

impl MatrixRow {
    /// Whether the server did what a careful one would not do.
    pub fn contradicts(&self) -> bool {
        let accepted = self.told.as_ref().and_then(|told| told.accepted);
        self.variant.should_pass.is_some() && accepted.is_some() && self.variant.should_pass != accepted
    }
}

impl Matrix {
    /// A matrix of these variants, each with what to connect with; each connection is left alone for a moment only.
    pub fn new(tries: Vec<(Variant, ConnectOptions)>) -> Self {
        let row = |(variant, mut options): (Variant, ConnectOptions)| {
            options.watch = Some(WATCH);
            options.probes = false;
            MatrixRow { variant, conn: None, told: None, options }
        };
        Self { rows: tries.into_iter().map(row).collect(), is_stopped: false }
    }

    /// What to connect with next, unless one is under way or it was stopped.
    pub fn next(&self) -> Option<ConnectOptions> {
        if self.is_stopped || self.current().is_some() {
            return None;
        }
        self.rows.iter().find(|row| row.conn.is_none()).map(|row| row.options.clone())
    }

    /// The connection for [`Self::next`] was begun.
    pub fn begun(&mut self, conn: ConnId) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.conn.is_none()) {
            row.conn = Some(conn);
        }
    }

    /// A connection is over; notes the answer if it belongs here.
    pub fn ended(&mut self, conn: ConnId, story: Option<&Story>) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.conn == Some(conn) && row.told.is_none()) {
            let none =
                || Reception { accepted: None, words: "nothing is known of it".to_owned(), cause: String::new() };
            row.told = Some(story.map_or_else(none, reception));
        }
    }

    /// Begins no further connection.
    pub fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Whether more is to come.
    pub fn is_running(&self) -> bool {
        self.current().is_some() || (!self.is_stopped && self.rows.iter().any(|row| row.conn.is_none()))
    }

    /// How many variants were answered.
    pub fn done(&self) -> usize {
        self.rows.iter().filter(|row| row.told.is_some()).count()
    }

    fn current(&self) -> Option<&MatrixRow> {
        self.rows.iter().find(|row| row.conn.is_some() && row.told.is_none())
    }
}

/// How long a connection is left alone after its confirmation.
const WATCH: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(count: usize) -> Matrix {
        let variant = |nth: usize| Variant {
            name: format!("v{nth}"),
            about: String::new(),
            token: String::new(),
            should_pass: Some(nth == 0),
        };
        Matrix::new((0..count).map(|nth| (variant(nth), ConnectOptions::new("ws://h"))).collect())
    }

    #[test]
    fn variants_are_tried_one_after_the_other() {
        let mut matrix = matrix(2);
        for conn in [ConnId(1), ConnId(2)] {
            assert_eq!(matrix.next().unwrap().watch, Some(WATCH));
            matrix.begun(conn);
            assert!(matrix.next().is_none() && matrix.is_running());
            matrix.ended(ConnId(99), None);
            matrix.ended(conn, None);
        }
        assert!(matrix.next().is_none() && !matrix.is_running());
        assert_eq!(matrix.done(), 2);
    }

    #[test]
    fn a_matrix_that_is_stopped_begins_nothing_more() {
        let mut matrix = matrix(3);
        matrix.begun(ConnId(1));
        matrix.stop();
        assert!(matrix.is_running());
        matrix.ended(ConnId(1), None);
        assert!(!matrix.is_running() && matrix.next().is_none());
    }

    #[test]
    fn only_a_wrong_answer_contradicts() {
        let mut matrix = matrix(2);
        for row in &mut matrix.rows {
            row.told = Some(Reception { accepted: Some(true), words: String::new(), cause: String::new() });
        }
        let found: Vec<bool> = matrix.rows.iter().map(MatrixRow::contradicts).collect();
        assert_eq!(found, [false, true]);
    }
}
