//! The idle lab: what silence does to connections to the form's URL, measured with a silent connection and a twin.

use egui::{CollapsingHeader, ProgressBar, Ui, vec2};

use super::parts::{first_upper, words_ui};
use super::probe_words::lab_words;
use crate::diagnosis::{LabFinding, lab_finding};
use crate::observation::{ConnId, LabMeasure};
use crate::store::Story;
use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::context::{Actions, Context};
use crate::ui::fields::problem_ui;
use crate::ui::lab::Lab;
use crate::ui::theme;
use crate::ui::units;

/// The panel below the verdict.
#[derive(Debug)]
pub struct IdleLabPanel {
    secs: String,
}

impl Default for IdleLabPanel {
    fn default() -> Self {
        Self { secs: "150".to_owned() }
    }
}

impl IdleLabPanel {
    /// Shows the panel; `obstacle` says why nobody can connect at the moment.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        lab: Option<&Lab>,
        obstacle: Option<&str>,
        ctx: &Context<'_>,
        actions: &mut Actions,
    ) {
        let is_running = lab.is_some_and(|lab| lab.is_running);
        let header = CollapsingHeader::new("Idle lab").id_salt("idle lab").open(is_running.then_some(true));
        header.show(ui, |ui| {
            let palette = theme::palette(ui);
            words_ui(
                ui,
                "Opens two connections to the form's URL, one silent and one that pings, and tells a limit on silence from \
                 a limit on age.",
                palette.muted,
            );
            self.controls_ui(ui, is_running, obstacle, actions);
            if let Some(lab) = lab {
                runs_ui(ui, lab, ctx);
                if let Some(measure) = &lab.measure {
                    result_ui(ui, lab, measure, actions);
                }
            }
        });
    }

    fn controls_ui(&mut self, ui: &mut Ui, is_running: bool, obstacle: Option<&str>, actions: &mut Actions) {
        let secs = seconds(&self.secs);
        ui.horizontal(|ui| {
            ui.label("For at most");
            ui.allocate_ui(vec2(64.0, theme::CONTROL_HEIGHT), |ui| {
                ui.add_enabled_ui(!is_running, |ui| BigText::new("How many seconds").show(ui, &mut self.secs));
            });
            ui.label("s");
            if is_running {
                if ui.button("Stop").on_hover_text("What is known by then counts").clicked() {
                    actions.push(Action::StopLab);
                }
                return;
            }
            let reason = secs.as_ref().err().cloned().or_else(|| obstacle.map(str::to_owned));
            let button = ui.add_enabled(reason.is_none(), egui::Button::new("Measure"));
            if button.on_disabled_hover_text(reason.unwrap_or_default()).clicked()
                && let Ok(secs) = secs
            {
                actions.push(Action::StartLab(secs));
            }
        });
        if let Err(problem) = &secs {
            problem_ui(ui, problem);
        }
    }
}

fn runs_ui(ui: &mut Ui, lab: &Lab, ctx: &Context<'_>) {
    let names = ["Silent", "Pings", "Silent again"];
    for (conn, name) in lab.conns.into_iter().zip(names) {
        let Some(story) = story(ctx, conn) else { continue };
        let Some((age, is_over)) = age_secs(story, ctx.now_unix_millis) else { continue };
        let word = if is_over { "ended after" } else { "open for" };
        let words = format!("{name}: {word} {}", units::span(std::time::Duration::from_secs_f64(age)));
        let share = (age / lab.limit.as_secs_f64().max(0.001)).clamp(0.0, 1.0) as f32;
        let bar = ProgressBar::new(share).desired_width(ui.available_width()).text(words.clone());
        let response = ui.add(bar);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, words.clone()));
    }
}

fn result_ui(ui: &mut Ui, lab: &Lab, measure: &LabMeasure, actions: &mut Actions) {
    let palette = theme::palette(ui);
    let (sign, colour) = match lab_finding(measure) {
        LabFinding::Survived { .. } => ("✓", palette.ok),
        LabFinding::IdleLimit { .. } | LabFinding::Lifetime { .. } | LabFinding::Sweep { .. } => ("✗", palette.bad),
        LabFinding::Unclear => ("?", palette.warn),
    };
    words_ui(ui, format!("{sign} {}", first_upper(&lab_words(measure))), colour);
    if ui.button("Show its verdict").clicked() {
        actions.push(Action::Show(lab.conns[0]));
    }
}

fn story<'a>(ctx: &Context<'a>, conn: ConnId) -> Option<&'a Story> {
    ctx.views.iter().find(|view| view.conn == conn).map(|view| &*view.story)
}

/// How old a connection is or became, in seconds, and whether it is over.
fn age_secs(story: &Story, now_unix_millis: i64) -> Option<(f64, bool)> {
    let opened = story.opened?;
    let close = story.close_received.as_ref().map(|close| close.at);
    let end = [story.read_end.as_ref().map(|(at, _)| *at), close, story.we_closed_tcp].into_iter().flatten().min();
    if let Some(end) = end {
        return Some((end.millis_since(opened) / 1e3, true));
    }
    let began = story.plan.as_ref()?.began_unix_millis;
    let age_millis = now_unix_millis.saturating_sub(began) as f64 - opened.as_millis();
    Some((age_millis.max(0.0) / 1e3, false))
}

fn seconds(text: &str) -> Result<u64, String> {
    match text.trim().parse() {
        Ok(secs @ 3..=7_300) => Ok(secs),
        Ok(_) | Err(_) => Err("A number of seconds from 3 to 7300".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_a_number_of_seconds() {
        assert_eq!(seconds(" 150 "), Ok(150));
        for text in ["", "2", "7301", "-5", "1.5", "abc", "99999999999999999999"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
