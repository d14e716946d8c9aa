//! Why did it close, why did it not open.
pub mod catalogue;
pub mod close_code;
