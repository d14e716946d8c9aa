//! The ids that one process cannot produce on loopback.

/// Each id with the reason.
pub(in super::super) const UNPRODUCIBLE: &[(&str, &str)] = &[
    ("undetermined", "the honest answer when no rule fits: no server can aim at it"),
    ("ended-by-user", "the act is the user's: connect to healthy and disconnect"),
    ("dns-unreachable", "needs a resolver that does not answer"),
    ("tcp-drop", "needs a packet filter; the kernel answers every SYN on loopback"),
    ("tcp-unreachable", "needs a missing route; loopback always has one"),
    ("server-restarted", "needs a second process on the same port"),
    ("address-in-use", "needs a second process that cannot have the port; this connection is well"),
    ("network-loss", "needs packets that are lost; loopback loses none"),
    ("nat-state-lost", "needs a translator between the two ends that forgets"),
    ("middlebox-injection", "is told from two-writers-interleave by the other machine alone"),
    ("close-while-connecting", "the act is a browser's"),
    ("page-navigation", "the act is a browser's"),
    ("mixed-content", "the act is a browser's"),
    ("csp-connect-src", "the act is a browser's"),
    ("browser-connection-limit", "the act is a browser's"),
    ("browser-handshake-queue", "the act is a browser's"),
    ("extension-blocked", "the act is a browser's"),
    ("private-network-access", "the act is a browser's"),
    ("browser-offline", "the act is a browser's"),
    ("network-change", "the act is a browser's"),
    ("background-tab-throttle", "the act is a browser's"),
    ("send-before-open", "the act is a browser's"),
    ("close-code-api", "the act is a browser's"),
    ("close-then-gone", "a race between our echo and the end of TCP, which loopback decides by chance"),
];
