//! The window's widgets, found by role and label as a screen reader finds them; no display, no driver.
//!
//! `SOCKEYE_SHOTS=folder cargo test --test window` also writes pictures, drawn without a GPU by [`cpu_render`].

mod app;
mod cpu_render;
mod gallery;
mod inputs;
mod lists;
mod payloads;
mod support;
