//! Sockeye tells you why your WebSocket closed.

pub mod cli;
pub mod diagnosis;
pub mod engine;
pub mod export;
pub mod observation;
pub mod store;
pub mod token;
pub mod ui;
pub mod wire;
