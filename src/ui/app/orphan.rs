//! A session that a crash has left: offered once, at the next start.

use std::path::PathBuf;

use egui::Ui;

use crate::engine::{Command, SavedSession};
use crate::ui::action::Action;
use crate::ui::context::Actions;
use crate::ui::{theme, units, visible};

/// A session that nobody has ended.
#[derive(Clone, Debug)]
pub(super) struct Orphan {
    path: PathBuf,
    words: String,
}

impl Orphan {
    /// The offer of a session.
    pub(super) fn of(session: &SavedSession) -> Self {
        let plan = session.summary.as_ref().ok().and_then(|summary| summary.plan.as_ref());
        let target = plan.and_then(|plan| plan.target.as_ref());
        let host =
            target.map_or_else(|| "a server".to_owned(), |target| visible::one_line(&target.host_header(), 60).text);
        let began = plan.and_then(|plan| jiff::Timestamp::from_millisecond(plan.began_unix_millis).ok());
        let began = began.map_or_else(String::new, |at| {
            at.to_zoned(jiff::tz::TimeZone::system()).strftime(" of %Y-%m-%d %H:%M").to_string()
        });
        let size = units::size(session.len_bytes);
        Self {
            path: session.path.clone(),
            words: format!("Sockeye ended while it recorded {host}. The session{began}, {size}, is still there."),
        }
    }

    /// Shows the offer; returns whether the user has answered.
    pub(super) fn show(&self, ui: &mut Ui, actions: &mut Actions) -> bool {
        let palette = theme::palette(ui);
        let mut is_answered = false;
        ui.horizontal_wrapped(|ui| {
            ui.label(theme::tinted("⚠", palette.warn));
            ui.label(&self.words);
            if ui.add(theme::primary_button(ui, "Open it")).clicked() {
                actions.push(Action::Open(Some(self.path.clone())));
                is_answered = true;
            }
            if ui.button("Keep it for later").on_hover_text("It stands among the sessions on disk").clicked() {
                actions.push(Action::Engine(Command::RememberSession { path: self.path.clone() }));
                is_answered = true;
            }
        });
        is_answered
    }
}
