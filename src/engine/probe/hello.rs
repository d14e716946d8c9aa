//! A `ClientHello` by hand: only whether it is answered matters.

/// A TLS 1.2 `ClientHello` that any TLS server answers, with a hello or with an alert (RFC 5246 §7.4.1.2).
pub(super) fn client_hello(server_name: &str) -> Vec<u8> {
    fn with_len16(body: &[u8]) -> Vec<u8> {
        let mut out = (body.len() as u16).to_be_bytes().to_vec();
        out.extend_from_slice(body);
        out
    }
    fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
        [kind.to_be_bytes().as_slice(), &with_len16(body)].concat()
    }
    let mut extensions = Vec::new();
    if !server_name.is_empty() && server_name.parse::<std::net::IpAddr>().is_err() && server_name.len() < 256 {
        let entry = [&[0][..], &with_len16(server_name.as_bytes())].concat();
        extensions.extend(extension(0x0000, &with_len16(&entry)));
    }
    extensions.extend(extension(0x000A, &with_len16(&[0x00, 0x1D, 0x00, 0x17, 0x00, 0x18])));
    extensions.extend(extension(0x000B, &[1, 0]));
    extensions.extend(extension(
        0x000D,
        &with_len16(&[0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x05, 0x03, 0x08, 0x05, 0x05, 0x01]),
    ));
    let ciphers = with_len16(&[0xC0, 0x2B, 0xC0, 0x2F, 0xC0, 0x2C, 0xC0, 0x30, 0x00, 0x9C, 0x00, 0x2F]);
    let body = [&[0x03, 0x03][..], &[0x5A; 32], &[0], &ciphers, &[1, 0], &with_len16(&extensions)].concat();
    let len = body.len() as u32;
    let handshake = [&[0x01][..], &len.to_be_bytes()[1..], &body].concat();
    [&[0x16, 0x03, 0x01][..], &with_len16(&handshake)].concat()
}
