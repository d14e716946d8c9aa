//! The regions of the window, a struct each: they read the [`Context`](super::context::Context) and push actions.
//!
//! [`top`] and [`waterfall`] stand above, [`connect`] and [`token`] to the left; in the centre [`timeline`] is the log,
//! [`detail`] the row that is selected in it, [`compose`] what is sent, [`handshake`] the opening handshake, [`console`] the
//! server's; to the right [`verdict`] is the answer, below it the [`idle_lab`], [`practice`] the faults, [`sessions`] every connection. [`compare`] puts
//! two sessions side by side, [`share`] shows what would leave. [`palette`], [`help`] and [`path_bar`]
//! come when they are called. [`row_text`], [`fact_words`] and [`probe_words`] put rows into words, without pixels. Nothing here knows of
//! another panel: the window carries actions from one to the other.

pub mod compare;
pub mod compose;
pub mod connect;
pub mod console;
pub mod detail;
pub mod fact_words;
pub mod handshake;
pub mod help;
pub mod idle_lab;
pub mod palette;
pub mod path_bar;
pub mod plots;
pub mod practice;
pub mod probe_words;
pub mod row_text;
pub mod sessions;
pub mod share;
pub mod timeline;
pub mod token;
pub mod top;
pub mod verdict;
pub mod waterfall;

mod dates;
mod expected;
mod job;
mod lines;
mod net_words;
mod parts;
mod short_token;
