//! What travelled over time, in a bounded number of buckets: folded as frames come, for plots.
//!
//! A bucket begins narrow; when the session outgrows them all, two become one. So an hour and a week take the same room.

use crate::observation::{Direction, Moment};
use crate::wire::{Item, Opcode};

/// Rates, sizes and round trips over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    width_nanos: u64,
    buckets: Vec<Bucket>,
    /// The newest bucket's bounds, so that most frames need no division.
    newest: (u64, u64),
    /// The control frame whose payload comes, by direction.
    control: [Option<(Opcode, Moment, Vec<u8>)>; 2],
    /// Pings of ours that were not answered, the oldest first.
    pings: Vec<(Moment, Vec<u8>)>,
}

/// What happened in one span of time; directions are indexed as [`Direction::index`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Frames that began.
    pub frames: [u64; 2],
    /// Their payload bytes, as announced.
    pub bytes: [u64; 2],
    /// The largest payload of one frame, in bytes.
    pub largest: [u64; 2],
    /// Pings of ours that were answered in it.
    pub round_trips: u64,
    /// The sum of their times, in nanoseconds.
    pub round_trip_sum_nanos: u64,
    /// The longest of their times, in nanoseconds.
    pub round_trip_longest_nanos: u64,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            width_nanos: FIRST_WIDTH_NANOS,
            buckets: Vec::new(),
            newest: (0, 0),
            control: [None, None],
            pings: Vec::new(),
        }
    }
}

impl Series {
    /// So many buckets there are at most.
    pub const MAX_BUCKETS: usize = 1024;

    /// The buckets from the session's beginning on; the last may still grow.
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// The width of a bucket in nanoseconds.
    pub fn width_nanos(&self) -> u64 {
        self.width_nanos
    }

    /// When a bucket begins.
    pub fn begin(&self, number: usize) -> Moment {
        Moment(self.width_nanos.saturating_mul(number as u64))
    }

    /// Takes an item of the decoder in.
    pub fn take(&mut self, at: Moment, item: &Item<'_>) {
        match item {
            Item::Frame { direction, header, .. } => {
                let index = direction.index();
                let len = header.payload_len & !(1 << 63);
                let bucket = self.bucket(at);
                bucket.frames[index] += 1;
                bucket.bytes[index] = bucket.bytes[index].saturating_add(len);
                bucket.largest[index] = bucket.largest[index].max(len);
                let opcode = header.opcode();
                let counts = matches!(opcode, Opcode::Ping | Opcode::Pong) && len <= 125;
                self.control[index] = counts.then(|| (opcode, at, Vec::new()));
            }
            Item::Payload { direction, data, .. } => {
                if let Some((_, _, payload)) = &mut self.control[direction.index()] {
                    payload.extend_from_slice(data);
                }
            }
            Item::FrameEnd { direction, .. } => {
                if let Some((opcode, began, payload)) = self.control[direction.index()].take() {
                    self.control_frame(*direction, opcode, began, at, payload);
                }
            }
            Item::Request(..)
            | Item::Interim(..)
            | Item::Response(..)
            | Item::NotHttp(_)
            | Item::HeadTooBig(_)
            | Item::Body(_)
            | Item::Message(_)
            | Item::Close(_)
            | Item::Violation(_)
            | Item::Opaque { .. }
            | Item::Cut(_) => {}
        }
    }

    /// A pong answers the newest ping with its payload (RFC 6455 §5.5.3), and those before it.
    fn control_frame(&mut self, direction: Direction, opcode: Opcode, began: Moment, at: Moment, payload: Vec<u8>) {
        match (direction, opcode) {
            (Direction::ClientToServer, Opcode::Ping) => {
                if self.pings.len() >= MAX_PINGS {
                    self.pings.remove(0);
                }
                self.pings.push((began, payload));
            }
            (Direction::ServerToClient, Opcode::Pong) => {
                let Some(answered) = self.pings.iter().rposition(|(_, of)| *of == payload) else {
                    return;
                };
                let Some((sent, _)) = self.pings.drain(..=answered).next_back() else {
                    return;
                };
                let nanos = at.0.saturating_sub(sent.0);
                let bucket = self.bucket(at);
                bucket.round_trips += 1;
                bucket.round_trip_sum_nanos = bucket.round_trip_sum_nanos.saturating_add(nanos);
                bucket.round_trip_longest_nanos = bucket.round_trip_longest_nanos.max(nanos);
            }
            _ => {}
        }
    }

    fn bucket(&mut self, at: Moment) -> &mut Bucket {
        let (begin, end) = self.newest;
        if !(begin..end).contains(&at.0) {
            self.make_room(at);
        }
        let number = if (self.newest.0..self.newest.1).contains(&at.0) {
            self.buckets.len().saturating_sub(1)
        } else {
            // A clock that never jumps gives no earlier moment; a damaged journal may.
            usize::try_from(at.0 / self.width_nanos).unwrap_or(usize::MAX).min(self.buckets.len().saturating_sub(1))
        };
        &mut self.buckets[number]
    }

    /// Makes the bucket of a moment, unless it is there.
    fn make_room(&mut self, at: Moment) {
        while at.0 / self.width_nanos >= Self::MAX_BUCKETS as u64 {
            let halves = self.buckets.chunks(2);
            self.buckets = halves.map(|two| two.iter().copied().reduce(Bucket::and).unwrap_or_default()).collect();
            self.width_nanos = self.width_nanos.saturating_mul(2);
        }
        let number = (at.0 / self.width_nanos) as usize;
        if number >= self.buckets.len() {
            self.buckets.resize(number + 1, Bucket::default());
        }
        let begin = (self.buckets.len() as u64 - 1) * self.width_nanos;
        self.newest = (begin, begin.saturating_add(self.width_nanos));
    }
}

impl Bucket {
    fn and(self, other: Self) -> Self {
        let sum = |one: [u64; 2], two: [u64; 2]| [one[0].saturating_add(two[0]), one[1].saturating_add(two[1])];
        Self {
            frames: sum(self.frames, other.frames),
            bytes: sum(self.bytes, other.bytes),
            largest: [self.largest[0].max(other.largest[0]), self.largest[1].max(other.largest[1])],
            round_trips: self.round_trips + other.round_trips,
            round_trip_sum_nanos: self.round_trip_sum_nanos.saturating_add(other.round_trip_sum_nanos),
            round_trip_longest_nanos: self.round_trip_longest_nanos.max(other.round_trip_longest_nanos),
        }
    }
}

/// The width of a bucket at first: 10 ms.
const FIRST_WIDTH_NANOS: u64 = 10_000_000;
/// So many pings may wait for their pong.
const MAX_PINGS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Decoder, encode_frame};

    fn series(frames: &[(u64, Direction, u8, &[u8])]) -> Series {
        let mut decoder = Decoder::default();
        let mut series = Series::default();
        decoder.push(Direction::ServerToClient, b"HTTP/1.1 101 X\r\n\r\n", &mut |_| ());
        decoder.push(Direction::ClientToServer, b"GET / HTTP/1.1\r\n\r\n", &mut |_| ());
        for (millis, direction, first, payload) in frames {
            let key = (*direction == Direction::ClientToServer).then_some([1, 2, 3, 4]);
            let bytes = encode_frame(*first, key, payload);
            decoder.push(*direction, &bytes, &mut |item| series.take(Moment::from_millis(*millis), &item));
        }
        series
    }

    const SENT: Direction = Direction::ClientToServer;
    const RECEIVED: Direction = Direction::ServerToClient;

    #[test]
    fn frames_are_counted_where_they_came() {
        let series = series(&[(0, RECEIVED, 0x81, b"abc"), (9, RECEIVED, 0x81, b"a"), (25, SENT, 0x82, b"xy")]);
        assert_eq!(series.buckets().len(), 3);
        assert_eq!(
            (series.buckets()[0].frames, series.buckets()[0].bytes, series.buckets()[0].largest),
            ([0, 2], [0, 4], [0, 3])
        );
        assert_eq!(series.buckets()[1], Bucket::default());
        assert_eq!((series.buckets()[2].frames, series.begin(2)), ([1, 0], Moment::from_millis(20)));
    }

    #[test]
    fn a_week_takes_no_more_buckets_and_loses_nothing() {
        let week = 7 * 24 * 3_600_000;
        let frames: Vec<_> = (0..5_000).map(|n| (n * week / 5_000, RECEIVED, 0x81, b"ab".as_slice())).collect();
        let series = series(&frames);
        assert!(series.buckets().len() <= Series::MAX_BUCKETS && series.buckets().len() > Series::MAX_BUCKETS / 2);
        assert_eq!(series.buckets().iter().map(|b| b.frames[1]).sum::<u64>(), 5_000);
        assert_eq!(series.buckets().iter().map(|b| b.bytes[1]).sum::<u64>(), 10_000);
        assert!(series.begin(series.buckets().len()) > Moment::from_millis(week - week / 5_000));
    }

    #[test]
    fn a_pong_is_measured_from_its_own_ping() {
        let series = series(&[
            (100, SENT, 0x89, b"a"),
            (200, SENT, 0x89, b"b"),
            (230, RECEIVED, 0x8A, b"b"),
            (240, RECEIVED, 0x8A, b"a"),
            (300, RECEIVED, 0x8A, b"unasked"),
            (400, RECEIVED, 0x89, b"theirs"),
            (401, SENT, 0x8A, b"theirs"),
        ]);
        let round_trips: Vec<_> = series.buckets().iter().filter(|b| b.round_trips > 0).collect();
        assert_eq!(round_trips.len(), 1);
        assert_eq!((round_trips[0].round_trips, round_trips[0].round_trip_longest_nanos), (1, 30_000_000));
    }

    #[test]
    fn moments_that_jump_do_no_harm() {
        let series = series(&[
            (50, RECEIVED, 0x81, b""),
            (10, RECEIVED, 0x81, b""),
            (u64::MAX / 2_000_000, RECEIVED, 0x81, b""),
            (0, RECEIVED, 0x81, b""),
        ]);
        assert_eq!(series.buckets().iter().map(|b| b.frames[1]).sum::<u64>(), 4);
    }
}
