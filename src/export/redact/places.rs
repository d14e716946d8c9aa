//! Where secrets stand: in the URL, in headers, in the first message; by the plan, not by chance.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::names::{header_secrets, is_secret_parameter};
use super::plain::Plain;
use super::{Kind, Redactor};
use crate::observation::{Direction, TokenPlace};
use crate::store::{Row, RowBody, Story};
use crate::wire::Opcode;

impl Redactor {
    /// Learns every secret of a story.
    pub fn learn_story(&mut self, story: &Story) {
        if let Some(plan) = &story.plan {
            self.place.clone_from(&plan.token_place);
            self.learn_url(&plan.url);
            if let Some(userinfo) = plan.target.as_ref().and_then(|t| t.userinfo.as_deref()) {
                self.learn(Kind::Authorization, userinfo.as_bytes());
                if let Some((_, password)) = userinfo.split_once(':') {
                    self.learn(Kind::Secret, password.as_bytes());
                }
            }
        }
        if let Some(request) = &story.request {
            self.learn_url(&request.head.target);
            for (name, value) in &request.head.headers {
                self.learn_header(name, value);
            }
        }
        for (_, head) in &story.answer.interim {
            head.headers.iter().for_each(|(name, value)| self.learn_header(name, value));
        }
        if let Some((_, head)) = &story.answer.head {
            head.headers.iter().for_each(|(name, value)| self.learn_header(name, value));
        }
        self.learn_from_text(story.answer.body_text().as_bytes());
        self.learn_from_text(&story.answer.raw);
        if let Some((_, first)) = &story.first_message {
            self.learn_from_text(first);
        }
        for line in &story.console {
            self.learn_from_text(line.text.as_bytes());
        }
        for pasted in &story.pasted {
            self.learn_from_text(pasted.text.as_bytes());
        }
    }

    /// Learns the token from the first message, if that is where it was put.
    pub fn learn_row(&mut self, row: &Row) {
        let (Some(TokenPlace::FirstMessage { template }), RowBody::Frame(frame)) = (&self.place, &row.body) else {
            return;
        };
        if frame.direction != Direction::ClientToServer || frame.header.opcode() != Opcode::Text {
            return;
        }
        let message = String::from_utf8_lossy(&frame.preview).into_owned();
        let (before, after) = template.split_once("{{token}}").unwrap_or((template, ""));
        if let Some(rest) = message.strip_prefix(before) {
            let token = rest.strip_suffix(after).unwrap_or(rest);
            self.learn(Kind::Token, token.as_bytes());
            self.place = None;
        }
    }

    pub(super) fn learn_url(&mut self, url: &str) {
        for (kind, range) in self.url_parts(url) {
            self.learn(kind, url.get(range).unwrap_or_default().as_bytes());
        }
        self.learn_from_text(url.as_bytes());
    }

    pub(super) fn learn_header(&mut self, name: &str, value: &str) {
        for (kind, range) in self.header_parts(name, value) {
            let part = value.get(range).unwrap_or_default();
            self.learn(kind, part.as_bytes());
            if kind == Kind::Authorization
                && let Ok(pair) = STANDARD.decode(part)
                && let Some(colon) = pair.iter().position(|byte| *byte == b':')
            {
                self.learn(Kind::Authorization, &pair);
                self.learn(Kind::Secret, pair.get(colon + 1..).unwrap_or_default());
            }
        }
        self.learn_from_text(value.as_bytes());
    }

    /// Where secrets stand in a URL or request target, by the names of its parameters.
    pub(super) fn url_parts(&self, url: &str) -> Vec<(Kind, Range<usize>)> {
        let own = match &self.place {
            Some(TokenPlace::Query { name }) => Some(name.as_str()),
            _ => None,
        };
        let mut parts = Vec::new();
        let Some(question) = url.find('?') else { return parts };
        let mut at = question + 1;
        for pair in url.get(at..).unwrap_or_default().split(['&', '#']) {
            if let Some((name, value)) = pair.split_once('=') {
                let name = String::from_utf8_lossy(&Plain::new(name.as_bytes()).bytes).into_owned();
                let is_own = own == Some(name.as_str());
                if is_own || is_secret_parameter(&name) {
                    let kind = if is_own { Kind::Token } else { Kind::of_name(&name) };
                    parts.push((kind, at + pair.len() - value.len()..at + pair.len()));
                }
            }
            at += pair.len() + 1;
        }
        parts
    }

    /// Where secrets stand in a header's value, by its name and by where the token was put.
    pub(super) fn header_parts(&self, name: &str, value: &str) -> Vec<(Kind, Range<usize>)> {
        let whole = (Kind::Token, 0..value.len());
        match &self.place {
            Some(TokenPlace::Header { name: own }) if own.eq_ignore_ascii_case(name) => match value.split_once(' ') {
                Some((scheme, rest)) if scheme.chars().all(|c| c.is_ascii_alphabetic()) => {
                    vec![(Kind::Token, value.len() - rest.len()..value.len())]
                }
                _ => vec![whole],
            },
            Some(TokenPlace::Subprotocol) if name.eq_ignore_ascii_case("sec-websocket-protocol") => {
                let start = value.rfind(',').map_or(0, |comma| comma + 1);
                let last = value.get(start..).unwrap_or_default();
                let lead = last.len() - last.trim_start().len();
                vec![(Kind::Token, start + lead..start + last.trim_end().len())]
            }
            Some(TokenPlace::Cookie { name: own }) if name.eq_ignore_ascii_case("cookie") => {
                let mut parts = header_secrets(name, value);
                for (kind, range) in &mut parts {
                    let before = value.get(..range.start).unwrap_or_default().trim_end_matches('=');
                    let cookie = before.rsplit(';').next().unwrap_or_default().trim();
                    if cookie == own {
                        *kind = Kind::Token;
                    }
                }
                parts
            }
            _ => header_secrets(name, value),
        }
    }
}
