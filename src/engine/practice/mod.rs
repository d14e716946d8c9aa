//! The practice server.

/// What to connect with.
#[derive(Clone, Debug)]
pub struct Exercise {
    /// The URL, ready to connect.
    pub url: String,
}
