//! Whether and when a connection is made again: never unless asked, with growing pauses, and never in step with others.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use crate::diagnosis::Ending;
use crate::observation::CloseOrigin;
use crate::store::Story;

/// Whether and how a connection is made again after its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The pause before the first time; it doubles with each failure in a row.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// How often at most; `None` until somebody stops it.
    pub at_most: Option<u32>,
    /// How often it was made again so far.
    pub made: u32,
    /// How many of these in a row did not open.
    pub failed_in_a_row: u32,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            at_most: None,
            made: 0,
            failed_in_a_row: 0,
        }
    }
}

impl Reconnect {
    /// What comes after a connection that ended like this; `None` if it is not to be made again.
    pub(super) fn after(self, story: &Story) -> Option<Self> {
        let is_ours = story.close_begun.is_some_and(|(_, by)| match by {
            CloseOrigin::User
            | CloseOrigin::Client
            | CloseOrigin::Abort
            | CloseOrigin::Shutdown
            | CloseOrigin::WatchEnded => true,
            CloseOrigin::Violation | CloseOrigin::Limit | CloseOrigin::Unconfirmed => false,
        });
        let is_hopeless = story.verdict.as_ref().is_some_and(|verdict| verdict.ending == Ending::NotAttempted);
        let is_exhausted = self.at_most.is_some_and(|most| self.made >= most);
        if is_ours || is_hopeless || is_exhausted {
            return None;
        }
        let failed_in_a_row = if story.opened.is_some() { 0 } else { self.failed_in_a_row.saturating_add(1) };
        Some(Self { made: self.made.saturating_add(1), failed_in_a_row, ..self })
    }

    /// How long to wait: the doubled pause, and between half of it and all of it by chance (`0..=u64::MAX`).
    pub(super) fn pause(self, chance: u64) -> Duration {
        let doublings = self.failed_in_a_row.saturating_sub(1).min(20);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        let half = whole / 2;
        half + half.mul_f64(chance as f64 / u64::MAX as f64)
    }
}

/// A number by chance, good enough to keep clients apart.
pub(super) fn chance() -> u64 {
    RandomState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Moment;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pause = |failed_in_a_row, chance| Reconnect { failed_in_a_row, ..Reconnect::default() }.pause(chance);
        assert_eq!(pause(0, u64::MAX), Duration::from_secs(1));
        assert_eq!(pause(1, 0), Duration::from_millis(500));
        assert_eq!(pause(3, u64::MAX), Duration::from_secs(4));
        assert_eq!(pause(3, 0), Duration::from_secs(2));
        assert_eq!(pause(u32::MAX, u64::MAX), Duration::from_secs(30));
    }

    #[test]
    fn what_the_user_ended_stays_ended() {
        let ended = |by| Story { close_begun: Some((Moment::default(), by)), ..Story::default() };
        for by in [CloseOrigin::User, CloseOrigin::Abort, CloseOrigin::Shutdown, CloseOrigin::WatchEnded] {
            assert_eq!(Reconnect::default().after(&ended(by)), None, "{by:?}");
        }
        let lost = Story { opened: Some(Moment::default()), ..Story::default() };
        let first = Reconnect { failed_in_a_row: 4, ..Reconnect::default() }.after(&lost).unwrap();
        assert_eq!((first.made, first.failed_in_a_row), (1, 0));
        let refused = first.after(&Story::default()).unwrap();
        assert_eq!((refused.made, refused.failed_in_a_row), (2, 1));
        assert_eq!(Reconnect { at_most: Some(2), ..refused }.after(&lost), None);
    }
}
