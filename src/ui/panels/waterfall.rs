//! The phases of the shown connection in one line, each address apart; after the end, the end stands out.

use std::time::Duration;

use egui::{Align, Button, Layout, ScrollArea, Sense, Ui, WidgetText};

use crate::observation::{CloseOrigin, Moment, ReadEnd};
use crate::store::{Attempt, AttemptOutcome, Story};
use crate::ui::action::{Action, Tab};
use crate::ui::context::{Actions, Context};
use crate::ui::panels::fact_words::io_words;
use crate::ui::panels::token::countdown;
use crate::ui::state_words::{Tone, end_tone, is_over, state_words, tcp_end};
use crate::ui::theme::{self, Palette};
use crate::ui::{units, visible};

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Pass,
    Fail,
    Running,
    Neutral,
}

/// One step of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    name: String,
    mark: Mark,
    /// How long it took.
    span: Option<Duration>,
    /// All about it, for the pointer and for screen readers.
    about: String,
    /// Where in the log it is.
    at: Moment,
}

/// Shows the state in words, and the steps so far.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
    let palette = theme::palette(ui);
    let story = ctx.view.map(|view| &*view.story);
    ui.horizontal(|ui| {
        ui.set_height(theme::CONTROL_HEIGHT);
        let state = state_words(story, ctx.now_unix_millis);
        let colour = state.tone.colour(palette);
        let words = ui.label(theme::strong(format!("{} {}{}", state.mark, state.text, state.note)).color(colour));
        let spoken = || format!("State: {}{}", state.text, state.note);
        words.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Status, true, spoken()));
        if let Some(span) = &state.span {
            ui.label(theme::tinted(span.as_str(), palette.muted));
        }
        ui.add_space(2.0 * theme::STEP);
        let Some(story) = story else {
            return;
        };
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some((words, is_soon)) = countdown(ctx).filter(|_| ctx.is_live) {
                let colour = if is_soon { palette.warn } else { palette.muted };
                ui.label(theme::tinted(format!("The token {words}"), colour));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ScrollArea::horizontal().id_salt("waterfall").show(ui, |ui| {
                    ui.spacing_mut().item_spacing.x = theme::STEP;
                    ui.horizontal_centered(|ui| steps_ui(ui, story, palette, actions));
                });
            });
        });
    });
}

/// Says in one line why the shown connection ended, where the verdict itself is out of sight.
pub fn answer_ui(ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
    let Some(view) = ctx.view else {
        return;
    };
    ui.horizontal(|ui| {
        let Some(verdict) = &view.story.verdict else {
            // The line is there from the beginning, so that nothing moves when the answer comes.
            ui.add_enabled(false, Button::new("Why").small());
            ui.label(theme::tinted("The verdict comes when the connection ends", theme::palette(ui).muted));
            return;
        };
        if ui.small_button("Why").on_hover_text("Shows the verdict, with what shows it and how to mend it").clicked() {
            actions.push(Action::Tab(Tab::Verdict));
        }
        let words = visible::one_line(&verdict.summary, 400).text;
        ui.add(egui::Label::new(words).truncate());
    });
}

fn steps_ui(ui: &mut Ui, story: &Story, palette: &Palette, actions: &mut Actions) {
    let over = is_over(story);
    let steps = steps(story);
    let last = steps.len().saturating_sub(1);
    for (nth, step) in steps.iter().enumerate() {
        if nth > 0 {
            ui.label(theme::tinted("–", palette.line));
        }
        let (sign, colour) = match step.mark {
            Mark::Pass => ("✓ ", palette.ok),
            Mark::Fail => ("✗ ", palette.bad),
            Mark::Running => ("… ", palette.warn),
            Mark::Neutral => ("", palette.muted),
        };
        // What is past is quiet, so that nobody reads an old 101 as the present.
        let is_past = over && nth != last;
        let name_colour = if is_past { palette.muted } else { palette.text };
        let mut job = egui::text::LayoutJob::default();
        let font = theme::body_font();
        let append = |job: &mut egui::text::LayoutJob, text: &str, colour| {
            job.append(text, 0.0, egui::TextFormat::simple(font.clone(), colour));
        };
        append(&mut job, sign, colour);
        append(&mut job, &step.name, name_colour);
        if let Some(span) = step.span {
            append(&mut job, &format!(" {}", units::span(span)), palette.muted);
        }
        let about = step.about.as_str();
        let label = egui::Label::new(WidgetText::from(job)).selectable(false).sense(Sense::CLICK).extend();
        let response = ui.add(label).on_hover_text(about);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, about));
        if response.clicked() {
            actions.push(Action::GoToMoment(step.at));
        }
    }
}

fn steps(story: &Story) -> Vec<Step> {
    let over = is_over(story);
    let mut steps = Vec::new();
    if let Some((at, problem)) = &story.not_attempted {
        let about = format!("Nothing was sent: {}", visible::one_line(&problem.message, 200).text);
        steps.push(Step { name: "URL".to_owned(), mark: Mark::Fail, span: None, about, at: *at });
    }
    steps.extend(resolve(story, over));
    steps.extend(attempts(story, over));
    steps.extend(socket(story));
    steps.extend(tunnel(story, over));
    steps.extend(tls(story, over));
    steps.extend(upgrade(story, over));
    steps.extend(confirmation(story, over));
    steps.extend(end(story));
    steps
}

fn resolve(story: &Story, over: bool) -> Option<Step> {
    let resolve = story.resolve.as_ref()?;
    let host = visible::one_line(&resolve.host, 80).text;
    let addresses: Vec<_> = resolve.addresses.iter().take(8).map(ToString::to_string).collect();
    let (mark, about) = match &resolve.failure {
        Some(failure) => {
            (Mark::Fail, format!("Resolving {host} failed: {}", visible::one_line(&failure.text, 200).text))
        }
        None if resolve.ended.is_some() => (Mark::Neutral, format!("{host} resolved to {}", addresses.join(", "))),
        None => (running(over), format!("Resolving {host}")),
    };
    let span = resolve.ended.map(|end| between(resolve.started, end));
    Some(Step { name: "Resolve".to_owned(), mark, span, about, at: resolve.started })
}

fn attempts(story: &Story, over: bool) -> Vec<Step> {
    let step = |attempt: &Attempt| {
        let address = attempt.address;
        let ip = address.ip();
        let (mark, about) = match &attempt.outcome {
            AttemptOutcome::Pending => (running(over), format!("Connecting to {address}")),
            AttemptOutcome::Connected => (Mark::Pass, format!("TCP connected to {address}")),
            AttemptOutcome::Failed(failure) => (Mark::Fail, format!("TCP to {address}: {}", io_words(failure))),
            AttemptOutcome::Abandoned => (Mark::Neutral, format!("{address} was given up: another address was faster")),
        };
        let span = attempt.ended.map(|end| between(attempt.started, end));
        Step { name: ip.to_string(), mark, span, about, at: attempt.started }
    };
    let mut steps: Vec<_> = story.attempts.iter().take(MAX_ATTEMPTS).map(step).collect();
    if let Some(first) = steps.first_mut() {
        first.name.insert_str(0, "TCP ");
    }
    if let Some(more) = story.attempts.len().checked_sub(MAX_ATTEMPTS).filter(|more| *more > 0) {
        let at = story.attempts.get(MAX_ATTEMPTS).map_or(story.last_at, |attempt| attempt.started);
        let about = format!("{more} more addresses were tried; the log has each of them");
        steps.push(Step { name: format!("+{more}"), mark: Mark::Neutral, span: None, about, at });
    }
    steps
}

fn socket(story: &Story) -> Option<Step> {
    let (at, path, failure) = story.socket.as_ref()?;
    let path = visible::one_line(path, 120).text;
    let (mark, about) = match failure {
        Some(failure) => (Mark::Fail, format!("The socket {path}: {}", io_words(failure))),
        None => (Mark::Pass, format!("Connected to the socket {path}")),
    };
    Some(Step { name: "Socket".to_owned(), mark, span: None, about, at: *at })
}

fn tunnel(story: &Story, over: bool) -> Option<Step> {
    let tunnel = story.tunnel.as_ref()?;
    let (mark, about) = match (&tunnel.failure, tunnel.ended) {
        (Some(failure), _) => (Mark::Fail, visible::one_line(&failure.text, 200).text),
        (None, Some(_)) => (Mark::Pass, format!("the {} gave a way to the server", tunnel.kind.words())),
        (None, None) => (running(over), format!("Asking the {}", tunnel.kind.words())),
    };
    let span = tunnel.ended.map(|end| between(tunnel.started, end));
    Some(Step { name: "Proxy".to_owned(), mark, span, about, at: tunnel.started })
}

fn tls(story: &Story, over: bool) -> Option<Step> {
    let tls = story.tls.as_ref()?;
    let (name, mark, about) = match (&tls.info, &tls.failure) {
        (Some(info), _) => {
            let mark = if info.defects.is_empty() { Mark::Pass } else { Mark::Fail };
            let mut about = format!("{}, {}", info.version, info.cipher);
            for (name, value) in [("key exchange", &info.group), ("ALPN", &info.alpn)] {
                if let Some(value) = value {
                    about = format!("{about}, {name} {}", visible::one_line(value, 40).text);
                }
            }
            if let Some(leaf) = info.chain.first() {
                about.push_str("; certificate of ");
                about.push_str(&visible::one_line(&leaf.subject, 80).text);
            }
            for defect in &info.defects {
                about.push_str("; went on although ");
                about.push_str(&visible::one_line(defect, 120).text);
            }
            (info.version.replace("TLSv", "TLS "), mark, about)
        }
        (None, Some(failure)) => {
            let text = visible::one_line(&failure.text, 200).text;
            let alert = failure.alert.map_or_else(String::new, |alert| format!("; alert {}", alert.words()));
            ("TLS".to_owned(), Mark::Fail, format!("TLS failed: {text}{alert}"))
        }
        (None, None) => ("TLS".to_owned(), running(over), "The TLS handshake".to_owned()),
    };
    let span = tls.ended.map(|end| between(tls.started, end));
    Some(Step { name, mark, span, about, at: tls.started })
}

fn upgrade(story: &Story, over: bool) -> Option<Step> {
    let request = story.request.as_ref()?;
    let status = story.answer.status();
    let name = status.map_or_else(|| "Upgrade".to_owned(), |status| format!("Upgrade {status}"));
    let broken: Vec<_> = story.answer.checks.iter().filter(|check| !check.ok).collect();
    let mark = match status {
        Some(101) if broken.is_empty() => Mark::Pass,
        Some(_) => Mark::Fail,
        None if story.answer.not_http.is_some() || over => Mark::Fail,
        None => Mark::Running,
    };
    let about = match (status, mark) {
        (Some(101), Mark::Pass) => "The opening handshake: 101 Switching Protocols, every check passed".to_owned(),
        (Some(101), _) => "The server answered 101, but the answer breaks the rules: see Handshake".to_owned(),
        (Some(status), _) => format!("The server refused the upgrade with HTTP {status}: see Handshake"),
        (None, Mark::Running) => "The request is out; the answer has not come yet".to_owned(),
        (None, _) => "No whole answer came to the opening handshake".to_owned(),
    };
    let end = story.answer.head.as_ref().map(|(at, _)| *at);
    Some(Step { name, mark, span: end.map(|end| between(request.at, end)), about, at: request.at })
}

fn confirmation(story: &Story, over: bool) -> Option<Step> {
    let opened = story.opened?;
    let Some(confirmation) = &story.confirmation else {
        let about = "Waiting for the message that confirms the connection".to_owned();
        let mark = if over { Mark::Neutral } else { Mark::Running };
        let name = if over { "Not confirmed" } else { "Confirmation" };
        return Some(Step { name: name.to_owned(), mark, span: None, about, at: opened });
    };
    let preview = confirmation.preview.as_deref().map(|text| visible::one_line(text, 120).text).unwrap_or_default();
    let (name, mark, about) = if confirmation.ok {
        ("Confirmed", Mark::Pass, format!("The server confirmed the connection {preview}"))
    } else {
        ("Not confirmed", Mark::Fail, format!("The expected confirmation did not come {preview}"))
    };
    let span = Some(between(opened, confirmation.at));
    Some(Step { name: name.to_owned(), mark, span, about: about.trim_end().to_owned(), at: confirmation.at })
}

fn end(story: &Story) -> Option<Step> {
    let mark = match end_tone(story) {
        Tone::Bad => Mark::Fail,
        Tone::Good => Mark::Pass,
        Tone::Quiet | Tone::Busy => Mark::Neutral,
    };
    if let Some(close) = &story.close_received {
        let code = close.info.code.map_or_else(|| "without a code".to_owned(), |code| code.to_string());
        let mut about = format!("The server sent Close {code}");
        if !close.info.reason.is_empty() {
            about.push_str(" \u{201c}");
            about.push_str(&visible::one_line(&close.info.reason, 123).text);
            about.push('\u{201d}');
        }
        let name = format!("Close {code}");
        return Some(Step { name, mark, span: None, about, at: close.at });
    }
    if let Some((at, end)) = &story.read_end {
        let name = tcp_end(end);
        let what = if matches!(end, ReadEnd::CloseNotify) { "The server ended TLS" } else { "TCP ended" };
        let about = format!("{what} ({name}) and no Close frame had come");
        return Some(Step { name: name.to_owned(), mark, span: None, about, at: *at });
    }
    if let Some((at, origin)) = &story.close_begun {
        let by = match origin {
            CloseOrigin::User => "You asked for the closing handshake",
            CloseOrigin::Abort => "You dropped the connection",
            CloseOrigin::WatchEnded => "The watch ended",
            CloseOrigin::Violation => "The server broke a rule, and we gave up",
            CloseOrigin::Limit => "A limit of ours was passed",
            CloseOrigin::Unconfirmed => "The confirmation did not come",
            CloseOrigin::Shutdown => "Sockeye was closed",
            CloseOrigin::Client => "The client ended the connection",
        };
        let name = if is_over(story) { "Ended by us" } else { "Closing" };
        return Some(Step { name: name.to_owned(), mark: Mark::Neutral, span: None, about: by.to_owned(), at: *at });
    }
    let failed = story.we_closed_tcp.filter(|_| story.opened.is_none() && story.request.is_some())?;
    let words = state_words(Some(story), 0).text;
    Some(Step { name: "No connection".to_owned(), mark: Mark::Fail, span: None, about: words, at: failed })
}

fn running(over: bool) -> Mark {
    if over { Mark::Neutral } else { Mark::Running }
}

fn between(start: Moment, end: Moment) -> Duration {
    Duration::from_nanos(end.0.saturating_sub(start.0))
}

/// How many addresses are shown in the line.
const MAX_ATTEMPTS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{IoFailure, IoKind};

    fn attempt(address: &str, outcome: AttemptOutcome) -> Attempt {
        let ended = Some(Moment::from_millis(2));
        Attempt { address: address.parse().unwrap(), started: Moment::from_millis(1), ended, outcome }
    }

    #[test]
    fn each_address_stands_apart_and_the_end_comes_last() {
        let refused = IoFailure { kind: IoKind::Refused, code: Some(111), text: "Connection refused".to_owned() };
        let story = Story {
            attempts: vec![
                attempt("[::1]:3001", AttemptOutcome::Failed(refused)),
                attempt("127.0.0.1:3001", AttemptOutcome::Connected),
            ],
            opened: Some(Moment::from_millis(5)),
            read_end: Some((Moment::from_millis(9), ReadEnd::Fin)),
            we_closed_tcp: Some(Moment::from_millis(9)),
            ..Story::default()
        };
        let steps = steps(&story);
        let line: Vec<_> = steps.iter().map(|step| (step.name.as_str(), step.mark)).collect();
        assert_eq!(
            line,
            [("TCP ::1", Mark::Fail), ("127.0.0.1", Mark::Pass), ("Not confirmed", Mark::Neutral), ("FIN", Mark::Fail)]
        );
    }

    #[test]
    fn many_addresses_are_counted() {
        let story = Story { attempts: vec![attempt("10.0.0.1:80", AttemptOutcome::Abandoned); 9], ..Story::default() };
        assert_eq!(steps(&story).last().map(|step| step.name.clone()).as_deref(), Some("+5"));
    }
}
