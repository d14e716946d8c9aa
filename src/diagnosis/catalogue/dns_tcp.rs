//! Before any protocol is spoken: names, addresses, ports, proxies, and ports that speak something else.

use super::fix::{advice, command, on_each, snippet};
use super::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "dns-nxdomain",
        phase: Phase::DnsTcp,
        title: "The host name does not exist",
        what: "The name service answered clearly that there is no such name. No connection was \
            tried, since there is no address to try. It is a misspelling, a name known only \
            inside another network, or a record that has not been made yet.",
        browser: "Chrome: net::ERR_NAME_NOT_RESOLVED, CloseEvent 1006.",
        fixes: &[
            command("Ask the name service yourself.", "dig +short {host}", "Resolve-DnsName {host}"),
            advice(
                "Use localhost or the published port when you come from outside: names of Docker \
                    services are known only inside their network.",
            ),
            advice("Connect to the VPN, or add a line to the hosts file, if the name is a private one."),
        ],
        seen_with: &["Docker service names used from the host", ".local names without mDNS", "misspelt domains"],
        see_also: &["dns-unreachable", "url-host-placeholder"],
    },
    Cause {
        id: "dns-unreachable",
        phase: Phase::DnsTcp,
        title: "The name service did not answer",
        what: "The host name could not be looked up, because no name server answered or it reported \
            a failure of its own. That says nothing about the name: it may well exist.",
        browser: "Chrome: net::ERR_NAME_NOT_RESOLVED as for an unknown name; without any network \
            route net::ERR_INTERNET_DISCONNECTED.",
        fixes: &[
            command(
                "Check the network and VPN, then ask again, also at another name server.",
                "dig {host} @1.1.1.1",
                "Resolve-DnsName {host} -Server 1.1.1.1",
            ),
            on_each(
                "Look at the resolver this machine uses.",
                "cat /etc/resolv.conf",
                "scutil --dns",
                "Get-DnsClientServerAddress",
            ),
        ],
        seen_with: &["VPN clients that changed the resolver", "containers without network", "Node: EAI_AGAIN"],
        see_also: &["dns-nxdomain", "browser-offline", "tcp-unreachable"],
    },
    Cause {
        id: "tcp-refused",
        phase: Phase::DnsTcp,
        title: "Nothing listens on that port",
        what: "The machine was reached and rejected the connection at once: no program accepts \
            connections at this address and port. The server has not been started, stopped while \
            starting, or listens on another port. A firewall that rejects looks the same from \
            here.",
        browser: "Chrome: net::ERR_CONNECTION_REFUSED, CloseEvent 1006 after a few milliseconds.",
        fixes: &[
            on_each(
                "See whether anything listens on port {port}.",
                "ss -ltnp 'sport = :{port}'",
                "lsof -nP -iTCP:{port} -sTCP:LISTEN",
                "Get-NetTCPConnection -LocalPort {port} -State Listen",
            ),
            snippet(
                "Start the server and read its console to the end: it may have died before \
                    listening.",
                "npm run dev:websocket",
            ),
            snippet(
                "If it runs in a container, publish the port, and listen on 0.0.0.0 inside.",
                "docker run -p {port}:{port} IMAGE",
            ),
            on_each(
                "If it does listen, compare the address: a server on 127.0.0.1 is not reachable \
                    from other machines.",
                "netstat -ltn | grep {port}",
                "netstat -anvp tcp | grep '[.]{port} .*LISTEN'",
                "netstat -ano | findstr :{port}",
            ),
        ],
        seen_with: &[
            "a server that was not started",
            "a process that failed during start",
            "the wrong port in the URL",
        ],
        see_also: &["boot-crash", "address-in-use", "localhost-family-mismatch", "server-process-died"],
    },
    Cause {
        id: "localhost-family-mismatch",
        phase: Phase::DnsTcp,
        title: "The server listens on the other address family",
        what: "One name, two addresses: localhost can mean 127.0.0.1 (IPv4) or ::1 (IPv6). The \
            server listens on only one of them, and the addresses that this client got belong to \
            the other. So one program connects and another is refused, with the same URL.",
        browser: "Chrome tries both families and connects; Node and Python use only what the \
            system's resolver returns and are refused.",
        fixes: &[
            on_each(
                "See which address the server is bound to.",
                "ss -ltn 'sport = :{port}'",
                "lsof -nP -iTCP:{port} -sTCP:LISTEN",
                "Get-NetTCPConnection -LocalPort {port} -State Listen",
            ),
            snippet("Listen on both families: give no host, or ::.", "server.listen({port}, '::');"),
            snippet("Or write the address that works into the URL.", "sockeye check ws://127.0.0.1:{port}/"),
        ],
        seen_with: &[
            "Node 17 and later with listen(port, 'localhost')",
            "hosts files without a line for ::1",
            "Docker publishing IPv4 only",
        ],
        see_also: &["tcp-refused"],
    },
    Cause {
        id: "tcp-drop",
        phase: Phase::DnsTcp,
        title: "No answer to the connection attempt",
        what: "The first packet was sent again and again and never answered, neither with yes nor \
            with no. Either something on the way throws the packets away, or no machine has that \
            address.",
        browser: "Chrome stays in CONNECTING for a long time, then net::ERR_CONNECTION_TIMED_OUT \
            with CloseEvent 1006.",
        fixes: &[
            on_each(
                "Check firewall rules and cloud security groups: port {port} must be open for \
                    incoming TCP.",
                "sudo iptables -L -n -v",
                "sudo pfctl -sr",
                "Get-NetFirewallPortFilter | Where-Object LocalPort -eq {port}",
            ),
            command(
                "Check that the address is the right one and the machine is up.",
                "ping -c 3 {host}",
                "ping {host}",
            ),
            command(
                "Test the port from the server's own network.",
                "nc -vz {host} {port}",
                "Test-NetConnection {host} -Port {port}",
            ),
        ],
        seen_with: &["cloud security groups", "firewalls that drop", "addresses of machines that are gone"],
        see_also: &["tcp-backlog-full", "tcp-unreachable", "upgrade-unanswered"],
    },
    Cause {
        id: "tcp-backlog-full",
        phase: Phase::DnsTcp,
        title: "The server's queue of new connections is full",
        what: "The port is open, but the program does not pick up new connections fast enough, so \
            the system discards some attempts. It looks like a firewall that works only \
            sometimes. The program is busy, blocked or flooded.",
        browser: "As without any answer: a long CONNECTING, now and then a success.",
        fixes: &[
            on_each(
                "Compare the queue with its limit: Recv-Q at or above Send-Q means full.",
                "ss -ltn 'sport = :{port}'",
                "lsof -nP -iTCP:{port} -sTCP:LISTEN",
                "Get-NetTCPConnection -LocalPort {port} | Group-Object State",
            ),
            advice("Find what blocks the server: synchronous work, a breakpoint, too little memory."),
            snippet(
                "Raise the queue's length, and the system's limit with it.",
                "server.listen({ port: {port}, backlog: 4096 });",
            ),
        ],
        seen_with: &["blocked event loops", "many clients that reconnect at the same moment"],
        see_also: &["tcp-drop", "server-blocked", "fd-limit"],
    },
    Cause {
        id: "tcp-unreachable",
        phase: Phase::DnsTcp,
        title: "There is no route to the host",
        what: "The system or a router on the way reported at once that the address cannot be \
            reached. That is different from silence: something answered, and said no. Often a VPN \
            is off, or this machine has no IPv6 while the name has only an IPv6 address.",
        browser: "Chrome: net::ERR_ADDRESS_UNREACHABLE, or net::ERR_INTERNET_DISCONNECTED when \
            there is no default route.",
        fixes: &[
            on_each(
                "Look up the route.",
                "ip route get $(getent ahosts {host} | awk 'NR==1 { print $1 }')",
                "route -n get {host}",
                "Test-NetConnection {host} -DiagnoseRouting",
            ),
            advice("Connect to the VPN or network the address belongs to."),
            snippet("Try one address family at a time.", "sockeye check \"{url}\" --ipv4"),
        ],
        seen_with: &["VPNs that are switched off", "firewalls that reject as administratively prohibited"],
        see_also: &["tcp-drop", "browser-offline", "dns-unreachable"],
    },
    Cause {
        id: "port-not-http",
        phase: Phase::DnsTcp,
        title: "The port speaks another protocol",
        what: "The first bytes that came are no HTTP answer: a greeting of SSH, a database, a mail \
            server or the like. The connection works, but it leads to the wrong program.",
        browser: "Chrome: net::ERR_INVALID_HTTP_RESPONSE during the handshake, CloseEvent 1006.",
        fixes: &[
            advice(
                "Read the greeting in the log, it names the program; then use the WebSocket \
                    server's port instead.",
            ),
            on_each(
                "See which process owns the port.",
                "ss -ltnp 'sport = :{port}'",
                "lsof -nP -iTCP:{port} -sTCP:LISTEN",
                "Get-Process -Id (Get-NetTCPConnection -LocalPort {port} -State \
                    Listen).OwningProcess",
            ),
        ],
        seen_with: &["ports of SSH, MySQL, Redis or SMTP in the URL"],
        see_also: &["tls-to-plain", "plain-to-tls", "http-404"],
    },
    Cause {
        id: "plain-to-tls",
        phase: Phase::DnsTcp,
        title: "The port expects TLS, the URL says ws",
        what: "We spoke plainly to a port that wants an encrypted connection. The server answered \
            with a TLS alert, dropped the connection, or said in plain HTTP that a request \
            without encryption reached its HTTPS port.",
        browser: "Chrome: net::ERR_CONNECTION_RESET or net::ERR_INVALID_HTTP_RESPONSE; behind nginx \
            unexpected response code 400.",
        fixes: &[snippet("Use wss:// instead of ws://.", "sockeye check \"wss://{host}:{port}{path}\"")],
        seen_with: &["nginx with listen … ssl", "OpenSSL and Python servers that drop the connection"],
        see_also: &["tls-to-plain", "upgrade-rst-nobytes", "http-400"],
    },
    Cause {
        id: "tls-to-plain",
        phase: Phase::DnsTcp,
        title: "The port does not speak TLS, the URL says wss",
        what: "We began an encrypted connection and the server answered in clear text, mostly with \
            an HTTP error. It expects ws:// on this port; encryption is missing, or it happens in \
            a proxy on another port.",
        browser: "Chrome: net::ERR_SSL_PROTOCOL_ERROR, CloseEvent 1006. Node reports a wrong \
            version number.",
        fixes: &[
            snippet("Use ws:// for this port.", "sockeye check \"ws://{host}:{port}{path}\""),
            snippet(
                "From an https page you need wss: give the server a certificate or put a proxy in \
                    front.",
                "https.createServer({ key, cert }, app)",
            ),
        ],
        seen_with: &["development servers without certificate", "proxies that end TLS on 443 only"],
        see_also: &["plain-to-tls", "tls-silent", "mixed-content"],
    },
    Cause {
        id: "proxy-auth-407",
        phase: Phase::DnsTcp,
        title: "The proxy wants a login",
        what: "A proxy between here and the server answered with 407: it does not let us through \
            without credentials. The WebSocket server never saw the request.",
        browser: "Chrome: net::ERR_UNEXPECTED_PROXY_AUTH or net::ERR_TUNNEL_CONNECTION_FAILED, \
            CloseEvent 1006.",
        fixes: &[
            snippet("Give the proxy's credentials.", "sockeye check \"{url}\" --proxy http://USER:PASSWORD@PROXY:3128"),
            command(
                "Leave local addresses out of the proxy.",
                "export NO_PROXY=localhost,127.0.0.1,{host}",
                "$env:NO_PROXY = \"localhost,127.0.0.1,{host}\"",
            ),
        ],
        seen_with: &["Squid", "Zscaler", "Blue Coat"],
        see_also: &["proxy-refused", "proxy-unreachable"],
    },
    Cause {
        id: "proxy-unreachable",
        phase: Phase::DnsTcp,
        title: "The proxy cannot be reached",
        what: "A proxy is configured, but no connection to it came about. The WebSocket server was \
            never asked. Mostly the setting is left over from another network, or the proxy's own \
            program is not running.",
        browser: "Chrome: net::ERR_PROXY_CONNECTION_FAILED, CloseEvent 1006.",
        fixes: &[
            command(
                "See which proxy is set, and clear it if it is not needed.",
                "env | grep -i _proxy; unset HTTP_PROXY HTTPS_PROXY ALL_PROXY",
                "Get-ChildItem env:*_PROXY; netsh winhttp show proxy",
            ),
            advice("Start the proxy, or correct its address."),
        ],
        seen_with: &["office settings used at home", "local debugging proxies that are closed"],
        see_also: &["proxy-refused", "proxy-auth-407", "socks-refused"],
    },
    Cause {
        id: "proxy-refused",
        phase: Phase::DnsTcp,
        title: "The proxy refused to connect us",
        what: "We asked the proxy for a tunnel to the server and it answered with an error. Either \
            its rules forbid this host or port, or it could not reach the server itself. Its \
            status and text are in the log.",
        browser: "Chrome: net::ERR_TUNNEL_CONNECTION_FAILED, CloseEvent 1006.",
        fixes: &[
            snippet(
                "Allow host {host} and port {port} in the proxy. In Squid:",
                "acl Safe_ports port {port}\nacl SSL_ports port {port}",
            ),
            command(
                "Go around it for this host.",
                "export NO_PROXY=localhost,127.0.0.1,{host}",
                "$env:NO_PROXY = \"localhost,127.0.0.1,{host}\"",
            ),
        ],
        seen_with: &["proxies that allow tunnels to port 443 only"],
        see_also: &["proxy-auth-407", "proxy-unreachable", "socks-refused"],
    },
    Cause {
        id: "socks-refused",
        phase: Phase::DnsTcp,
        title: "The SOCKS proxy refused to connect us",
        what: "The SOCKS proxy answered our request with a failure code. The code says whether its \
            rules forbid it, or whether the host or network could not be reached from there.",
        browser: "Chrome: net::ERR_SOCKS_CONNECTION_FAILED, CloseEvent 1006.",
        fixes: &[
            advice(
                "Read the code in the log, then allow the target in the proxy's rules or correct \
                    the host.",
            ),
            command(
                "Test the proxy alone.",
                "curl -v --socks5-hostname PROXY:1080 \"http://{host}:{port}/\"",
                "curl.exe -v --socks5-hostname PROXY:1080 \"http://{host}:{port}/\"",
            ),
        ],
        seen_with: &["SSH tunnels with -D to a host that cannot reach the target", "Tor"],
        see_also: &["proxy-refused", "proxy-unreachable"],
    },
];
