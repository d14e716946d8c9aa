//! The token: decode, verify and mint, three places kept apart.
//!
//! A text of any size is read as soon as it is there, a long one on a thread of its own. `marked` shows where it is wrong,
//! `claims` what it says, `validate` when and for whom it is valid, `secrets` what to verify it with, `sent` what the server
//! got; `mint` and `variants` make test tokens. No secret leaves this panel.

mod choice;
mod claims;
mod marked;
mod mint;
mod secrets;
mod sent;
mod validate;
mod variants;

use super::fact_words::validity_words;
use super::job::{Job, Outcome};
use super::parts::{first_upper, section_ui, words_ui};
use crate::token::{
    Candidate, Decoded, Expectations, Secret, Shape, Signature, TokenReport, Validity, can_vary, candidates, decode,
    examine, node_words, validity_at,
};
use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::context::{Actions, Context};
use crate::ui::focus::follow_focus;
use crate::ui::form::claims::ClaimTexts;
use crate::ui::matrix::Matrix;
use crate::ui::paste::BIG;
use crate::ui::theme::{self, Palette};
use crate::ui::{units, visible};
use egui::{CollapsingHeader, Color32, Frame, Id, Margin, ScrollArea, Ui};
use mint::Mint;
use secrets::Secrets;
use sent::Sent;
use std::sync::Arc;
use std::time::Duration;
use variants::Variants;

pub use validate::countdown;

/// The token panel.
#[derive(Default)]
pub struct TokenPanel {
    pasted: String,
    /// Whether `pasted` or the secrets changed since it was read.
    is_stale: bool,
    /// Counts the texts that were read.
    revision: u64,
    reading: Option<Job<Read>>,
    read: Option<Arc<Read>>,
    /// Whether the button that uses the token is to have the focus, so that Enter is enough.
    wants_focus: bool,
    /// Whether the text field is to have it.
    wants_text: bool,
    /// Which of several tokens in the text is read.
    chosen: usize,
    secrets: Secrets,
    expected: ClaimTexts,
    sent: Sent,
    mint: Mint,
    variants: Variants,
    /// The answers of the server to variants of the token, as far as they are there.
    pub matrix: Option<Matrix>,
}

/// What a text turned out to be.
#[derive(Debug)]
struct Read {
    /// The token that is read: the text itself, or the one of several that was chosen.
    text: String,
    /// Where there are several.
    several: Vec<Candidate>,
    decoded: Decoded,
    report: TokenReport,
    /// What the most used library for Node says of it, with the first secret.
    library: Option<String>,
    /// Whether variants can be made of it.
    can_vary: bool,
}

impl Read {
    fn text(&self) -> &str {
        &self.text
    }
}

impl TokenPanel {
    /// Shows the panel in all the room that `ui` has left.
    pub fn show(&mut self, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
        ScrollArea::vertical().id_salt("token").auto_shrink(false).show(ui, |ui| {
            Frame::NONE.inner_margin(Margin::symmetric(8, 8)).show(ui, |ui| {
                ui.set_width(ui.available_width());
                self.decode_ui(ui, ctx, actions);
                self.secrets_ui(ui);
                let read = self.read.clone();
                let pasted = read.as_ref().map_or(self.pasted.as_str(), |read| read.text());
                self.sent.show(ui, ctx, (self.revision, pasted), actions);
                self.tests_ui(ui, ctx, actions);
                follow_focus(ui);
            });
        });
        if self.is_stale {
            self.is_stale = false;
            self.begin_reading(ui, ctx.now_unix_millis.div_euclid(1000));
        }
    }

    /// Puts a token into the panel, as if it had been pasted.
    pub fn inspect(&mut self, token: String) {
        self.pasted = token;
        self.chosen = 0;
        self.is_stale = true;
        self.wants_focus = true;
    }

    /// Gives the text field the focus.
    pub fn focus(&mut self) {
        self.wants_text = true;
    }

    /// Takes the secrets of the connection form, to verify with them as well.
    pub fn take_secrets(&mut self, secrets: Vec<Secret>) {
        self.is_stale |= self.secrets.take_form(secrets);
    }

    /// Takes what the connection form expects of the claims.
    pub fn take_expected(&mut self, expected: &ClaimTexts) {
        if self.expected != *expected {
            self.expected.clone_from(expected);
            self.is_stale = true;
        }
    }

    /// What is expected of the claims, as it was typed here or in the connection form.
    pub fn expected(&self) -> &ClaimTexts {
        &self.expected
    }

    /// Whether a text holds one of the secrets that were given here.
    pub fn holds_secret(&self, text: &str) -> bool {
        self.secrets.all().iter().any(|secret| secret.is_in(text))
            || self.secrets.typed_is_in(text)
            || self.mint.secret_is_in(text)
    }

    /// The text in the panel, as it was pasted.
    pub fn text(&self) -> &str {
        &self.pasted
    }

    fn begin_reading(&mut self, ui: &Ui, now_unix: i64) {
        self.revision += 1;
        if self.pasted.is_empty() {
            (self.read, self.reading) = (None, None);
            return;
        }
        let secrets = self.secrets.all();
        let expected = self.expected.expectations();
        let chosen = self.chosen;
        if self.pasted.len() <= BIG {
            self.read = Some(Arc::new(read(&self.pasted, chosen, &secrets, now_unix, &expected)));
            self.reading = None;
        } else {
            let text = self.pasted.clone();
            self.read = None;
            let work = move || read(&text, chosen, &secrets, now_unix, &expected);
            self.reading = Some(Job::start("token", ui.ctx(), work));
        }
    }

    fn decode_ui(&mut self, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
        let palette = theme::palette(ui);
        ui.label(theme::strong("Token"));
        let editor = ScrollArea::vertical().id_salt("editor").max_height(EDITOR_HEIGHT);
        let output = editor.show(ui, |ui| {
            let field = BigText::new("Token").id(field_id()).hint("paste a token, a URL or a header").rows(4);
            field.show(ui, &mut self.pasted)
        });
        if std::mem::take(&mut self.wants_text) {
            ui.memory_mut(|memory| memory.request_focus(field_id()));
        }
        let output = output.inner;
        if output.response.changed() {
            self.is_stale = true;
            self.chosen = 0;
        }
        if let Some(job) = &self.reading {
            match job.poll() {
                Outcome::Running => words_ui(ui, "Reading …", palette.muted),
                Outcome::Done(read) => {
                    self.read = Some(Arc::new(read));
                    self.reading = None;
                }
                Outcome::Lost => {
                    words_ui(ui, "It could not be read: the thread for it ended early.", palette.bad);
                }
            }
        }
        if self.pasted.is_empty() {
            words_ui(
                ui,
                "Any text will do, however broken: what is wrong with it is said, and what is right is shown. It stays on \
                 this machine.",
                palette.muted,
            );
            if let Some(view) = ctx.view
                && let Some(token) = sent::sent_token(&view.story)
                && ui.button("Take the one that was sent").clicked()
            {
                self.inspect(token);
            }
            return;
        }
        let Some(read) = self.read.clone() else {
            return;
        };
        if let Some(chosen) = choice::choice_ui(ui, &read.several, self.chosen) {
            self.chosen = chosen;
            self.is_stale = true;
        }
        self.buttons_ui(ui, &read, actions);
        let now = ctx.now_unix_millis as f64 / 1000.0;
        summary_ui(ui, &read.report, now, palette);
        if !read.report.problems.is_empty() {
            marked::problems_ui(ui, read.text(), &read.decoded);
        }
        claims::claims_ui(ui, &read.decoded, &read.report, now);
        if !read.report.claims.is_empty() {
            self.is_stale |= validate::validate_ui(ui, &mut self.expected, &read.report, ctx, now);
        }
        if read.report.exp.is_some() || read.report.nbf.is_some() {
            // The words that count from now move on.
            ui.ctx().request_repaint_after(Duration::from_secs(1));
        }
    }

    fn buttons_ui(&mut self, ui: &mut Ui, read: &Read, actions: &mut Actions) {
        let palette = theme::palette(ui);
        ui.horizontal_wrapped(|ui| {
            let use_it = theme::primary_button(ui, "Use in connection");
            let use_it = ui.add(use_it).on_hover_text("Puts the token into the connection form, as it is");
            if std::mem::take(&mut self.wants_focus) {
                use_it.request_focus();
            }
            if use_it.clicked() {
                actions.push(Action::UseToken(read.text.clone()));
            }
            if let Some(mended) = read.decoded.mended.as_ref().filter(|mended| **mended != read.text) {
                let tip = format!("Takes {} instead", visible::middle_ellipsis(mended, 40));
                if ui.button("Mend").on_hover_text(tip).clicked() {
                    self.inspect(mended.clone());
                    actions.push(Action::Toast("Mended the token".to_owned()));
                }
            }
        });
        if read.decoded.mended.as_ref().is_some_and(|mended| *mended != read.text) {
            words_ui(ui, "It can be sent as it is, to reproduce a fault, or be mended first.", palette.muted);
        }
    }

    fn secrets_ui(&mut self, ui: &mut Ui) {
        section_ui(ui, "Verify");
        if self.secrets.show(ui) {
            self.is_stale = true;
        }
        let Some(read) = &self.read else {
            return;
        };
        let palette = theme::palette(ui);
        let (sign, words, colour) = signature_words(&read.report, palette);
        if read.report.signature != Signature::Unchecked || !self.secrets.is_empty() {
            words_ui(ui, format!("{sign} {words}"), colour);
        }
        if let Some(with) = &read.report.verified_as {
            words_ui(ui, format!("Verifies with {}.", visible::one_line(with, 200).text), palette.text);
        }
        if !self.secrets.is_empty() {
            let words = read.library.as_deref().unwrap_or_default();
            words_ui(ui, visible::one_line(words, 300).text, palette.text);
        }
        for note in &read.report.notes {
            words_ui(ui, format!("· {}", visible::one_line(note, 400).text), palette.muted);
        }
    }

    /// Test tokens: variants of the one above, and new ones.
    fn tests_ui(&mut self, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
        let mut inspected = None;
        let read = self.read.clone();
        if let Some(read) = &read {
            ui.add_space(2.0 * theme::STEP);
            let header = CollapsingHeader::new(theme::strong("Variants and token matrix")).id_salt("variants");
            let (signer, revision) = (self.secrets.signer(), self.revision);
            let (variants, matrix) = (&mut self.variants, self.matrix.as_ref());
            let shown =
                header.show(ui, |ui| variants.show(ui, (revision, read), signer.as_ref(), matrix, ctx, actions));
            inspected = shown.body_returned.flatten();
        }
        let claims = read.as_ref().and_then(|read| read.decoded.payload.as_deref());
        let now = ctx.now_unix_millis.div_euclid(1000);
        ui.add_space(2.0 * theme::STEP);
        let header = CollapsingHeader::new(theme::strong("Mint a test token")).id_salt("mint");
        let shown = header.show(ui, |ui| self.mint.show(ui, claims, now, actions));
        if let Some(token) = inspected.or(shown.body_returned.flatten()) {
            self.inspect(token);
        }
    }
}

impl std::fmt::Debug for TokenPanel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenPanel").field("len", &self.pasted.len()).finish_non_exhaustive()
    }
}

fn read(text: &str, chosen: usize, secrets: &[Secret], now_unix: i64, expected: &Expectations) -> Read {
    let several = candidates(text);
    let text = several.get(chosen).or(several.first()).map_or(text, |one| one.text.as_str()).to_owned();
    let library = secrets.first().and_then(|secret| node_words(&text, Some(secret), now_unix, expected));
    let decoded = decode(&text);
    let can_vary = text.len() <= BIG && can_vary(&decoded);
    Read { report: examine(&text, secrets, now_unix), decoded, several, library, can_vary, text }
}

/// One line each: what it is, whether its dates are valid, whether its signature is.
fn summary_ui(ui: &mut Ui, report: &TokenReport, now: f64, palette: &Palette) {
    let (sign, words, colour) = shape_words(report.shape, palette);
    let alg = report.alg.as_deref().map(|alg| format!(", {}", visible::one_line(alg, 40).text)).unwrap_or_default();
    let size = units::size(report.length_bytes as u64);
    words_ui(ui, format!("{sign} {words}{alg}, {size}"), colour);
    if matches!(report.shape, Shape::Jws) {
        let validity = validity_at(report, now, 0.0);
        let (sign, colour) = validity_look(validity, palette);
        words_ui(ui, format!("{sign} {}", first_upper(validity_words(validity))), colour);
        let (sign, words, colour) = signature_words(report, palette);
        words_ui(ui, format!("{sign} {words}"), colour);
    }
}

fn shape_words(shape: Shape, palette: &Palette) -> (&'static str, &'static str, Color32) {
    match shape {
        Shape::Absent | Shape::Empty => ("✗", "Empty", palette.bad),
        Shape::Placeholder => ("✗", "A word in a token's place", palette.bad),
        Shape::Jws => ("✓", "Signed token (JWS)", palette.ok),
        Shape::Jwe => ("✓", "Encrypted token (JWE): only its header can be read", palette.ok),
        Shape::Opaque => ("?", "No JWT: a session id or an API key, perhaps", palette.warn),
        Shape::Malformed => ("✗", "Broken: its parts cannot all be read", palette.bad),
        Shape::Truncated => ("✗", "Cut off: the end is missing", palette.bad),
    }
}

fn signature_words(report: &TokenReport, palette: &Palette) -> (&'static str, &'static str, Color32) {
    match report.signature {
        Signature::Valid => ("✓", "Signature valid", palette.ok),
        Signature::Invalid if report.verified_as.is_some() => {
            ("✗", "Signature invalid with the secret as it is", palette.bad)
        }
        Signature::Invalid => ("✗", "Signature invalid", palette.bad),
        Signature::Unchecked => ("?", "Signature not checked", palette.muted),
    }
}

/// The sign and the colour of what the dates say.
fn validity_look(validity: Validity, palette: &Palette) -> (&'static str, Color32) {
    match validity {
        Validity::Valid => ("✓", palette.ok),
        Validity::NoExpiry => ("⚠", palette.warn),
        Validity::Expired | Validity::NotYetValid => ("✗", palette.bad),
        Validity::Unknown => ("?", palette.warn),
    }
}

fn field_id() -> Id {
    Id::unique("token panel's text")
}

/// Points of the editor's height, from which on it scrolls.
const EDITOR_HEIGHT: f32 = 180.0;
