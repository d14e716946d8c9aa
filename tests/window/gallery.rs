//! Every widget at once in both themes: the picture to look at after a change.

use crate::support::{shot, themed};
use egui::accesskit::Role;
use egui::text::LayoutJob;
use egui::{Align, Panel, Rect, Theme, Ui, vec2};
use egui_kittest::kittest::Queryable as _;
use serde_json::{Value, json};
use sockeye::ui::big_text::BigText;
use sockeye::ui::cells::cell_ui;
use sockeye::ui::hex_view::{HexField, HexState, HexView};
use sockeye::ui::json_tree::JsonTree;
use sockeye::ui::row_list::RowList;
use sockeye::ui::row_scroll::RowScroll;
use sockeye::ui::theme::{self, Palette};
use sockeye::ui::toasts::Toasts;
use sockeye::ui::{units, visible};

struct Gallery {
    url: String,
    small: String,
    big: String,
    is_checked: bool,
    choice: usize,
    log: RowScroll,
    hex: HexState,
    tree: JsonTree,
    toasts: Toasts,
    frame: Vec<u8>,
    value: Value,
}

impl Gallery {
    fn new() -> Self {
        let mut frame = vec![0x81, 0xFE, 0x01, 0x2C, 0x37, 0xFA, 0x21, 0x3D];
        frame.extend((0..300_u16).map(|n| (n * 7 % 256) as u8));
        let mut log = RowScroll::following_end();
        log.lay_out(1204, 20.0, 300.0);
        log.select(Some(1195));
        let mut hex = HexState::default();
        hex.select(40..61);
        let mut toasts = Toasts::default();
        toasts.done("Copied the value");
        Self {
            url: "ws://localhost:3001/?token=eyJhbGciOi&agentId=a1".to_owned(),
            small: "{\"type\":\"ping\"}".to_owned(),
            big: format!("{{\"rows\": [\n{}", "x".repeat(10 << 20)),
            is_checked: true,
            choice: 1,
            log,
            hex,
            tree: JsonTree::new(),
            toasts,
            frame,
            value: json!({
                "type": "ready", "ok": true, "none": null, "count": 61, "ratio": 0.25,
                "user": {"id": 7, "name": "Grüße → Привет \u{202E}evil\0\u{1B}[31m\r\n", "roles": ["admin", "tester"]},
                "rows": (0..250).collect::<Vec<_>>(),
                "text": "a long text that does not fit into the width of the detail region ".repeat(4),
            }),
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        let palette = theme::palette(ui);
        Panel::top("top").frame(theme::region(palette)).show(ui, |ui| self.top_ui(ui, palette));
        Panel::left("left").frame(theme::region(palette)).default_size(260.0).show(ui, |ui| self.left_ui(ui, palette));
        Panel::right("right").frame(theme::region(palette)).default_size(300.0).show(ui, |ui| right_ui(ui, palette));
        Panel::bottom("detail")
            .frame(theme::content(palette))
            .default_size(380.0)
            .resizable(true)
            .show(ui, |ui| self.detail_ui(ui));
        egui::CentralPanel::default().frame(theme::content(palette)).show(ui, |ui| self.log_ui(ui, palette));
        self.toasts.show(ui);
    }

    fn top_ui(&mut self, ui: &mut Ui, palette: &Palette) {
        ui.horizontal(|ui| {
            let width = ui.available_width() - 120.0;
            ui.add(egui::TextEdit::singleline(&mut self.url).desired_width(width).font(egui::TextStyle::Monospace))
                .accessible_name("URL");
            ui.add(theme::primary_button(ui, "Connect"));
        });
        ui.horizontal(|ui| {
            ui.label(theme::strong("● Closed 1006").color(palette.bad));
            ui.label(theme::tinted("312 ms", palette.muted));
        });
    }

    fn left_ui(&mut self, ui: &mut Ui, palette: &Palette) {
        ui.label(theme::heading("Connection"));
        let label = ui.label("Message");
        BigText::new("Message").rows(3).show(ui, &mut self.small).response.labelled_by(label.id);
        ui.label("Message of any size");
        BigText::new("Big message").show(ui, &mut self.big);
        ui.checkbox(&mut self.is_checked, "Offer permessage-deflate");
        for (index, name) in ["Query", "Bearer", "Cookie"].into_iter().enumerate() {
            ui.radio_value(&mut self.choice, index, name);
        }
        ui.horizontal(|ui| {
            ui.button("Save…").on_hover_text("Save the session");
            ui.add_enabled(false, egui::Button::new("Open…"));
            ui.add(egui::Link::new("Explain"));
        });
        egui::ComboBox::from_label("Expect").selected_text("first message").show_ui(ui, |ui| {
            ui.selectable_value(&mut self.choice, 0, "none");
        });
        ui.separator();
        ui.label(theme::heading("Roles"));
        for (name, colour) in [
            ("text", palette.text),
            ("muted", palette.muted),
            ("accent", palette.accent),
            ("ok ✓", palette.ok),
            ("warn ⚠", palette.warn),
            ("bad ✗", palette.bad),
            ("sent ▶", palette.sent),
            ("received ◀", palette.received),
            ("control", palette.control),
            ("event", palette.event),
        ] {
            ui.label(theme::tinted(name, colour));
        }
    }

    fn log_ui(&mut self, ui: &mut Ui, palette: &Palette) {
        RowList::new("Frame log", 2408).show(ui, &mut self.log, |ui, slot| {
            let row = slot.row;
            let (mark, word, colour, preview) = match row % 5 {
                0 => ("·", "event", palette.event, "Switching Protocols"),
                1 => ("◀", "received", palette.received, "{\"type\":\"ready\"}"),
                2 => ("▶", "sent", palette.sent, "line\nfeed and \u{202E}override"),
                3 => ("▶", "ping", palette.control, ""),
                _ => ("✗", "violation", palette.bad, "a masked frame from the server"),
            };
            let mut left = slot.rect.left() + 8.0;
            let mut column = |width: f32| {
                let rect = Rect::from_min_size(egui::pos2(left, slot.rect.top()), vec2(width, slot.rect.height()));
                left += width + 8.0;
                rect
            };
            let font = theme::mono_font();
            cell_ui(ui, column(70.0), format!("{}.{:03}", row / 9, row % 999), font.clone(), palette.muted, Align::Max);
            cell_ui(ui, column(20.0), mark, font.clone(), colour, Align::Center);
            cell_ui(ui, column(80.0), word, font.clone(), colour, Align::Min);
            cell_ui(ui, column(80.0), units::size(row * 13), font.clone(), palette.muted, Align::Max);
            let preview = visible::one_line(preview, 200).text;
            cell_ui(ui, column(300.0), preview.as_str(), font, palette.text, Align::Min);
            slot.name(|| format!("{word} {preview}"));
        });
    }

    fn detail_ui(&mut self, ui: &mut Ui) {
        let half = ui.available_height() / 2.0;
        ui.allocate_ui(vec2(ui.available_width(), half), |ui| {
            self.tree.show(ui, "Message as JSON", &self.value);
        });
        let fields = [
            (0..1, "FIN/RSV/opcode"),
            (1..2, "MASK/length"),
            (2..4, "extended length"),
            (4..8, "masking-key"),
            (8..308, "payload"),
        ]
        .map(|(range, label)| HexField { range, label: label.to_owned(), meaning: String::new() });
        HexView::new("Frame as hex", &self.frame).fields(&fields).show(ui, &mut self.hex);
    }
}

fn right_ui(ui: &mut Ui, palette: &Palette) {
    ui.label(theme::heading("Verdict"));
    theme::card(palette).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(theme::strong("The server process died 12 ms after it confirmed."));
        ui.label(theme::tinted("certain", palette.ok));
        let mut job = LayoutJob::default();
        job.append(
            "Because TCP ended with FIN and no Close frame came.",
            0.0,
            egui::TextFormat::simple(theme::body_font(), palette.muted),
        );
        ui.label(job);
        ui.horizontal(|ui| {
            ui.code("npm run dev:websocket");
            ui.add(egui::Button::new("Copy"));
        });
    });
    ui.label(theme::mono(visible::middle_ellipsis(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.Et9HFtf9R3GEMA0IICOfFMVXY7kkTX1wr4qCyhIf58U",
        30,
    )));
    ui.label(theme::tinted("Waits for the first connection.", palette.muted));
}

#[test]
fn every_widget_stands_in_both_themes() {
    for (theme, name) in [(Theme::Dark, "gallery-dark"), (Theme::Light, "gallery-light")] {
        let mut gallery = Gallery::new();
        let mut harness = themed(theme, vec2(1280.0, 800.0), move |ui| gallery.ui(ui));
        harness.run_steps(6);
        harness.get_by_label("Frame log");
        harness.get_by_label("Message as JSON");
        harness.get_by_label("Frame as hex");
        shot(&mut harness, name).expect("the picture is written");
    }
}

#[test]
fn menus_tooltips_and_narrow_dumps_stand_in_both_themes() {
    for (theme, name) in [(Theme::Dark, "states-dark"), (Theme::Light, "states-light")] {
        let mut gallery = Gallery::new();
        let mut harness = themed(theme, vec2(1024.0, 700.0), move |ui| gallery.ui(ui));
        harness.run_steps(3);
        harness.get_by_role(Role::ComboBox).click();
        harness.run_steps(3);
        let name = |state: &str| format!("{name}-{state}");
        shot(&mut harness, &name("combo")).expect("the picture is written");
        harness.key_press(egui::Key::Escape);
        harness.run_steps(2);
        harness.get_by_label_contains("user: object").click_secondary();
        harness.run_steps(3);
        shot(&mut harness, &name("menu")).expect("the picture is written");
        harness.key_press(egui::Key::Escape);
        harness.run_steps(2);
        harness.get_by_label_contains("masking-key").hover();
        harness.run_steps(6);
        shot(&mut harness, &name("field")).expect("the picture is written");
    }
}
