//! Frames that break RFC 6455 §5 and §8.1.

use sockeye::wire::encode_frame;

use super::{ENDED, FAILED, Misbehaviour, Then, after_101};

/// A violation for which we fail the connection with 1002.
fn fails(name: &'static str, bytes: impl Into<Vec<u8>>, theirs: &[&'static str]) -> Misbehaviour {
    after_101(name, bytes, Then::FinWhenTold, theirs, &["88 2 1002"], FAILED)
}

/// Text that is not UTF-8: we fail the connection with 1007.
fn not_utf8(name: &'static str, bytes: impl Into<Vec<u8>>, theirs: &[&'static str]) -> Misbehaviour {
    after_101(name, bytes, Then::FinWhenTold, theirs, &["88 2 1007"], FAILED)
}

/// A violation that the endpoint takes without a word: only the record tells.
fn unnoticed(name: &'static str, bytes: impl Into<Vec<u8>>, theirs: &[&'static str]) -> Misbehaviour {
    after_101(name, bytes, Then::Fin, theirs, &[], ENDED)
}

pub(super) fn rows() -> Vec<Misbehaviour> {
    let key = Some([1, 2, 3, 4]);
    [bits(key), opcodes(), controls(key), fragments(), texts(), lengths(), no_frames()].into_iter().flatten().collect()
}

fn bits(key: Option<[u8; 4]>) -> Vec<Misbehaviour> {
    vec![
        fails("a masked text", encode_frame(0x81, key, b"hi"), &["81 2 masked hi", "!0 MaskedByServer"]),
        fails("a masked empty binary", encode_frame(0x82, key, b""), &["82 0 masked", "!0 MaskedByServer"]),
        fails("RSV1 without permessage-deflate", *b"\xC1\x01a", &["c1 1 a", "!0 Rsv1WithoutDeflate"]),
        fails("RSV2", *b"\xA1\x01a", &["a1 1 a", "!0 Rsv2Or3 2"]),
        fails("RSV3", *b"\x91\x01a", &["91 1 a", "!0 Rsv2Or3 1"]),
        fails("all three reserved bits", *b"\xF2\x01a", &["f2 1 a", "!0 Rsv2Or3 7"]),
        fails("RSV1 on a ping", *b"\xC9\x00", &["c9 0", "!0 Rsv1WithoutDeflate"]),
        fails("RSV2 on a pong", *b"\xAA\x00", &["aa 0", "!0 Rsv2Or3 2"]),
        fails("RSV3 on a continuation frame", *b"\x01\x01a\x90\x01b", &["01 1 a", "90 1 b", "!3 Rsv2Or3 1"]),
        fails("RSV1 after a good message", *b"\x81\x02ok\xC1\x01a", &["81 2 ok", "c1 1 a", "!4 Rsv1WithoutDeflate"]),
        fails(
            "a masked text with RSV2 and a reserved opcode",
            encode_frame(0xA3, key, b"x"),
            &["a3 1 masked x", "!0 MaskedByServer", "!0 Rsv2Or3 2", "!0 ReservedOpcode 3"],
        ),
    ]
}

fn opcodes() -> Vec<Misbehaviour> {
    vec![
        fails("opcode 0x3", *b"\x83\x01a", &["83 1 a", "!0 ReservedOpcode 3"]),
        fails("opcode 0x4", *b"\x84\x00", &["84 0", "!0 ReservedOpcode 4"]),
        fails("opcode 0x5", *b"\x85\x01a", &["85 1 a", "!0 ReservedOpcode 5"]),
        fails("opcode 0x6", *b"\x86\x02ab", &["86 2 ab", "!0 ReservedOpcode 6"]),
        fails("opcode 0x7 without FIN", *b"\x07\x01a", &["07 1 a", "!0 ReservedOpcode 7"]),
        fails("opcode 0xB", *b"\x8B\x00", &["8b 0", "!0 ReservedOpcode 11"]),
        fails("opcode 0xC", *b"\x8C\x01a", &["8c 1 a", "!0 ReservedOpcode 12"]),
        fails("opcode 0xD", *b"\x8D\x00", &["8d 0", "!0 ReservedOpcode 13"]),
        fails("opcode 0xE", *b"\x8E\x00", &["8e 0", "!0 ReservedOpcode 14"]),
        fails("opcode 0xF", *b"\x8F\x03abc", &["8f 3 abc", "!0 ReservedOpcode 15"]),
        fails(
            "opcode 0x3 amid a fragmented message",
            *b"\x01\x01a\x83\x01b",
            &["01 1 a", "83 1 b", "!3 ReservedOpcode 3", "cut message, 1 frames, 1 came"],
        ),
    ]
}

fn controls(key: Option<[u8; 4]>) -> Vec<Misbehaviour> {
    let ping_126 = encode_frame(0x89, None, &[b'p'; 126]);
    let pong_200 = encode_frame(0x8A, None, &[b'q'; 200]);
    let ping_64k = encode_frame(0x89, None, &vec![b'r'; 65_536]);
    vec![
        fails("a ping without FIN", *b"\x09\x01a", &["09 1 a", "!0 ControlFragmented"]),
        fails("a pong without FIN", *b"\x0A\x00", &["0a 0", "!0 ControlFragmented"]),
        fails("a masked ping", encode_frame(0x89, key, b"p"), &["89 1 masked p", "!0 MaskedByServer"]),
        fails("a ping of 126 bytes", ping_126, &["89 126 pppppppppppp…", "!0 ControlTooLong 126"]),
        fails("a pong of 200 bytes", pong_200, &["8a 200 qqqqqqqqqqqq…", "!0 ControlTooLong 200"]),
        fails("a ping of 64 KiB", ping_64k, &["89 65536 rrrrrrrrrrrr…", "!0 ControlTooLong 65536"]),
        fails(
            "a ping that is continued",
            *b"\x09\x01a\x80\x01b",
            &["09 1 a", "!0 ControlFragmented", "80 1 b", "!3 ContinuationWithoutStart"],
        ),
    ]
}

fn fragments() -> Vec<Misbehaviour> {
    vec![
        fails("a continuation of nothing", *b"\x80\x05Hello", &["80 5 Hello", "!0 ContinuationWithoutStart"]),
        fails("an unfinished continuation of nothing", *b"\x00\x01a", &["00 1 a", "!0 ContinuationWithoutStart"]),
        fails(
            "a continuation after the message was whole",
            *b"\x81\x01a\x80\x01b",
            &["81 1 a", "80 1 b", "!3 ContinuationWithoutStart"],
        ),
        fails("a text within a text", *b"\x01\x03Hel\x81\x02lo", &["01 3 Hel", "81 2 lo", "!5 InterleavedData"]),
        fails(
            "a binary within a text",
            *b"\x01\x03Hel\x82\x02\x00\xFF",
            &["01 3 Hel", "82 2 \\x00\\xff", "!5 InterleavedData"],
        ),
        fails(
            "a text within a binary, both unfinished",
            *b"\x02\x01a\x01\x01b",
            &["02 1 a", "01 1 b", "!3 InterleavedData", "cut message, 1 frames, 1 came"],
        ),
        fails("an empty message within a message", *b"\x01\x00\x81\x00", &["01 0", "81 0", "!2 InterleavedData"]),
    ]
}

fn texts() -> Vec<Misbehaviour> {
    vec![
        not_utf8("text in Latin-1", *b"\x81\x04caf\xE9", &["81 4 caf\\xe9", "!0 BadUtf8 3"]),
        not_utf8("a lone continuation byte", *b"\x81\x01\x80", &["81 1 \\x80", "!0 BadUtf8 0"]),
        not_utf8("an overlong slash", *b"\x81\x02\xC0\xAF", &["81 2 \\xc0\\xaf", "!0 BadUtf8 0"]),
        not_utf8("an overlong NUL of three bytes", *b"\x81\x03\xE0\x80\x80", &["81 3 \\xe0\\x80\\x80", "!0 BadUtf8 0"]),
        not_utf8("half of a surrogate pair", *b"\x81\x03\xED\xA0\x80", &["81 3 \\xed\\xa0\\x80", "!0 BadUtf8 0"]),
        not_utf8(
            "a code point beyond U+10FFFF",
            *b"\x81\x04\xF4\x90\x80\x80",
            &["81 4 \\xf4\\x90\\x80\\x80", "!0 BadUtf8 0"],
        ),
        not_utf8("the byte 0xFF", *b"\x81\x03ab\xFF", &["81 3 ab\\xff", "!0 BadUtf8 2"]),
        not_utf8("text that ends amid a character", *b"\x81\x03a\xE2\x82", &["81 3 a\\xe2\\x82", "!0 BadUtf8 1"]),
        not_utf8(
            "a second fragment that does not go on with the character",
            *b"\x01\x02a\xE2\x80\x02\x28\xA1",
            &["01 2 a\\xe2", "80 2 (\\xa1", "!4 BadUtf8 1"],
        ),
        not_utf8(
            "a last fragment that ends amid a character",
            *b"\x01\x01a\x80\x02b\xC3",
            &["01 1 a", "80 2 b\\xc3", "!3 BadUtf8 2"],
        ),
        not_utf8("UTF-16 as text", *b"\x81\x06\xFF\xFEh\x00i\x00", &["81 6 \\xff\\xfeh\\x00i\\x00", "!0 BadUtf8 0"]),
    ]
}

fn lengths() -> Vec<Misbehaviour> {
    let over = encode_frame(0x82, None, &[0; 2_000]);
    let mut fragments = encode_frame(0x02, None, &[0; 600]);
    fragments.extend(encode_frame(0x80, None, &[0; 600]));
    let limit = &["opened", "limit message 1000 2000", "begun limit", "end fin", "we closed"];
    let in_sum = &["opened", "limit message 1000 1200", "begun limit", "end fin", "we closed"];
    vec![
        unnoticed("5 bytes announced in 16 bits", *b"\x81\x7E\x00\x05Hello", &["81 5 Hello", "!0 NonMinimalLength 5"]),
        unnoticed(
            "5 bytes announced in 64 bits",
            *b"\x81\x7F\x00\x00\x00\x00\x00\x00\x00\x05Hello",
            &["81 5 Hello", "!0 NonMinimalLength 5"],
        ),
        unnoticed("nothing announced in 16 bits", *b"\x82\x7E\x00\x00", &["82 0", "!0 NonMinimalLength 0"]),
        unnoticed(
            "200 bytes announced in 64 bits",
            [b"\x82\x7F\x00\x00\x00\x00\x00\x00\x00\xC8".as_slice(), &[b'z'; 200]].concat(),
            &["82 200 zzzzzzzzzzzz…", "!0 NonMinimalLength 200"],
        ),
        fails(
            "a 64-bit length with the highest bit",
            *b"\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00abc",
            &["82 9223372036854775808", "!0 LengthHighBit 9223372036854775808", "opaque abc"],
        ),
        fails(
            "a length of 64 ones",
            *b"\x81\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
            &["81 18446744073709551615", "!0 LengthHighBit 18446744073709551615"],
        ),
        after_101(
            "a length of 2^40",
            *b"\x82\x7F\x00\x00\x01\x00\x00\x00\x00\x00abc",
            Then::FinWhenTold,
            &["82 1099511627776 abc", "cut payload @0, 3 of 1099511627776"],
            &["88 2 1009"],
            &["opened", "limit message 67108864 1099511627776", "begun limit", "end fin", "we closed"],
        ),
        after_101(
            "a frame over our limit",
            over,
            Then::FinWhenTold,
            &["82 2000 \\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00…"],
            &["88 2 1009"],
            limit,
        )
        .with(|options| options.limit_bytes = 1_000),
        after_101(
            "fragments that together are over our limit",
            fragments,
            Then::FinWhenTold,
            &[
                "02 600 \\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00…",
                "80 600 \\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00…",
            ],
            &["88 2 1009"],
            in_sum,
        )
        .with(|options| options.limit_bytes = 1_000),
    ]
}

fn no_frames() -> Vec<Misbehaviour> {
    vec![
        fails(
            "an HTTP response instead of frames",
            *b"HTTP/1.1 404 Not Found\r\n\r\n",
            &["!0 TextAmongFrames after 0", "opaque HTTP/1.1 404…"],
        ),
        fails(
            "a page instead of frames",
            *b"<!DOCTYPE html><p>hello</p>",
            &["!0 TextAmongFrames after 0", "opaque <!DOCTYPE ht…"],
        ),
        fails(
            "JSON instead of frames",
            *b"{\"error\":\"unauthorized\"}",
            &["!0 TextAmongFrames after 0", "opaque {\\\"error\\\":\\\"un…"],
        ),
        fails(
            "a page behind a frame",
            *b"\x81\x02ok<html><body>502</body></html>",
            &["81 2 ok", "!4 TextAmongFrames after 1", "opaque <html><body>…"],
        ),
        fails(
            "bytes of ones",
            *b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
            &[
                "ff 18446744073709551615 masked",
                "!0 MaskedByServer",
                "!0 Rsv2Or3 7",
                "!0 ReservedOpcode 15",
                "!0 LengthHighBit 18446744073709551615",
            ],
        ),
    ]
}
