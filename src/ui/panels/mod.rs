//! The regions of the window, a struct each: they read the [`Context`](super::context::Context) and push actions.
//!
//! [`timeline`] is the log, [`detail`] the row that is selected in it, [`handshake`] the opening handshake, [`verdict`] the
//! answer, [`token`] the token. [`row_text`] and [`fact_words`] put rows into words, without pixels. Nothing here knows of
//! another panel: the window carries actions from one to the other.

pub mod detail;
pub mod fact_words;
pub mod handshake;
pub mod row_text;
pub mod timeline;
pub mod token;
pub mod verdict;

mod dates;
mod job;
mod lines;
mod parts;
mod short_token;
