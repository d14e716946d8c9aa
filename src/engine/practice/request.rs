//! Reading the head of a request from a raw stream, as far as the practice server needs it.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

/// Node's limit for a request head; beyond it the answer is 431.
pub(super) const HEAD_LIMIT: usize = 16 * 1024;

/// A request head, and what was read behind it.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    /// The request target as it came, path and query.
    pub(super) target: String,
    /// Bytes that came in the same read as the end of the head.
    pub(super) leftover: Vec<u8>,
    headers: Vec<(String, String)>,
}

/// What came instead of, or as, a request head.
#[derive(Debug)]
pub(super) enum Head {
    /// A whole request head.
    Request(Request),
    /// More than [`HEAD_LIMIT`] bytes.
    TooLarge,
    /// Bytes that are no HTTP request.
    NotHttp,
    /// The peer went away, or said nothing in time.
    Nothing,
}

impl Request {
    /// The first header field of this name, trimmed.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The target without its query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first query parameter of this name, decoded as `URLSearchParams` does (`+` is a space).
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key) == name).then(|| decode(value))
        })
    }

    /// The target with every query value replaced by `...`, fit for a console.
    pub(super) fn redacted_target(&self) -> String {
        let Some((path, query)) = self.target.split_once('?') else {
            return self.target.clone();
        };
        let names: Vec<String> =
            query.split('&').map(|pair| format!("{}=...", pair.split('=').next().unwrap_or_default())).collect();
        format!("{path}?{}", names.join("&"))
    }

    /// Whether this is an opening handshake that can be answered with 101.
    pub(super) fn is_upgrade(&self) -> bool {
        let is_websocket = self.header("Upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
        is_websocket && self.header("Sec-WebSocket-Key").is_some()
    }
}

/// Reads one request head from `stream`, waiting at most `patience` for the whole of it.
pub(super) async fn read_head<S: AsyncRead + Unpin>(stream: &mut S, patience: Duration) -> Head {
    timeout(patience, read_to_blank_line(stream)).await.unwrap_or(Head::Nothing)
}

async fn read_to_blank_line<S: AsyncRead + Unpin>(stream: &mut S) -> Head {
    let mut bytes = Vec::new();
    loop {
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return Head::Nothing,
            Ok(_) => {}
        }
        let mut fields = [httparse::EMPTY_HEADER; 128];
        let mut parsed = httparse::Request::new(&mut fields);
        match parsed.parse(&bytes) {
            Ok(httparse::Status::Complete(len)) if len <= HEAD_LIMIT => {
                return Head::Request(owned(&parsed, bytes.get(len..).unwrap_or_default()));
            }
            Ok(httparse::Status::Complete(_)) => return Head::TooLarge,
            Ok(httparse::Status::Partial) if bytes.len() > HEAD_LIMIT => return Head::TooLarge,
            Ok(httparse::Status::Partial) => {}
            Err(_) => return Head::NotHttp,
        }
    }
}

fn owned(parsed: &httparse::Request<'_, '_>, leftover: &[u8]) -> Request {
    Request {
        target: parsed.path.unwrap_or_default().to_owned(),
        leftover: leftover.to_vec(),
        headers: parsed
            .headers
            .iter()
            .map(|field| (field.name.to_owned(), String::from_utf8_lossy(field.value).into_owned()))
            .collect(),
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Head {
        let mut stream = bytes;
        read_head(&mut stream, Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn head_is_parsed_and_its_query_decoded() {
        let bytes = b"GET /?token=a%2Eb+c&agentId=x HTTP/1.1\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n\r\nrest";
        let Head::Request(request) = read(bytes).await else { panic!("no request") };
        assert_eq!(request.query("token").as_deref(), Some("a.b c"));
        assert_eq!(request.redacted_target(), "/?token=...&agentId=...");
        assert_eq!(request.leftover, b"rest");
        assert!(request.is_upgrade());
    }

    #[tokio::test]
    async fn long_and_foreign_heads_are_told_apart() {
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(HEAD_LIMIT));
        assert!(matches!(read(long.as_bytes()).await, Head::TooLarge));
        assert!(matches!(read(b"\x16\x03\x01\x02\x00").await, Head::NotHttp));
        assert!(matches!(read(b"GET / HT").await, Head::Nothing));
    }
}
