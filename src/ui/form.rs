//! What the connection form holds, and what it means: text in, [`ConnectOptions`] out.
//!
//! The URL is the truth about its query; the token stands in it or beside it, as its place says. Nothing here draws. Start at
//! [`Form::options`]; what is wrong with a field is in [`checks`], what is kept between starts in [`kept`], what a paste
//! means in [`pasted`], commands of other tools in [`foreign`] and [`copied`].

pub mod checks;
pub mod claims;
pub mod copied;
pub mod foreign;
pub mod kept;
pub mod network;
pub mod pasted;
mod shell_words;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::query::{QueryRow, QueryTable};
use crate::engine::ConnectOptions;
use crate::engine::practice::{Confirm, Exercise};
use crate::observation::{Expect, Family, Preset, TimeOuts, TokenPlace};
use crate::token::place::percent_decode;
use crate::token::{Filled, Secret, fill, fill_url};
use checks::Checks;
use claims::ClaimTexts;
use network::Network;

/// The connection form.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// The URL as typed.
    pub url: String,
    /// Its query as rows.
    pub query: QueryTable,
    /// The token as given.
    pub token: String,
    /// Where the token goes.
    pub place: PlaceChoice,
    /// The names that go with the places, and the template of the first message.
    pub names: PlaceNames,
    /// Further headers.
    pub headers: Vec<HeaderRow>,
    /// Which client the request imitates.
    pub preset: Preset,
    /// The `Origin` header; that of the preset if empty.
    pub origin: String,
    /// Subprotocols, parted by commas.
    pub subprotocols: String,
    /// Offer no compression.
    pub is_uncompressed: bool,
    /// Time-outs in seconds.
    pub time_outs: TimeOutTexts,
    /// Accept certificates although invalid.
    pub is_insecure: bool,
    /// A further certificate authority: the path of a PEM file.
    pub ca_file: String,
    /// Which address families are tried.
    pub family: Family,
    /// TLS, the way and the keep-alive.
    pub network: Network,
    /// Which confirmation is expected.
    pub expect: ExpectChoice,
    /// What goes with each kind of confirmation.
    pub expected: ExpectTexts,
    /// The secret to check the token's signature with.
    pub secret: String,
    /// The path of a `.env` file or of a file with the secret.
    pub secret_file: String,
    /// The secrets that were read from that file.
    pub secrets_read: Vec<Secret>,
    /// The variables of that file, which `{{NAME}}` stands for in the URL, in headers and messages.
    pub variables: BTreeMap<String, String>,
    /// What the server expects of the token's claims.
    pub claims: ClaimTexts,
    /// What a practice connection needs beside the fields.
    pub practice: Option<PracticeTerms>,
    /// What the window says about the last paste, and the token as it was pasted.
    pub note: Option<pasted::Note>,
    /// What is wrong with the fields; see [`Form::recheck`].
    pub checks: Checks,
}

/// Where the token goes, as a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum PlaceChoice {
    /// A query parameter.
    #[default]
    Query,
    /// `Authorization: Bearer`.
    Bearer,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// A subprotocol.
    Subprotocol,
    /// The first message.
    FirstMessage,
}

/// The names that go with the places of a token.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PlaceNames {
    /// Of the query parameter.
    pub query: String,
    /// Of the header.
    pub header: String,
    /// Of the cookie.
    pub cookie: String,
    /// The first message, with `{{token}}`.
    pub template: String,
}

/// A header of the form.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeaderRow {
    /// Whether it is sent.
    pub is_on: bool,
    /// Its name as typed.
    pub name: String,
    /// Its value as typed.
    pub value: String,
}

/// Time-outs as they are typed, in seconds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TimeOutTexts {
    /// For resolving and TCP.
    pub connect: String,
    /// For the response to the opening handshake.
    pub upgrade: String,
    /// For the confirmation.
    pub confirm: String,
}

/// Which confirmation is expected, as a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ExpectChoice {
    /// The first message.
    #[default]
    First,
    /// None.
    None,
    /// A text that contains something.
    Contains,
    /// A JSON value.
    JsonPointer,
    /// A text that matches.
    Regex,
}

/// What goes with each kind of confirmation.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ExpectTexts {
    /// What the text must contain.
    pub contains: String,
    /// An RFC 6901 pointer.
    pub pointer: String,
    /// The value there.
    pub value: String,
    /// A regular expression.
    pub pattern: String,
}

/// What a practice connection needs beside the fields of the form.
#[derive(Clone, Debug)]
pub struct PracticeTerms {
    /// The fault, if it is one.
    pub fault: Option<String>,
    exercise: Exercise,
}

impl Default for PlaceNames {
    fn default() -> Self {
        Self {
            query: "token".to_owned(),
            header: "X-Auth-Token".to_owned(),
            cookie: "token".to_owned(),
            template: "{\"type\":\"auth\",\"token\":\"{{token}}\"}".to_owned(),
        }
    }
}

impl Default for TimeOutTexts {
    fn default() -> Self {
        let secs = |millis: u64| (millis as f64 / 1000.0).to_string();
        let limits = TimeOuts::default();
        Self {
            connect: secs(limits.connect_millis),
            upgrade: secs(limits.upgrade_millis),
            confirm: secs(limits.confirm_millis),
        }
    }
}

impl Form {
    /// The form of a first start: a table with `token` and `agentId`.
    pub fn first() -> Self {
        let mut form = Self { url: "ws://localhost:3001/?token=&agentId=".to_owned(), ..Self::default() };
        form.url_typed();
        form
    }

    /// To be called after the URL was changed: the table and the token follow it.
    pub fn url_typed(&mut self) {
        self.query.follow(&self.url);
        if self.place == PlaceChoice::Query {
            self.token = self.query.on(&self.names.query).map_or_else(String::new, |row| percent_decode(&row.value));
        }
        self.recheck();
    }

    /// To be called after the table was changed: the URL and the token follow it.
    pub fn query_typed(&mut self) {
        self.url = self.query.write(&self.url);
        if self.place == PlaceChoice::Query {
            self.token = self.query.on(&self.names.query).map_or_else(String::new, |row| percent_decode(&row.value));
        }
        self.recheck();
    }

    /// To be called after the token was changed: the URL follows it if the token goes there.
    pub fn token_typed(&mut self) {
        if self.place == PlaceChoice::Query {
            self.query.set(&self.names.query, &self.token);
            self.url = self.query.write(&self.url);
        }
        self.recheck();
    }

    /// Puts a token where its place says.
    pub fn set_token(&mut self, token: impl Into<String>) {
        self.token = token.into();
        self.token_typed();
    }

    /// Puts a URL into the form.
    pub fn set_url(&mut self, url: impl Into<String>) {
        self.url = url.into();
        self.url_typed();
    }

    /// Moves the token to another place; the row of the query is switched off or on.
    pub fn move_token(&mut self, to: PlaceChoice) {
        let from = std::mem::replace(&mut self.place, to);
        if from == PlaceChoice::Query && to != PlaceChoice::Query {
            self.token = self.query.switch_off(&self.names.query).unwrap_or_default();
            self.url = self.query.write(&self.url);
        }
        self.token_typed();
    }

    /// Gives the query parameter of the token another name.
    pub fn rename_token(&mut self, old: &str) {
        if self.place == PlaceChoice::Query
            && let Some(row) = self.query.rows.iter_mut().find(|row| row.is_on && row.name == old)
        {
            row.name.clone_from(&self.names.query);
        }
        self.query_typed();
    }

    /// The token's value exactly as it stands in the query, if it goes there.
    pub fn raw_token(&self) -> Option<&str> {
        let row = self.query.on(&self.names.query).filter(|_| self.place == PlaceChoice::Query);
        row.map(|row| row.value.as_str())
    }

    /// Looks again at what is wrong with the fields; to be called after any of them was changed.
    pub fn recheck(&mut self) {
        self.checks = Checks::of(self);
    }

    /// Where the token goes.
    pub fn token_place(&self) -> Option<TokenPlace> {
        let names = &self.names;
        let place = match self.place {
            PlaceChoice::Query => {
                let name = names.query.clone();
                return self.query.on(&name).map(|_| TokenPlace::Query { name });
            }
            PlaceChoice::Bearer => TokenPlace::Bearer,
            PlaceChoice::Header => TokenPlace::Header { name: names.header.clone() },
            PlaceChoice::Cookie => TokenPlace::Cookie { name: names.cookie.clone() },
            PlaceChoice::Subprotocol => TokenPlace::Subprotocol,
            PlaceChoice::FirstMessage => TokenPlace::FirstMessage { template: names.template.clone() },
        };
        (!self.token.is_empty()).then_some(place)
    }

    /// The secrets at hand to check the token's signature with.
    pub fn secrets(&self) -> Vec<Secret> {
        let typed = Secret::new("the secret of the form", self.secret.as_bytes());
        let typed = Some(typed).filter(|_| !self.secret.is_empty());
        let practice = self.practice.as_ref().and_then(|terms| terms.exercise.secret.as_deref());
        let practice = practice.map(|bytes| Secret::new("the practice secret", bytes));
        typed.into_iter().chain(self.secrets_read.iter().cloned()).chain(practice).collect()
    }

    /// What to connect with; call only while [`Checks::can_connect`].
    pub fn options(&self) -> ConnectOptions {
        let mut options = match &self.practice {
            Some(terms) => ConnectOptions::for_exercise(&terms.exercise),
            None => ConnectOptions::new(""),
        };
        let filled = |text: &str| fill(text, &self.variables).text;
        options.url = self.filled_url().text;
        options.token = Some(filled(&self.token)).filter(|token| !token.is_empty());
        options.token_place = self.token_place();
        if let Some(TokenPlace::FirstMessage { template }) = &mut options.token_place {
            *template = filled(template);
        }
        options.secrets = self.secrets();
        options.claims = self.claims.expectations();
        let headers = self.headers.iter().filter(|row| row.is_on && !row.name.is_empty());
        options.headers = headers.map(|row| (row.name.clone(), filled(&row.value))).collect();
        options.origin = Some(filled(&self.origin)).filter(|origin| !origin.is_empty());
        options.subprotocols = self.subprotocol_list();
        options.preset = self.preset;
        if self.is_uncompressed {
            options.extensions = None;
        }
        options.expect = self.expectation();
        let millis = |text: &str, standard: u64| checks::secs(text).map_or(standard, |secs| (secs * 1000.0) as u64);
        let limits = &mut options.time_outs;
        limits.connect_millis = millis(&self.time_outs.connect, limits.connect_millis);
        limits.upgrade_millis = millis(&self.time_outs.upgrade, limits.upgrade_millis);
        limits.confirm_millis = millis(&self.time_outs.confirm, limits.confirm_millis);
        options.insecure = self.is_insecure;
        options.ca_files =
            Some(PathBuf::from(self.ca_file.trim())).filter(|_| !self.ca_file.trim().is_empty()).into_iter().collect();
        options.family = self.family;
        self.network.place(&mut options);
        options
    }

    /// The URL with its variables put in.
    pub fn filled_url(&self) -> Filled {
        fill_url(&self.url, &self.variables)
    }

    /// The subprotocols that are offered.
    pub fn subprotocol_list(&self) -> Vec<String> {
        if self.subprotocols.trim().is_empty() {
            return Vec::new();
        }
        self.subprotocols.split(',').map(|name| name.trim().to_owned()).collect()
    }

    fn expectation(&self) -> Expect {
        let texts = &self.expected;
        match self.expect {
            ExpectChoice::First => Expect::First,
            ExpectChoice::None => Expect::None,
            ExpectChoice::Contains => Expect::Contains { text: texts.contains.clone() },
            ExpectChoice::JsonPointer => {
                Expect::JsonPointer { pointer: texts.pointer.clone(), value: texts.value.clone() }
            }
            ExpectChoice::Regex => Expect::Regex { pattern: texts.pattern.clone() },
        }
    }

    /// The form that an exercise of the practice server asks for.
    pub fn for_exercise(fault: Option<String>, exercise: Exercise) -> Self {
        let mut form = Self { url: exercise.url.clone(), ..Self::default() };
        form.is_insecure = exercise.insecure;
        form.network = Network::for_exercise(&exercise);
        form.subprotocols = exercise.subprotocols.join(", ");
        (form.expect, form.expected.contains) = match &exercise.confirm {
            Confirm::First => (ExpectChoice::First, String::new()),
            Confirm::None => (ExpectChoice::None, String::new()),
            Confirm::Contains(text) => (ExpectChoice::Contains, text.clone()),
        };
        let secs = |limit: Option<std::time::Duration>, text: &mut String| {
            if let Some(limit) = limit {
                *text = limit.as_secs_f64().to_string();
            }
        };
        secs(exercise.connect_timeout, &mut form.time_outs.connect);
        secs(exercise.upgrade_timeout, &mut form.time_outs.upgrade);
        secs(exercise.confirm_timeout, &mut form.time_outs.confirm);
        form.practice = Some(PracticeTerms { fault, exercise });
        form.url_typed();
        form
    }

    /// Whether this is a practice form whose URL leads somewhere else: the practice server's secret and limits are not
    /// that server's.
    pub fn has_left_practice(&self) -> bool {
        let place = |url: &str| url.split(['?', '#']).next().unwrap_or_default().to_owned();
        self.practice.as_ref().is_some_and(|terms| place(&terms.exercise.url) != place(&self.url))
    }

    /// Whether there is nothing in it that was not there at the first start.
    pub fn is_untouched(&self) -> bool {
        kept::KeptForm::of(self) == kept::KeptForm::of(&Self::first())
    }

    /// Adds an empty row to the query.
    pub fn add_query_row(&mut self) {
        self.query.rows.push(QueryRow::draft());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(url: &str) -> Form {
        let mut form = Form::default();
        form.set_url(url);
        form
    }

    #[test]
    fn first_start_has_token_and_agent_id() {
        let form = Form::first();
        let names: Vec<_> = form.query.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["token", "agentId"]);
    }

    #[test]
    fn url_of_another_server_ends_the_practice() {
        let exercise = |url: &str| Exercise {
            url: url.to_owned(),
            token: None,
            secret: Some(b"practice".to_vec()),
            subprotocols: Vec::new(),
            send: Vec::new(),
            confirm: Confirm::First,
            connect_timeout: None,
            upgrade_timeout: None,
            confirm_timeout: None,
            watch: None,
            times: 1,
            proxy: None,
            ping: None,
            withhold_pongs: false,
            message_limit: None,
            insecure: false,
            extra_ca: None,
        };
        let mut form = Form::for_exercise(None, exercise("ws://127.0.0.1:40001/?token=a"));
        form.url.push_str("&x=1");
        form.url_typed();
        assert!(!form.has_left_practice());
        form.set_url("ws://127.0.0.1:3001/?token=a");
        assert!(form.has_left_practice());
    }

    #[test]
    fn url_table_and_token_follow_each_other() {
        let mut form = form("ws://h/?token=a%20b&x=1");
        assert_eq!(form.token, "a b");
        form.set_token("c+d");
        assert_eq!(form.url, "ws://h/?token=c%2Bd&x=1");
        form.query.rows[0].value = "e".to_owned();
        form.query_typed();
        assert_eq!((form.url.as_str(), form.token.as_str()), ("ws://h/?token=e&x=1", "e"));
    }

    #[test]
    fn a_token_that_moves_leaves_the_url_and_comes_back() {
        let mut form = form("ws://h/?token=abc&x=1");
        form.move_token(PlaceChoice::Bearer);
        assert_eq!(form.url, "ws://h/?x=1");
        let options = form.options();
        assert_eq!((options.token.as_deref(), options.token_place), (Some("abc"), Some(TokenPlace::Bearer)));
        form.set_token("def");
        form.move_token(PlaceChoice::Query);
        assert_eq!(form.url, "ws://h/?token=def&x=1");
        let place = Some(TokenPlace::Query { name: "token".to_owned() });
        assert_eq!(form.options().token_place, place);
    }

    #[test]
    fn variables_are_put_in_where_it_connects_and_stay_in_the_form() {
        let mut form = form("ws://h:{{PORT}}/?token=x&a={{GONE}}");
        form.variables = [("PORT".to_owned(), "3001".to_owned())].into();
        form.headers.push(HeaderRow { is_on: true, name: "X-Port".to_owned(), value: "{{PORT}}".to_owned() });
        form.recheck();
        let options = form.options();
        assert_eq!(options.url, "ws://h:3001/?token=x&a={{GONE}}");
        assert_eq!(options.headers[0].1, "3001");
        assert_eq!(form.checks.unknown, ["GONE"]);
        assert!(form.checks.url.is_none() && form.url.contains("{{PORT}}"));
    }

    #[test]
    fn a_connection_without_a_token_has_no_place_for_one() {
        let options = form("ws://h/?x=1").options();
        assert_eq!((options.token, options.token_place), (None, None));
    }
}
