//! Faults of the way: proxies, and a peer that is half dead.

use super::super::fault::{Fault, Setting};
use super::super::script::Step;

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        "proxy-unreachable",
        "connect-failed",
        "The proxy is not there",
        "A proxy is set, and nothing listens at its address: the server was never asked. The setting is left over from \
         another network, or the proxy's program does not run. Correct the setting, or take it away.",
        Setting::AbsentProxy,
    ),
    Fault::new(
        "proxy-auth-407-connect",
        "connect-failed",
        "The proxy wants a login",
        "The proxy answered our CONNECT with 407 and says how it wants to be logged in to. Put user and password into \
         the proxy's URL, or leave this host out of the proxy with NO_PROXY.",
        Setting::Proxy(
            "http",
            &[
                Step::ReadHead,
                Step::Http {
                    status: "407 Proxy Authentication Required",
                    headers: "Proxy-Authenticate: Basic realm=\"practice office\"\r\n",
                    body: "Log in first.\n",
                },
                Step::Fin,
            ],
        ),
    )
    .cause("proxy-auth-407"),
    Fault::new(
        "proxy-refused",
        "connect-failed",
        "The proxy says no",
        "The proxy answered our CONNECT with 403: its rules do not let us through to this host or port. Many let \
         tunnels through to port 443 alone. Allow the port there, or go around the proxy with NO_PROXY.",
        Setting::Proxy(
            "http",
            &[
                Step::ReadHead,
                Step::Http {
                    status: "403 Forbidden",
                    headers: "Server: practice-proxy\r\n",
                    body: "CONNECT is allowed to port 443 only.\n",
                },
                Step::Fin,
            ],
        ),
    ),
    Fault::new(
        "proxy-refused-502",
        "connect-failed",
        "The proxy does not reach the server",
        "The proxy answered our CONNECT with 502: it could not reach the server either. Look from the proxy's machine \
         whether the server answers.",
        Setting::Proxy(
            "http",
            &[Step::ReadHead, Step::Http { status: "502 Bad Gateway", headers: "", body: "No route.\n" }, Step::Fin],
        ),
    )
    .cause("proxy-refused"),
    Fault::new(
        "proxy-refused-not-http",
        "connect-failed",
        "What was set as proxy is none",
        "The answer to our CONNECT is not HTTP but the greeting of an SSH server: another service listens at the \
         proxy's address. Correct the port of the proxy.",
        Setting::Proxy("http", &[Step::Send(b"SSH-2.0-OpenSSH_9.6\r\n"), Step::ReadSome, Step::Fin]),
    )
    .cause("proxy-refused"),
    Fault::new(
        "socks-refused",
        "connect-failed",
        "The SOCKS proxy could not connect",
        "The SOCKS5 proxy replied 5, connection refused: from where it stands nothing listens at the server's port. \
         Test the server from the proxy's machine.",
        Setting::Proxy(
            "socks5",
            &[
                Step::ReadSome,
                Step::Send(b"\x05\x00"),
                Step::ReadSome,
                Step::Send(b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"),
                Step::Fin,
            ],
        ),
    ),
    Fault::new(
        "socks-refused-login",
        "connect-failed",
        "The SOCKS proxy wants a login",
        "The SOCKS5 proxy takes none of the ways to log in that we offered. Put user and password into its URL: \
         socks5://USER:PASSWORD@HOST:1080.",
        Setting::Proxy("socks5", &[Step::ReadSome, Step::Send(b"\x05\xff"), Step::Fin]),
    )
    .cause("socks-refused"),
    Fault::new(
        "healthy-through-proxy",
        "open",
        "Through a proxy, all is well",
        "CONNECT was answered with 200, and behind it the session runs as without a proxy. Look at the rows of the \
         proxy, and at what it was asked.",
        Setting::WorkingProxy,
    )
    .cause("healthy"),
    Fault::new(
        "server-blocked-open",
        "network-timeout",
        "The server stops reading",
        "After its confirmation the server's only thread is busy: our pings arrive at its system and nobody reads \
         them, and a plain request hangs as well. No FIN, no RST, no Close: a browser goes on showing OPEN. Look what \
         the process does, and move long work out of its event loop.",
        Setting::Dies(&[Step::Accept, Step::Confirm, Step::Wait(15_000), Step::Die, Step::Fin]),
    )
    .cause("server-blocked")
    .watch(5_000)
    .pings(300),
];
