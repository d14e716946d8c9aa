//! What is known about a session: the story (one connection, folded), its rows, and the view that faces read.
//!
//! Nothing here opens a file or asks a clock: observations go in ([`Story::apply`]), a story and rows come out. Rows are
//! made when they are looked at, from the journal's bytes between two checkpoints. Start at [`Story`] and [`View`].

mod fold;
mod row;
mod story;
mod tally;
mod view;

pub use row::{FrameRow, Row, RowBody};
pub use story::{
    Answer, Attempt, AttemptOutcome, CloseSeen, Confirmation, ConsoleSeen, ProbeSeen, Resolve, SeenRequest, State,
    Story, Tls,
};
pub use tally::Tally;
pub use view::{Page, PageSource, View};
