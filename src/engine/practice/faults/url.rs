//! Faults of the URL and the options: most never leave the machine.

use super::super::fault::{Fault, Setting};
use super::super::guide::Twist;

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        "healthy",
        "open",
        "All is well",
        "The guide's server as it should be: the token verifies, the confirmation message comes, text and pings are \
         answered. Compare every other exercise with this one.",
        Setting::Guide(Twist::None),
    ),
    Fault::new(
        "url-scheme-http",
        "open",
        "http:// in place of ws://",
        "New browsers rewrite http:// to ws://, older ones and other clients throw. The connection works here, so \
         this is a finding. Write ws:// or wss://.",
        Setting::Url("http://{authority}/?{query}"),
    )
    .cause("healthy")
    .findings(&["url-scheme-http"]),
    Fault::new(
        "url-scheme-typo",
        "not-attempted",
        "Scheme forgotten",
        "In `localhost:3001/…` the host is read as the scheme, and the browser's constructor throws: there is no \
         close event at all. Put ws:// in front.",
        Setting::Url("localhost:3001/?{query}"),
    ),
    Fault::new(
        "url-scheme-typo-wsx",
        "not-attempted",
        "Unknown scheme",
        "Only ws, wss, http and https are schemes of a WebSocket URL. The constructor throws before anything is \
         sent. Correct the scheme.",
        Setting::Url("wsx://localhost:3001/?{query}"),
    )
    .cause("url-scheme-typo"),
    Fault::new(
        "url-relative",
        "not-attempted",
        "Relative URL",
        "A page resolves `/echo` against its own address, so it dials the web server, not the WebSocket server; \
         outside of a page there is nothing to resolve it against. Write the whole URL.",
        Setting::Url("/echo?{query}"),
    ),
    Fault::new(
        "url-fragment",
        "not-attempted",
        "Fragment in the URL",
        "A `#` anywhere, even a last empty one, makes the browser's constructor throw: fragments are never sent. If \
         the token contains `#`, write it as %23; else remove it.",
        Setting::Url("ws://localhost:3001/?{query}#top"),
    ),
    Fault::new(
        "url-bad-port",
        "not-attempted",
        "Port above 65535",
        "A port has 16 bits; 99999 is none, and the URL as a whole is refused. Correct the port.",
        Setting::Url("ws://localhost:99999/?{query}"),
    ),
    Fault::new(
        "url-unsafe-port",
        "open",
        "A port that browsers block",
        "Browsers refuse a list of ports that belong to other protocols, with ERR_UNSAFE_PORT and 1006 at once. \
         Other clients connect, as here. Move the server to another port.",
        Setting::UnsafePort,
    )
    .cause("healthy")
    .findings(&["url-unsafe-port"]),
    Fault::new(
        "url-host-placeholder",
        "not-attempted",
        "Host is `undefined`",
        "The page was built without the variable that names the host, so its text is `undefined`. The browser \
         reports a name that does not resolve. Set the variable and build again.",
        Setting::Url("ws://undefined:3001/?{query}"),
    ),
    Fault::new(
        "url-space-or-quote",
        "open",
        "Raw space in the query",
        "A browser encodes a raw space or quote in silence, other clients send a broken request line. Encode every \
         value with encodeURIComponent, once.",
        Setting::Url("ws://{authority}/?{query}&name=Jane Doe"),
    )
    .cause("healthy")
    .findings(&["url-space-or-quote"]),
    Fault::new(
        "url-userinfo",
        "open",
        "User and password in the URL",
        "Browsers accept `user:password@` and send it only when a 401 asks for it; other clients send an Authorization \
         header at once. What the server sees depends on the client. Leave it out and send the token in one place.",
        Setting::Url("ws://user:password@{authority}/?{query}"),
    )
    .cause("healthy")
    .findings(&["url-userinfo"]),
    Fault::new(
        "url-too-long",
        "upgrade-refused",
        "Request head beyond the server's limit",
        "Node reads 16 KiB of request head and answers 431 with an empty body beyond that; nginx says 414. A browser \
         shows 1006. Send large values in the first message, not in the URL.",
        Setting::Guide(Twist::None),
    )
    .padded(20_000),
    Fault::new(
        "url-subprotocol-invalid",
        "not-attempted",
        "Subprotocol that is no token",
        "A subprotocol must be a token of RFC 9110: no space, `=` or `/`, none twice. A JWT fits only as base64url \
         without padding and without `Bearer `. The browser's constructor throws.",
        Setting::Guide(Twist::None),
    )
    .offers(&["Bearer eyJhbGciOiJIUzI1NiJ9.e30="]),
    Fault::new(
        "dns-nxdomain",
        "resolve-failed",
        "A name that does not exist",
        "The resolver says that there is no such name, so nothing was dialled. Look for a typing error, a VPN that \
         is off, or a container's service name used from outside.",
        Setting::Url("ws://-.invalid:3001/?{query}"),
    ),
];
