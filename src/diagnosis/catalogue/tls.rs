//! Encryption failed: certificates, versions, alerts, and machines in between.

use super::fix::{advice, command, on_each, snippet};
use super::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "tls-self-signed",
        phase: Phase::Tls,
        title: "The certificate is signed by itself",
        what: "The server showed a certificate that nobody else vouches for. The connection is \
            refused on our side, before any HTTP is sent, because such a certificate proves \
            nothing about who is talking.",
        browser: "Chrome: net::ERR_CERT_AUTHORITY_INVALID, CloseEvent 1006. A WebSocket never \
            offers the page where you could accept the certificate.",
        fixes: &[
            command(
                "For development, make a certificate that your machine trusts.",
                "mkcert -install && mkcert {host}",
                "mkcert -install; mkcert {host}",
            ),
            snippet(
                "Or open the same host and port once in a tab and accept the warning there; it then \
                    holds for the socket too.",
                "https://{host}:{port}/",
            ),
            snippet("In production, get a certificate from a public authority.", "sudo certbot --nginx -d {host}"),
        ],
        seen_with: &["certificates made with openssl req -x509", "development servers"],
        see_also: &["tls-unknown-ca", "tls-missing-intermediate", "tls-mitm-proxy"],
    },
    Cause {
        id: "tls-unknown-ca",
        phase: Phase::Tls,
        title: "The certificate's issuer is not trusted",
        what: "The chain of certificates ends at an authority that this machine does not know. It \
            may be a company's own authority, or a test one whose root was never installed here.",
        browser: "Chrome: net::ERR_CERT_AUTHORITY_INVALID, CloseEvent 1006. It names only this, \
            also when the certificate is expired or for another host as well.",
        fixes: &[
            on_each(
                "Install the authority's root certificate in the system.",
                "sudo cp root.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates",
                "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain root.crt",
                "certutil -addstore -user Root root.crt",
            ),
            command(
                "Give it to the client alone.",
                "NODE_EXTRA_CA_CERTS=root.crt node client.js",
                "$env:NODE_EXTRA_CA_CERTS = \"root.crt\"; node client.js",
            ),
            snippet("Prove it with a check that trusts that root.", "sockeye check \"{url}\" --ca root.crt"),
        ],
        seen_with: &["company authorities", "mkcert roots on another machine"],
        see_also: &["tls-missing-intermediate", "tls-self-signed", "tls-mitm-proxy"],
    },
    Cause {
        id: "tls-missing-intermediate",
        phase: Phase::Tls,
        title: "The server sends an incomplete chain",
        what: "Only the server's own certificate arrived, without the one that links it to a known \
            authority. Some browsers fetch the missing piece by themselves, other programs \
            cannot, so it works here and fails there.",
        browser: "Chrome often repairs it and connects; if not, net::ERR_CERT_AUTHORITY_INVALID. \
            Node reports that it cannot verify the leaf signature.",
        fixes: &[
            snippet("Serve the full chain. In nginx:", "ssl_certificate /etc/letsencrypt/live/{host}/fullchain.pem;"),
            command(
                "Count what the server sends; there must be two or more certificates.",
                "openssl s_client -connect {host}:{port} -servername {host} -showcerts </dev/null",
                "curl.exe -vI \"https://{host}:{port}/\"",
            ),
        ],
        seen_with: &["nginx with cert.pem instead of fullchain.pem", "load balancers where the chain was not uploaded"],
        see_also: &["tls-unknown-ca", "tls-self-signed"],
    },
    Cause {
        id: "tls-expired",
        phase: Phase::Tls,
        title: "The certificate has expired",
        what: "The server's certificate is no longer valid by this machine's clock. Either it was \
            not renewed, or it was renewed and the server still holds the old one in memory, or \
            this clock is ahead.",
        browser: "Chrome: net::ERR_CERT_DATE_INVALID, CloseEvent 1006; if the issuer is unknown \
            too, only that is named.",
        fixes: &[
            snippet("Renew it and make the server load it.", "sudo certbot renew && sudo systemctl reload nginx"),
            command(
                "Read the dates the server really shows.",
                "openssl s_client -connect {host}:{port} -servername {host} </dev/null | openssl \
                    x509 -noout -dates",
                "curl.exe -vI \"https://{host}:{port}/\"",
            ),
            on_each("Check this machine's clock.", "timedatectl", "sntp time.apple.com", "w32tm /query /status"),
        ],
        seen_with: &["renewals without a reload", "machines whose clock is wrong"],
        see_also: &["tls-not-yet-valid", "jwt-clock-skew", "tls-unknown-ca"],
    },
    Cause {
        id: "tls-not-yet-valid",
        phase: Phase::Tls,
        title: "The certificate is not valid yet",
        what: "The certificate's validity begins in the future by this machine's clock. Nearly \
            always this clock is behind, for instance after a long sleep or in a virtual machine \
            that was paused.",
        browser: "Chrome: net::ERR_CERT_DATE_INVALID, CloseEvent 1006.",
        fixes: &[
            on_each(
                "Set the clock right.",
                "sudo timedatectl set-ntp true",
                "sudo sntp -sS time.apple.com",
                "w32tm /resync",
            ),
            advice("If the clock is right, issue the certificate again with a start date in the past."),
        ],
        seen_with: &["virtual machines after a pause", "devices without a battery clock"],
        see_also: &["tls-expired", "jwt-clock-skew"],
    },
    Cause {
        id: "tls-name-mismatch",
        phase: Phase::Tls,
        title: "The certificate is for another name",
        what: "The certificate is valid, but the host in the URL is not among the names it is \
            issued for. It happens with IP addresses, with a missing www, or when a default site \
            answers in place of yours.",
        browser: "Chrome: net::ERR_CERT_COMMON_NAME_INVALID, CloseEvent 1006; hidden behind the \
            authority error if the issuer is unknown as well.",
        fixes: &[
            command(
                "Use one of the names in the certificate.",
                "openssl s_client -connect {host}:{port} -servername {host} </dev/null | openssl \
                    x509 -noout -text | grep -A 1 \"Alternative Name\"",
                "curl.exe -vI \"https://{host}:{port}/\"",
            ),
            snippet(
                "Or issue one that includes {host}; an IP address must be listed as an IP address.",
                "mkcert {host} localhost 127.0.0.1 ::1",
            ),
        ],
        seen_with: &["IP addresses in the URL", "a proxy's default certificate"],
        see_also: &["tls-unrecognized-name", "tls-unknown-ca"],
    },
    Cause {
        id: "tls-version",
        phase: Phase::Tls,
        title: "No common TLS version",
        what: "The server rejected our first TLS message because of its version. It is set to \
            versions that are too old or too new for us; today's clients speak 1.2 and 1.3.",
        browser: "Chrome: net::ERR_SSL_VERSION_OR_CIPHER_MISMATCH, CloseEvent 1006.",
        fixes: &[
            snippet("Enable TLS 1.2 and 1.3. In nginx:", "ssl_protocols TLSv1.2 TLSv1.3;"),
            command(
                "See what the server takes.",
                "openssl s_client -connect {host}:{port} -tls1_2 </dev/null",
                "curl.exe -vI --tlsv1.2 \"https://{host}:{port}/\"",
            ),
        ],
        seen_with: &["old appliances", "servers set to TLS 1.3 only, with old clients"],
        see_also: &["tls-no-shared-cipher"],
    },
    Cause {
        id: "tls-no-shared-cipher",
        phase: Phase::Tls,
        title: "No common cipher",
        what: "The server ended the handshake before showing a certificate, because none of the \
            methods of encryption we offered is on its list. Sometimes the kind of its key is the \
            reason.",
        browser: "Chrome: net::ERR_SSL_VERSION_OR_CIPHER_MISMATCH, CloseEvent 1006.",
        fixes: &[
            snippet("Allow current ciphers. In nginx:", "ssl_ciphers HIGH:!aNULL:!MD5;"),
            command(
                "See what is negotiated, if anything.",
                "openssl s_client -connect {host}:{port} -servername {host} </dev/null",
                "curl.exe -vI \"https://{host}:{port}/\"",
            ),
        ],
        seen_with: &["servers without a certificate for the name", "hardened cipher lists"],
        see_also: &["tls-version", "tls-client-cert-required"],
    },
    Cause {
        id: "tls-client-cert-required",
        phase: Phase::Tls,
        title: "The server wants a client certificate",
        what: "The server asked us to identify ourselves with a certificate and we had none. It may \
            break off with an alert, also after a handshake that seemed to succeed, or answer \
            with an HTTP 400 that says so.",
        browser: "Chrome: WebSocket opening handshake was canceled, CloseEvent 1006, since a socket \
            cannot ask you to choose a certificate.",
        fixes: &[
            snippet(
                "Supply the certificate and its key.",
                "sockeye check \"{url}\" --client-cert client.pem --client-key client.key",
            ),
            snippet(
                "In a browser, open the host once in a tab and choose the certificate there.",
                "https://{host}:{port}/",
            ),
            snippet(
                "If it is not intended, switch it off for the socket's server block. In nginx:",
                "ssl_verify_client off;",
            ),
        ],
        seen_with: &["nginx with ssl_verify_client on", "mutual TLS in service meshes"],
        see_also: &["tls-no-shared-cipher", "http-400"],
    },
    Cause {
        id: "tls-unrecognized-name",
        phase: Phase::Tls,
        title: "The server does not know this host name",
        what: "We named the host at the start of the handshake and the server answered that it has \
            no site of that name. The address is right, the configuration of names on it is not.",
        browser: "Chrome: net::ERR_SSL_UNRECOGNIZED_NAME_ALERT, CloseEvent 1006.",
        fixes: &[
            snippet("Add the name to the server. In nginx:", "server_name {host};"),
            advice(
                "If you connected by an alias or address, use the name that the server was set up \
                    for.",
            ),
        ],
        seen_with: &["Java servers with a strict host check", "content delivery networks without that domain"],
        see_also: &["tls-name-mismatch", "tls-reset-after-hello"],
    },
    Cause {
        id: "tls-reset-after-hello",
        phase: Phase::Tls,
        title: "The connection was reset at the first TLS message",
        what: "We sent the opening message of TLS, and the connection was torn down with a reset. \
            Some device may filter by host name, or the port's program has no use for what it \
            read.",
        browser: "Chrome: net::ERR_CONNECTION_RESET, CloseEvent 1006.",
        fixes: &[
            advice(
                "Try from another network, such as a phone's. If it works there, a filter in your \
                    network is the reason.",
            ),
            command(
                "On the server, check that a certificate is loaded for this port, and read its log.",
                "openssl s_client -connect {host}:{port} -servername {host} </dev/null",
                "Test-NetConnection {host} -Port {port}",
            ),
            snippet("If the port is a plain one, use ws://.", "sockeye check \"ws://{host}:{port}{path}\""),
        ],
        seen_with: &["filters that look at the host name", "balancers without a server behind them"],
        see_also: &["tls-fin-after-hello", "tls-to-plain", "tls-unrecognized-name"],
    },
    Cause {
        id: "tls-fin-after-hello",
        phase: Phase::Tls,
        title: "The server hung up at the first TLS message",
        what: "The opening message of TLS was received, and the other side closed the connection \
            without any alert. It is typical of balancers without a live server behind them and \
            of programs that cannot read TLS.",
        browser: "Chrome: net::ERR_CONNECTION_RESET, CloseEvent 1006, as for a real reset.",
        fixes: &[
            advice("Check the health of what stands behind the balancer or proxy."),
            snippet("If the port is a plain one, use ws://.", "sockeye check \"ws://{host}:{port}{path}\""),
            on_each(
                "On the server, see who owns the port.",
                "ss -ltnp 'sport = :{port}'",
                "lsof -nP -iTCP:{port} -sTCP:LISTEN",
                "Get-NetTCPConnection -LocalPort {port} -State Listen",
            ),
        ],
        seen_with: &["balancers with no healthy backend", "tunnels whose far end is down"],
        see_also: &["tls-reset-after-hello", "tls-to-plain"],
    },
    Cause {
        id: "tls-silent",
        phase: Phase::Tls,
        title: "No answer to the first TLS message",
        what: "The connection stands and our message was received, but nothing comes back. The \
            program behind the port probably waits for something else, such as a line of text, \
            because it does not speak TLS.",
        browser: "Chrome stays in CONNECTING and prints nothing; other sockets to the same address \
            wait behind it.",
        fixes: &[
            snippet("Try the port without TLS.", "sockeye check \"ws://{host}:{port}{path}\""),
            on_each(
                "If it should speak TLS, see whether the process is stopped or blocked.",
                "ps -o pid,stat,cmd -p $(lsof -t -iTCP:{port} -sTCP:LISTEN)",
                "ps -o pid,stat,command -p $(lsof -t -iTCP:{port} -sTCP:LISTEN)",
                "Get-Process -Id (Get-NetTCPConnection -LocalPort {port} -State \
                    Listen).OwningProcess",
            ),
        ],
        seen_with: &["plain servers that wait for the end of a request", "stopped processes"],
        see_also: &["tls-to-plain", "upgrade-unanswered", "server-blocked"],
    },
    Cause {
        id: "tls-alpn-h2-only",
        phase: Phase::Tls,
        title: "The server offers only HTTP/2",
        what: "While agreeing on TLS, client and server also agree on the HTTP version. A WebSocket \
            handshake in its usual form needs HTTP/1.1, and this port offers only HTTP/2.",
        browser: "The browser offers only HTTP/1.1 for wss, so the connection ends during TLS with \
            CloseEvent 1006.",
        fixes: &[
            snippet(
                "Allow HTTP/1.1 on that port as well. In HAProxy:",
                "bind :{port} ssl crt site.pem alpn h2,http/1.1",
            ),
            snippet("In Envoy, add http/1.1 to the list of ALPN protocols.", "alpn_protocols: [\"h2\", \"http/1.1\"]"),
        ],
        seen_with: &["gRPC ports", "Envoy listeners with h2 alone"],
        see_also: &["http-505", "upgrade-header-missing"],
    },
    Cause {
        id: "tls-mitm-proxy",
        phase: Phase::Tls,
        title: "Something in between re-signs the traffic",
        what: "The certificate was not issued for the server by its owner but by a security \
            product, which opens the encryption, reads and closes it again. Programs without its \
            root refuse it, and some products do not pass WebSocket traffic on.",
        browser: "Works when the root is installed for the browser; otherwise \
            net::ERR_CERT_AUTHORITY_INVALID with CloseEvent 1006.",
        fixes: &[
            advice("Ask for {host} to be exempt from inspection."),
            command(
                "Install the product's root certificate for the program in question.",
                "NODE_EXTRA_CA_CERTS=company-root.pem node client.js",
                "$env:NODE_EXTRA_CA_CERTS = \"company-root.pem\"; node client.js",
            ),
        ],
        seen_with: &["Zscaler", "Fortinet", "Kaspersky and other virus scanners"],
        see_also: &["tls-unknown-ca", "middlebox-injection"],
    },
];
