//! The top of the window: the URL with what is wrong with it, the one thing to do next, and the menu.

use egui::{Button, Id, Key, Layout, RichText, Ui};
use egui_material_icons::icons::{ICON_MENU, ICON_MORE_HORIZ};

use crate::observation::TokenPlace;
use crate::store::State;
use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::context::{Actions, Context};
use crate::ui::fields::{self, icon, icon_button, was_pasted};
use crate::ui::form::Form;
use crate::ui::form::pasted::NoteAt;
use crate::ui::menu::{self, CONFIRM, Situation};
use crate::ui::paste::BIG;
use crate::ui::theme;
use crate::ui::visible;
use crate::wire::UrlProblem;

/// Shows the URL line; `has_drawer` says that the left region is reached by a button here.
pub fn show(
    ui: &mut Ui,
    form: &mut Form,
    situation: Situation,
    has_drawer: bool,
    ctx: &Context<'_>,
    actions: &mut Actions,
) {
    ui.horizontal(|ui| {
        ui.set_height(theme::CONTROL_HEIGHT + 4.0);
        if has_drawer && icon_button(ui, ICON_MENU, "Connection form").clicked() {
            actions.push(Action::ToggleLeft);
        }
        // In the order of the Tab key: the URL, the button that connects, the one that saves, the menu. The room that the buttons took in the
        // pass before is left free.
        let width_id = Id::unique("width of the top's buttons");
        let buttons_width = ui.data(|data| data.get_temp(width_id)).unwrap_or(BUTTONS);
        let size = egui::vec2(ui.available_width() - buttons_width, theme::CONTROL_HEIGHT);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(egui::Align::Center), |ui| {
            ui.set_width(size.x.max(0.0));
            ui.add_enabled_ui(!ctx.locks_form, |ui| url_ui(ui, form, ctx, actions));
        });
        let left = ui.cursor().left();
        buttons_ui(ui, form, ctx, actions);
        save_ui(ui, ctx, actions);
        menu_ui(ui, situation, actions);
        let taken = ui.cursor().left() - left;
        if (taken - buttons_width).abs() > 0.5 {
            ui.data_mut(|data| data.insert_temp(width_id, taken));
            ui.ctx().request_discard("the buttons beside the URL have another width");
        }
    });
    below_ui(ui, form, ctx, actions);
}

/// The identity of the URL field, for the key that gives it the focus.
pub fn url_id() -> Id {
    Id::unique("URL field")
}

/// The identity of the button that connects.
pub fn connect_id() -> Id {
    Id::unique("connect button")
}

fn url_ui(ui: &mut Ui, form: &mut Form, ctx: &Context<'_>, actions: &mut Actions) {
    let old = if form.url.len() > BIG { String::new() } else { form.url.clone() };
    let has_focus = ui.memory(|memory| memory.has_focus(url_id()));
    let output = if has_focus || form.url.len() > BIG {
        BigText::new("URL").id(url_id()).hint("ws://localhost:3001/").show(ui, &mut form.url)
    } else {
        let mut short = shortened(form);
        BigText::new("URL").id(url_id()).hint("ws://localhost:3001/").show(ui, &mut short)
    };
    if !has_focus && !output.is_big {
        return;
    }
    if output.response.changed() {
        let is_paste = output.is_big || was_pasted(ui);
        if is_paste {
            form.url_pasted(&old);
        } else {
            form.url_typed();
        }
        if !is_paste {
            form.note = None;
        }
    }
    let entered = output.response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if entered && !ctx.locks_form {
        actions.push(Action::Connect);
    }
}

/// The URL as it is shown while nobody edits it: its tokens shortened, its hidden characters as their codes.
fn shortened(form: &Form) -> String {
    let mut shown = String::with_capacity(form.url.len().min(512));
    let mut rest = form.url.as_str();
    let tokens = crate::token::find_tokens(rest);
    let mut at = 0;
    for range in tokens {
        let (Some(before), Some(token)) = (form.url.get(at..range.start), form.url.get(range.clone())) else {
            continue;
        };
        shown.push_str(before);
        shown.push_str(&visible::middle_ellipsis(token, TOKEN_CHARS));
        at = range.end;
        rest = form.url.get(at..).unwrap_or_default();
    }
    shown.push_str(rest);
    visible::one_line(&shown, MAX_SHOWN).text
}

fn buttons_ui(ui: &mut Ui, form: &Form, ctx: &Context<'_>, actions: &mut Actions) {
    if !ctx.is_live {
        let obstacle = form.checks.obstacle();
        let key = RichText::new(ui.format_shortcut(&CONFIRM)).small();
        let button = if obstacle.is_none() {
            let on_accent = theme::palette(ui).on_accent();
            theme::primary_button(ui, "Connect").shortcut_text(key.color(on_accent))
        } else {
            Button::new("Connect").shortcut_text(key)
        };
        let response = ui.push_id(connect_id(), |ui| ui.add_enabled(obstacle.is_none(), button)).inner;
        ui.data_mut(|data| data.insert_temp(connect_id(), response.id));
        let response = response.accessible_name("Connect").on_disabled_hover_text(obstacle.unwrap_or_default());
        if response.clicked() {
            actions.push(Action::Connect);
        }
        return;
    }
    let state = ctx.view.map_or(State::NotConnected, |view| view.story.state());
    let (is_open, words) = match state {
        State::Open(_) | State::WaitingForConfirmation => (true, "Disconnect"),
        State::Closing => (false, "Closing…"),
        State::NotConnected
        | State::Resolving
        | State::Connecting
        | State::Tls
        | State::Upgrading
        | State::Closed(_)
        | State::Failed => (false, "Connecting…"),
    };
    let button = ui.add_enabled(is_open, Button::new(theme::strong(words)));
    if button.on_hover_text("Begins the closing handshake with code 1000").clicked() {
        actions.push(Action::Disconnect);
    }
    let abort = ui.button("Abort").on_hover_text("Drops TCP at once, without a Close frame");
    if abort.clicked() {
        actions.push(Action::Abort);
    }
}

fn save_ui(ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
    let button = ui.add_enabled(ctx.view.is_some(), Button::new("Save…"));
    let button = button.on_hover_text("Saves this session, log and verdict, to a file");
    let button = button.on_disabled_hover_text("Connect first: the session can then be saved to a file");
    if button.accessible_name("Save the session…").clicked() {
        actions.push(Action::Save(None));
    }
}

fn menu_ui(ui: &mut Ui, situation: Situation, actions: &mut Actions) {
    let button = egui::containers::menu::MenuButton::from_button(Button::new(icon(ICON_MORE_HORIZ)));
    let (response, _) = button.ui(ui, |ui| menu::menu_ui(ui, situation, actions));
    response.on_hover_text("Every action").accessible_name("Menu");
}

/// Counts down to the next connection, where one is to follow by itself.
fn reconnect_ui(ui: &mut Ui, form: &Form, ctx: &Context<'_>, actions: &mut Actions) {
    let Some((conn, story)) = ctx.view.map(|view| (view.conn, &view.story)) else { return };
    let stopped = Id::unique(("connects again no more", conn));
    if ui.data(|data| data.get_temp(stopped)).unwrap_or(false) {
        return;
    }
    let is_own = story.plan.as_ref().is_some_and(|plan| plan.between.is_none());
    if form.network.reconnects && is_own && story.finished.is_none() {
        // The line of the countdown is there before it begins, so that nothing moves then.
        ui.horizontal_wrapped(|ui| {
            ui.set_min_height(ui.spacing().interact_size.y);
            fields::note_ui(ui, "Connects again after an end that is not yours");
        });
        return;
    }
    let (Some((at, number, millis)), Some(plan)) = (story.reconnect, &story.plan) else { return };
    let due = plan.began_unix_millis.saturating_add_unsigned(at.0 / 1_000_000).saturating_add_unsigned(millis);
    let Ok(left) = u64::try_from(due - ctx.now_unix_millis) else { return };
    ui.horizontal_wrapped(|ui| {
        ui.set_min_height(ui.spacing().interact_size.y);
        let secs = left.div_ceil(1000);
        fields::note_ui(ui, &format!("Connects again in {secs} s (number {number})"));
        if ui.small_button("Stop").on_hover_text("Do not connect again").clicked() {
            ui.data_mut(|data| data.insert_temp(stopped, true));
            actions.push(Action::Disconnect);
        }
    });
    ui.ctx().request_repaint_after(std::time::Duration::from_millis(200));
}

/// What is wrong with the URL, in words, with the one that was probably meant.
fn below_ui(ui: &mut Ui, form: &mut Form, ctx: &Context<'_>, actions: &mut Actions) {
    reconnect_ui(ui, form, ctx, actions);
    if ctx.locks_form {
        return;
    }
    if let Some(note) = form.note.clone().filter(|note| note.at == NoteAt::Url) {
        ui.horizontal_wrapped(|ui| {
            fields::note_ui(ui, &note.text);
            if note.can_undo() && ui.small_button("Keep it as pasted").clicked() {
                form.undo_note();
            }
        });
    }
    if let Some(name) = form.checks.unknown.first() {
        let name = visible::one_line(name, 40).text;
        fields::warning_ui(ui, &format!("There is no variable {name}: read the .env that has it under Secret"));
        return;
    }
    if let Some(problem) = form.checks.url.clone() {
        problem_ui(ui, form, &problem);
        return;
    }
    let Some(target) = form.checks.target.clone() else {
        return;
    };
    if target.http_scheme {
        let meant = format!("{}{}", target.scheme(), form.url.trim().trim_start_matches(|c| c != ':'));
        ui.horizontal_wrapped(|ui| {
            fields::note_ui(ui, "Browsers take http:// and https:// for ws:// and wss:// here; older ones refuse");
            if ui.small_button(format!("Use {}://", target.scheme())).clicked() {
                form.set_url(meant);
            }
        });
    } else if !target.encoded.is_empty() {
        let characters = visible::one_line(&target.encoded, 40).text;
        fields::note_ui(ui, &format!("Sent percent-encoded, as browsers do: {characters}"));
    } else if target.userinfo.is_some() && !matches!(form.token_place(), Some(TokenPlace::Bearer)) {
        fields::note_ui(ui, "The user name in this URL is sent as an Authorization header; browsers wait for a 401");
    }
}

fn problem_ui(ui: &mut Ui, form: &mut Form, problem: &UrlProblem) {
    if form.url.trim().is_empty() {
        fields::explain_ui(ui, "Type the URL of a WebSocket server, or paste one: ws://localhost:3001/");
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let place = form.url.get(..problem.at).map(|before| before.chars().count() + 1);
        let words = match place.filter(|_| problem.len > 0 && problem.len < form.url.len()) {
            Some(place) => format!("{} (character {place})", problem.message),
            None => problem.message.clone(),
        };
        fields::problem_ui(ui, &words);
        if let Some(meant) = &problem.suggestion {
            let words = visible::middle_ellipsis(meant, 60);
            if ui.small_button(format!("Use {words}")).clicked() {
                form.set_url(meant.clone());
            }
        }
    });
}

/// Points that the buttons take, until it is known.
const BUTTONS: f32 = 272.0;
const TOKEN_CHARS: usize = 21;
const MAX_SHOWN: usize = 2048;
