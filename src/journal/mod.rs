//! A session on disk: the same observations, replayable, append-only.
//!
//! A journal is a [`Header`] of 64 bytes, then records. All numbers are little-endian.
//!
//! | bytes | of a record |
//! | --- | --- |
//! | 4 | length of the payload |
//! | 1 | kind: 1 plaintext bytes, 2 ciphertext bytes, 3 any other fact as JSON, 4 a part of an index |
//! | 1 | direction of the bytes: 0 to the server, 1 to the client |
//! | 2 | zero |
//! | 8 | moment, nanoseconds since the session began |
//! | 4 | CRC-32 (ISO-HDLC) of the 16 bytes before it and of the payload |
//!
//! Works over any `Read` and `Write`, knows no clock and opens no file. Start at [`Writer`] and [`Reader`].

mod format;
mod index;
mod other_file;
mod reader;
mod records;
mod summary;
mod writer;

pub use format::{DECODER_VERSION, FORMAT_VERSION, HEADER_LEN, Header, MAX_RECORD_BYTES, RECORD_HEADER_LEN};
pub use index::index_parts;
pub use other_file::OtherFile;
pub use reader::{Ended, ReadError, Reader, TornWhy};
pub use records::{RawRecord, RawRecords};
pub use summary::{Summary, summary};
pub use writer::{Writer, encode_record};
