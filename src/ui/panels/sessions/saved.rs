//! The sessions on disk: what each is about, and what can be done with it.

use std::path::PathBuf;

use egui::{Align, Button, ComboBox, Id, Key, Modal, Rect, Ui, vec2};

use super::{ROW, small_font, title};
use crate::diagnosis::Ending;
use crate::engine::{Command, SavedSession, UnnamedRoom};
use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::cells::cell_ui;
use crate::ui::context::Actions;
use crate::ui::fields::explain_ui;
use crate::ui::row_list::RowList;
use crate::ui::row_scroll::RowScroll;
use crate::ui::theme;
use crate::ui::units;
use crate::ui::visible;

/// The list, and what the user is about to do.
#[derive(Debug, Default)]
pub(super) struct SavedList {
    scroll: RowScroll,
    /// The session that is selected, whatever its row is by now.
    chosen: Option<PathBuf>,
    renaming: Option<(PathBuf, String)>,
    deleting: Option<PathBuf>,
}

impl SavedList {
    /// Shows the list in all the room that `ui` has left.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        saved: Option<&[SavedSession]>,
        unnamed: Option<UnnamedRoom>,
        actions: &mut Actions,
    ) {
        ui.horizontal(|ui| {
            ui.label(theme::heading("On disk"));
            ui.with_layout(egui::Layout::right_to_left(Align::Center), |ui| {
                if ui.button("Open…").on_hover_text("Opens a session from a file").clicked() {
                    actions.push(Action::Open(None));
                }
            });
        });
        if let Some(room) = unnamed {
            room_ui(ui, room, actions);
        }
        let Some(saved) = saved.filter(|saved| !saved.is_empty()) else {
            explain_ui(ui, "Sessions are kept here until you delete them; the oldest without a name go first.");
            return;
        };
        let is_chosen = |session: &SavedSession| self.chosen.as_deref() == Some(&*session.path);
        let row = saved.iter().position(is_chosen).map(|row| row as u64);
        if row != self.scroll.selected() {
            self.scroll.select(row);
        }
        let chosen = self.scroll.selected().and_then(|row| saved.get(usize::try_from(row).ok()?));
        if let Some(chosen) = chosen {
            self.buttons_ui(ui, chosen, actions);
        }
        let list = RowList::new("Sessions on disk", saved.len() as u64).row_height(ROW);
        list.show(ui, &mut self.scroll, |ui, slot| {
            let Some(session) = usize::try_from(slot.row).ok().and_then(|row| saved.get(row)) else { return };
            let about = row_ui(ui, slot.rect, session);
            slot.name(|| about.clone());
            if slot.response.double_clicked() {
                actions.push(Action::Open(Some(session.path.clone())));
            }
        });
        let chosen = self.scroll.selected().and_then(|row| saved.get(usize::try_from(row).ok()?));
        self.chosen = chosen.map(|session| session.path.clone());
        self.delete_ui(ui, saved, actions);
    }

    fn buttons_ui(&mut self, ui: &mut Ui, chosen: &SavedSession, actions: &mut Actions) {
        ui.horizontal_wrapped(|ui| {
            let can_open = chosen.summary.is_ok();
            if ui.add_enabled(can_open, Button::new("Open")).clicked() {
                actions.push(Action::Open(Some(chosen.path.clone())));
            }
            let is_free = !chosen.is_in_use;
            let busy = "It is being written";
            if ui.add_enabled(is_free, Button::new("Rename…")).on_disabled_hover_text(busy).clicked() {
                let stem = chosen.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                self.renaming = Some((chosen.path.clone(), stem));
            }
            if ui.button("Reveal").on_hover_text("Shows the file in the file manager").clicked() {
                actions.push(Action::Engine(Command::RevealFile { path: chosen.path.clone() }));
            }
            if ui.add_enabled(is_free, Button::new("Delete…")).on_disabled_hover_text(busy).clicked() {
                self.deleting = Some(chosen.path.clone());
            }
        });
        if self.renaming.as_ref().is_some_and(|(path, _)| *path != chosen.path) {
            self.renaming = None;
        }
        if let Some((path, new_name)) = &mut self.renaming {
            let mut stays = true;
            ui.horizontal(|ui| {
                ui.with_layout(egui::Layout::right_to_left(Align::Center), |ui| {
                    stays = !ui.button("Cancel").clicked();
                    let is_clicked = ui.button("Rename").clicked();
                    let response = BigText::new("New name").show(ui, new_name).response;
                    let is_entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
                    if is_clicked || is_entered {
                        let (path, name) = (path.clone(), new_name.trim().to_owned());
                        actions.push(Action::Engine(Command::RenameSession { path, name }));
                        stays = false;
                    }
                });
            });
            if !stays || ui.input(|input| input.key_pressed(Key::Escape)) {
                self.renaming = None;
            }
        }
    }

    /// Asks before a session is lost.
    fn delete_ui(&mut self, ui: &Ui, saved: &[SavedSession], actions: &mut Actions) {
        let Some(path) = self.deleting.clone() else { return };
        let Some(session) = saved.iter().find(|session| session.path == path) else {
            self.deleting = None;
            return;
        };
        let mut is_over = false;
        let modal = Modal::new(Id::unique("delete session")).show(ui.ctx(), |ui| {
            ui.set_width(360.0);
            ui.label(theme::heading("Delete this session?"));
            let (_, host, about) = words(session);
            ui.label(format!("{host}, {about}"));
            explain_ui(ui, "Its file is removed from the disk. That cannot be undone.");
            ui.add_space(2.0 * theme::STEP);
            ui.horizontal(|ui| {
                if ui.button("Delete").clicked() {
                    actions.push(Action::Engine(Command::DeleteSession { path: path.clone() }));
                    is_over = true;
                }
                let keep = ui.button("Keep");
                if keep.clicked() {
                    is_over = true;
                }
            });
        });
        if is_over || modal.should_close() {
            self.deleting = None;
        }
    }
}

/// How much sessions without a name take, and a choice of how much they may take.
fn room_ui(ui: &mut Ui, room: UnnamedRoom, actions: &mut Actions) {
    let palette = theme::palette(ui);
    ui.horizontal_wrapped(|ui| {
        let taken = format!("Without a name: {} of at most", units::size(room.taken_bytes));
        ui.label(theme::tinted(taken, palette.muted))
            .on_hover_text("Beyond that the oldest are removed, but none that is being written, and none with a name");
        let limit = units::size(room.limit_bytes);
        let combo = ComboBox::from_id_salt("unnamed limit").selected_text(&limit).width(88.0);
        let combo = combo.show_ui(ui, |ui| {
            for gibibytes in LIMITS_GIB {
                let limit_bytes = gibibytes * 1024 * 1024 * 1024;
                if ui.selectable_label(limit_bytes == room.limit_bytes, units::size(limit_bytes)).clicked() {
                    actions.push(Action::Engine(Command::LimitUnnamed { limit_bytes }));
                }
            }
        });
        combo.response.widget_info(|| {
            let name = format!("Room for sessions without a name, {limit}");
            egui::WidgetInfo::labeled(egui::Role::ComboBox, true, name)
        });
    });
}

/// What can be chosen as the room of sessions without a name, in GiB.
const LIMITS_GIB: [u64; 7] = [1, 2, 5, 10, 20, 50, 200];

/// The verdict, the host, and the rest: date, size, name.
fn words(session: &SavedSession) -> (String, String, String) {
    let (verdict, host, began) = match &session.summary {
        Ok(summary) => {
            let verdict = match &summary.verdict {
                Some(verdict) => title(&verdict.cause),
                None if session.is_in_use => "Being recorded".to_owned(),
                None => "Unfinished".to_owned(),
            };
            let target = summary.plan.as_ref().and_then(|plan| plan.target.as_ref());
            let host = target.map_or_else(|| "no host".to_owned(), |t| visible::one_line(&t.host_header(), 60).text);
            (verdict, host, summary.header.began_unix_millis)
        }
        Err(why) => ("Cannot be read".to_owned(), visible::one_line(why, 80).text, session.modified_unix_millis),
    };
    let mut about = format!("{} · {}", date(began), units::size(session.len_bytes));
    if session.is_named {
        let name = session.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        about.push_str(" · ");
        about.push_str(&visible::middle_ellipsis(&name, 40));
    }
    (verdict, host, about)
}

fn row_ui(ui: &Ui, rect: Rect, session: &SavedSession) -> String {
    let palette = theme::palette(ui);
    let (verdict, host, about) = words(session);
    let rect = rect.shrink2(vec2(8.0, 2.0));
    let (upper, lower) = rect.split_top_bottom_at_fraction(0.5);
    let is_healthy = session
        .summary
        .as_ref()
        .is_ok_and(|summary| summary.verdict.as_ref().is_some_and(|verdict| verdict.cause == "healthy"));
    let is_ours = session
        .summary
        .as_ref()
        .is_ok_and(|summary| summary.verdict.as_ref().is_some_and(|verdict| verdict.ending == Ending::EndedByUs));
    let (mark, colour) = match &session.summary {
        Err(_) => ("?", palette.muted),
        Ok(_) if session.is_orphan => ("⚠", palette.warn),
        Ok(summary) if session.is_in_use && summary.verdict.is_none() => ("●", palette.muted),
        Ok(_) if is_healthy => ("✓", palette.ok),
        Ok(_) if is_ours => ("○", palette.muted),
        Ok(_) => ("✗", palette.bad),
    };
    cell_ui(ui, upper, format!("{mark} {verdict}"), theme::body_font(), colour, Align::Min);
    let line = format!("{host} · {about}");
    cell_ui(ui, lower, line.as_str(), small_font(), palette.muted, Align::Min);
    format!("{verdict}, {line}")
}

fn date(unix_millis: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_millis)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}
