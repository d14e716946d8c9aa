//! Close frames that break RFC 6455 §5.5.1 and §7, what follows them, and the ways in which TCP ends.

use std::time::Duration;

use sockeye::engine::ConnectOptions;
use sockeye::wire::encode_frame;

use super::{ENDED, FAILED, Misbehaviour, RESET, Then, after_101};

pub(super) fn rows() -> Vec<Misbehaviour> {
    [codes(), closes(), after_close(), ends(), answers()].into_iter().flatten().collect()
}

/// A Close frame with a code that may not travel: our Close says 1002.
fn illegal(name: &'static str, code: u16, theirs: &[&'static str]) -> Misbehaviour {
    let bytes = encode_frame(0x88, None, &code.to_be_bytes());
    after_101(name, bytes, Then::FinWhenTold, theirs, &["88 20 1002 Protocol vio…"], ENDED)
}

fn codes() -> Vec<Misbehaviour> {
    vec![
        illegal("close code 0", 0, &["88 2 0", "!0 CloseIllegalCode 0"]),
        illegal("close code 999", 999, &["88 2 999", "!0 CloseIllegalCode 999"]),
        illegal("close code 1004", 1004, &["88 2 1004", "!0 CloseIllegalCode 1004"]),
        illegal("close code 1005", 1005, &["88 2 1005", "!0 CloseIllegalCode 1005"]),
        illegal("close code 1006", 1006, &["88 2 1006", "!0 CloseIllegalCode 1006"]),
        illegal("close code 1015", 1015, &["88 2 1015", "!0 CloseIllegalCode 1015"]),
        illegal("close code 1016", 1016, &["88 2 1016", "!0 CloseIllegalCode 1016"]),
        illegal("close code 1100", 1100, &["88 2 1100", "!0 CloseIllegalCode 1100"]),
        illegal("close code 2999", 2999, &["88 2 2999", "!0 CloseIllegalCode 2999"]),
        illegal("close code 5000", 5000, &["88 2 5000", "!0 CloseIllegalCode 5000"]),
        illegal("close code 65535", 65_535, &["88 2 65535", "!0 CloseIllegalCode 65535"]),
    ]
}

fn closes() -> Vec<Misbehaviour> {
    let fails = |name, bytes: &[u8], theirs: &[&'static str]| {
        after_101(name, bytes, Then::FinWhenTold, theirs, &["88 2 1002"], FAILED)
    };
    let long: Vec<u8> = [1000_u16.to_be_bytes().as_slice(), &[b'r'; 124]].concat();
    vec![
        fails("a Close of one byte", b"\x88\x01\x03", &["88 1 \\x03", "!0 CloseOneByte"]),
        fails("a Close without FIN", b"\x08\x02\x03\xE8", &["08 2 1000", "!0 ControlFragmented"]),
        fails(
            "a Close of 126 bytes",
            &encode_frame(0x88, None, &long),
            &["88 126 1000 rrrrrrrrrrrr…", "!0 CloseTooLong 126"],
        ),
        fails(
            "a masked Close",
            &encode_frame(0x88, Some([9, 8, 7, 6]), &1000_u16.to_be_bytes()),
            &["88 2 masked 1000", "!0 MaskedByServer"],
        ),
        fails("a Close with RSV1", b"\xC8\x02\x03\xE8", &["c8 2 1000", "!0 Rsv1WithoutDeflate"]),
        after_101(
            "a reason in Latin-1",
            *b"\x88\x06\x03\xE8caf\xE9",
            Then::FinWhenTold,
            &["88 6 1000 caf\\xe9", "!0 CloseBadUtf8 1000"],
            &["88 2 1007"],
            FAILED,
        ),
        after_101(
            "a reason cut amid a character",
            *b"\x88\x04\x0F\xA1\xE2\x82",
            Then::FinWhenTold,
            &["88 4 4001 \\xe2\\x82", "!0 CloseBadUtf8 4001"],
            &["88 2 1007"],
            FAILED,
        ),
    ]
}

fn after_close() -> Vec<Misbehaviour> {
    let row = |name, behind: &[u8], theirs: &[&'static str]| {
        let bytes = [b"\x88\x02\x03\xE8", behind].concat();
        let theirs = [&["88 2 1000"], theirs].concat();
        after_101(name, bytes, Then::FinWhenTold, &theirs, &["88 2 1000"], ENDED)
    };
    vec![
        row("text after the Close", b"\x81\x04late", &["81 4 late", "!4 DataAfterClose"]),
        row("binary after the Close", b"\x82\x01\x00", &["82 1 \\x00", "!4 DataAfterClose"]),
        row("an unfinished text after the Close", b"\x01\x01a", &["01 1 a", "!4 DataAfterClose"]),
        row("a second Close", b"\x88\x02\x0F\xA1", &["88 2 4001"]),
        row(
            "a page after the Close",
            b"<html><body>bye</body></html>",
            &["!4 GarbageAfterClose", "opaque <html><body>…"],
        ),
        row(
            "an HTTP response after the Close",
            b"HTTP/1.1 200 OK\r\n\r\n",
            &["!4 GarbageAfterClose", "opaque HTTP/1.1 200…"],
        ),
        row(
            "bytes of ones after the Close",
            b"\xFF\xFF\xFF\xFF",
            &["!4 GarbageAfterClose", "opaque \\xff\\xff\\xff\\xff"],
        ),
        row(
            "a text cut short after the Close",
            b"\x81\x05He",
            &["81 5 He", "!4 DataAfterClose", "cut payload @4, 2 of 5"],
        ),
        after_101(
            "a Close amid a fragmented message",
            *b"\x01\x03Hel\x88\x02\x03\xE9",
            Then::FinWhenTold,
            &["01 3 Hel", "88 2 1001"],
            &["88 2 1001"],
            ENDED,
        ),
    ]
}

fn ends() -> Vec<Misbehaviour> {
    let hi = b"\x81\x02hi";
    let stay = &["opened", "time-out tcp-end", "we closed"];
    vec![
        after_101("FIN at once", *b"", Then::Fin, &[], &[], ENDED),
        after_101("FIN after a message", *hi, Then::Fin, &["81 2 hi"], &[], ENDED),
        after_101("RST at once", *b"", Then::Reset, &[], &[], RESET),
        after_101("RST after a message", *hi, Then::Reset, &["81 2 hi"], &[], RESET),
        after_101("FIN after one byte of a header", *b"\x81", Then::Fin, &["cut header @0, 1 came"], &[], ENDED),
        after_101("FIN amid a length", *b"\x82\x7E\x10", Then::Fin, &["cut header @0, 3 came"], &[], ENDED),
        after_101(
            "FIN amid the second frame's header",
            *b"\x81\x02hi\x81\x7F\x00\x00\x00",
            Then::Fin,
            &["81 2 hi", "cut header @4, 5 came"],
            &[],
            ENDED,
        ),
        after_101("FIN before the payload", *b"\x81\x05", Then::Fin, &["81 5", "cut payload @0, 0 of 5"], &[], ENDED),
        after_101(
            "FIN amid a payload",
            *b"\x81\x05Hel",
            Then::Fin,
            &["81 5 Hel", "cut payload @0, 3 of 5"],
            &[],
            ENDED,
        ),
        after_101(
            "RST amid a payload",
            *b"\x81\x05Hel",
            Then::Reset,
            &["81 5 Hel", "cut payload @0, 3 of 5"],
            &[],
            RESET,
        ),
        after_101("RST amid a header", *b"\x82\x7E\x10", Then::Reset, &["cut header @0, 3 came"], &[], RESET),
        after_101(
            "FIN amid a fragmented message",
            *b"\x01\x03Hel\x00\x01l",
            Then::Fin,
            &["01 3 Hel", "00 1 l", "cut message, 2 frames, 4 came"],
            &[],
            ENDED,
        ),
        after_101(
            "RST amid a fragmented message",
            *b"\x02\x01a",
            Then::Reset,
            &["02 1 a", "cut message, 1 frames, 1 came"],
            &[],
            RESET,
        ),
        after_101("our pong left unread", *b"\x89\x01p", Then::LeaveUnread, &["89 1 p"], &["8a 1 p"], RESET),
        after_101(
            "a Close, then RST",
            *b"\x88\x02\x03\xE9",
            Then::ResetWhenTold,
            &["88 2 1001"],
            &["88 2 1001"],
            RESET,
        ),
        after_101("an empty Close, then FIN", *b"\x88\x00", Then::FinWhenTold, &["88 0"], &["88 0"], ENDED),
        after_101("a Close, and TCP left open", *b"\x88\x02\x03\xE8", Then::Stay, &["88 2 1000"], &["88 2 1000"], stay),
        after_101(
            "a violation, and TCP left open",
            *b"\x83\x00",
            Then::Stay,
            &["83 0", "!0 ReservedOpcode 3"],
            &["88 2 1002"],
            &["opened", "begun violation", "time-out tcp-end", "we closed"],
        ),
        after_101(
            "a violation, then RST",
            *b"\x83\x00",
            Then::ResetWhenTold,
            &["83 0", "!0 ReservedOpcode 3"],
            &["88 2 1002"],
            &["opened", "begun violation", "end reset", "we closed"],
        ),
    ]
}

/// We close after a moment with 4000, and the server answers otherwise than it should.
fn answers() -> Vec<Misbehaviour> {
    fn closing(options: &mut ConnectOptions) {
        options.watch = Some(Duration::from_millis(100));
        options.close = (4000, "enough".to_owned());
    }
    let row = |name, bytes: &[u8], then, theirs: &[&'static str], facts: &[&'static str]| {
        after_101(name, bytes, then, theirs, &["88 8 4000 enough"], facts).with(closing)
    };
    let begun = &["opened", "begun watch-ended", "end fin", "we closed"];
    vec![
        row(
            "our Close never answered",
            b"",
            Then::Stay,
            &[],
            &["opened", "begun watch-ended", "time-out close", "we closed"],
        ),
        row("our Close answered with FIN", b"", Then::FinWhenTold, &[], begun),
        row(
            "our Close answered with RST",
            b"",
            Then::ResetWhenTold,
            &[],
            &["opened", "begun watch-ended", "end reset", "we closed"],
        ),
        row(
            "half a frame before our Close, then FIN",
            b"\x81\x05He",
            Then::FinWhenTold,
            &["81 5 He", "cut payload @0, 2 of 5"],
            begun,
        ),
        row(
            "a message left open before our Close, then FIN",
            b"\x01\x02He",
            Then::FinWhenTold,
            &["01 2 He", "cut message, 1 frames, 2 came"],
            begun,
        ),
    ]
}
