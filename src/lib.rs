//! Sockeye tells you why your WebSocket closed.
//!
//! > Sockets produce observations; pure code folds observations into a session; diagnosis reads the session; three faces
//! > (window, command line, file) show it.
//!
//! ```text
//!  engine (tokio, a few threads)                core (no socket, no clock, no pixels)            faces
//!
//!  client   ─┐                                ┌ wire::Decoder → store::Session → View ┐       ┌ ui
//!  intercept ┼ tap → Observation → recorder ─►┤                         └ Story ──────┼──────►┤ cli
//!  console   ┤                    │           │                                       │       │
//!  probes   ─┘                    │           └ diagnosis::diagnose(&Case) → Verdict ─┘       └ export
//!                                 └─► journal file: the same observations, replayable
//! ```
//!
//! # Three ideas
//! 1. **One input alphabet.** All that the core ever learns is an [`observation::Observation`]. Live traffic, a probe's
//!    result, an opened journal and a test are the same thing: a list of observations.
//! 2. **The endpoint acts, the witness records.** tokio-tungstenite behaves; a tap below it feeds our own
//!    [`wire::Decoder`], which also sees what tungstenite refuses or hides. tungstenite is not on the evidence path. Once
//!    nobody reads messages, those that break no rule are judged below it and never reach it. Where somebody else is the
//!    client, `engine/intercept` moves the bytes in its place, and the tap on the server's side records them.
//! 3. **Facts go through the store; only answers go through the event channel.** What belongs in the journal is a
//!    [`observation::Fact`]; what matters to one window alone is an [`engine::Event`].
//!
//! # The dependency rule
//! Arrows point inwards: faces → engine → core. The core is given bytes and moments; it never opens, asks or draws.
//! `tests/core/architecture.rs` reads this tree and fails with the file, the line and the rule.
//!
//! | folder | what | may use |
//! | --- | --- | --- |
//! | [`observation`] | the input alphabet | nothing of ours but the types it carries |
//! | [`wire`] | RFC 6455 and RFC 7692 as pure functions over bytes | – |
//! | [`token`] | RFC 7515, 7517, 7519; the only user of jsonwebtoken | – |
//! | [`store`] | story, rows, checkpoints, view, filter, search | wire, journal |
//! | [`diagnosis`] | the catalogue, the rules, the verdict | store, wire, token |
//! | [`journal`] | observations as bytes and back | observation |
//! | [`export`] | a session for people and tools; redaction | core |
//! | [`compare`] | two sessions side by side | core |
//! | [`engine`] | sockets, files, processes, clocks; tokio | core |
//! | [`cli`] | the command line | engine, core |
//! | [`ui`] | the window; egui, eframe, rfd | engine, core |
//!
//! The practice server ([`engine::practice`]) knows of us [`token`] alone: a client cannot be tested against its own
//! misunderstanding.
//!
//! # State and threads
//! Sockets and timers belong to their task (a relayed connection has both sides in one); attached consoles (files, commands,
//! pipes) to `engine/console`, which ends what it has started; decoders, stories and journal files to the recorder thread;
//! connections, the practice server and the port for clients of others to the supervisor; selection and drafts to the
//! window. The lock that both sides take guards a pointer swap: the newest [`store::View`] of each connection, published at
//! most 30 times a second.
//!
//! The window is on no path that a byte takes. Nothing is lost silently. When we slow a peer, we write it down
//! ([`observation::Fact::ReadPaused`]), so that no rule blames the server for our pause.
//!
//! # Memory stays flat
//! The journal is the store: raw bytes are appended as they were read, frame headers are scanned in place, rows are made
//! when they are looked at, from a checkpoint every 4096 rows or 256 KiB (2 MiB within one long frame). Each connection has
//! a journal of its own; the checkpoints go into it, too, so that one that was ended can be looked at before it was read
//! again. A [`store::Search`] finds frames by their headers in the raw bytes and keeps its hits as bitmaps; plots come from a
//! bounded [`store::Series`].
//!
//! # Adding something
//! A cause: a rule in its family's file under `diagnosis/rules`, its words in `diagnosis/catalogue`. A line of a console:
//! a row in `diagnosis/console`, in the table for servers or in that for browsers and other clients, with its sample. A
//! fault: a row in `engine/practice/faults`; the practice matrix then demands the verdict over a real socket. An exporter:
//! a file and a row in `export::EXPORTERS`.

pub mod cli;
pub mod compare;
pub mod diagnosis;
pub mod engine;
pub mod export;
pub mod journal;
pub mod observation;
pub mod store;
pub mod token;
pub mod ui;
pub mod wire;
