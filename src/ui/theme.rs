//! Colours, sizes and styles of the window: the only file that names a colour.
//!
//! [`DARK`] and [`LIGHT`] hold the same roles; [`palette`] picks the one of the theme in use. Every foreground role has a
//! contrast of at least 5:1 against background, panel and raised (WCAG 2.1 relative luminance; the tests measure it).
//! Fonts are installed by [`super::fonts`]. Start with [`apply`].
#![expect(clippy::disallowed_methods, reason = "the one place where colours are made from numbers")]

use super::fonts;
use egui::style::{Selection, WidgetVisuals, Widgets};
use egui::{
    Button, Color32, Context, CornerRadius, FontFamily, FontId, Frame, Margin, RichText, Shadow, Stroke, Style,
    TextStyle, Theme, Ui, Visuals, vec2,
};

/// The colours of one theme by what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Behind logs, editors and other content.
    pub background: Color32,
    /// Behind regions with controls.
    pub panel: Color32,
    /// Buttons, cards, hovered rows.
    pub raised: Color32,
    /// One-point lines between regions and around fields; never text.
    pub line: Color32,
    /// Words that matter.
    pub text: Color32,
    /// Words that explain.
    pub muted: Color32,
    /// The one thing to do next, links, the focus.
    pub accent: Color32,
    /// Passed, valid, open.
    pub ok: Color32,
    /// Look at this.
    pub warn: Color32,
    /// Failed, invalid, broken.
    pub bad: Color32,
    /// Data frames from the client to the server.
    pub sent: Color32,
    /// Data frames from the server to the client.
    pub received: Color32,
    /// Control frames.
    pub control: Color32,
    /// What happened beside the frames: phases, console lines, notes.
    pub event: Color32,
}

impl Palette {
    /// The fill behind selected rows and text: the accent, thin enough that every foreground stays readable.
    pub fn selection(&self) -> Color32 {
        mix(self.background, self.accent, 0.22)
    }

    /// The fill behind a row or a byte that the pointer is over: grey, so that it is not taken for selected.
    pub fn hover(&self) -> Color32 {
        mix(self.background, self.text, 0.07)
    }

    /// A thin fill in the colour of `role`, to put behind text in `text`.
    pub fn tint(&self, role: Color32) -> Color32 {
        mix(self.background, role, 0.16)
    }

    /// Words on a fill of the accent colour.
    pub fn on_accent(&self) -> Color32 {
        self.background
    }
}

/// The dark theme.
pub static DARK: Palette = Palette {
    background: Color32::from_rgb(0x14, 0x17, 0x1C),
    panel: Color32::from_rgb(0x1A, 0x1E, 0x25),
    raised: Color32::from_rgb(0x23, 0x29, 0x32),
    line: Color32::from_rgb(0x38, 0x40, 0x4C),
    text: Color32::from_rgb(0xE4, 0xE8, 0xEE),
    muted: Color32::from_rgb(0x9C, 0xA6, 0xB4),
    accent: Color32::from_rgb(0x62, 0xAD, 0xFF),
    ok: Color32::from_rgb(0x53, 0xC9, 0x93),
    warn: Color32::from_rgb(0xF0, 0xB8, 0x4E),
    bad: Color32::from_rgb(0xFF, 0x7A, 0x78),
    sent: Color32::from_rgb(0x79, 0xC0, 0xFF),
    received: Color32::from_rgb(0xD2, 0xA8, 0xFF),
    control: Color32::from_rgb(0x8F, 0xB8, 0xB0),
    event: Color32::from_rgb(0xC9, 0xB2, 0x7C),
};

/// The light theme.
pub static LIGHT: Palette = Palette {
    background: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    panel: Color32::from_rgb(0xF5, 0xF7, 0xF9),
    raised: Color32::from_rgb(0xE9, 0xED, 0xF2),
    line: Color32::from_rgb(0xCB, 0xD2, 0xDB),
    text: Color32::from_rgb(0x1A, 0x1F, 0x26),
    muted: Color32::from_rgb(0x56, 0x60, 0x6E),
    accent: Color32::from_rgb(0x0F, 0x62, 0xC4),
    ok: Color32::from_rgb(0x0F, 0x70, 0x44),
    warn: Color32::from_rgb(0x85, 0x54, 0x00),
    bad: Color32::from_rgb(0xBE, 0x25, 0x25),
    sent: Color32::from_rgb(0x0A, 0x5F, 0xA8),
    received: Color32::from_rgb(0x74, 0x34, 0xB8),
    control: Color32::from_rgb(0x2F, 0x6A, 0x61),
    event: Color32::from_rgb(0x6B, 0x5A, 0x1E),
};

/// Returns the colours of the theme that `ui` is drawn in.
pub fn palette(ui: &Ui) -> &'static Palette {
    of_visuals(ui.visuals())
}

/// Returns the colours that belong to `visuals`, for code that has a context but no `Ui`.
pub fn of_visuals(visuals: &Visuals) -> &'static Palette {
    if visuals.dark_mode { &DARK } else { &LIGHT }
}

/// Sets the dark and the light style of `ctx`; which of them is in use stays as it is.
pub fn apply(ctx: &Context) {
    ctx.set_style_of(Theme::Dark, style(Theme::Dark));
    ctx.set_style_of(Theme::Light, style(Theme::Light));
}

/// Returns the proportional font of body text.
pub fn body_font() -> FontId {
    FontId::new(BODY_SIZE, FontFamily::Proportional)
}

/// Returns the font of log rows, dumps and everything that a machine wrote.
pub fn mono_font() -> FontId {
    FontId::new(MONO_SIZE, FontFamily::Monospace)
}

/// Returns `text` in the strong (bold) face, at the size of body text.
pub fn strong(text: impl Into<String>) -> RichText {
    RichText::new(text).family(fonts::strong_family()).line_height(Some(LINE_HEIGHT))
}

/// Returns `text` in the colour of a role, with the same room between lines as plain labels.
pub fn tinted(text: impl Into<String>, colour: Color32) -> RichText {
    RichText::new(text).color(colour).line_height(Some(LINE_HEIGHT))
}

/// Returns `text` as something a machine wrote.
pub fn mono(text: impl Into<String>) -> RichText {
    RichText::new(text).font(mono_font())
}

/// Returns `text` as the title of a section.
pub fn heading(text: impl Into<String>) -> RichText {
    RichText::new(text).text_style(TextStyle::Heading).line_height(Some(LINE_HEIGHT + 2.0))
}

/// Returns the button for the one thing to do next: filled with the accent colour.
pub fn primary_button(ui: &Ui, text: impl Into<String>) -> Button<'static> {
    let palette = palette(ui);
    Button::new(strong(text).color(palette.on_accent())).fill(palette.accent)
}

/// Returns the button for the one thing to do next, or a plain one while it cannot be done.
pub fn primary_button_if(ui: &Ui, is_possible: bool, text: impl Into<String>) -> Button<'static> {
    if is_possible { primary_button(ui, text) } else { Button::new(text.into()) }
}

/// Returns the frame of a card: raised, with room inside, no line around it.
pub fn card(palette: &Palette) -> Frame {
    Frame::NONE.fill(palette.raised).corner_radius(CornerRadius::same(CORNER)).inner_margin(Margin::same(12))
}

/// Returns the frame of a region with controls.
pub fn region(palette: &Palette) -> Frame {
    Frame::NONE.fill(palette.panel).inner_margin(Margin::same(8))
}

/// Returns the frame of content: a log, an editor, a dump.
pub fn content(palette: &Palette) -> Frame {
    Frame::NONE.fill(palette.background)
}

/// Points between neighbouring things; all distances are multiples of it.
pub const STEP: f32 = 4.0;
/// Points of every rounded corner.
pub const CORNER: u8 = 4;
/// Points of proportional text.
pub const BODY_SIZE: f32 = 14.0;
/// Points of monospace text.
pub const MONO_SIZE: f32 = 12.5;
/// Points from one line of proportional text to the next.
pub const LINE_HEIGHT: f32 = 18.0;
/// Points of headings.
pub const HEADING_SIZE: f32 = 15.0;
/// Points of the smallest text: captions and units.
pub const SMALL_SIZE: f32 = 12.0;
/// Points of a row of a log, a dump or a tree.
pub const ROW_HEIGHT: f32 = 20.0;
/// Points of a control: a button, a field.
pub const CONTROL_HEIGHT: f32 = 24.0;

fn style(theme: Theme) -> Style {
    let mut style = theme.default_style();
    style.text_styles = [
        (TextStyle::Small, FontId::new(SMALL_SIZE, FontFamily::Proportional)),
        (TextStyle::Body, body_font()),
        (TextStyle::Button, body_font()),
        (TextStyle::Heading, FontId::new(HEADING_SIZE, fonts::strong_family())),
        (TextStyle::Monospace, mono_font()),
    ]
    .into();
    style.visuals = visuals(match theme {
        Theme::Dark => &DARK,
        Theme::Light => &LIGHT,
    });
    style.animation_time = 0.1;
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(2.0 * STEP, STEP);
    spacing.button_padding = vec2(2.0 * STEP, STEP);
    spacing.window_margin = Margin::same(12);
    spacing.menu_margin = Margin::same(4);
    spacing.extra_text_line_spacing = 2.0;
    spacing.indent = 4.0 * STEP;
    spacing.interact_size = vec2(10.0 * STEP, CONTROL_HEIGHT);
    spacing.icon_width = 4.0 * STEP;
    spacing.icon_width_inner = 2.0 * STEP;
    spacing.icon_spacing = STEP;
    spacing.tooltip_width = 420.0;
    // Always there, so that one sees that there is more; never as dark as a line between regions.
    spacing.scroll.bar_width = 2.0 * STEP;
    spacing.scroll.floating_width = STEP;
    spacing.scroll.floating_allocated_width = 2.0 * STEP;
    spacing.scroll.dormant_handle_opacity = 0.25;
    spacing.scroll.active_handle_opacity = 0.35;
    spacing.scroll.interact_handle_opacity = 0.6;
    style
}

fn visuals(palette: &Palette) -> Visuals {
    let dark = palette.background == DARK.background;
    let mut visuals = if dark { Visuals::dark() } else { Visuals::light() };
    let line = Stroke::new(1.0, palette.line);
    let corner_radius = CornerRadius::same(CORNER);
    visuals.widgets = Widgets {
        noninteractive: WidgetVisuals {
            bg_fill: palette.raised,
            weak_bg_fill: palette.panel,
            bg_stroke: line,
            fg_stroke: Stroke::new(1.0, palette.text),
            corner_radius,
            expansion: 0.0,
        },
        inactive: WidgetVisuals {
            bg_fill: palette.raised,
            weak_bg_fill: palette.raised,
            bg_stroke: line,
            fg_stroke: Stroke::new(1.0, palette.text),
            corner_radius,
            expansion: 0.0,
        },
        hovered: WidgetVisuals {
            bg_fill: mix(palette.raised, palette.accent, 0.12),
            weak_bg_fill: mix(palette.raised, palette.accent, 0.12),
            bg_stroke: Stroke::new(1.0, palette.muted),
            fg_stroke: Stroke::new(1.0, palette.text),
            corner_radius,
            expansion: 0.0,
        },
        active: WidgetVisuals {
            bg_fill: mix(palette.raised, palette.accent, 0.24),
            weak_bg_fill: mix(palette.raised, palette.accent, 0.24),
            // Visible around the filled button too.
            bg_stroke: Stroke::new(2.0, palette.text),
            fg_stroke: Stroke::new(1.0, palette.text),
            corner_radius,
            expansion: 0.0,
        },
        open: WidgetVisuals {
            bg_fill: palette.raised,
            weak_bg_fill: palette.raised,
            bg_stroke: Stroke::new(1.0, palette.muted),
            fg_stroke: Stroke::new(1.0, palette.text),
            corner_radius,
            expansion: 0.0,
        },
    };
    visuals.selection = Selection { bg_fill: palette.selection(), stroke: Stroke::new(1.0, palette.accent) };
    visuals.weak_text_color = Some(palette.muted);
    // What is locked is read more often than it is edited.
    visuals.disabled_alpha = 0.7;
    visuals.hyperlink_color = palette.accent;
    visuals.faint_bg_color = mix(palette.background, palette.raised, 0.5);
    visuals.extreme_bg_color = palette.background;
    visuals.text_edit_bg_color = Some(palette.background);
    visuals.code_bg_color = palette.raised;
    visuals.warn_fg_color = palette.warn;
    visuals.error_fg_color = palette.bad;
    visuals.window_fill = palette.panel;
    visuals.window_stroke = line;
    visuals.window_corner_radius = corner_radius;
    visuals.menu_corner_radius = corner_radius;
    visuals.panel_fill = palette.panel;
    visuals.window_shadow = shadow(dark);
    visuals.popup_shadow = shadow(dark);
    visuals.text_cursor.stroke = Stroke::new(2.0, palette.accent);
    visuals.indent_has_left_vline = false;
    visuals
}

/// Returns the soft shadow under things that float: menus, tooltips, toasts.
pub fn shadow(dark: bool) -> Shadow {
    Shadow { offset: [0, 4], blur: 12, spread: 0, color: Color32::from_black_alpha(if dark { 120 } else { 40 }) }
}

/// Mixes two opaque colours: `share` 0 is `under`, 1 is `over`.
fn mix(under: Color32, over: Color32, share: f32) -> Color32 {
    let channel = |a: u8, b: u8| (f32::from(b) - f32::from(a)).mul_add(share, f32::from(a)) as u8;
    Color32::from_rgb(channel(under.r(), over.r()), channel(under.g(), over.g()), channel(under.b(), over.b()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: Color32) -> f64 {
        let [r, g, b] = [colour.r(), colour.g(), colour.b()].map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn foregrounds(palette: &Palette) -> [(&'static str, Color32); 10] {
        [
            ("text", palette.text),
            ("muted", palette.muted),
            ("accent", palette.accent),
            ("ok", palette.ok),
            ("warn", palette.warn),
            ("bad", palette.bad),
            ("sent", palette.sent),
            ("received", palette.received),
            ("control", palette.control),
            ("event", palette.event),
        ]
    }

    #[test]
    fn every_foreground_has_five_to_one_on_every_surface() {
        for palette in [&DARK, &LIGHT] {
            for (name, colour) in foregrounds(palette) {
                for surface in [palette.background, palette.panel, palette.raised] {
                    let ratio = contrast(colour, surface);
                    assert!(ratio >= 5.0, "{name} on {surface:?}: {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn every_foreground_stays_readable_on_selected_and_hovered_rows() {
        for palette in [&DARK, &LIGHT] {
            for (name, colour) in foregrounds(palette) {
                for surface in [palette.selection(), palette.hover()] {
                    let ratio = contrast(colour, surface);
                    assert!(ratio >= 3.5, "{name} on {surface:?}: {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn words_on_the_accent_and_on_tints_are_readable() {
        for palette in [&DARK, &LIGHT] {
            assert!(contrast(palette.on_accent(), palette.accent) >= 5.0);
            for (name, colour) in foregrounds(palette) {
                let ratio = contrast(palette.text, palette.tint(colour));
                assert!(ratio >= 5.0, "text on the tint of {name}: {ratio:.2}");
            }
        }
    }
}
