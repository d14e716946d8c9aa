//! Scrolls to what has the keyboard, so that nobody types where nothing is to be seen.

use egui::{Id, Ui};

/// To be called last in what a scroll area shows: what has taken the focus in there comes into sight.
pub(super) fn follow_focus(ui: &Ui) {
    let key = ui.scope_id().with("followed focus");
    let focused = ui.memory(egui::Memory::focused);
    let before = ui.data(|data| data.get_temp::<Option<Id>>(key)).flatten();
    if focused == before {
        return;
    }
    ui.data_mut(|data| data.insert_temp(key, focused));
    let Some(response) = focused.and_then(|id| ui.ctx().read_response(id)) else {
        return;
    };
    // What is visible outside of this area may lie over a part of it that is scrolled away.
    let is_elsewhere =
        response.interact_rect.is_positive() && !ui.clip_rect().intersects(response.interact_rect.shrink(1.0));
    let is_inside = response.layer_id == ui.layer_id() && ui.min_rect().contains(response.rect.center());
    if is_inside && !is_elsewhere {
        let mut wanted = response.rect.expand(MARGIN);
        wanted.max.y += BELOW.min(ui.clip_rect().height() * 0.4);
        ui.scroll_to_rect(wanted, None);
    }
}

/// Points that stay free around it.
const MARGIN: f32 = 12.0;
/// Points of what follows it, which is often what comes of it.
const BELOW: f32 = 220.0;
