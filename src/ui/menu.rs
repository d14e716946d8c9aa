//! Everything that can be done, by name and key: the menu, the palette, the shortcuts and the help all read [`ACTIONS`].

use egui::{Key, KeyboardShortcut, Modifiers, Ui};

use super::action::{Action, Focus, Tab};
use super::context::Actions;
use super::form::copied::Tool;
use super::theme;

/// One thing that can be done.
pub struct Entry {
    /// What it is called.
    pub name: &'static str,
    /// Under which heading it stands.
    pub group: Group,
    /// Its key.
    pub key: Option<KeyboardShortcut>,
    /// Whether it can be done at the moment.
    pub is_possible: fn(Situation) -> bool,
    /// What it does.
    pub action: fn() -> Action,
}

/// The headings of menu and help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Connections.
    Connection,
    /// Where to look.
    Go,
    /// The connection as a command of another tool.
    Copy,
    /// Files.
    File,
    /// The window.
    Window,
}

impl Group {
    /// Every heading, in order.
    pub const ALL: [Self; 5] = [Self::Connection, Self::Go, Self::Copy, Self::File, Self::Window];

    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Connection => "Connection",
            Self::Go => "Go to",
            Self::Copy => "Copy as",
            Self::File => "File",
            Self::Window => "Window",
        }
    }
}

/// What decides whether something can be done.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each decides by itself whether something can be done")]
pub struct Situation {
    /// A connection is shown.
    pub has_view: bool,
    /// The shown connection is alive.
    pub is_live: bool,
    /// Another connection follows by itself.
    pub comes_again: bool,
    /// The form can be connected with.
    pub can_connect: bool,
}

/// Connect, or send.
pub const CONFIRM: KeyboardShortcut = command(Key::Enter);

/// Everything that can be done, in the order of the menu.
pub const ACTIONS: &[Entry] = &[
    entry(Group::Connection, "Connect, or send the message", Some(CONFIRM), always, || Action::ConnectOrSend),
    entry(Group::Connection, "Disconnect", Some(command(Key::D)), live_or_again, || Action::Disconnect),
    entry(Group::Connection, "Abort", Some(shifted(Key::D)), live, || Action::Abort),
    entry(Group::Connection, "New connection", Some(command(Key::N)), shown, || Action::NewConnection),
    entry(Group::Connection, "Save the form as a profile…", None, always, || Action::NameProfile),
    entry(Group::Connection, "Listen for a page's own connection…", None, always, || Action::InterceptForm),
    entry(Group::Connection, "Idle lab: measure what silence does", None, idle, || Action::StartLab(150)),
    entry(Group::Connection, "Idle lab: stop", None, always, || Action::StopLab),
    entry(Group::Connection, "Practice: a healthy session", None, always, || Action::Practice(None)),
    entry(Group::Go, "URL", Some(command(Key::L)), always, || Action::Focus(Focus::Url)),
    entry(Group::Go, "Message to send", Some(command(Key::M)), always, || Action::Focus(Focus::Compose)),
    entry(Group::Go, "Filter of the log", Some(command(Key::F)), always, || Action::Focus(Focus::Filter)),
    entry(Group::Go, "Next hit", Some(plain(Key::F3)), always, || Action::FindNext),
    entry(Group::Go, "Previous hit", Some(KeyboardShortcut::new(Modifiers::SHIFT, Key::F3)), always, || {
        Action::FindPrevious
    }),
    entry(Group::Go, "Token, with the clipboard's", Some(command(Key::T)), always, || Action::TokenFromClipboard),
    entry(Group::Go, "Verdict", Some(command(Key::J)), always, || Action::Tab(Tab::Verdict)),
    entry(Group::Go, "Connection form", None, always, || Action::Tab(Tab::Connection)),
    entry(Group::Go, "Log", None, always, || Action::Tab(Tab::Log)),
    entry(Group::Go, "Handshake", None, always, || Action::Tab(Tab::Handshake)),
    entry(Group::Go, "Console", None, always, || Action::Tab(Tab::Console)),
    entry(Group::Go, "Attach the server's console", None, always, || Action::AttachForm),
    entry(Group::Go, "Paste a console", None, always, || Action::PasteForm),
    entry(Group::Go, "Plots", None, always, || Action::Tab(Tab::Plots)),
    entry(Group::Go, "Practice faults", None, always, || Action::Tab(Tab::Practice)),
    entry(Group::Go, "Sessions", None, always, || Action::Tab(Tab::Sessions)),
    entry(Group::Copy, "Copy as sockeye command", None, connectable, || Action::CopyAs(Tool::Sockeye)),
    entry(Group::Copy, "Copy as wscat command", None, connectable, || Action::CopyAs(Tool::Wscat)),
    entry(Group::Copy, "Copy as websocat command", None, connectable, || Action::CopyAs(Tool::Websocat)),
    entry(Group::Copy, "Copy as curl command", None, connectable, || Action::CopyAs(Tool::Curl)),
    entry(Group::Copy, "Copy as Node script", None, connectable, || Action::CopyAs(Tool::NodeScript)),
    entry(Group::File, "Save…", Some(command(Key::S)), shown, || Action::Save(None)),
    entry(Group::File, "Share: report, bundle, export…", Some(command(Key::E)), shown, || Action::Share),
    entry(Group::File, "Compare two sessions", None, always, || Action::Tab(Tab::Compare)),
    entry(Group::File, "Open…", Some(command(Key::O)), always, || Action::Open(None)),
    entry(Group::Window, "Show or hide the form", Some(command(Key::B)), always, || Action::ToggleLeft),
    entry(Group::Window, "Show or hide the verdict", Some(shifted(Key::B)), always, || Action::ToggleRight),
    entry(Group::Window, "Next theme: light, dark, the system's", None, always, || Action::NextTheme),
    entry(Group::Window, "All actions", Some(command(Key::K)), always, || Action::TogglePalette),
    entry(Group::Window, "Keys and help", Some(plain(Key::F1)), always, || Action::ToggleHelp),
    entry(Group::Window, "Quit", Some(command(Key::Q)), always, || Action::Quit),
];

/// Keys that work while the log has the focus; the log itself takes them.
pub const LOG_KEYS: &[(&str, &str)] = &[
    ("↑ ↓ PgUp PgDn", "Move"),
    ("Home, End", "First row, and the newest: the log follows"),
    ("Space", "Pause or follow"),
    ("Enter on evidence", "Go to its row"),
    ("↑ ↓ in the message", "What was sent before"),
    ("Ctrl + and −", "Larger, smaller"),
];

/// Takes the keys of [`ACTIONS`] before any widget sees them.
pub fn shortcuts(ui: &Ui, situation: Situation, actions: &mut Actions) {
    let is_typing = ui.text_edit_focused();
    ui.input_mut(|input| {
        // A key with Shift also matches the same key without, so those with more modifiers come first.
        let with_key = || ACTIONS.iter().filter_map(|entry| entry.key.map(|key| (entry, key)));
        let shifted = with_key().filter(|(_, key)| key.modifiers.shift);
        let plain = with_key().filter(|(_, key)| !key.modifiers.shift);
        for (entry, key) in shifted.chain(plain) {
            if input.consume_shortcut(&key) && (entry.is_possible)(situation) {
                actions.push((entry.action)());
            }
        }
        let is_question = |event: &egui::Event| matches!(event, egui::Event::Text(text) if text == "?");
        if !is_typing && input.events.iter().any(is_question) {
            actions.push(Action::ToggleHelp);
        }
    });
}

/// Shows the menu's entries.
pub fn menu_ui(ui: &mut Ui, situation: Situation, actions: &mut Actions) {
    let palette = theme::palette(ui);
    ui.set_min_width(280.0);
    for group in Group::ALL {
        if matches!(group, Group::Go | Group::Copy) {
            ui.menu_button(group.words(), |ui| group_ui(ui, group, situation, actions));
        } else {
            ui.label(theme::tinted(group.words(), palette.muted));
            group_ui(ui, group, situation, actions);
        }
        if !matches!(group, Group::Go | Group::Window) {
            ui.separator();
        }
    }
}

fn group_ui(ui: &mut Ui, group: Group, situation: Situation, actions: &mut Actions) {
    for entry in ACTIONS.iter().filter(|entry| entry.group == group) {
        let mut button = egui::Button::new(entry.name);
        if let Some(key) = entry.key {
            button = button.shortcut_text(ui.format_shortcut(&key));
        }
        if ui.add_enabled((entry.is_possible)(situation), button).clicked() {
            actions.push((entry.action)());
            ui.close();
        }
    }
}

const fn entry(
    group: Group,
    name: &'static str,
    key: Option<KeyboardShortcut>,
    is_possible: fn(Situation) -> bool,
    action: fn() -> Action,
) -> Entry {
    Entry { name, group, key, is_possible, action }
}

const fn command(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const fn shifted(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), key)
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

fn always(_: Situation) -> bool {
    true
}

fn idle(situation: Situation) -> bool {
    situation.can_connect
}

fn shown(situation: Situation) -> bool {
    situation.has_view
}

fn connectable(situation: Situation) -> bool {
    situation.can_connect
}

fn live(situation: Situation) -> bool {
    situation.is_live
}

fn live_or_again(situation: Situation) -> bool {
    situation.is_live || situation.comes_again
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_keys_are_unique() {
        let names: BTreeSet<_> = ACTIONS.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), ACTIONS.len());
        let keys: Vec<_> = ACTIONS.iter().filter_map(|entry| entry.key).collect();
        for (nth, key) in keys.iter().enumerate() {
            assert!(!keys.iter().skip(nth + 1).any(|other| other == key), "{key:?}");
        }
    }

    #[test]
    fn every_key_of_the_page_has_its_action() {
        let has = |key: KeyboardShortcut| ACTIONS.iter().any(|entry| entry.key == Some(key));
        for key in [Key::L, Key::Enter, Key::D, Key::F, Key::T, Key::S, Key::O, Key::J, Key::B, Key::K] {
            assert!(has(command(key)), "{key:?}");
        }
        for key in [Key::D, Key::B] {
            assert!(has(shifted(key)), "{key:?}");
        }
        assert!(has(plain(Key::F1)) && has(plain(Key::F3)));
    }
}
