//! What stands in each tab.

use egui::{Panel, Ui};

use super::{App, apply, context};
use crate::observation::ConnId;
use crate::ui::action::Tab;
use crate::ui::panels::sessions::SessionsMore;
use crate::ui::panels::share::ShareMore;
use crate::ui::theme;

impl App {
    /// Draws the regions with their tabs.
    pub(super) fn regions_ui(&mut self, ui: &mut Ui, now_unix_millis: i64) {
        let palette = theme::palette(ui);
        let Self {
            connections,
            lane,
            form,
            profiles,
            practice,
            intercept,
            actions,
            regions,
            panels,
            repeat,
            lab,
            saved,
            unnamed,
            engine,
            writing,
            ..
        } = self;
        let session = |conn: ConnId| engine.session(conn);
        let ctx = context(connections, lane, practice, intercept, now_unix_millis);
        regions.show(ui, |ui, tab| match tab {
            Tab::Connection => panels.connect.show(ui, form, profiles, &ctx, actions),
            Tab::Token => {
                panels.token.take_secrets(form.secrets());
                panels.token.take_expected(&form.claims);
                panels.token.show(ui, &ctx, actions);
                if form.claims != *panels.token.expected() {
                    form.claims.clone_from(panels.token.expected());
                    form.recheck();
                }
            }
            Tab::Log => {
                let frame = theme::region(palette);
                Panel::bottom("compose").frame(frame).show(ui, |ui| panels.compose.show(ui, &ctx, actions));
                panels.detail.row = panels.timeline.selected_row();
                // Where there is little room, the log has it until a row is chosen.
                let is_wanted = panels.detail.row.is_some() || ui.available_height() >= DETAIL_ROOM;
                if ctx.view.is_some() && is_wanted {
                    let detail = Panel::bottom("detail").frame(theme::content(palette)).resizable(true);
                    let most = (ui.available_height() - LOG_LEAST).max(DETAIL_LEAST);
                    let size = DETAIL.min(ui.available_height() * DETAIL_SHARE);
                    let detail = detail.default_size(size).size_range(DETAIL_LEAST..=most);
                    detail.show(ui, |ui| {
                        ui.set_min_height(ui.available_height());
                        panels.detail.show(ui, &ctx, actions);
                    });
                }
                panels.timeline.show(ui, &ctx, actions);
            }
            Tab::Handshake => panels.handshake.show(ui, &ctx, actions),
            Tab::Console => panels.console.show(ui, &ctx, actions),
            Tab::Plots => panels.plots.show(ui, &ctx, actions),
            Tab::Compare => panels.compare.show(ui, &session, &ctx, actions),
            Tab::Share => {
                let more = ShareMore {
                    session: &session,
                    redactor: &|| apply::redactor_for(form),
                    chosen: &|chosen| panels.timeline.chosen(chosen),
                    count: &|chosen, rows| panels.timeline.chosen_count(chosen, rows),
                    writing: writing.as_ref(),
                };
                panels.share.show(ui, &more, &ctx, actions);
            }
            Tab::Verdict => {
                let obstacle = form.checks.obstacle();
                Panel::bottom("idle lab").frame(theme::region(palette)).show(ui, |ui| {
                    panels.idle_lab.show(ui, lab.as_ref(), obstacle.as_deref(), &ctx, actions);
                });
                panels.verdict.show(ui, &ctx, actions);
            }
            Tab::Practice => panels.practice.show(ui, practice.address, &ctx, actions),
            Tab::Sessions => {
                let obstacle = form.checks.obstacle();
                let more = SessionsMore {
                    files: &connections.files,
                    unnamed: *unnamed,
                    saved: saved.as_deref(),
                    repeat: repeat.as_ref(),
                    obstacle: obstacle.as_deref(),
                };
                panels.sessions.show(ui, &more, &ctx, actions);
            }
        });
    }
}

/// Points of the detail below the log, and the least that each of them keeps.
const DETAIL: f32 = 208.0;
const DETAIL_SHARE: f32 = 0.36;
const DETAIL_LEAST: f32 = 96.0;
const LOG_LEAST: f32 = 120.0;
/// Points from which on a detail without a row, which says how to choose one, takes nothing that the log needs.
const DETAIL_ROOM: f32 = 360.0;
