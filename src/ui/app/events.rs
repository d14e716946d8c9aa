//! What the engine and the file jobs answer.

use std::path::Path;
use std::time::{Duration, Instant};

use super::App;
use super::orphan::Orphan;
use crate::engine::practice::Exercise;
use crate::engine::{Command, ConnectOptions, Event, JournalPlace, Outgoing, SavedSession};
use crate::observation::ConnId;
use crate::ui::action::{Action, FileField};
use crate::ui::fields;
use crate::ui::files::{FileDone, Pick};
use crate::ui::form::Form;
use crate::ui::matrix::Matrix;
use crate::ui::panels::path_bar::PathBar;
use crate::ui::paste::BIG;
use crate::ui::repeat::Repeat;
use crate::ui::visible;

impl App {
    /// Takes what has come, until the budget of a pass is spent.
    pub(super) fn take_events(&mut self, ctx: &egui::Context) {
        let began = now();
        while now().duration_since(began) < BUDGET {
            if let Some(event) = self.engine.try_event() {
                self.event(event);
            } else if let Some(done) = self.jobs.take() {
                self.file_done(done);
            } else {
                return;
            }
        }
        ctx.request_repaint();
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Ended { conn } => self.ended(conn),
            Event::LabEnded { silent, measure } => {
                self.connections.ended(silent, &self.engine);
                if let Some(lab) = self.lab.as_mut().filter(|lab| lab.conns[0] == silent) {
                    lab.is_running = false;
                    lab.measure = Some(*measure);
                }
            }
            Event::ReconnectDue { conn, options } => self.reconnect(conn, options),
            Event::Refused { conn, why } => {
                if let Some(lab) = self.lab.as_mut().filter(|lab| lab.conns.contains(&conn)) {
                    lab.is_running = false;
                }
                self.connections.refused(conn);
                self.banner = Some(why);
            }
            Event::PracticeStarted { address } => self.practice.address = Some(address),
            Event::PracticeLine { text } => {
                let excess = (self.practice.lines.len() + 1).saturating_sub(MAX_LINES);
                self.practice.lines.drain(..excess);
                self.practice.lines.push(text);
            }
            Event::InterceptStarted { address } => self.intercept.started(address),
            Event::InterceptFailed { why } => {
                self.intercept.failed();
                self.banner = Some(fields::sentence(&why));
            }
            Event::Intercepted { conn } => {
                self.intercept.came();
                self.connections.arrived(conn);
            }
            Event::InterceptPassed => self.intercept.passed(),
            Event::InterceptIgnored { client, why } => self.intercept.ignored(client, &why),
            Event::ConsoleFailed { why, .. } => self.banner = Some(format!("The server's console: {why}")),
            Event::ExerciseReady { fault, exercise } => self.exercise_ready(fault, *exercise),
            Event::PracticeFailed { why } => self.banner = Some(format!("The practice server: {why}")),
            Event::Saved { path, .. } => {
                self.path_bar = self.path_bar.take().filter(|bar| !matches!(bar.pick, Pick::Save | Pick::Export));
                self.writing = None;
                if is_journal(&path) {
                    self.on_disk(Command::RememberSession { path: path.clone() });
                }
                let what = if is_journal(&path) { ", with the token as it was sent" } else { "" };
                self.toasts.done(format!("Saved {}{what}", name(&path)));
            }
            Event::Sessions { sessions, unnamed } => {
                self.unnamed = Some(unnamed);
                self.sessions_listed(sessions);
            }
            Event::Profiles { profiles } => self.profiles_listed(profiles),
            Event::ProfilesFailed { why } => self.profiles_failed(&why),
            Event::SessionFailed { path, why } => self.banner = Some(format!("{}: {why}", name(&path))),
            Event::ExportStopped { path, .. } => {
                self.writing = None;
                self.toasts.done(format!("Stopped, {} was not written", name(&path)));
            }
            Event::Opened { conn, path, remarks } => {
                self.path_bar = self.path_bar.take().filter(|bar| bar.pick != Pick::Open);
                self.connections.opened(conn, name(&path), &self.engine);
                self.on_disk(Command::RememberSession { path: path.clone() });
                self.toasts.done(format!("Opened {}", name(&path)));
                if !remarks.is_empty() {
                    self.banner = Some(format!("{}: {}", name(&path), remarks.join("; ")));
                }
            }
            Event::FileFailed { conn, path, why } => {
                self.writing = None;
                self.connections.refused(conn);
                let words = format!("{}: {why}", name(&path));
                match &mut self.path_bar {
                    Some(bar) => bar.problem = Some(words),
                    None => self.banner = Some(words),
                }
            }
        }
    }

    /// Takes the sessions on disk; the first time, offers one that a crash has left.
    fn sessions_listed(&mut self, sessions: Vec<SavedSession>) {
        let is_first = self.saved.is_none();
        let orphan = sessions.iter().find(|session| session.is_orphan);
        if is_first && self.orphan.is_none() {
            self.orphan = orphan.map(Orphan::of);
        }
        self.saved = Some(sessions);
    }

    /// Asks for something about the sessions on disk, unless this window leaves nothing there.
    pub(super) fn on_disk(&mut self, command: Command) {
        if self.journal != JournalPlace::Memory {
            self.must_ask(command);
        }
    }

    /// Makes a connection again, unless the user went on with something else.
    fn reconnect(&mut self, ended: ConnId, options: Box<ConnectOptions>) {
        if std::mem::take(&mut self.reconnecting) != Some(ended) || self.connections.locks_form() {
            return;
        }
        let conn = self.connections.fresh();
        if self.ask(Command::Connect { conn, options }) {
            self.connections.begun(conn);
        }
    }

    fn ended(&mut self, conn: ConnId) {
        self.on_disk(Command::ListSessions);
        self.connections.ended(conn, &self.engine);
        for past in self.connections.to_put_aside() {
            self.must_ask(Command::PutAside { conn: past });
            self.connections.forget(past);
        }
        let is_awaited = self.connections.view(conn).is_some_and(|view| view.story.reconnect.is_some());
        self.reconnecting = is_awaited.then_some(conn).or(self.reconnecting);
        let story = self.connections.view(conn).map(|view| &*view.story);
        if let Some(matrix) = &mut self.panels.token.matrix {
            matrix.ended(conn, story);
        }
        if let Some(repeat) = &mut self.repeat {
            repeat.ended(conn, story);
        }
        self.matrix_next();
        self.repeat_next();
    }

    /// Opens the connection for the next variant of a token matrix.
    pub(super) fn matrix_next(&mut self) {
        let Some(options) = self.panels.token.matrix.as_ref().and_then(Matrix::next) else {
            return;
        };
        let conn = self.connections.fresh();
        let is_begun = self.ask(Command::Connect { conn, options: Box::new(options) });
        let Some(matrix) = &mut self.panels.token.matrix else {
            return;
        };
        if is_begun {
            matrix.begun(conn);
            self.connections.begun(conn);
        } else {
            matrix.stop();
            self.banner = Some("The engine takes no more commands at the moment; the matrix was stopped".to_owned());
        }
    }

    /// Opens the next connection of a repetition.
    pub(super) fn repeat_next(&mut self) {
        let Some(options) = self.repeat.as_ref().and_then(Repeat::next) else {
            return;
        };
        let conn = self.connections.fresh();
        let is_begun = self.ask(Command::Connect { conn, options: Box::new(options) });
        let Some(repeat) = &mut self.repeat else {
            return;
        };
        if is_begun {
            repeat.current = Some(conn);
            self.connections.begun(conn);
        } else {
            repeat.stop();
            self.banner =
                Some("The engine takes no more commands at the moment; the repetition was stopped".to_owned());
        }
    }

    fn exercise_ready(&mut self, fault: Option<String>, exercise: Exercise) {
        let times = exercise.times;
        let practice = Form::for_exercise(fault, exercise);
        let old = std::mem::replace(&mut self.form, practice);
        if old.practice.is_none() {
            self.own_form = Some(old);
        }
        if std::mem::take(&mut self.practice.wants_connection) {
            if times > 1 {
                return self.actions.push(Action::Repeat(times));
            }
            // Shown to be looked at: it ends by itself, and the verdict comes.
            self.connect_with(|options| {
                options.watch.get_or_insert(SHOWN_FOR);
            });
        }
    }

    fn file_done(&mut self, done: FileDone) {
        match done {
            FileDone::Picked { pick, path: Some(path), .. } => match pick {
                Pick::Save => self.actions.push(Action::Save(Some(path))),
                Pick::Export => self.actions.push(Action::ExportTo(path)),
                Pick::Open => self.actions.push(Action::Open(Some(path))),
                Pick::Field(field) => self.actions.push(Action::FileChosen(field, path)),
            },
            FileDone::Picked { pick, path: None, has_no_dialog } => {
                if has_no_dialog {
                    let path = match pick {
                        Pick::Save => self.suggested_path().to_string_lossy().into_owned(),
                        Pick::Export => self.suggested_export().to_string_lossy().into_owned(),
                        Pick::Open | Pick::Field(_) => String::new(),
                    };
                    self.path_bar = Some(PathBar::new(pick, path));
                }
            }
            FileDone::SecretsRead(Ok(file)) => {
                self.form.secrets_read = file.secrets;
                self.form.variables = file.variables;
                self.form.recheck();
            }
            FileDone::PayloadRead { conn, payload: Ok(payload) } => {
                self.must_ask(Command::Send { conn, message: Outgoing::Binary(payload) });
            }
            FileDone::SecretsRead(Err(why)) | FileDone::PayloadRead { payload: Err(why), .. } => {
                self.banner = Some(why);
            }
        }
    }

    /// Puts the path of a file into the field it was chosen for.
    pub(super) fn file_chosen(&mut self, field: FileField, path: &Path) {
        let path = path.to_string_lossy().into_owned();
        match field {
            FileField::Secret => {
                self.form.secret_file.clone_from(&path);
                self.jobs.read_secrets(path.into());
            }
            FileField::Authority => self.form.ca_file = path,
            FileField::ClientCertificate => self.form.network.client_certificate = path,
            FileField::ClientKey => self.form.network.client_key = path,
            FileField::KeyLog => self.form.network.key_log = path,
            FileField::Payload => self.panels.compose.draft.text = path,
            FileField::ServerLog => self.panels.console.attach.path = path,
        }
        self.form.recheck();
    }

    /// Takes the clipboard's text that was asked for out of the input, before any field sees it.
    pub(super) fn clipboard_answer(&mut self, ctx: &egui::Context, input: &mut egui::RawInput) {
        if ctx.time() > self.paste_until {
            return;
        }
        let is_paste = |event: &mut egui::Event| matches!(event, egui::Event::Paste(_));
        for event in input.events.extract_if(.., is_paste) {
            self.paste_until = 0.0;
            if let egui::Event::Paste(text) = event
                && text.len() <= BIG
                && crate::token::looks_like_token(&text)
            {
                self.actions.push(Action::InspectToken(text));
            }
        }
    }
}

fn is_journal(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sockeye"))
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    visible::middle_ellipsis(&name.to_string_lossy(), 60)
}

#[expect(clippy::disallowed_methods, reason = "the budget of a pass is a span of real time")]
fn now() -> Instant {
    Instant::now()
}

const BUDGET: Duration = Duration::from_millis(10);
const MAX_LINES: usize = 500;
/// How long a session that is shown for its lesson stays open after its confirmation.
const SHOWN_FOR: Duration = Duration::from_secs(2);
