//! The window: takes the engine's events, draws the regions, carries out what was clicked.
//!
//! One pass is *logic* (events, at most ten milliseconds), *ui* (panels read a [`Context`] and push actions), *apply*.
//! Drawing is here and in `app/tabs.rs`, the answers of the engine in `app/events.rs`, the meaning of actions in
//! `app/apply.rs`.

mod apply;
mod events;
mod orphan;
mod profiles;
mod tabs;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use egui::{Panel, Ui};

use super::action::Action;
use super::clipboard::CopiedSecret;
use super::clock::unix_millis;
use super::connections::Connections;
use super::console_lane::ConsoleLane;
use super::context::{Actions, Context};
use super::fields;
use super::files::FileJobs;
use super::form::Form;
use super::form::kept::KeptForm;
use super::intercept::Interception;
use super::kept::{KeptTheme, KeptWindow};
use super::lab::Lab;
use super::menu::{self, Situation};
use super::panels::compare::ComparePanel;
use super::panels::compose::ComposePanel;
use super::panels::connect::ConnectPanel;
use super::panels::console::ConsolePanel;
use super::panels::detail::Detail;
use super::panels::handshake::Handshake;
use super::panels::idle_lab::IdleLabPanel;
use super::panels::palette::ActionPalette;
use super::panels::path_bar::PathBar;
use super::panels::plots::Plots;
use super::panels::practice::PracticePanel;
use super::panels::sessions::SessionsPanel;
use super::panels::share::SharePanel;
use super::panels::timeline::Timeline;
use super::panels::token::TokenPanel;
use super::panels::verdict::VerdictPanel;
use super::panels::{help, top, waterfall};
use super::profiles::Profiles;
use super::regions::{Regions, Room};
use super::repeat::Repeat;
use super::theme;
use super::toasts::Toasts;
use crate::engine::{
    Command, Engine, EngineHandle, ExportJob, JournalPlace, SavedSession, StartError, UnnamedRoom, Watch,
};
use crate::observation::ConnId;
use orphan::Orphan;

/// The window.
pub struct App {
    engine: EngineHandle,
    connections: Connections,
    lane: ConsoleLane,
    /// Set once the system asks the program to end.
    interrupted: Arc<AtomicBool>,
    form: Form,
    /// The user's own form, while a practice form stands in its place.
    own_form: Option<Form>,
    profiles: Profiles,
    regions: Regions,
    theme: KeptTheme,
    panels: Panels,
    jobs: FileJobs,
    journal: JournalPlace,
    repeat: Option<Repeat>,
    lab: Option<Lab>,
    /// The sessions on disk, once they were looked for.
    saved: Option<Vec<SavedSession>>,
    unnamed: Option<UnnamedRoom>,
    /// A session that a crash has left, until the user has answered.
    orphan: Option<Orphan>,
    /// What is to be written once the user has said where.
    pending_export: Option<Box<ExportJob>>,
    /// The export under way.
    writing: Option<Arc<Watch>>,
    /// The connection that is over and to be made again after a pause.
    reconnecting: Option<ConnId>,
    practice: Practice,
    intercept: Interception,
    toasts: Toasts,
    path_bar: Option<PathBar>,
    /// What must be read before going on.
    banner: Option<String>,
    palette: Option<ActionPalette>,
    is_help_open: bool,
    actions: Actions,
    title: String,
    copied: CopiedSecret,
    /// Until when a paste is the clipboard's answer to our question, in seconds of the window.
    paste_until: f64,
    is_first_pass: bool,
    /// Whether the sessions on disk were not asked for yet.
    has_to_list: bool,
}

/// The panels' own states.
#[derive(Default)]
struct Panels {
    connect: ConnectPanel,
    token: TokenPanel,
    timeline: Timeline,
    detail: Detail,
    compose: ComposePanel,
    handshake: Handshake,
    console: ConsolePanel,
    plots: Plots,
    verdict: VerdictPanel,
    idle_lab: IdleLabPanel,
    practice: PracticePanel,
    sessions: SessionsPanel,
    share: SharePanel,
    compare: ComparePanel,
}

/// What is known of the practice server.
#[derive(Debug, Default)]
struct Practice {
    address: Option<SocketAddr>,
    lines: Vec<String>,
    /// Whether to connect as soon as the exercise is there.
    wants_connection: bool,
}

impl App {
    /// Starts the engine and the practice server; `kept` is what an earlier window left behind.
    pub fn new(ctx: &egui::Context, kept: Option<&str>) -> Result<Self, StartError> {
        super::install(ctx);
        let wake = ctx.clone();
        let engine = Engine::start(Arc::new(move || wake.request_repaint()))?;
        let interrupted = engine.watch_interrupts();
        let kept = kept.and_then(KeptWindow::read);
        let is_first_start = kept.as_ref().is_none_or(|kept| kept.form.is_none());
        let kept = kept.unwrap_or_default();
        ctx.set_theme(kept.theme.preference());
        let mut app = Self {
            engine,
            connections: Connections::default(),
            lane: ConsoleLane::default(),
            interrupted,
            form: kept.form.map_or_else(Form::first, KeptForm::into_form),
            own_form: None,
            profiles: Profiles::new(kept.profile),
            regions: kept.regions,
            theme: kept.theme,
            panels: Panels::default(),
            jobs: FileJobs::new(ctx.clone()),
            journal: JournalPlace::default(),
            repeat: None,
            lab: None,
            saved: None,
            unnamed: None,
            orphan: None,
            pending_export: None,
            writing: None,
            reconnecting: None,
            practice: Practice::default(),
            intercept: Interception::default(),
            toasts: Toasts::default(),
            path_bar: None,
            banner: None,
            palette: None,
            is_help_open: false,
            actions: Actions::new(),
            title: String::new(),
            copied: CopiedSecret::default(),
            paste_until: 0.0,
            is_first_pass: true,
            has_to_list: true,
        };
        app.panels.timeline.recall_filters(kept.filters);
        app.panels.connect.recall_intercept(kept.intercept);
        if is_first_start {
            app.ask(Command::StartPractice { port: 0 });
            app.ask(Command::PrepareExercise { fault: None });
        }
        Ok(app)
    }

    /// The connections of this window.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// The connection form.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The form, to be changed from outside.
    pub fn form_mut(&mut self) -> &mut Form {
        &mut self.form
    }

    /// The profiles, to be changed from outside.
    pub fn profiles_mut(&mut self) -> &mut Profiles {
        &mut self.profiles
    }

    /// The window's title, as it was told to the system.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Opens a saved session in the next pass.
    pub fn open_session(&mut self, path: std::path::PathBuf) {
        self.actions.push(Action::Open(Some(path)));
    }

    /// Carries out an action as if it had been clicked.
    pub fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Never opens a file dialog, as on a machine that has none.
    pub fn without_dialogs(&mut self) {
        self.jobs.without_dialogs();
    }

    /// Writes journals in memory from here on, and leaves no file behind.
    pub fn in_memory(&mut self) {
        self.journal = JournalPlace::Memory;
    }

    /// What the window remembers for the next start.
    pub fn kept(&self) -> String {
        let own = self.own_form.as_ref().unwrap_or(&self.form);
        // Who has not used a form of their own begins with the practice server again.
        let form = (own.practice.is_none() && !own.is_untouched()).then(|| KeptForm::of(own));
        let filters = self.panels.timeline.recent_filters().iter().filter(|filter| !self.holds_secret(filter)).cloned();
        let filters = filters.collect();
        let profile = self.profiles.kept().filter(|_| form.is_some());
        let intercept = self.panels.connect.intercept().kept();
        KeptWindow { theme: self.theme, regions: self.regions.clone(), form, profile, filters, intercept }.write()
    }

    /// Takes events and views; at most ten milliseconds a pass.
    pub fn logic(&mut self, ctx: &egui::Context) {
        if std::mem::take(&mut self.has_to_list) {
            self.on_disk(Command::ListSessions);
            self.on_disk(Command::ListProfiles);
        }
        self.take_events(ctx);
        self.connections.refresh(&self.engine);
        self.lane.refresh(&self.engine);
        if self.interrupted.swap(false, Ordering::Relaxed) {
            // The usual way out: connections are closed, and a server that we started ends with us.
            self.actions.push(Action::Quit);
        }
        if self.connections.any_running() {
            // The clock of an open connection runs on although nothing comes.
            ctx.request_repaint_after(std::time::Duration::from_millis(500));
        }
    }

    /// Draws the window and carries out what was clicked.
    pub fn ui(&mut self, ui: &mut Ui) {
        let situation = self.situation();
        menu::shortcuts(ui, situation, &mut self.actions);
        self.dropped_files(ui);
        let now_unix_millis = unix_millis();
        self.top_ui(ui, situation, now_unix_millis);
        self.regions_ui(ui, now_unix_millis);
        self.over_ui(ui, situation);
        self.first_focus(ui);
        self.leave_practice();
        let ctx = ui.ctx().clone();
        self.apply_all(&ctx);
        self.toasts.show(ui);
        self.watch_copies(&ctx);
        self.tell_title(&ctx);
    }

    fn top_ui(&mut self, ui: &mut Ui, situation: Situation, now_unix_millis: i64) {
        let palette = theme::palette(ui);
        let Self { connections, lane, form, practice, intercept, actions, regions, .. } = self;
        let ctx = context(connections, lane, practice, intercept, now_unix_millis);
        Panel::top("top").frame(theme::region(palette)).show(ui, |ui| {
            let has_drawer = Room::of(ui.ctx().content_rect().width()) == Room::Small;
            regions.is_drawer_open &= has_drawer;
            top::show(ui, form, situation, has_drawer, &ctx, actions);
            waterfall::show(ui, &ctx, actions);
            if !regions.shows_verdict() {
                waterfall::answer_ui(ui, &ctx, actions);
            }
        });
        let trouble = ctx.view.and_then(|view| view.trouble.as_deref()).map(str::to_owned);
        if let Some(words) = self.banner.clone().or(trouble) {
            Panel::top("banner").frame(theme::region(palette)).show(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    fields::problem_ui(ui, &words);
                    if self.banner.is_some() && ui.small_button("Dismiss").clicked() {
                        self.banner = None;
                    }
                });
            });
        }
        if let Some(orphan) = &self.orphan {
            let mut is_answered = false;
            Panel::top("orphan").frame(theme::region(palette)).show(ui, |ui| {
                is_answered = orphan.show(ui, &mut self.actions);
            });
            if is_answered {
                self.orphan = None;
            }
        }
        if let Some(bar) = &mut self.path_bar {
            let mut stays = true;
            Panel::top("path bar").frame(theme::region(palette)).show(ui, |ui| {
                stays = bar.show(ui, &mut self.actions);
            });
            if !stays {
                self.path_bar = None;
            }
        }
    }

    /// What lies over everything: palette, help, the hint of a file that hovers.
    fn over_ui(&mut self, ui: &mut Ui, situation: Situation) {
        if let Some(palette) = &mut self.palette
            && !palette.show(ui, situation, &mut self.actions)
        {
            self.palette = None;
        }
        if self.is_help_open {
            self.is_help_open = help::show(ui);
        }
        if ui.input(|input| !input.raw.hovered_files.is_empty()) {
            let layer = egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("hovering file"));
            let rect = ui.ctx().content_rect();
            let palette = theme::palette(ui);
            let painter = ui.ctx().layer_painter(layer);
            painter.rect_filled(rect, 0.0, palette.hover().gamma_multiply(0.9));
            let font = egui::FontId::new(theme::HEADING_SIZE, super::fonts::strong_family());
            painter.text(rect.center(), egui::Align2::CENTER_CENTER, "Drop it to open the session", font, palette.text);
        }
    }

    fn dropped_files(&mut self, ui: &Ui) {
        let dropped = ui.input(|input| input.raw.dropped_files.first().map(|file| file.path().to_owned()));
        if let Some(path) = dropped {
            self.actions.push(Action::Open(Some(path)));
        }
    }

    /// At the first pass the button that connects has the focus, so that Enter is enough.
    fn first_focus(&mut self, ui: &Ui) {
        if !std::mem::take(&mut self.is_first_pass) {
            return;
        }
        if let Some(button) = ui.data(|data| data.get_temp::<egui::Id>(top::connect_id())) {
            ui.memory_mut(|memory| memory.request_focus(button));
        }
    }

    /// Who types a URL of their own over the practice server's gets a form of their own around it.
    fn leave_practice(&mut self) {
        if self.form.has_left_practice() {
            let url = std::mem::take(&mut self.form.url);
            let note = self.form.note.take();
            self.form = self.own_form.take().unwrap_or_else(Form::first);
            self.form.set_url(url);
            self.form.note = note;
        }
    }

    fn situation(&self) -> Situation {
        Situation {
            has_view: self.connections.shown_view().is_some(),
            is_live: self.connections.is_live(),
            comes_again: self.comes_again().is_some(),
            can_connect: self.form.checks.can_connect(),
        }
    }

    /// Names the host in the title; never the path, the query or a token.
    fn tell_title(&mut self, ctx: &egui::Context) {
        let plan = self.connections.shown_view().and_then(|view| view.story.plan.as_ref());
        let title = match plan.and_then(|plan| plan.target.as_ref()) {
            Some(target) => {
                let host = super::visible::one_line(&target.host_header(), 80).text;
                format!("Sockeye – {host}")
            }
            None => "Sockeye".to_owned(),
        };
        if title != self.title {
            ctx.send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// Notes whether what this pass copies is a secret, which must not outlive the window in the clipboard.
    fn watch_copies(&mut self, ctx: &egui::Context) {
        let mut copied = std::mem::take(&mut self.copied);
        copied.watch(ctx, |text| text.len() <= super::paste::BIG && self.holds_secret(text));
        self.copied = copied;
    }

    /// Whether a token or one of the secrets at hand stands in a text.
    fn holds_secret(&self, text: &str) -> bool {
        !crate::token::find_tokens(text).is_empty()
            || crate::token::holds_secret(text, &self.form.token)
            || self.form.secrets().iter().any(|secret| secret.is_in(text))
            || self.form.network.holds_password(text)
            || self.panels.token.holds_secret(text)
    }

    /// Gives the engine a command; if it takes none, says so.
    fn ask(&self, command: Command) -> bool {
        self.engine.send(command).is_ok()
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        self.logic(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        self.ui(ui);
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        storage.set_string(KeptWindow::KEY, self.kept());
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.copied.clear();
    }

    fn raw_input_hook(&mut self, ctx: &egui::Context, raw_input: &mut egui::RawInput) {
        self.clipboard_answer(ctx, raw_input);
    }
}

fn context<'a>(
    connections: &'a Connections,
    lane: &'a ConsoleLane,
    practice: &'a Practice,
    intercept: &'a Interception,
    now_unix_millis: i64,
) -> Context<'a> {
    Context {
        view: connections.shown_view(),
        views: &connections.views,
        is_live: connections.is_live(),
        locks_form: connections.locks_form(),
        now_unix_millis,
        practice_lines: &practice.lines,
        is_from_file: connections.shown.is_some_and(|conn| connections.files.contains_key(&conn)),
        lane,
        intercept,
    }
}
