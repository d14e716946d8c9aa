//! Keeps the server's pings from an endpoint that would answer them; everything else passes as it came.

use crate::wire::{FrameHeader, Opcode};

/// Walks over the frames of the server, whatever the cuts.
#[derive(Clone, Debug, Default)]
pub(crate) struct PingFilter {
    /// The header that is being read, and how much of it is there.
    header: [u8; 14],
    header_len: usize,
    /// Payload bytes of the current frame still to come.
    left: u64,
    is_ping: bool,
}

impl PingFilter {
    /// Takes the pings out of `bytes`, in place: returns how many bytes are left, and how many pings ended in them.
    pub(crate) fn retain(&mut self, bytes: &mut [u8]) -> (usize, u64) {
        let (mut kept, mut at, mut pings) = (0, 0, 0);
        while at < bytes.len() {
            let begin = at;
            let is_over = if self.left > 0 {
                let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - at);
                at += take;
                self.left -= take as u64;
                self.left == 0
            } else {
                let byte = bytes.get(at).copied().unwrap_or_default();
                at += 1;
                self.take_header(byte)
            };
            if !self.is_ping {
                bytes.copy_within(begin..at, kept);
                kept += at - begin;
            }
            if is_over {
                pings += u64::from(self.is_ping);
                self.is_ping = false;
            }
        }
        (kept, pings)
    }

    /// Takes one byte of a header; returns whether the frame is over with it.
    fn take_header(&mut self, byte: u8) -> bool {
        if self.header_len == 0 {
            self.is_ping = Opcode::from_bits(byte) == Opcode::Ping;
        }
        if let Some(slot) = self.header.get_mut(self.header_len) {
            *slot = byte;
        }
        self.header_len += 1;
        let Some(header) = self.header.get(..self.header_len).and_then(FrameHeader::parse) else {
            return false;
        };
        self.header_len = 0;
        self.left = header.payload_len;
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::encode_frame;

    #[test]
    fn any_cut_takes_out_the_same_pings() {
        let frames = [
            encode_frame(0x89, None, b"are you there"),
            encode_frame(0x01, None, b"hel"),
            encode_frame(0x89, None, b""),
            encode_frame(0x80, None, b"lo"),
            encode_frame(0x82, None, &[0x89; 300]),
            encode_frame(0x8A, None, b"pong"),
            encode_frame(0x89, Some([1, 2, 3, 4]), b"masked"),
            encode_frame(0x88, None, &1000_u16.to_be_bytes()),
        ];
        let wanted: Vec<u8> = [1, 3, 4, 5, 7].into_iter().flat_map(|nth| frames[nth].clone()).collect();
        let all = frames.concat();
        for step in 1..=all.len() {
            let mut filter = PingFilter::default();
            let (mut passed, mut pings) = (Vec::new(), 0);
            for piece in all.chunks(step) {
                let mut piece = piece.to_vec();
                let (kept, ended) = filter.retain(&mut piece);
                passed.extend(&piece[..kept]);
                pings += ended;
            }
            assert_eq!((pings, &passed), (3, &wanted), "pieces of {step}");
        }
    }

    #[test]
    fn garbage_never_fails() {
        let mut seed = 7_u64;
        let mut bytes: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as u8
        })
        .take(100_000)
        .collect();
        let mut filter = PingFilter::default();
        for piece in bytes.chunks_mut(97) {
            let len = piece.len();
            assert!(filter.retain(piece).0 <= len);
        }
    }
}
