//! Messages of permessage-deflate: no panic, an end, and the same bytes however they are cut and wherever one begins.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye::wire::Inflater;

/// The message inflated, at most 1 MiB of it; `None` if it does not inflate.
fn message(inflater: &mut Inflater, wire: &[u8], cut: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for piece in wire.chunks(cut).chain(std::iter::once(&[][..])) {
        let mut rest = if piece.is_empty() { inflater.tail() } else { piece };
        loop {
            let step = inflater.step(&mut rest).ok()?;
            out.extend_from_slice(step.data);
            if out.len() > 1 << 20 {
                return None;
            }
            if !step.goes_on {
                break;
            }
        }
    }
    inflater.end_message();
    Some(out)
}

fuzz_target!(|input: (bool, u8, Vec<Vec<u8>>)| {
    let (takeover, cut, messages) = input;
    let cut = usize::from(cut).max(1);
    let (mut whole, mut pieces) = (Inflater::new(takeover), Inflater::new(takeover));
    for wire in &messages {
        let mut restored = Inflater::with_window(takeover, whole.window()).expect("a window is always data");
        for inflater in [&mut whole, &mut pieces] {
            inflater.rest().expect("a window is always data");
        }
        let expected = message(&mut whole, wire, usize::MAX);
        assert_eq!(message(&mut pieces, wire, cut), expected);
        assert_eq!(message(&mut restored, wire, cut), expected);
        if expected.is_none() {
            return;
        }
    }
});
