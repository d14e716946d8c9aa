//! What foreign bytes look like: HTTP or HTML where frames should be, another protocol's banner where HTTP should be.

/// Another protocol that greeted us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banner {
    /// What speaks, e.g. `an SSH server`.
    pub what: &'static str,
    /// The beginning of what it said, made printable.
    pub quote: String,
}

/// Whether a byte stream at a frame boundary is text of HTTP, HTML or JSON.
///
/// `None` while too few bytes are there to tell. None of these beginnings can be a legal frame: `H` sets RSV1 on a
/// control opcode, `<` and `{` set RSV2 or RSV3.
pub fn looks_like_http_or_html(bytes: &[u8]) -> Option<bool> {
    match *bytes.first()? {
        b'H' => {
            let wanted = b"HTTP/1.";
            let len = bytes.len().min(wanted.len());
            match bytes[..len] == wanted[..len] {
                true if len == wanted.len() => Some(true),
                true => None,
                false => Some(false),
            }
        }
        b'<' => bytes.get(1).map(|b| b.is_ascii_alphabetic() || matches!(b, b'!' | b'?' | b'/')),
        b'{' => bytes.get(1).map(|b| matches!(b, b'"' | b'}' | b' ' | b'\n' | b'\r')),
        _ => Some(false),
    }
}

/// Names the protocol of a greeting that is not HTTP.
pub fn banner(bytes: &[u8]) -> Option<Banner> {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]);
    let what = if bytes.starts_with(b"SSH-") {
        "an SSH server"
    } else if bytes.starts_with(b"220") && bytes.get(3).is_some_and(|b| matches!(b, b' ' | b'-')) {
        if text.to_ascii_lowercase().contains("ftp") { "an FTP server" } else { "a mail (SMTP) server" }
    } else if bytes.starts_with(b"-ERR") || bytes.starts_with(b"-NOAUTH") || bytes.starts_with(b"-DENIED") {
        "a Redis server"
    } else if bytes.starts_with(b"+OK") {
        "a POP3 server"
    } else if bytes.starts_with(b"* OK") {
        "an IMAP server"
    } else if bytes.get(3) == Some(&0)
        && (bytes.get(4) == Some(&0xFF) || bytes.get(4) == Some(&0x0A) && bytes.get(5).is_some_and(u8::is_ascii_digit))
    {
        "a MySQL server"
    } else if bytes.starts_with(b"AMQP") {
        "an AMQP broker"
    } else if bytes.starts_with(b"RFB ") {
        "a VNC server"
    } else if bytes.starts_with(b"ERROR\r\n") {
        "a memcached server"
    } else {
        return None;
    };
    Some(Banner { what, quote: printable(bytes, 60) })
}

fn printable(bytes: &[u8], max: usize) -> String {
    let mut out = String::new();
    for &byte in bytes.iter().take(max) {
        match byte {
            b'\r' => {}
            b'\n' => break,
            0x20..=0x7E => out.push(char::from(byte)),
            _ => out.push('·'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_frames() {
        assert_eq!(looks_like_http_or_html(b"HTTP/1.1 200"), Some(true));
        assert_eq!(looks_like_http_or_html(b"HTT"), None);
        assert_eq!(looks_like_http_or_html(b"Hello"), Some(false));
        assert_eq!(looks_like_http_or_html(b"<html>"), Some(true));
        assert_eq!(looks_like_http_or_html(b"<"), None);
        assert_eq!(looks_like_http_or_html(b"{\"a\""), Some(true));
        assert_eq!(looks_like_http_or_html(&[0x81, 5]), Some(false));
    }

    #[test]
    fn banners_are_named() {
        assert_eq!(banner(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap().what, "an SSH server");
        assert_eq!(banner(b"J\0\0\0\n8.0.36\0").unwrap().what, "a MySQL server");
        assert_eq!(banner(b"-ERR unknown command\r\n").unwrap().quote, "-ERR unknown command");
        assert_eq!(banner(b"220 mail ESMTP\r\n").unwrap().what, "a mail (SMTP) server");
        assert!(banner(b"HTTP/1.1 200 OK").is_none());
    }
}
