//! Where things stand: three regions in a wide window, tabs of the centre in a narrow one, a drawer in a small one.

use egui::{Align2, Area, CentralPanel, Id, Order, Panel, Ui, pos2};
use serde::{Deserialize, Serialize};

use super::action::Tab;
use super::theme;

/// Which regions are open, and which tab is in front.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Regions {
    /// Whether the left region is open.
    pub is_left_open: bool,
    /// Whether the right region is open.
    pub is_right_open: bool,
    /// The tab of the left region.
    pub left: Tab,
    /// The tab of the centre.
    pub centre: Tab,
    /// The tab of the right region.
    pub right: Tab,
    /// Whether the drawer is open, in a small window.
    #[serde(skip)]
    pub is_drawer_open: bool,
    /// The room that the window had when it was last drawn.
    #[serde(skip)]
    pub room: Room,
}

/// How much room there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// Less than 900 points: the left region is a drawer.
    Small,
    /// Less than 1100 points: the right region's tabs stand in the centre.
    Narrow,
    /// Three regions.
    #[default]
    Wide,
}

impl Default for Regions {
    fn default() -> Self {
        Self {
            is_left_open: true,
            is_right_open: true,
            left: Tab::Connection,
            centre: Tab::Log,
            right: Tab::Verdict,
            is_drawer_open: false,
            room: Room::Wide,
        }
    }
}

impl Room {
    /// The room of a window of this width.
    pub fn of(width: f32) -> Self {
        match width {
            _ if width < SMALL => Self::Small,
            _ if width < NARROW => Self::Narrow,
            _ => Self::Wide,
        }
    }
}

impl Regions {
    /// Brings a tab to the front, opening its region.
    pub fn bring(&mut self, tab: Tab) {
        match tab {
            Tab::Connection | Tab::Token => {
                self.left = tab;
                self.is_left_open = true;
                self.is_drawer_open = true;
            }
            Tab::Log | Tab::Handshake | Tab::Console | Tab::Plots | Tab::Compare | Tab::Share => self.centre = tab,
            Tab::Verdict | Tab::Practice | Tab::Sessions => {
                self.right = tab;
                if self.room == Room::Wide {
                    self.is_right_open = true;
                } else {
                    self.centre = tab;
                }
            }
        }
    }

    /// Whether the verdict stands somewhere in the window.
    pub fn shows_verdict(&self) -> bool {
        match self.room {
            Room::Wide => self.is_right_open && self.right == Tab::Verdict,
            Room::Narrow | Room::Small => self.centre == Tab::Verdict,
        }
    }

    /// Opens or closes the left region, or the drawer.
    pub fn toggle_left(&mut self) {
        if self.room == Room::Small {
            self.is_drawer_open = !self.is_drawer_open;
        } else {
            self.is_left_open = !self.is_left_open;
        }
    }

    /// Opens or closes the right region; in a narrow window, brings its tab to the front or the log.
    pub fn toggle_right(&mut self) {
        if self.room == Room::Wide {
            self.is_right_open = !self.is_right_open;
        } else if is_of_right(self.centre) {
            self.centre = Tab::Log;
        } else {
            self.centre = self.right;
        }
    }

    /// Draws the regions; `body` draws the tab it is given, and whatever belongs to it.
    pub fn show(&mut self, ui: &mut Ui, mut body: impl FnMut(&mut Ui, Tab)) {
        let palette = theme::palette(ui);
        self.room = Room::of(ui.ctx().content_rect().width());
        if self.room == Room::Wide && is_of_right(self.centre) {
            self.centre = Tab::Log;
        }
        let left_tabs = [Tab::Connection, Tab::Token];
        if self.room == Room::Small {
            self.drawer(ui, &left_tabs, &mut body);
        } else {
            let tab = &mut self.left;
            let panel = Panel::left("left region").frame(theme::region(palette)).resizable(true);
            let panel = panel.default_size(LEFT).size_range(LEFT_LEAST..=LEFT_MOST);
            panel.show_collapsible(ui, &mut self.is_left_open, |ui| {
                tabs_ui(ui, &left_tabs, tab);
                bounded(ui, |ui| body(ui, *tab));
            });
        }
        if self.room == Room::Wide {
            let tab = &mut self.right;
            let panel = Panel::right("right region").frame(theme::region(palette)).resizable(true);
            let panel = panel.default_size(RIGHT).size_range(RIGHT_LEAST..=RIGHT_MOST);
            panel.show_collapsible(ui, &mut self.is_right_open, |ui| {
                tabs_ui(ui, &[Tab::Verdict, Tab::Practice, Tab::Sessions], tab);
                bounded(ui, |ui| body(ui, *tab));
            });
        }
        CentralPanel::default().frame(theme::content(palette)).show(ui, |ui| {
            let centre_tabs: &[Tab] = if self.room == Room::Wide {
                &[Tab::Log, Tab::Handshake, Tab::Console, Tab::Plots, Tab::Compare, Tab::Share]
            } else {
                &[
                    Tab::Log,
                    Tab::Handshake,
                    Tab::Console,
                    Tab::Plots,
                    Tab::Compare,
                    Tab::Share,
                    Tab::Verdict,
                    Tab::Practice,
                    Tab::Sessions,
                ]
            };
            let gap = std::mem::replace(&mut ui.spacing_mut().item_spacing.y, 0.0);
            theme::region(palette).show(ui, |ui| {
                ui.set_width(ui.available_width());
                tabs_ui(ui, centre_tabs, &mut self.centre);
            });
            ui.spacing_mut().item_spacing.y = gap;
            if is_of_right(self.centre) {
                self.right = self.centre;
                theme::region(palette).show(ui, |ui| body(ui, self.centre));
            } else {
                body(ui, self.centre);
            }
        });
    }

    fn drawer(&mut self, ui: &Ui, tabs: &[Tab], body: &mut impl FnMut(&mut Ui, Tab)) {
        if !self.is_drawer_open {
            return;
        }
        let palette = theme::palette(ui);
        let room = ui.available_rect_before_wrap();
        let frame = theme::region(palette).stroke(egui::Stroke::new(1.0, palette.line));
        let area = Area::new(Id::unique("drawer")).order(Order::Middle).movable(false);
        let area = area.fixed_pos(pos2(room.left(), room.top())).pivot(Align2::LEFT_TOP);
        let mut is_closed = false;
        area.accessible_name("Connection form and token").show(ui, |ui| {
            frame.shadow(theme::shadow(ui.visuals().dark_mode)).show(ui, |ui| {
                ui.set_width(LEFT);
                ui.set_height(room.height() - 2.0 * 8.0);
                ui.horizontal(|ui| {
                    tabs_ui(ui, tabs, &mut self.left);
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        let sign = egui_material_icons::icons::ICON_CLOSE;
                        is_closed = super::fields::icon_button(ui, sign, "Close the form").clicked();
                    });
                });
                body(ui, self.left);
            });
        });
        self.is_drawer_open = !is_closed;
    }
}

/// Draws in the room that there is: what does not fit is cut, and does not widen the region pass by pass.
fn bounded(ui: &mut Ui, body: impl FnOnce(&mut Ui)) {
    let room = ui.available_rect_before_wrap();
    let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(room));
    body(&mut inner);
    ui.advance_cursor_after_rect(room);
}

/// Whether a tab belongs to the right region.
pub fn is_of_right(tab: Tab) -> bool {
    match tab {
        Tab::Verdict | Tab::Practice | Tab::Sessions => true,
        Tab::Connection
        | Tab::Token
        | Tab::Log
        | Tab::Handshake
        | Tab::Console
        | Tab::Plots
        | Tab::Compare
        | Tab::Share => false,
    }
}

fn tabs_ui(ui: &mut Ui, tabs: &[Tab], front: &mut Tab) {
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0 * theme::STEP;
        // The words of the tabs stand in line with what is below.
        ui.spacing_mut().button_padding.x = 0.0;
        for &tab in tabs {
            let is_front = *front == tab;
            let text = if is_front { theme::strong(name(tab)) } else { theme::tinted(name(tab), palette.muted) };
            let button = ui.add(egui::Button::new(text).frame_when_inactive(false));
            button.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, is_front, name(tab)));
            if is_front {
                let line = button.rect.with_min_y(button.rect.bottom() - 2.0);
                ui.painter().rect_filled(line, 1.0, palette.accent);
            }
            if button.clicked() {
                *front = tab;
            }
        }
    });
    ui.add_space(theme::STEP);
}

fn name(tab: Tab) -> &'static str {
    match tab {
        Tab::Connection => "Connection",
        Tab::Token => "Token",
        Tab::Log => "Log",
        Tab::Handshake => "Handshake",
        Tab::Console => "Console",
        Tab::Plots => "Plots",
        Tab::Compare => "Compare",
        Tab::Share => "Share",
        Tab::Verdict => "Verdict",
        Tab::Practice => "Practice",
        Tab::Sessions => "Sessions",
    }
}

const SMALL: f32 = 900.0;
const NARROW: f32 = 1100.0;
const LEFT: f32 = 300.0;
const LEFT_LEAST: f32 = 284.0;
const LEFT_MOST: f32 = 420.0;
const RIGHT: f32 = 316.0;
const RIGHT_LEAST: f32 = 260.0;
const RIGHT_MOST: f32 = 520.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_of_the_right_comes_to_the_front_wherever_it_stands() {
        let mut regions = Regions { is_right_open: false, ..Regions::default() };
        regions.bring(Tab::Sessions);
        assert!(regions.is_right_open && regions.centre == Tab::Log);
        regions.room = Room::Narrow;
        regions.bring(Tab::Verdict);
        assert_eq!(regions.centre, Tab::Verdict);
        regions.toggle_right();
        assert_eq!(regions.centre, Tab::Log);
        regions.toggle_right();
        assert_eq!(regions.centre, Tab::Verdict);
    }

    #[test]
    fn widths_decide() {
        assert_eq!([760.0, 1024.0, 1280.0].map(Room::of), [Room::Small, Room::Narrow, Room::Wide]);
    }
}
