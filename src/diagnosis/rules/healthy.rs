//! All is well.

use super::{Found, Rule};
use crate::diagnosis::words::after;
use crate::diagnosis::{Case, Ending};
use crate::observation::Direction;

pub(super) const RULES: &[Rule] = &[Rule::new("healthy", healthy)];

fn healthy(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if ending != Ending::Open {
        return None;
    }
    let story = case.story;
    let opened = case.opened_at()?;
    let our = case.our();
    let mut found = match &story.confirmation {
        Some(confirmation) if confirmation.preview.is_some() => Found::certain(format!(
            "All is well: the server confirmed the connection {} and answered {our} Close.",
            after(confirmation.at.millis_since(opened), "after the 101")
        ))
        .seen(opened, "the 101 passed every check")
        .seen(confirmation.at, "the confirmation came"),
        Some(_) | None => {
            Found::certain(format!("All is well: the server accepted the connection and answered {our} Close."))
                .seen(opened, "the 101 passed every check")
        }
    };
    if let Some(close) = &story.close_received {
        found = found.seen_at(
            close.at,
            Direction::ServerToClient,
            close.info.offset,
            format!("the server answered {our} Close frame"),
        );
    }
    Some(found)
}
