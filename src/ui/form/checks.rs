//! What is wrong with the fields of the form, in words for the user; nothing here stops anybody from typing.

use std::collections::BTreeMap;

use super::{ExpectChoice, Form, PlaceChoice};
use crate::token::place::lint_sent;
use crate::token::{Problem, decode};
use crate::ui::paste::BIG;
use crate::ui::units;
use crate::ui::visible::is_hidden;
use crate::wire::{Target, UrlProblem, UrlProblemKind, check_subprotocols, parse_url};

/// A field that can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The token.
    Token,
    /// The name or template that goes with its place.
    Place,
    /// The header row of this number.
    Header(usize),
    /// The origin.
    Origin,
    /// The subprotocols.
    Subprotocols,
    /// The time-out for resolving and TCP.
    ConnectTimeOut,
    /// The time-out for the response.
    UpgradeTimeOut,
    /// The time-out for the confirmation.
    ConfirmTimeOut,
    /// The path of the certificate authority.
    CaFile,
    /// The path of the client certificate.
    ClientCertificate,
    /// The path of its key.
    ClientKey,
    /// The name for SNI.
    Sni,
    /// The path of the file for the keys.
    KeyLog,
    /// The proxy's URL.
    Proxy,
    /// How often a ping is sent.
    Ping,
    /// How long a pong may take.
    Pong,
    /// What goes with the expectation.
    Expect,
    /// The path of the secret.
    SecretFile,
    /// What is allowed on both sides of the token's dates.
    Leeway,
}

/// Everything that is wrong or worth saying about the fields.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    /// What is wrong with the URL.
    pub url: Option<UrlProblem>,
    /// The URL taken apart, if it can be.
    pub target: Option<Target>,
    /// Fields that cannot be used as they are.
    pub fields: BTreeMap<Field, String>,
    /// What is odd about the token; it can be sent all the same.
    pub token: Vec<Problem>,
    /// Names in `{{…}}` of the URL that are no variables.
    pub unknown: Vec<String>,
    /// The token that was probably meant.
    pub token_mended: Option<String>,
}

impl Checks {
    /// Looks at every field.
    pub fn of(form: &Form) -> Self {
        let mut checks = Self::default();
        let found = if form.url.len() > MAX_URL {
            url(&form.url)
        } else {
            let filled = form.filled_url();
            checks.unknown = filled.unknown;
            url(&filled.text)
        };
        match found {
            Ok(target) => checks.target = Some(target),
            Err(problem) => checks.url = Some(problem),
        }
        checks.token(form);
        checks.place(form);
        checks.headers(form);
        let fields = &mut checks.fields;
        let mut add = |field, problem: Option<String>| {
            if let Some(problem) = problem {
                fields.insert(field, problem);
            }
        };
        add(Field::Origin, header_value(&form.origin));
        let offered = too_long(&form.subprotocols)
            .or_else(|| check_subprotocols(&form.subprotocol_list()).err().map(|problem| problem.message));
        add(Field::Subprotocols, offered);
        add(Field::ConnectTimeOut, secs(&form.time_outs.connect).err());
        add(Field::UpgradeTimeOut, secs(&form.time_outs.upgrade).err());
        add(Field::ConfirmTimeOut, secs(&form.time_outs.confirm).err());
        add(Field::CaFile, path(&form.ca_file));
        add(Field::SecretFile, path(&form.secret_file));
        add(Field::Expect, expect(form));
        add(Field::Leeway, form.claims.problem());
        form.network.check(&mut checks.fields);
        checks
    }

    /// Why nobody can connect with this form; an impossible URL is no reason, the verdict explains it.
    pub fn obstacle(&self) -> Option<String> {
        if let Some(problem) = &self.url
            && problem.len > MAX_URL
        {
            return Some(problem.message.clone());
        }
        let field =
            self.fields.iter().find(|(field, _)| **field != Field::SecretFile && **field != Field::Subprotocols)?;
        Some(field.1.clone())
    }

    /// Whether a connection can be tried.
    pub fn can_connect(&self) -> bool {
        self.obstacle().is_none()
    }

    fn token(&mut self, form: &Form) {
        if form.token.is_empty() {
            return;
        }
        if form.token.len() > BIG {
            let size = units::size(form.token.len() as u64);
            self.fields.insert(Field::Token, format!("{size} are no token: most servers take at most 8 KiB"));
            return;
        }
        let decoded = decode(&form.token);
        self.token_mended = decoded.mended.filter(|mended| *mended != form.token);
        self.token = match form.raw_token() {
            Some(raw) => lint_sent(raw),
            None => decoded.problems.into_iter().filter(|_| self.token_mended.is_some()).collect(),
        };
        let is_header = matches!(form.place, PlaceChoice::Bearer | PlaceChoice::Header | PlaceChoice::Cookie);
        if let Some(problem) = header_value(&form.token).filter(|_| is_header) {
            self.fields.insert(Field::Token, problem);
        }
    }

    fn place(&mut self, form: &Form) {
        let names = &form.names;
        let problem = match form.place {
            PlaceChoice::Query => names.query.is_empty().then(|| "give the query parameter a name".to_owned()),
            PlaceChoice::Header => header_name(&names.header),
            PlaceChoice::Cookie => header_name(&names.cookie),
            PlaceChoice::FirstMessage if !names.template.contains("{{token}}") => {
                Some("the message does not contain {{token}}, so the token would not be sent".to_owned())
            }
            PlaceChoice::Bearer | PlaceChoice::Subprotocol | PlaceChoice::FirstMessage => None,
        };
        if let Some(problem) = problem {
            self.fields.insert(Field::Place, problem);
        }
    }

    fn headers(&mut self, form: &Form) {
        for (nth, row) in form.headers.iter().enumerate().filter(|(_, row)| row.is_on) {
            if row.name.is_empty() && row.value.is_empty() {
                continue;
            }
            if let Some(problem) = header_name(&row.name).or_else(|| header_value(&row.value)) {
                self.fields.insert(Field::Header(nth), problem);
            }
        }
    }
}

/// Reads a time-out typed in seconds.
pub fn secs(text: &str) -> Result<f64, String> {
    let typed = text.trim();
    if typed.is_empty() {
        return Err("type a number of seconds, such as 5 or 0.5".to_owned());
    }
    let secs: f64 = if typed.len() > 32 { f64::NAN } else { typed.parse().unwrap_or(f64::NAN) };
    if !secs.is_finite() {
        return Err(format!("\u{201c}{}\u{201d} is no number of seconds", shown(typed)));
    }
    if (0.001..=MAX_SECS).contains(&secs) {
        Ok(secs)
    } else {
        Err("at least 0.001 and at most 86400 seconds".to_owned())
    }
}

fn url(typed: &str) -> Result<Target, UrlProblem> {
    if typed.len() > MAX_URL {
        let size = units::size(typed.len() as u64);
        return Err(UrlProblem {
            kind: UrlProblemKind::Relative,
            at: 0,
            len: typed.len(),
            message: format!("{size} are too long for a URL: servers take a few KiB"),
            suggestion: None,
        });
    }
    parse_url(typed)
}

fn header_name(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("the name is missing".to_owned());
    }
    let bad = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"!#$%&'*+-.^_`|~".contains(*c))?;
    Some(format!("the name holds {}, which no header name may", character(bad)))
}

fn header_value(value: &str) -> Option<String> {
    if let Some(problem) = too_long(value) {
        return Some(problem);
    }
    let bad = value.chars().find(|c| *c != '\t' && is_hidden(*c))?;
    Some(format!("it holds {}, which cannot travel in a header", character(bad)))
}

pub(super) fn path(typed: &str) -> Option<String> {
    if typed.len() > MAX_PATH {
        return Some("this is too long for a path".to_owned());
    }
    let bad = typed.chars().find(|c| c.is_control())?;
    Some(format!("it holds {}, which no path can", character(bad)))
}

fn expect(form: &Form) -> Option<String> {
    let texts = &form.expected;
    match form.expect {
        ExpectChoice::Contains if texts.contains.is_empty() => Some("type what the message must contain".to_owned()),
        ExpectChoice::JsonPointer if !texts.pointer.is_empty() && !texts.pointer.starts_with('/') => {
            Some("a JSON pointer begins with /, such as /type".to_owned())
        }
        ExpectChoice::First | ExpectChoice::None | ExpectChoice::Contains | ExpectChoice::JsonPointer => None,
        ExpectChoice::Regex if texts.pattern.is_empty() => Some("type a regular expression".to_owned()),
        ExpectChoice::Regex if texts.pattern.len() > MAX_PATTERN => Some("this expression is too long".to_owned()),
        ExpectChoice::Regex => regex::Regex::new(&texts.pattern).err().map(|error| match error {
            regex::Error::Syntax(text) => {
                let last = text.lines().last().unwrap_or_default();
                format!("this expression cannot be read: {}", last.trim_start_matches("error: "))
            }
            other => format!("this expression cannot be used: {other}"),
        }),
    }
}

fn too_long(text: &str) -> Option<String> {
    (text.len() > BIG).then(|| format!("{} are too long for this field", units::size(text.len() as u64)))
}

pub(super) fn character(c: char) -> String {
    match c {
        '\n' => "a line end".to_owned(),
        '\r' => "a carriage return".to_owned(),
        '\0' => "a NUL character".to_owned(),
        ' ' => "a space".to_owned(),
        _ if is_hidden(c) => format!("U+{:04X}", u32::from(c)),
        _ => format!("\u{201c}{c}\u{201d}"),
    }
}

fn shown(text: &str) -> String {
    crate::ui::visible::one_line(text, 24).text
}

const MAX_URL: usize = 1024 * 1024;
const MAX_SECS: f64 = 86_400.0;
const MAX_PATH: usize = 4096;
const MAX_PATTERN: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Form), field: Field, says: &str) {
        let mut form = Form::first();
        change(&mut form);
        form.recheck();
        let said = form.checks.fields.get(&field).cloned().unwrap_or_default();
        assert!(said.contains(says), "{field:?}: {said:?} without {says:?}");
    }

    #[test]
    fn bad_input_is_named_at_its_field() {
        check(|form| form.time_outs.connect = "1e9".into(), Field::ConnectTimeOut, "at most 86400");
        check(|form| form.time_outs.upgrade = "soon\u{202E}".into(), Field::UpgradeTimeOut, "no number of seconds");
        check(|form| form.time_outs.confirm = "9".repeat(10 << 20), Field::ConfirmTimeOut, "no number");
        check(|form| form.origin = "http://a\r\nX: y".into(), Field::Origin, "a carriage return");
        check(|form| form.origin = "http://\u{202E}a".into(), Field::Origin, "U+202E");
        check(|form| form.ca_file = "a\0b".into(), Field::CaFile, "a NUL character");
        check(|form| form.subprotocols = "a, b c".into(), Field::Subprotocols, "' '");
        check(|form| form.subprotocols = "x".repeat(10 << 20), Field::Subprotocols, "too long");
        let row =
            |name: &str, value: &str| super::super::HeaderRow { is_on: true, name: name.into(), value: value.into() };
        check(|form| form.headers.push(row("A B", "c")), Field::Header(0), "a space");
        check(|form| form.headers.push(row("A", "\0")), Field::Header(0), "a NUL character");
        check(|form| form.headers.push(row("A", &"x".repeat(10 << 20))), Field::Header(0), "too long");
        check(|form| form.token = "x".repeat(10 << 20), Field::Token, "10.0 MiB are no token");
        let regex = |form: &mut Form| (form.expect, form.expected.pattern) = (ExpectChoice::Regex, "(a".into());
        check(regex, Field::Expect, "unclosed group");
        let pointer = |form: &mut Form| (form.expect, form.expected.pointer) = (ExpectChoice::JsonPointer, "a".into());
        check(pointer, Field::Expect, "begins with /");
    }

    #[test]
    fn a_token_that_would_break_the_request_head_is_stopped() {
        let bearer = |form: &mut Form| (form.place, form.token) = (PlaceChoice::Bearer, "eyJ\n".into());
        check(bearer, Field::Token, "a line end");
    }

    #[test]
    fn an_impossible_url_may_be_tried_and_an_endless_one_not() {
        let mut form = Form::default();
        form.set_url("ws://h:1e9/");
        assert!(form.checks.url.is_some() && form.checks.can_connect());
        form.set_url(format!("ws://h/?{}", "a".repeat(10 << 20)));
        assert!(!form.checks.can_connect());
    }

    #[test]
    fn a_slip_of_the_token_is_told_with_its_mend() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let mut form = Form::first();
        form.set_token(format!("Bearer {token}"));
        assert_eq!(form.checks.token_mended.as_deref(), Some(token));
        assert!(form.checks.token.iter().any(|problem| problem.message.contains("Bearer")));
        assert!(form.checks.can_connect());
    }
}
