//! What is known about a session: the story (one connection, folded), its rows, and the view that faces read.
//!
//! Nothing here opens a file or asks a clock: observations go in ([`Story::apply`]), a story and rows come out. Rows are
//! made when they are looked at, from the journal's bytes between two checkpoints. Start at [`Story`] and [`View`].

mod checkpoint;
mod chunk;
mod end;
pub mod filter;
mod fold;
mod frames;
mod gate;
mod inflation;
mod kept_index;
mod matches;
mod round_trips;
mod row;
mod row_rules;
mod rows;
mod search;
mod series;
mod server_clock;
mod session;
mod story;
mod tally;
mod view;

pub use checkpoint::{Checkpoint, Checkpoints, Position};
pub use chunk::{Chunk, Replay, read_chunk, read_payload};
pub use filter::{Filter, FilterError};
pub use matches::Matches;
pub use round_trips::RoundTrips;
pub use row::{FrameRow, InflatedPart, Row, RowBody};
pub use search::{Hits, Search};
pub use series::{Bucket, Series};
pub use server_clock::ServerClock;
pub use session::{Index, Session, Window};
pub use story::{
    Answer, Attempt, AttemptOutcome, CloseSeen, Confirmation, ConsoleAttached, ConsoleSeen, Pasted, ProbeSeen, Resolve,
    SeenRequest, ServerExit, State, Story, Tls, Tunnel,
};
pub use tally::Tally;
pub use view::{Page, PageSource, View};
