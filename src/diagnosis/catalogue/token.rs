//! Mistakes in the token's text that show before anybody looks at its signature.

use super::fix::{advice, command, snippet};
use super::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "token-missing",
        phase: Phase::Token,
        title: "No token was sent",
        what: "The request carried no token and no other credential, or an empty one, and the \
            server turned it away. Either the code connected before the login had finished, or \
            the token travels somewhere else than the server looks.",
        browser: "Whatever the server does about it: a close 1008 with its reason, or only an \
            unexpected response code, where 401 appears as a failed HTTP authentication.",
        fixes: &[
            snippet(
                "Open the socket only when the token is there.",
                "const token = await getToken(); if (token) connect(token);",
            ),
            advice(
                "Check where the server expects it: query parameter, cookie, header, subprotocol or \
                    first message. Browsers cannot set an Authorization header on a WebSocket.",
            ),
            snippet(
                "Try it with a token by hand.",
                "sockeye check \"{url}\" --token-in query:token --token YOUR_TOKEN",
            ),
        ],
        seen_with: &["jsonwebtoken: jwt must be provided"],
        see_also: &["token-placeholder", "http-401", "close-1008", "jwt-malformed"],
    },
    Cause {
        id: "token-placeholder",
        phase: Phase::Token,
        title: "The token is a placeholder",
        what: "The token parameter holds a word such as undefined, null or [object Object]. A \
            variable without a value was turned into text, so the server received something that \
            was never a token.",
        browser: "No complaint from the browser; the server refuses, mostly with close 1008 or \
            status 401.",
        fixes: &[
            command(
                "Find where the URL is built and wait for the value before connecting.",
                "if (typeof token !== 'string'",
                "token === '') throw new Error('no token yet');",
            ),
            advice(
                "If [object Object] arrives, pass the string inside the object, for example \
                    result.token.",
            ),
        ],
        seen_with: &["reading storage before the login has written to it", "jsonwebtoken: jwt malformed"],
        see_also: &["token-missing", "url-host-placeholder", "jwt-malformed"],
    },
    Cause {
        id: "token-bearer-prefix",
        phase: Phase::Token,
        title: "The token starts with the word Bearer",
        what: "The value includes the prefix that belongs to the Authorization header. A server \
            that takes a token from the query expects the bare token, so its check fails on the \
            first characters.",
        browser: "No complaint from the browser; the server refuses.",
        fixes: &[snippet(
            "Strip the prefix before building the URL.",
            "const bare = token.replace(/^Bearer\\s+/i, '');",
        )],
        seen_with: &["jsonwebtoken: invalid token"],
        see_also: &["token-quoted", "url-space-or-quote", "jwt-malformed"],
    },
    Cause {
        id: "token-quoted",
        phase: Phase::Token,
        title: "The token is wrapped in quotation marks",
        what: "The value begins and ends with a quote (or %22). It was stored as JSON and read back \
            as plain text, so the quotes became part of the token.",
        browser: "No complaint from the browser; the server refuses.",
        fixes: &[snippet(
            "Parse it once when you read it, or store the plain string.",
            "const token = JSON.parse(localStorage.getItem('token'));",
        )],
        seen_with: &["localStorage filled through JSON.stringify", ".env values whose quotes are kept"],
        see_also: &["token-bearer-prefix", "token-whitespace", "url-space-or-quote"],
    },
    Cause {
        id: "token-whitespace",
        phase: Phase::Token,
        title: "The token has white space around or in it",
        what: "A space, tab or line break travels with the token. It mostly comes from a copy \
            across two terminal lines or from a file that ends with a line break. The characters \
            are not part of the token's alphabet, so it cannot be read.",
        browser: "The browser encodes or drops the white space silently; the server refuses.",
        fixes: &[
            snippet("Trim it where it enters the program.", "const token = raw.trim();"),
            command(
                "When reading from a file in a shell, remove line ends.",
                "TOKEN=$(tr -d '\\r\\n' < token.txt)",
                "$TOKEN = (Get-Content token.txt -Raw).Trim()",
            ),
        ],
        seen_with: &[],
        see_also: &["token-quoted", "token-truncated", "jwt-malformed"],
    },
    Cause {
        id: "token-double-encoded",
        phase: Phase::Token,
        title: "The token was percent-encoded twice",
        what: "The value contains %25, which is an encoded percent sign. Two pieces of code encoded \
            it one after the other, so after decoding once the server still sees codes like %2B \
            or %2E instead of the characters.",
        browser: "No complaint from the browser; the server refuses.",
        fixes: &[snippet(
            "Encode exactly once. URLSearchParams encodes by itself, so give it the raw token.",
            "url.searchParams.set('token', token);",
        )],
        seen_with: &["encodeURIComponent followed by URLSearchParams", "jsonwebtoken: jwt malformed"],
        see_also: &["token-plus-in-query", "url-space-or-quote", "jwt-malformed"],
    },
    Cause {
        id: "token-plus-in-query",
        phase: Phase::Token,
        title: "A plus sign in the token becomes a space",
        what: "In a query string many servers read + as a space, others leave it alone. A JWT never \
            contains a plus sign, so this token was encoded with standard base64 instead of the \
            URL-safe alphabet, or it is no JWT.",
        browser: "No complaint from the browser; the server sees a token with a hole in it.",
        fixes: &[
            snippet(
                "Encode the value, so that + travels as %2B.",
                "const query = `token=${encodeURIComponent(token)}`;",
            ),
            snippet("Better still, issue the token with base64url.", "Buffer.from(data).toString('base64url')"),
        ],
        seen_with: &["URLSearchParams and querystring on the server"],
        see_also: &["token-double-encoded", "jwt-malformed"],
    },
    Cause {
        id: "token-truncated",
        phase: Phase::Token,
        title: "The token was cut off",
        what: "The beginning decodes as a token's header, but the rest is missing: there are fewer \
            than two dots, or the signature is too short. Something kept only the first \
            characters.",
        browser: "No complaint from the browser; the server refuses.",
        fixes: &[
            snippet(
                "Copy the whole token again. An HS256 signature is always 43 characters long, an \
                    RS256 signature with a 2048-bit key 342.",
                "sockeye token YOUR_TOKEN",
            ),
            advice(
                "Look for the place that shortens it: a database column, a cookie limit of 4096 \
                    bytes, a terminal that wraps lines.",
            ),
        ],
        seen_with: &["jsonwebtoken: jwt malformed (part missing) or invalid signature (signature cut)"],
        see_also: &["jwt-malformed", "token-whitespace", "jwt-wrong-secret"],
    },
];
