//! Faults of TCP and TLS: nothing of WebSocket is spoken.

use super::super::fault::{Certificate, Fault, Setting};
use super::super::script::Step;

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        "tcp-refused",
        "connect-failed",
        "Nobody listens",
        "The port answers with RST at once: no process listens there. The server is not running, died at start, or \
         uses another port. Start it and look at the line that says on which port it listens.",
        Setting::NoListener(&[]),
    ),
    Fault::new(
        "localhost-family-mismatch",
        "connect-failed",
        "The other loopback address",
        "`localhost` resolves to one address family and the server listens on the other, so this URL is refused \
         while the literal address works. Bind the server to `::`, or write the address it listens on.",
        Setting::FamilyMismatch,
    ),
    Fault::new(
        "tcp-backlog-full",
        "connect-failed",
        "The queue of new connections is full",
        "The port is in the list of listeners, yet SYN goes unanswered: the process does not accept and its queue is \
         full. It is blocked or stopped. Look at its CPU, then restart it.",
        Setting::BacklogFull,
    )
    .silent(),
    Fault::new(
        "port-not-http",
        "upgrade-invalid",
        "An SSH server",
        "The first bytes are SSH-2.0 and not HTTP: the port belongs to another service. Correct the port.",
        Setting::OwnPort(
            "ws",
            &[
                Step::Send(b"SSH-2.0-OpenSSH_9.6\r\n"),
                Step::ReadSome,
                Step::Send(b"Invalid SSH identification string.\r\n"),
                Step::Fin,
            ],
        ),
    ),
    Fault::new(
        "port-not-http-mysql",
        "upgrade-invalid",
        "A MySQL server",
        "MySQL speaks first, with a packet that holds its version. It is not HTTP. Correct the port.",
        Setting::OwnPort("ws", &[Step::Send(MYSQL_GREETING), Step::ReadSome, Step::Fin]),
    )
    .cause("port-not-http"),
    Fault::new(
        "port-not-http-redis",
        "upgrade-invalid",
        "A Redis server",
        "Redis reads GET as a command of its own and answers -ERR. It is not HTTP. Correct the port.",
        Setting::OwnPort("ws", &[Step::ReadSome, Step::Send(b"-ERR unknown command 'GET'\r\n"), Step::Fin]),
    )
    .cause("port-not-http"),
    Fault::new(
        "port-not-http-smtp",
        "upgrade-invalid",
        "A mail server",
        "A line that begins with 220 is a mail server's greeting. It is not HTTP. Correct the port.",
        Setting::OwnPort(
            "ws",
            &[
                Step::Send(b"220 mail.example.test ESMTP ready\r\n"),
                Step::ReadSome,
                Step::Send(b"500 5.5.1 Command unrecognized\r\n"),
                Step::Fin,
            ],
        ),
    )
    .cause("port-not-http"),
    Fault::new(
        "port-not-http-tls",
        "tls-failed",
        "An SSH server behind wss://",
        "The ClientHello was answered with the greeting of an SSH server: neither TLS nor HTTP is spoken here. \
         Correct the port.",
        Setting::OwnPort("wss", &[Step::Send(b"SSH-2.0-OpenSSH_9.6\r\n"), Step::ReadSome, Step::Fin]),
    )
    .cause("port-not-http"),
    Fault::new(
        "plain-to-tls",
        "upgrade-invalid",
        "ws:// to a TLS port",
        "The request was answered with a TLS alert: the port speaks TLS. Write wss://.",
        Setting::OwnPort("ws", &[Step::ReadSome, Step::Send(b"\x15\x03\x01\x00\x02\x02\x46"), Step::Fin]),
    ),
    Fault::new(
        "plain-to-tls-nginx",
        "upgrade-refused",
        "ws:// to nginx's TLS port",
        "nginx says it in clear: the plain HTTP request was sent to an HTTPS port. Write wss://.",
        Setting::OwnPort(
            "ws",
            &[
                Step::ReadHead,
                Step::Http {
                    status: "400 Bad Request",
                    headers: "Server: nginx/1.22.1\r\nContent-Type: text/html\r\n",
                    body: "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n\
                        <body>\r\n<center><h1>400 Bad Request</h1></center>\r\n\
                        <center>The plain HTTP request was sent to HTTPS port</center>\r\n\
                        <hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n",
                },
                Step::Fin,
            ],
        ),
    )
    .cause("plain-to-tls"),
    Fault::new(
        "tls-to-plain",
        "tls-failed",
        "wss:// to a plain port",
        "The ClientHello was answered with HTTP/1.1 400 in clear: the port does not speak TLS. Write ws://, or \
         enable TLS on the server.",
        Setting::OwnPort(
            "wss",
            &[Step::ReadSome, Step::Send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), Step::Fin],
        ),
    ),
    Fault::new(
        "tls-self-signed",
        "tls-failed",
        "Self-signed certificate",
        "The certificate is its own issuer, so nobody vouches for it. A browser shows 1006 and no dialog. Trust it \
         on this machine, or issue one with a local CA.",
        Setting::Tls(Certificate::SelfSigned),
    ),
    Fault::new(
        "tls-unknown-ca",
        "tls-failed",
        "Unknown certification authority",
        "The certificate is good but for its issuer, which this machine does not know. Install the CA of the \
         organisation, or serve a certificate of a public one.",
        Setting::Tls(Certificate::Good),
    ),
    Fault::new(
        "tls-missing-intermediate",
        "tls-failed",
        "Intermediate certificate not sent",
        "Only the server's own certificate came, and it says where its issuer's is to be fetched. Some browsers \
         fetch it, other clients fail. Serve the full chain.",
        Setting::Tls(Certificate::NoIntermediate),
    ),
    Fault::new(
        "tls-expired",
        "tls-failed",
        "Certificate expired",
        "The certificate ended in 2021. Renew it; if its dates are right, look at the clock of this machine.",
        Setting::Tls(Certificate::Expired),
    )
    .trusted(),
    Fault::new(
        "tls-not-yet-valid",
        "tls-failed",
        "Certificate not yet valid",
        "The certificate begins in 2075. More often than the certificate, the clock of this machine is wrong.",
        Setting::Tls(Certificate::NotYetValid),
    )
    .trusted(),
    Fault::new(
        "tls-name-mismatch",
        "tls-failed",
        "Certificate for another host",
        "The certificate names example.test, the URL does not. Use a name that the certificate carries; an address \
         needs an IP entry of its own.",
        Setting::Tls(Certificate::OtherName),
    )
    .trusted(),
    Fault::new(
        "tls-mitm-proxy",
        "tls-failed",
        "Somebody reads along",
        "The certificate was issued by mitmproxy, which sits between client and server and reads the traffic; this \
         machine does not trust it. Company filters and virus scanners do the same. Install their CA, or go around \
         them.",
        Setting::Tls(Certificate::Inspected),
    ),
    Fault::new(
        "tls-unknown-ca-and-more",
        "tls-failed",
        "Everything wrong with the certificate",
        "Its CA is unknown, it ended in 2021 and it names another host. Chrome says ERR_CERT_AUTHORITY_INVALID and \
         nothing of the rest; all of it must be mended.",
        Setting::Tls(Certificate::Worn),
    )
    .cause("tls-unknown-ca")
    .findings(&["tls-expired", "tls-name-mismatch"]),
    Fault::new(
        "tls-client-cert-required",
        "tls-failed",
        "The server wants a client certificate",
        "The server asked for a certificate and ended TLS when none came. In TLS 1.3 our side had finished already. \
         Set a client certificate and its key.",
        Setting::Tls(Certificate::ClientRequired),
    )
    .trusted(),
    hello(
        "tls-version",
        "No common TLS version",
        "The alert protocol_version (70) answered our ClientHello: the server speaks only versions that we do not. \
         Enable TLS 1.2 or 1.3 on it.",
        &[Step::ReadSome, Step::Send(b"\x15\x03\x01\x00\x02\x02\x46"), Step::Fin],
    ),
    hello(
        "tls-no-shared-cipher",
        "No common cipher",
        "The alert handshake_failure (40) answered our ClientHello before any certificate: no cipher suite in \
         common. Correct the server's cipher list.",
        &[Step::ReadSome, Step::Send(b"\x15\x03\x03\x00\x02\x02\x28"), Step::Fin],
    ),
    hello(
        "tls-unrecognized-name",
        "Unknown server name",
        "The alert unrecognized_name (112): the server has no certificate for the host that we named. Configure the \
         host there, or correct the URL.",
        &[Step::ReadSome, Step::Send(b"\x15\x03\x03\x00\x02\x02\x70"), Step::Fin],
    ),
    hello(
        "tls-alpn-h2-only",
        "Only HTTP/2 offered",
        "The alert no_application_protocol (120): the port speaks HTTP/2 alone, and a WebSocket begins with \
         HTTP/1.1. Enable http/1.1 there.",
        &[Step::ReadSome, Step::Send(b"\x15\x03\x03\x00\x02\x02\x78"), Step::Fin],
    ),
    hello(
        "tls-reset-after-hello",
        "RST after the ClientHello",
        "TCP was reset when our ClientHello arrived: a filter that dislikes the name, or a server without a \
         certificate. Try another network, and look at the load balancer.",
        &[Step::ReadSome, Step::Rst],
    ),
    hello(
        "tls-fin-after-hello",
        "FIN after the ClientHello",
        "The peer ended TCP when our ClientHello arrived: a load balancer without a backend, or a server without a \
         certificate. Look at its configuration.",
        &[Step::ReadSome, Step::Fin],
    ),
    hello(
        "tls-silent",
        "No answer to the ClientHello",
        "The ClientHello was received and nothing came back: the port waits for a line of text, or the process \
         hangs. Try ws://.",
        &[Step::Silence],
    )
    .silent(),
];

const MYSQL_GREETING: &[u8] = b"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00\x11\x22\x33\x44\x55\x66\x77\x01\x00\
    \xff\xff\xff\x02\x00\xff\xdf\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x21\x31\x41\x51\x61\x71\x22\x32\x42\x52\
    \x62\x72\x00mysql_native_password\x00";

const fn hello(id: &'static str, title: &'static str, lesson: &'static str, steps: &'static [Step]) -> Fault {
    Fault::new(id, "tls-failed", title, lesson, Setting::OwnPort("wss", steps))
}
