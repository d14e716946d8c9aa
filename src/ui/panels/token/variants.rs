//! Variants of the token above, each wrong in one way: made with one click, or all tried on the server, with a table of
//! how it answers each.

use egui::{Align, Button, Rect, Ui};

use super::Read;
use super::mint::made_ui;
use crate::token::{Secret, Variant, variants};
use crate::ui::action::Action;
use crate::ui::context::{Actions, Context};
use crate::ui::matrix::{Matrix, MatrixRow};
use crate::ui::panels::job::{Job, Outcome};
use crate::ui::panels::parts::words_ui;
use crate::ui::theme::{self, Palette};
use crate::ui::visible;

/// The variants of one token with one key, as far as they are made.
#[derive(Debug, Default)]
pub(super) struct Variants {
    /// Of which text, by its revision, and when, in seconds since 1970-01-01Z.
    made_of: Option<(u64, i64)>,
    making: Option<Job<Result<Vec<Variant>, String>>>,
    all: Option<Result<Vec<Variant>, String>>,
    chosen: Option<Variant>,
    /// Whether the table was still growing when it was shown last, and how many variants were answered.
    stage: Option<(bool, usize)>,
}

impl Variants {
    /// Shows the section; returns a token that is to be inspected.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        (revision, read): (u64, &Read),
        signer: Option<&Secret>,
        matrix: Option<&Matrix>,
        ctx: &Context<'_>,
        actions: &mut Actions,
    ) -> Option<String> {
        let palette = theme::palette(ui);
        if !read.can_vary {
            words_ui(
                ui,
                "The claims of the token above cannot be read, so nothing can be made of them.",
                palette.muted,
            );
            return None;
        }
        let Some(signer) = signer else {
            let words = "Give the secret or the private key of this token under Verify: then variants of it are made with \
                         one click, and tried on the server.";
            words_ui(ui, words, palette.muted);
            return None;
        };
        let now_unix = ctx.now_unix_millis.div_euclid(1000);
        self.make(ui, (revision, read), signer, now_unix);
        let all = match &self.all {
            Some(Ok(all)) => all.clone(),
            Some(Err(why)) => {
                words_ui(ui, format!("✗ {}", visible::one_line(why, 300).text), palette.bad);
                return None;
            }
            None => {
                words_ui(ui, "Making them …", palette.muted);
                return None;
            }
        };
        words_ui(ui, "For tests only. Each is the token above with fresh dates, and wrong in one way:", palette.warn);
        ui.horizontal_wrapped(|ui| {
            for variant in all.iter().filter(|variant| variant.name != "as-it-is") {
                let name = visible::one_line(&title(&variant.name), 40).text;
                let button = ui.add(Button::new(name).small());
                if button.on_hover_text(visible::one_line(&variant.about, 200).text).clicked() {
                    self.chosen = Some(variant.clone());
                }
            }
        });
        let mut inspected = None;
        if let Some(made) = &self.chosen {
            words_ui(ui, format!("{}: {}", title(&made.name), visible::one_line(&made.about, 200).text), palette.text);
            inspected = made_ui(ui, &made.token, "the variant", actions);
        }
        ui.add_space(theme::STEP);
        try_ui(ui, all, matrix, ctx, actions);
        let stage = matrix.map(|matrix| (matrix.is_running(), matrix.done()));
        if let Some(matrix) = matrix {
            let rect = matrix_ui(ui, matrix, actions);
            // What stands above changes its height with each connection, which is shown at once.
            if self.stage != stage {
                ui.scroll_to_rect(rect, Some(Align::TOP));
            }
        }
        self.stage = stage;
        inspected
    }

    /// Has them made beside the window, again where the text, the key or the hour is another one.
    fn make(&mut self, ui: &Ui, (revision, read): (u64, &Read), signer: &Secret, now_unix: i64) {
        let outcome = match self.making.as_ref().map(Job::poll) {
            Some(Outcome::Done(all)) => Some(all),
            Some(Outcome::Lost) => Some(Err("the thread for it ended early".to_owned())),
            Some(Outcome::Running) | None => None,
        };
        if outcome.is_some() {
            (self.making, self.all) = (None, outcome);
        }
        let is_fresh = |(of, at): (u64, i64)| of == revision && (0..STALE_SECS).contains(&(now_unix - at));
        if self.made_of.is_some_and(is_fresh) {
            return;
        }
        self.made_of = Some((revision, now_unix));
        (self.all, self.chosen) = (None, None);
        let (text, signer) = (read.text().to_owned(), signer.clone());
        let work = move || variants(&text, &signer, now_unix).map_err(|error| error.to_string());
        self.making = Some(Job::start("variants", ui.ctx(), work));
    }
}

fn try_ui(ui: &mut Ui, all: Vec<Variant>, matrix: Option<&Matrix>, ctx: &Context<'_>, actions: &mut Actions) {
    let is_running = matrix.is_some_and(Matrix::is_running);
    ui.horizontal_wrapped(|ui| {
        let words = format!("Try all {} on the server", all.len());
        let can_try = !is_running && !ctx.is_live;
        let button = ui.add_enabled(can_try, theme::primary_button(ui, words));
        let tip = "Connects with each of them, one after the other, as the connection form says";
        let button = button.on_hover_text(tip).on_disabled_hover_text("Disconnect first");
        if button.clicked() {
            actions.push(Action::TryVariants(all));
        }
        if is_running && ui.button("Stop").clicked() {
            actions.push(Action::StopVariants);
        }
    });
}

/// The table: a line for each variant, with the server's answer below it; returns where it stands.
fn matrix_ui(ui: &mut Ui, matrix: &Matrix, actions: &mut Actions) -> Rect {
    let palette = theme::palette(ui);
    let wrong = matrix.rows.iter().filter(|row| row.contradicts()).count();
    let words = format!("{} of {} answered", matrix.done(), matrix.rows.len());
    let (words, colour) = match (matrix.is_running(), wrong) {
        (true, _) => (format!("{words} …"), palette.muted),
        (false, 0) => (format!("✓ {words}, each as a careful server does"), palette.ok),
        (false, 1) => (format!("✗ {words}, one of them wrongly"), palette.bad),
        (false, wrong) => (format!("✗ {words}, {wrong} of them wrongly"), palette.bad),
    };
    let table = ui.scope(|ui| {
        words_ui(ui, words, colour);
        for row in matrix.rows.iter().filter(|row| row.conn.is_some()) {
            row_ui(ui, row, palette, actions);
        }
    });
    table.response.rect
}

fn row_ui(ui: &mut Ui, row: &MatrixRow, palette: &Palette, actions: &mut Actions) {
    let (sign, colour, verb) = match row.told.as_ref().map(|told| told.accepted) {
        _ if row.contradicts() => ("✗", palette.bad, ""),
        Some(Some(true)) => ("+", palette.ok, "accepted"),
        Some(Some(false)) => ("−", palette.text, "refused"),
        Some(None) => ("?", palette.warn, "not known"),
        None => ("…", palette.muted, "trying"),
    };
    let name = visible::one_line(&title(&row.variant.name), 40).text;
    ui.horizontal(|ui| {
        ui.label(theme::mono(sign).color(colour));
        let link = ui.add(Button::new(theme::strong(name)).frame(false));
        let about = visible::one_line(&row.variant.about, 200).text;
        let link = link.on_hover_text(format!("{about}. Click to show its connection"));
        if let Some(conn) = row.conn.filter(|_| link.clicked()) {
            actions.push(Action::Show(conn));
        }
        let words = match (row.contradicts(), row.told.as_ref().and_then(|told| told.accepted)) {
            (true, Some(true)) => "accepted, should be refused",
            (true, _) => "refused, should be accepted",
            (false, _) => verb,
        };
        ui.label(theme::tinted(words, colour));
    });
    if let Some(told) = &row.told {
        ui.indent(("told", &row.variant.name), |ui| {
            words_ui(ui, visible::one_line(&told.words, 200).text, palette.muted);
        });
    }
}

/// A variant's name for people: `not-yet-valid` is Not yet valid.
fn title(name: &str) -> String {
    match name.strip_prefix("without-") {
        Some(claim) => format!("Without {claim}"),
        None => crate::ui::panels::parts::first_upper(&name.replace('-', " ")),
    }
}

/// Seconds after which variants are made again, since the fresh ones expire after an hour.
const STALE_SECS: i64 = 1800;
