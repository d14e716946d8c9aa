//! What panels may read: one picture of everything, made at the beginning of a pass.

use std::sync::Arc;

use super::action::Action;
use super::console_lane::ConsoleLane;
use super::intercept::Interception;
use crate::observation::ConnId;
use crate::store::View;

/// What panels read while they draw; what they want goes into `actions`.
pub struct Context<'a> {
    /// The connection that is shown, if there is one.
    pub view: Option<&'a Arc<View>>,
    /// Every connection of this window, the newest last.
    pub views: &'a [Arc<View>],
    /// Whether the shown connection is alive.
    pub is_live: bool,
    /// Whether it is the form's own: the form is locked then.
    pub locks_form: bool,
    /// Unix milliseconds by the wall clock, at the beginning of the pass.
    pub now_unix_millis: i64,
    /// Whether the shown connection was opened from a file: nobody is asked about it.
    pub is_from_file: bool,
    /// The practice server's newest console lines.
    pub practice_lines: &'a [String],
    /// The attached consoles and their newest lines.
    pub lane: &'a ConsoleLane,
    /// Whether connections of others are listened for.
    pub intercept: &'a Interception,
}

impl Context<'_> {
    /// The name of the shown connection.
    pub fn conn(&self) -> Option<ConnId> {
        self.view.map(|view| view.conn)
    }
}

/// Where panels put what they want.
pub type Actions = Vec<Action>;
