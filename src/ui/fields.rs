//! Small pieces that fields and forms are made of: words of an error, icon buttons, a key that is held to see a secret.

use egui::{Button, FontFamily, Key, Response, RichText, Ui};
use egui_material_icons::{FONT_FAMILY, MaterialIcon};

use super::big_text::BigText;
use super::theme;
use super::visible;

/// Returns an icon as text, in the icons' own family.
pub fn icon(icon: MaterialIcon) -> RichText {
    RichText::new(icon.codepoint).family(FontFamily::Name(FONT_FAMILY.into())).size(ICON_SIZE)
}

/// Shows a button with an icon alone; `name` is its hover text and its name for screen readers.
pub fn icon_button(ui: &mut Ui, sign: MaterialIcon, name: &str) -> Response {
    let response = ui
        .scope(|ui| {
            ui.spacing_mut().button_padding = egui::Vec2::splat((ICON_BUTTON - ICON_SIZE) / 2.0);
            let side = egui::Vec2::splat(ICON_BUTTON);
            ui.add(Button::new(icon(sign)).frame_when_inactive(false).min_size(side))
        })
        .inner;
    response.on_hover_text(name).accessible_name(name)
}

/// Says what is wrong with the field above: in red, with a mark, in words.
pub fn problem_ui(ui: &mut Ui, words: &str) -> Response {
    let palette = theme::palette(ui);
    let words = sentence(&visible::one_line(words, MAX_WORDS).text);
    ui.add(egui::Label::new(theme::tinted(format!("✗ {words}"), palette.bad)).wrap())
}

/// Says something worth knowing about the field above.
pub fn note_ui(ui: &mut Ui, words: &str) -> Response {
    let palette = theme::palette(ui);
    let words = sentence(&visible::one_line(words, MAX_WORDS).text);
    ui.add(egui::Label::new(theme::tinted(format!("ℹ {words}"), palette.muted)).wrap())
}

/// Warns about the field above.
pub fn warning_ui(ui: &mut Ui, words: &str) -> Response {
    let palette = theme::palette(ui);
    let words = sentence(&visible::one_line(words, MAX_WORDS).text);
    ui.add(egui::Label::new(theme::tinted(format!("⚠ {words}"), palette.warn)).wrap())
}

/// Explains in muted words.
pub fn explain_ui(ui: &mut Ui, words: &str) -> Response {
    let palette = theme::palette(ui);
    ui.add(egui::Label::new(theme::tinted(words, palette.muted)).wrap())
}

/// Shows a field under its label; returns the field.
pub fn labelled_ui(ui: &mut Ui, label: &str, field: BigText<'_>, text: &mut String) -> Response {
    let palette = theme::palette(ui);
    ui.label(theme::tinted(label, palette.muted));
    field.show(ui, text).response
}

/// Returns `words` with a capital at the beginning.
pub fn sentence(words: &str) -> String {
    let first = words.split_whitespace().next().unwrap_or_default();
    if first.trim_end_matches([':', '.', ',']).contains(['.', '/', '\\']) {
        // A file's name is as it is.
        return words.to_owned();
    }
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Whether something was pasted in this pass.
pub fn was_pasted(ui: &Ui) -> bool {
    ui.input(|input| input.events.iter().any(|event| matches!(event, egui::Event::Paste(_))))
}

/// Shows a button that is held to see something, by the pointer or with the space bar; returns whether it is.
pub fn hold_button(ui: &mut Ui, name: &str) -> bool {
    let response = icon_button(ui, egui_material_icons::icons::ICON_VISIBILITY, name);
    let by_key = response.has_focus() && ui.input(|input| input.key_down(Key::Space));
    response.is_pointer_button_down_on() || by_key
}

/// Points of a button with an icon alone, either way.
pub const ICON_BUTTON: f32 = 24.0;
const ICON_SIZE: f32 = 18.0;
const MAX_WORDS: usize = 400;
