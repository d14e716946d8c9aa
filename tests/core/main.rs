//! Everything that is tested without a window: one harness, so that there is one link step.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends by panicking"
)]

mod architecture;
mod cli;
mod client;
mod compression;
mod console;
#[cfg(unix)]
mod copied;
mod intercept;
mod matrix;
mod misbehaviour;
mod network;
mod peer;
mod probes;
mod search;
mod smoke;
mod tls_peer;
