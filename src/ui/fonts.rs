//! The fonts of the window, embedded: the same text looks the same on every machine.
//!
//! Proportional text is `DejaVu` Sans (sturdy at 14 points on dark, wide coverage), monospace is Hack. Each family falls
//! back to the other's coverage, to the monochrome emoji fonts and to our own control pictures; CJK, Arabic and the rest come from the system through
//! eframe's font provider. Icons have a family of their own, so that a peer's text in the private use area can never draw
//! one of ours.

use super::control_pictures;
use egui::{Context, FontData, FontDefinitions, FontFamily};
use egui_material_icons::{FONT_FAMILY, font_insert};
use std::sync::Arc;

/// Installs the fonts of the window; call once, before the first pass.
pub fn install(ctx: &Context) {
    ctx.set_fonts(definitions());
    control_pictures::install(ctx);
}

/// Returns the family of bold text.
pub fn strong_family() -> FontFamily {
    FontFamily::Name(STRONG.into())
}

/// Returns every font of the window and the order in which the families ask them.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    for (name, bytes) in
        [(SANS, dejavu::sans::regular()), (SANS_BOLD, dejavu::sans::bold()), (SANS_MONO, dejavu::sans_mono::regular())]
    {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let icons = font_insert();
    fonts.font_data.insert(icons.name, Arc::new(icons.data));

    for (family, chain) in [
        (FontFamily::Proportional, [SANS, SANS_MONO, HACK]),
        (FontFamily::Monospace, [HACK, SANS_MONO, SANS]),
        (strong_family(), [SANS_BOLD, SANS, SANS_MONO]),
        (FontFamily::Name(FONT_FAMILY.into()), [FONT_FAMILY, SANS, HACK]),
    ] {
        let chain = chain.into_iter().chain(EMOJI).map(str::to_owned).collect();
        fonts.families.insert(family, chain);
    }
    fonts
}

const SANS: &str = "DejaVu Sans";
const SANS_BOLD: &str = "DejaVu Sans Bold";
const SANS_MONO: &str = "DejaVu Sans Mono";
const STRONG: &str = "strong";
/// As egui names the fonts that it embeds.
const HACK: &str = "Hack";
const EMOJI: [&str; 3] = ["egui-icons", "NotoEmoji-Regular", "emoji-icon-font"];

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{FontId, RawInput};

    fn missing(family: &FontFamily, text: &str) -> String {
        let ctx = Context::default();
        install(&ctx);
        let mut missing = String::new();
        let output = ctx.run_ui(RawInput::default(), |ui| {
            let font = FontId::new(14.0, family.clone());
            missing = ui.fonts_mut(|fonts| text.chars().filter(|&c| !fonts.has_glyph(&font, c)).collect());
        });
        output.drop_without_applying_deltas();
        missing
    }

    #[test]
    fn nothing_that_the_window_writes_is_tofu() {
        let signs = "→ ← ↑ ↓ ● ○ ■ ▶ ◀ ▸ ▾ ✓ ✗ ⏸ ⌘ ⏎ · … – — × Δ ⟨⟩ “” \u{202F}";
        let emoji = "✅ ❌ ⚠ ℹ 🔌 🔍 👩 💻 ❤ 🎉 😀";
        for family in [FontFamily::Proportional, FontFamily::Monospace, strong_family()] {
            for text in [signs, emoji] {
                assert_eq!(missing(&family, text), "", "{family:?}");
            }
        }
    }

    #[test]
    fn other_scripts_of_the_embedded_fonts_are_drawn() {
        let text = "grüße Привет Ελληνικά עברית عربي € ∑∞";
        assert_eq!(missing(&FontFamily::Proportional, text), "");
        assert_eq!(missing(&FontFamily::Monospace, text), "");
    }

    #[test]
    fn a_peers_text_cannot_draw_our_icons() {
        let icon = egui_material_icons::icons::ICON_CHECK.codepoint;
        assert_eq!(missing(&FontFamily::Proportional, icon), icon);
        assert_eq!(missing(&FontFamily::Monospace, icon), icon);
        let icons = FontFamily::Name(FONT_FAMILY.into());
        assert_eq!(missing(&icons, icon), "");
    }
}
