//! The window's widgets, found by role and label as a screen reader finds them; no display, no driver.
//!
//! `SOCKEYE_SHOTS=folder cargo test --test window` also writes pictures, drawn without a GPU by [`cpu_render`].

mod app;
mod cpu_render;
mod gallery;
mod inputs;
mod lists;
mod panels_detail;
mod panels_fixture;
mod panels_timeline;
mod panels_token;
mod panels_verdict;
mod payloads;
mod support;
