//! What actions mean.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use egui::ViewportCommand;

use super::{App, context};
use crate::engine::{Command, ConnectOptions, ExportJob, InterceptOptions, Outgoing};
use crate::export::{Redactor, exporter_for_extension};
use crate::observation::{ConnId, PastedConsole};
use crate::store::View;
use crate::token::{Variant, fill};
use crate::ui::action::{Action, Focus, Tab};
use crate::ui::clock::unix_millis;
use crate::ui::context::Actions;
use crate::ui::files::Pick;
use crate::ui::form::Form;
use crate::ui::lab::Lab;
use crate::ui::matrix::Matrix;
use crate::ui::panels::compose::ComposePanel;
use crate::ui::panels::palette::ActionPalette;
use crate::ui::panels::timeline::Timeline;
use crate::ui::panels::top;
use crate::ui::repeat::Repeat;
use crate::wire::parse_url;

impl App {
    /// Carries out everything that was clicked, and what follows from it.
    pub(super) fn apply_all(&mut self, ctx: &egui::Context) {
        for _ in 0..MAX_ROUNDS {
            let actions = std::mem::take(&mut self.actions);
            if actions.is_empty() {
                return;
            }
            for action in actions {
                self.apply(ctx, action);
            }
            ctx.request_repaint();
        }
    }

    fn apply(&mut self, ctx: &egui::Context, action: Action) {
        match action {
            Action::Engine(command) => self.must_ask(self.filled(command)),
            Action::Connect => {
                // Whoever connects is done with the URL, which shows its token while it is edited.
                ctx.memory_mut(|memory| memory.surrender_focus(top::url_id()));
                self.connect();
            }
            Action::Disconnect => self.disconnect(),
            Action::Abort => {
                if let Some(conn) = self.live() {
                    self.must_ask(Command::Abort { conn });
                }
            }
            Action::ConnectOrSend => self.connect_or_send(ctx),
            Action::NewConnection => {
                self.connections.shown = None;
                self.connections.follow();
            }
            Action::Practice(fault) => self.practice(fault),
            Action::OwnForm => self.form = self.own_form.take().unwrap_or_else(Form::first),
            Action::Show(conn) => {
                self.connections.shown = Some(conn);
                self.connections.keep_shown();
            }
            Action::Forget(conn) => self.forget(conn),
            Action::Repeat(times) => self.repeat(times),
            Action::StartLab(secs) => self.start_lab(secs),
            Action::StopLab => self.must_ask(Command::StopLab),
            Action::Intercept { port, renames, tells } => self.intercept(port, renames, tells),
            Action::InterceptForm => {
                self.regions.bring(Tab::Connection);
                self.panels.connect.open_intercept();
            }
            Action::StopIntercept => {
                self.intercept.failed();
                self.must_ask(Command::StopIntercept);
            }
            Action::AskFurther(conn) => {
                if self.ask(Command::AskFurther { conn }) {
                    self.connections.begun(conn);
                } else {
                    self.banner = Some(BUSY.to_owned());
                }
            }
            Action::StopRepeat => {
                if let Some(repeat) = &mut self.repeat {
                    repeat.stop();
                }
            }
            Action::GoToPlace(place) => self.in_log(|log, view| log.go_to_place(view, place)),
            Action::GoToMoment(at) => self.in_log(|log, view| log.go_to_moment(view, at)),
            Action::GoToRow(row) => self.in_log(|log, _| log.select_row(row)),
            Action::FindNext => self.in_log(|log, _| log.next_match(false)),
            Action::FindPrevious => self.in_log(|log, _| log.next_match(true)),
            Action::SetUrl(url) => self.form.set_url(url),
            Action::UseToken(token) => self.use_token(token),
            Action::TryVariants(variants) => self.try_variants(variants),
            Action::StopVariants => {
                if let Some(matrix) = &mut self.panels.token.matrix {
                    matrix.stop();
                }
            }
            Action::InspectToken(token) => {
                self.panels.token.inspect(token);
                self.regions.bring(Tab::Token);
            }
            Action::Copy { text, what } => {
                ctx.copy_text(text);
                self.toasts.done(format!("Copied {what}"));
            }
            Action::CopyAs(tool) => {
                ctx.copy_text(self.form.copied(tool));
                self.toasts.done(format!("Copied {}", tool.what()));
            }
            Action::Toast(words) => self.toasts.done(words),
            Action::Save(path) => self.save(path),
            Action::Open(path) => self.open(path),
            Action::Share => self.regions.bring(Tab::Share),
            Action::Export(job, path) => {
                self.pending_export = Some(job);
                if let Some(path) = path {
                    self.export_to(path);
                } else {
                    let path = self.suggested_export();
                    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                    self.jobs.pick(Pick::Export, name.unwrap_or_default());
                }
            }
            Action::ExportTo(path) => self.export_to(path),
            Action::Tab(tab) => {
                self.regions.bring(tab);
                if tab == Tab::Verdict {
                    self.panels.verdict.focus();
                }
            }
            Action::ToggleLeft => self.regions.toggle_left(),
            Action::ToggleRight => self.regions.toggle_right(),
            Action::TogglePalette => {
                self.palette = if self.palette.is_some() { None } else { Some(ActionPalette::default()) };
            }
            Action::ToggleHelp => self.is_help_open = !self.is_help_open,
            Action::SendFile(path) => {
                if let Some(conn) = self.live() {
                    self.jobs.read_payload(conn, path);
                }
            }
            Action::NameProfile => {
                self.regions.bring(Tab::Connection);
                self.panels.connect.name_profile(&self.profiles);
            }
            Action::SaveProfile(name) => self.save_profile(&name),
            Action::UseProfile(name) => self.use_profile(&name),
            Action::LeaveProfile => self.leave_profile(),
            Action::DeleteProfile(name) => self.on_disk(Command::DeleteProfile { name }),
            Action::ReadSecretFile(path) => self.jobs.read_secrets(path),
            Action::ChooseFile(field) => self.jobs.pick(Pick::Field(field), String::new()),
            Action::FileChosen(field, path) => self.file_chosen(field, &path),
            Action::AttachConsole(source) => {
                let console = self.lane.fresh();
                self.must_ask(Command::AttachConsole { console, source });
            }
            Action::PasteConsole { console, text } => self.paste_console(console, text),
            Action::AttachForm => {
                self.regions.bring(Tab::Console);
                self.panels.console.open_attach();
            }
            Action::PasteForm => {
                self.regions.bring(Tab::Console);
                self.panels.console.open_paste();
            }
            Action::Focus(focus) => self.focus(ctx, focus),
            Action::TokenFromClipboard => {
                self.regions.bring(Tab::Token);
                self.panels.token.focus();
                self.paste_until = ctx.time() + CLIPBOARD_SECS;
                ctx.send_viewport_cmd(ViewportCommand::RequestPaste);
            }
            Action::NextTheme => {
                self.theme = self.theme.next();
                ctx.set_theme(self.theme.preference());
                self.toasts.done(self.theme.words());
            }
            Action::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
        }
    }

    /// Puts the variables of the form into a text message.
    fn filled(&self, command: Command) -> Command {
        match command {
            Command::Send { conn, message: Outgoing::Text(text) } if text.contains("{{") => {
                Command::Send { conn, message: Outgoing::Text(fill(&text, &self.form.variables).text) }
            }
            command => command,
        }
    }

    fn connect(&mut self) {
        self.connect_with(|_| {});
    }

    /// Connects with the form, and with what is changed about it.
    pub(super) fn connect_with(&mut self, change: impl FnOnce(&mut ConnectOptions)) {
        if self.connections.locks_form() || !self.form.checks.can_connect() {
            return;
        }
        self.stop_reconnecting();
        let conn = self.connections.fresh();
        let mut options = self.form_options();
        change(&mut options);
        if self.ask(Command::Connect { conn, options: Box::new(options) }) {
            self.connections.begun(conn);
            self.regions.is_drawer_open = false;
            self.banner = None;
        } else {
            self.banner = Some(BUSY.to_owned());
        }
    }

    /// Whoever connects by hand wants no second connection to follow by itself.
    fn stop_reconnecting(&mut self) {
        if let Some(conn) = self.reconnecting.take() {
            self.must_ask(Command::Abort { conn });
        }
    }

    fn form_options(&self) -> ConnectOptions {
        ConnectOptions { journal: self.journal.clone(), ..self.form.options() }
    }

    /// The connection that is over and after which another one follows by itself, or will once all is asked.
    pub(super) fn comes_again(&self) -> Option<ConnId> {
        let is_asked = |conn: &ConnId| self.form.network.reconnects && self.connections.is_running(*conn);
        let again = self.reconnecting.or(self.connections.shown.filter(is_asked));
        again.filter(|_| !self.connections.is_live())
    }

    fn disconnect(&mut self) {
        if let Some(conn) = self.comes_again() {
            self.reconnecting = None;
            self.must_ask(Command::Abort { conn });
            self.toasts.done("It is not connected again".to_owned());
        } else if let Some(conn) = self.live() {
            self.must_ask(Command::Close { conn, code: Some(1000), reason: String::new() });
        }
    }

    fn connect_or_send(&mut self, ctx: &egui::Context) {
        if !self.connections.is_live() {
            return self.actions.push(Action::Connect);
        }
        if ComposePanel::has_focus(ctx) {
            let mut actions = Actions::new();
            let panels = &mut self.panels;
            let ctx = context(&self.connections, &self.lane, &self.practice, &self.intercept, unix_millis());
            panels.compose.send(&ctx, &mut actions);
            self.actions.append(&mut actions);
        }
    }

    fn practice(&mut self, fault: Option<String>) {
        if self.connections.is_live() {
            self.connections.shown = None;
        }
        self.practice.wants_connection = true;
        self.must_ask(Command::StartPractice { port: 0 });
        self.must_ask(Command::PrepareExercise { fault });
    }

    fn forget(&mut self, conn: ConnId) {
        if self.connections.is_running(conn) {
            return;
        }
        self.must_ask(Command::Forget { conn });
        self.connections.forget(conn);
    }

    fn repeat(&mut self, times: u32) {
        if self.repeat.as_ref().is_some_and(Repeat::is_running) || !self.form.checks.can_connect() {
            return;
        }
        self.repeat = Some(Repeat::new(times, self.form_options()));
        self.repeat_next();
    }

    fn start_lab(&mut self, secs: u64) {
        if self.lab.as_ref().is_some_and(|lab| lab.is_running) || !self.form.checks.can_connect() {
            return;
        }
        let conns = [self.connections.fresh(), self.connections.fresh(), self.connections.fresh()];
        let limit = Duration::from_secs(secs);
        let options = Box::new(self.form_options());
        if self.ask(Command::StartLab { conns, options, limit, ping_every: Lab::PING_EVERY }) {
            for conn in conns.into_iter().rev() {
                self.connections.begun(conn);
            }
            self.lab = Some(Lab::new(conns, limit));
            // There its progress and its result stand.
            self.regions.bring(Tab::Verdict);
        } else {
            self.banner = Some(BUSY.to_owned());
        }
    }

    /// Listens for pages, in place of what was listened for before.
    fn intercept(&mut self, port: u16, renames: bool, tells: bool) {
        let connect = self.form_options();
        let Ok(target) = parse_url(&connect.url) else { return };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let options = Box::new(InterceptOptions { listen, connect, renames, tells });
        if self.ask(Command::StartIntercept { options }) {
            self.connections.follow();
            self.intercept.starting(format!("{}://{}", target.scheme(), target.host_header()));
        } else {
            self.banner = Some(BUSY.to_owned());
        }
    }

    fn try_variants(&mut self, variants: Vec<Variant>) {
        if self.connections.is_live() || self.panels.token.matrix.as_ref().is_some_and(Matrix::is_running) {
            return;
        }
        if let Some(why) = self.form.checks.obstacle() {
            self.banner = Some(format!("The connection form cannot be used as it is: {why}"));
            return;
        }
        let with = |variant: Variant| {
            let mut form = self.form.clone();
            form.set_token(variant.token.clone());
            let options = ConnectOptions { journal: self.journal.clone(), ..form.options() };
            (variant, options)
        };
        self.panels.token.matrix = Some(Matrix::new(variants.into_iter().map(with).collect()));
        self.matrix_next();
    }

    fn use_token(&mut self, token: String) {
        if self.connections.locks_form() {
            self.banner = Some("Disconnect first: the form is locked while connected".to_owned());
            return;
        }
        self.form.set_token(token);
        self.regions.bring(Tab::Connection);
        self.toasts.done("The token is in the form");
    }

    fn save(&mut self, path: Option<PathBuf>) {
        let Some(conn) = self.connections.shown_view().map(|view| view.conn) else {
            return;
        };
        if let Some(path) = path {
            match path.extension().and_then(|extension| exporter_for_extension(extension.to_str()?)) {
                Some(exporter) => {
                    let job = ExportJob { redactor: Some(self.redactor()), ..ExportJob::redacted(exporter) };
                    self.export(conn, path, job);
                }
                None => self.must_ask(Command::Save { conn, path }),
            }
        } else {
            let path = self.suggested_path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            self.jobs.pick(Pick::Save, name.unwrap_or_default());
        }
    }

    fn export(&mut self, conn: ConnId, path: PathBuf, job: ExportJob) {
        let watch = Arc::default();
        self.writing = Some(Arc::clone(&watch));
        self.must_ask(Command::Export { conn, path, job: Box::new(job), watch });
    }

    /// Writes what was to be exported.
    fn export_to(&mut self, path: PathBuf) {
        if let Some(job) = self.pending_export.clone()
            && let Some(conn) = self.connections.shown
        {
            self.export(conn, path, *job);
        }
    }

    /// A redactor that knows what was typed into the form.
    pub(super) fn redactor(&self) -> Redactor {
        redactor_for(&self.form)
    }

    /// Where an export would go: beside where the session would be saved, with the extension of its format.
    pub(super) fn suggested_export(&self) -> PathBuf {
        let extension = self.pending_export.as_ref().and_then(|job| job.exporter.extensions.first());
        self.suggested_path().with_extension(extension.copied().unwrap_or("txt"))
    }

    fn open(&mut self, path: Option<PathBuf>) {
        match path {
            Some(path) => {
                let conn = self.connections.fresh();
                if self.ask(Command::OpenFile { conn, path }) {
                    self.connections.opening(conn);
                } else {
                    self.banner = Some(BUSY.to_owned());
                }
            }
            None => self.jobs.pick(Pick::Open, String::new()),
        }
    }

    fn paste_console(&mut self, console: PastedConsole, text: String) {
        let Some(conn) = self.connections.shown_view().map(|view| view.conn) else {
            return;
        };
        if self.connections.files.contains_key(&conn) {
            self.banner = Some("A saved session stays as it was; the lines are explained in the console".to_owned());
            return;
        }
        self.must_ask(Command::Paste { conn, console, text });
        self.toasts.done("The lines are a part of the session");
    }

    fn focus(&mut self, ctx: &egui::Context, focus: Focus) {
        match focus {
            Focus::Url => ctx.memory_mut(|memory| memory.request_focus(top::url_id())),
            Focus::Compose => {
                self.regions.bring(Tab::Log);
                ctx.memory_mut(|memory| memory.request_focus(ComposePanel::field_id()));
            }
            Focus::Filter => self.in_log(|log, _| log.focus_filter()),
        }
    }

    /// Brings the log to the front, and does something in that of the shown connection.
    fn in_log(&mut self, act: impl FnOnce(&mut Timeline, &View)) {
        self.regions.bring(Tab::Log);
        if let Some(view) = self.connections.shown_view() {
            act(&mut self.panels.timeline, view);
        }
    }

    /// Where a saved session would go: the user's documents, named after host and time.
    pub(super) fn suggested_path(&self) -> PathBuf {
        let plan = self.connections.shown_view().and_then(|view| view.story.plan.clone());
        let host = plan.as_ref().and_then(|plan| plan.target.as_ref()).map_or("session", |target| target.host.as_str());
        let host: String =
            host.chars().take(60).map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
        let began = plan.and_then(|plan| jiff::Timestamp::from_millisecond(plan.began_unix_millis).ok());
        let time = began.map_or_else(String::new, |at| {
            at.to_zoned(jiff::tz::TimeZone::system()).strftime("-%Y-%m-%d-%H%M%S").to_string()
        });
        let name = format!("sockeye-{host}{time}.sockeye");
        let user = directories::UserDirs::new();
        let folder = user.as_ref().map(|user| user.document_dir().unwrap_or_else(|| user.home_dir()));
        folder.map_or_else(|| PathBuf::from(&name), |folder| folder.join(&name))
    }

    /// The shown connection, if it is alive.
    fn live(&self) -> Option<ConnId> {
        self.connections.shown.filter(|_| self.connections.is_live())
    }

    pub(super) fn must_ask(&mut self, command: Command) {
        if !self.ask(command) {
            self.banner = Some(BUSY.to_owned());
        }
    }
}

/// A redactor that knows what was typed into a form.
pub(super) fn redactor_for(form: &Form) -> Redactor {
    let mut redactor = Redactor::new();
    let options = form.options();
    if let Some(token) = &options.token {
        redactor.learn_token(token);
    }
    for secret in &options.secrets {
        redactor.learn_secret(secret.bytes());
    }
    redactor
}

const BUSY: &str = "The engine takes no more commands at the moment; try again";
/// An action may push another one; more rounds than these are a mistake of ours.
const MAX_ROUNDS: usize = 8;
/// How long the clipboard may take to answer.
const CLIPBOARD_SECS: f64 = 0.5;
