//! The window's widgets, found by role and label as a screen reader finds them; no display, no driver.
//!
//! `SOCKEYE_SHOTS=folder cargo test --test window` also writes pictures, drawn without a GPU by [`cpu_render`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test ends by panicking, and waits by the clock"
)]

mod app;
mod bad_input;
mod cpu_render;
mod fields;
mod gallery;
mod inputs;
mod intercept;
mod lists;
mod network_form;
mod panels_console;
mod panels_detail;
mod panels_files;
mod panels_fixture;
mod panels_lab;
mod panels_plots;
mod panels_timeline;
mod panels_token;
mod panels_verdict;
mod payloads;
mod profiles;
mod secrets;
mod support;
mod token_workbench;
