//! The regions of the window, a struct each: they read the [`Context`](super::context::Context) and push actions.
pub mod compose;
pub mod connect;
pub mod help;
pub mod palette;
pub mod path_bar;
pub mod practice;
pub mod sessions;
pub mod top;
pub mod waterfall;
