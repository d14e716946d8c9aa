//! What would leave, before it leaves: a format, the rows, the secrets, and every file as it would be written.

use std::io;
use std::sync::Arc;

use egui::{Align, ComboBox, Panel, ScrollArea, Ui};

use super::job::{Job, Outcome};
use super::lines::LinesView;
use super::parts::{first_upper, teach_ui};
use super::timeline::Chosen;
use crate::engine::{ExportJob, SessionReader, Watch};
use crate::export::{EXPORTERS, Exporter, Preview, Redactor, Selection, exporter};
use crate::observation::ConnId;
use crate::ui::action::Action;
use crate::ui::context::{Actions, Context};
use crate::ui::fields::{explain_ui, problem_ui, warning_ui};
use crate::ui::{theme, units, visible};

/// The panel.
#[derive(Debug)]
pub struct SharePanel {
    format: &'static str,
    rows: Chosen,
    keeps_secrets: bool,
    look: Option<Look>,
    file: usize,
    lines: LinesView,
}

/// What the panel needs beside the views.
pub struct ShareMore<'a> {
    /// Gives the session of a connection to be read.
    pub session: &'a dyn Fn(ConnId) -> Option<SessionReader>,
    /// Gives a redactor that knows what the user has typed.
    pub redactor: &'a dyn Fn() -> Redactor,
    /// Gives the rows that the log has chosen; costs as much as there are.
    pub chosen: &'a dyn Fn(Chosen) -> Selection,
    /// Tells how many of so many rows the log has chosen; costs nothing.
    pub count: &'a dyn Fn(Chosen, u64) -> u64,
    /// How far the export under way has come.
    pub writing: Option<&'a Arc<Watch>>,
}

/// A look at what would leave.
#[derive(Debug)]
struct Look {
    wish: Wish,
    /// The rows, as they were chosen then.
    selection: Selection,
    /// How many there were.
    rows: u64,
    watch: Arc<Watch>,
    job: Job<io::Result<Preview>>,
    preview: Option<Result<Preview, String>>,
}

/// What a look is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    conn: ConnId,
    format: &'static str,
    rows: Chosen,
    keeps_secrets: bool,
}

impl Default for SharePanel {
    fn default() -> Self {
        Self {
            format: "bundle",
            rows: Chosen::All,
            keeps_secrets: false,
            look: None,
            file: 0,
            lines: LinesView::default(),
        }
    }
}

impl SharePanel {
    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, more: &ShareMore<'_>, ctx: &Context<'_>, actions: &mut Actions) {
        let Some(view) = ctx.view else {
            teach_ui(
                ui,
                "Nothing to share yet",
                &[
                    "Once there is a session, you see here what would leave in a report or a bundle, before it is written.",
                ],
            );
            return;
        };
        let palette = theme::palette(ui);
        let format = exporter(self.format).or(EXPORTERS.first());
        let wish = Wish { conn: view.conn, format: self.format, rows: self.rows, keeps_secrets: self.keeps_secrets };
        if self.look.as_ref().is_none_or(|look| look.wish != wish) {
            self.begin(ui, wish, (more.count)(self.rows, view.rows), more);
        }
        self.poll();
        Panel::top("share options").frame(theme::region(palette)).show(ui, |ui| {
            self.options_ui(ui, view.rows, more);
            ui.add_space(theme::STEP);
            self.write_ui(ui, format, view.rows, more, actions);
        });
        let Some(look) = &self.look else { return };
        match &look.preview {
            None => {
                let share = look.watch.share().unwrap_or_default();
                ui.add_space(4.0 * theme::STEP);
                ui.add(egui::ProgressBar::new(share).desired_width(240.0).desired_height(6.0));
                explain_ui(ui, "Reading the session, for what would leave and for secrets in it");
                ui.ctx().request_repaint_after(std::time::Duration::from_millis(100));
            }
            Some(Err(why)) => {
                problem_ui(ui, why);
            }
            Some(Ok(preview)) => {
                let frame = theme::region(palette);
                Panel::left("share files").frame(frame).resizable(true).default_size(FILES).show(ui, |ui| {
                    let chosen = files_ui(ui, preview, self.file);
                    if chosen != self.file {
                        self.file = chosen;
                        self.lines = LinesView::default();
                    }
                });
                if let Some(file) = preview.files.get(self.file).or(preview.files.first()) {
                    let len = file.beginning.len() as u64;
                    if len < file.len_bytes {
                        let more = units::size(file.len_bytes - len);
                        explain_ui(ui, &format!("The first {} of {}; {more} more follow", units::size(len), file.name));
                    }
                    self.lines.show(ui, "What would be written", &file.beginning, false);
                }
            }
        }
    }

    fn options_ui(&mut self, ui: &mut Ui, rows: u64, more: &ShareMore<'_>) {
        ui.horizontal_wrapped(|ui| {
            let title = |format: &Exporter| first_upper(format.title);
            let label = ui.label("Format");
            let shown = exporter(self.format).map(title).unwrap_or_default();
            let formats = ComboBox::from_id_salt("share format").width(270.0).selected_text(shown);
            let response = formats.show_ui(ui, |ui| {
                for format in EXPORTERS {
                    ui.selectable_value(&mut self.format, format.id, title(format));
                }
            });
            response.response.labelled_by(label.id).accessible_name("Format");
            let label = ui.label("Rows");
            let words = |chosen: Chosen| format!("{} ({})", chosen.words(), units::count((more.count)(chosen, rows)));
            let rows = ComboBox::from_id_salt("share rows").width(130.0).selected_text(words(self.rows));
            let response = rows.show_ui(ui, |ui| {
                for chosen in Chosen::ALL {
                    ui.selectable_value(&mut self.rows, chosen, words(chosen));
                }
            });
            response.response.labelled_by(label.id).accessible_name("Rows");
            let mut replaces = !self.keeps_secrets;
            ui.checkbox(&mut replaces, "Replace secrets")
                .on_hover_text("Tokens, cookies and secrets become marks, wherever they stand");
            self.keeps_secrets = !replaces;
        });
        if self.keeps_secrets {
            warning_ui(ui, "Tokens and cookies will stand in the file as they were sent");
        }
    }

    fn write_ui(
        &mut self,
        ui: &mut Ui,
        format: Option<&'static Exporter>,
        rows: u64,
        more: &ShareMore<'_>,
        actions: &mut Actions,
    ) {
        ui.horizontal(|ui| {
            if let Some(watch) = more.writing {
                let share = watch.share().unwrap_or_default();
                ui.add(egui::ProgressBar::new(share).desired_width(240.0).desired_height(6.0));
                ui.label("Writing");
                if ui.button("Stop").clicked() {
                    watch.stop();
                }
                ui.ctx().request_repaint_after(std::time::Duration::from_millis(100));
                return;
            }
            let button = theme::primary_button(ui, "Write…");
            if ui.add_enabled(format.is_some() && self.look.is_some(), button).clicked()
                && let (Some(exporter), Some(look)) = (format, &self.look)
            {
                // What was looked at is what is written.
                let redactor = (!look.wish.keeps_secrets).then(|| (more.redactor)());
                let job = ExportJob { exporter, redactor, selection: look.selection.clone() };
                actions.push(Action::Export(Box::new(job), None));
            }
            let count = (more.count)(self.rows, rows);
            let seen = self.look.as_ref().map_or(count, |look| look.rows);
            if count != seen {
                let words = if count > seen {
                    format!("{} rows have come since", units::count(count - seen))
                } else {
                    "Other rows are chosen now".to_owned()
                };
                ui.label(theme::tinted(words, theme::palette(ui).muted));
                if ui.button("Look again").clicked() {
                    self.look = None;
                }
            }
        });
    }

    fn begin(&mut self, ui: &Ui, wish: Wish, rows: u64, more: &ShareMore<'_>) {
        if let Some(old) = &self.look {
            old.watch.stop();
        }
        let (Some(exporter), Some(session)) = (exporter(wish.format), (more.session)(wish.conn)) else { return };
        let redactor = (!wish.keeps_secrets).then(|| (more.redactor)());
        let selection = (more.chosen)(wish.rows);
        let job = ExportJob { exporter, redactor, selection: selection.clone() };
        let watch = Arc::new(Watch::default());
        let theirs = Arc::clone(&watch);
        let work = Job::start("preview", ui.ctx(), move || job.preview(session, &theirs));
        self.look = Some(Look { wish, selection, rows, watch, job: work, preview: None });
        self.file = 0;
        self.lines = LinesView::default();
    }

    fn poll(&mut self) {
        let Some(look) = &mut self.look else { return };
        if look.preview.is_some() {
            return;
        }
        look.preview = match look.job.poll() {
            Outcome::Running => None,
            Outcome::Done(Ok(preview)) => {
                // Markup is not what people read first.
                self.file = preview.files.iter().position(|file| file.name != "report.html").unwrap_or(0);
                Some(Ok(preview))
            }
            Outcome::Done(Err(error)) => Some(Err(error.to_string())),
            Outcome::Lost => Some(Err("the preview could not be made".to_owned())),
        };
    }
}

/// The files and the marks; returns which file is chosen.
fn files_ui(ui: &mut Ui, preview: &Preview, shown: usize) -> usize {
    let palette = theme::palette(ui);
    let mut chosen = shown;
    ScrollArea::vertical().id_salt("share files").show(ui, |ui| {
        ui.label(theme::strong("Files"));
        for (index, file) in preview.files.iter().enumerate() {
            ui.horizontal(|ui| {
                if ui.selectable_label(index == shown, &file.name).on_hover_text(file.about).clicked() {
                    chosen = index;
                }
                ui.with_layout(egui::Layout::right_to_left(Align::Center), |ui| {
                    ui.label(theme::tinted(units::size(file.len_bytes), palette.muted));
                });
            });
        }
        ui.add_space(2.0 * theme::STEP);
        ui.label(theme::strong("Replaced"));
        if preview.marks.is_empty() {
            explain_ui(ui, "No secret was replaced");
        }
        for mark in preview.marks.iter().take(SHOWN_MARKS) {
            ui.horizontal(|ui| {
                ui.label(theme::mono(visible::one_line(&mark.words, 40).text));
                ui.with_layout(egui::Layout::right_to_left(Align::Center), |ui| {
                    ui.label(theme::tinted(format!("{} times", units::count(mark.times)), palette.muted));
                });
            });
        }
        if let Some(more) = preview.marks.len().checked_sub(SHOWN_MARKS).filter(|more| *more > 0) {
            explain_ui(ui, &format!("… and {more} more"));
        }
    });
    chosen
}

/// Points of the list of files.
const FILES: f32 = 210.0;
const SHOWN_MARKS: usize = 100;
