//! Sockeye tells you why your WebSocket closed.
pub mod diagnosis;
pub mod engine;
pub mod token;
pub mod ui;
