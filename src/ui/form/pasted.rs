//! What a paste into the form means: a URL is split, a token goes to its field, quotes are taken off and said so, the
//! command of another tool is taken over.

use super::foreign::Foreign;
use super::{Form, HeaderRow, PlaceChoice};
use crate::token::looks_like_token;
use crate::ui::paste::BIG;

/// What the window says about the last paste, and how it can be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it stands.
    pub at: NoteAt,
    /// One sentence.
    pub text: String,
    /// The URL and the token as they would be without our help.
    before: Option<(String, String)>,
}

/// The field at which a note stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteAt {
    /// The URL.
    Url,
    /// The token.
    Token,
}

impl Note {
    /// Whether it can be undone.
    pub fn can_undo(&self) -> bool {
        self.before.is_some()
    }
}

impl Form {
    /// To be called after something was pasted into the URL field; `old` is the URL before.
    pub fn url_pasted(&mut self, old: &str) {
        self.note = None;
        if let Some(foreign) = Foreign::read(&self.url) {
            self.take_foreign(foreign);
            return;
        }
        let pasted = self.url.trim();
        let bare = unquoted(pasted).unwrap_or(pasted);
        if self.url.len() <= BIG && !bare.contains("://") && looks_like_token(bare) {
            let token = bare.to_owned();
            let as_pasted = std::mem::replace(&mut self.url, old.to_owned());
            self.url_typed();
            self.set_token(token);
            let text = "this is a token, so it went into the token's field".to_owned();
            self.note = Some(Note { at: NoteAt::Url, text, before: Some((as_pasted, String::new())) });
        } else if bare.len() < pasted.len() && bare.contains("://") {
            let url = bare.to_owned();
            let as_pasted = std::mem::replace(&mut self.url, url);
            let token = self.token.clone();
            let text = "the quotes around the URL were taken off".to_owned();
            self.note = Some(Note { at: NoteAt::Url, text, before: Some((as_pasted, token)) });
        }
        self.url_typed();
    }

    /// To be called after something was pasted into the token's field; `old` is the token before.
    pub fn token_pasted(&mut self, old: &str) {
        self.note = None;
        let pasted = self.token.trim();
        if self.token.len() > BIG {
            self.token_typed();
            return;
        }
        let bare = unquoted(pasted).unwrap_or(pasted);
        let is_url = ["ws://", "wss://", "http://", "https://"].iter().any(|scheme| bare.starts_with(scheme));
        let as_pasted = self.token.clone();
        if is_url {
            let url = bare.to_owned();
            old.clone_into(&mut self.token);
            self.set_url(url);
            let text = "this is a URL, so it went into the URL field and its token here".to_owned();
            self.note = Some(Note { at: NoteAt::Token, text, before: None });
            return;
        }
        if bare.len() < pasted.len() {
            self.token = bare.to_owned();
            let text = "the quotes around the token were taken off".to_owned();
            self.note = Some(Note { at: NoteAt::Token, text, before: Some((String::new(), as_pasted)) });
        }
        self.token_typed();
    }

    /// Takes over what another tool's command says of the connection, and says what was left out.
    fn take_foreign(&mut self, mut foreign: Foreign) {
        self.url = foreign.url;
        let bearer = take_bearer(&mut foreign.headers);
        if bearer.is_some() {
            self.place = PlaceChoice::Bearer;
        }
        self.headers =
            foreign.headers.into_iter().map(|(name, value)| HeaderRow { is_on: true, name, value }).collect();
        self.origin = foreign.origin.unwrap_or_default();
        self.subprotocols = foreign.subprotocols.join(", ");
        self.is_insecure = foreign.is_insecure;
        if let Some(path) = foreign.ca_file {
            self.ca_file = path;
        }
        let mut text = format!("this is {}: the URL, its headers and subprotocols were taken over", foreign.what);
        if !foreign.left_out.is_empty() {
            text.push_str(", without ");
            text.push_str(&foreign.left_out.join(" "));
        }
        self.note = Some(Note { at: NoteAt::Url, text, before: None });
        self.url_typed();
        if let Some(token) = bearer {
            self.set_token(token);
        }
    }

    /// Puts the text back as it was pasted.
    pub fn undo_note(&mut self) {
        let Some(Note { at, before: Some((url, token)), .. }) = self.note.take() else {
            return;
        };
        match at {
            NoteAt::Url => self.set_url(url),
            NoteAt::Token => self.set_token(token),
        }
    }
}

/// Takes the token out of `Authorization: Bearer …`, where the form would write it just so.
fn take_bearer(headers: &mut Vec<(String, String)>) -> Option<String> {
    let token = |(name, value): &(String, String)| {
        let token = value.strip_prefix("Bearer ").filter(|_| name == "Authorization")?;
        (!token.is_empty() && !token.contains(char::is_whitespace)).then(|| token.to_owned())
    };
    let at = headers.iter().position(|header| token(header).is_some())?;
    token(&headers.remove(at))
}

/// The text inside its quotes, if it stands in a pair of them.
fn unquoted(text: &str) -> Option<&str> {
    PAIRS.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close)).map(str::trim)
}

const PAIRS: [(char, char); 5] = [('"', '"'), ('\'', '\''), ('`', '`'), ('\u{201c}', '\u{201d}'), ('<', '>')];

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn a_bearer_token_of_a_command_goes_where_tokens_go() {
        let mut form = Form::first();
        form.url = format!("curl 'ws://h/?a=1' -H 'X-A: 1' -H 'Authorization: Bearer {TOKEN}'");
        form.url_pasted("");
        assert_eq!((form.place, form.token.as_str(), form.url.as_str()), (PlaceChoice::Bearer, TOKEN, "ws://h/?a=1"));
        assert_eq!(form.headers, [HeaderRow { is_on: true, name: "X-A".into(), value: "1".into() }]);
        assert_eq!(form.options().token.as_deref(), Some(TOKEN));
        // What the form would write otherwise stays as it is.
        for header in ["authorization: Bearer t", "Authorization: bearer t", "Authorization: Bearer a b", "X: Bearer t"]
        {
            let mut form = Form::first();
            form.url = format!("curl ws://h/ -H '{header}'");
            form.url_pasted("");
            assert_eq!((form.place, form.headers.len()), (PlaceChoice::Query, 1), "{header}");
        }
    }

    #[test]
    fn a_quoted_token_is_unquoted_and_can_be_had_back() {
        let mut form = Form::first();
        form.token = format!(" \"{TOKEN}\"\n");
        form.token_pasted("");
        assert_eq!(form.token, TOKEN);
        assert!(form.note.as_ref().unwrap().text.contains("quotes"));
        form.undo_note();
        assert_eq!(form.token, format!(" \"{TOKEN}\"\n"));
        assert!(form.url.contains("%20%22eyJ"));
    }

    #[test]
    fn a_url_in_the_tokens_field_is_split() {
        let mut form = Form::first();
        form.token = format!("'wss://h/?token={TOKEN}&agentId=7'");
        form.token_pasted("");
        assert_eq!((form.token.as_str(), form.url.starts_with("wss://h/?token=eyJ")), (TOKEN, true));
    }

    #[test]
    fn a_token_in_the_url_field_finds_its_place() {
        let mut form = Form::first();
        let old = std::mem::replace(&mut form.url, format!("\"{TOKEN}\""));
        form.url_pasted(&old);
        assert_eq!(form.url, format!("ws://localhost:3001/?token={TOKEN}&agentId="));
        form.undo_note();
        assert_eq!(form.url, format!("\"{TOKEN}\""));
    }

    #[test]
    fn a_command_fills_the_form_and_says_what_it_left_out() {
        let mut form = Form::first();
        form.url = "wscat -c wss://h/?token=abc -H 'X-A: 1' -s chat -w 5".to_owned();
        form.url_pasted("");
        assert_eq!((form.url.as_str(), form.token.as_str()), ("wss://h/?token=abc", "abc"));
        assert_eq!((form.headers[0].value.as_str(), form.subprotocols.as_str()), ("1", "chat"));
        assert!(form.note.as_ref().unwrap().text.ends_with("without -w"));
    }

    #[test]
    fn a_quoted_url_is_unquoted() {
        let mut form = Form::first();
        form.url = "\"ws://h/?a=1\"".to_owned();
        form.url_pasted("");
        assert_eq!((form.url.as_str(), form.query.rows.len()), ("ws://h/?a=1", 1));
    }
}
