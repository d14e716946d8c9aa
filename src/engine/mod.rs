//! Everything that touches a socket, a file, a process or the clock.
pub mod practice;
