//! Faults of the token: the guide's server refuses with 1008 and says why.

use super::super::fault::{Fault, Setting, TokenTweak};
use super::super::guide::Twist;
use super::super::script::Step;

pub(super) const FAULTS: &[Fault] = &[
    refused(
        "token-missing",
        "No token sent",
        "The URL carries no token, so the server refuses with 1008 although its secret is right. Usually the page \
         connects before the login has finished. Connect once the token is there.",
        TokenTweak::Missing,
    ),
    Fault::path(
        "token-missing-401",
        "upgrade-refused",
        "No token, refused before the upgrade",
        "A server that checks in verifyClient answers 401 where the guide's server sends 1008. A browser shows 1006 \
         for it. Send the token.",
        &[UNAUTHORIZED, Step::Fin],
    )
    .cause("token-missing")
    .token(TokenTweak::Missing),
    refused(
        "token-placeholder",
        "Token is `undefined`",
        "A variable without a value was put into the URL, and its text is `undefined`. The server calls it \
         malformed. Wait for the value before connecting.",
        TokenTweak::Replaced("undefined"),
    ),
    refused(
        "token-bearer-prefix",
        "`Bearer ` in front of the token",
        "`Bearer ` belongs in an Authorization header. In a query it is read as part of the token, and the server \
         says invalid token. Remove the prefix.",
        TokenTweak::Prefixed("Bearer%20"),
    ),
    refused(
        "token-quoted",
        "Token in quotes",
        "The token was stored as JSON and is sent with its quotes. Read it with JSON.parse once, or store it as \
         plain text.",
        TokenTweak::Quoted,
    ),
    refused(
        "token-whitespace",
        "Line end behind the token",
        "A line end came along when the token was copied or read from a file. It is invisible and makes the token \
         invalid. Trim it.",
        TokenTweak::Suffixed("%0A"),
    ),
    refused(
        "token-double-encoded",
        "Token encoded twice",
        "The token was percent-encoded twice, so the server decodes it once and still finds %2E where the dots \
         should be: jwt malformed. Encode exactly once.",
        TokenTweak::DoubleEncoded,
    ),
    refused(
        "token-plus-in-query",
        "`+` in the query",
        "A JWT is base64url and never contains `+`; this one was re-encoded as standard base64, and the server reads \
         each `+` as a space. Send base64url, or encode `+` as %2B.",
        TokenTweak::Plus,
    ),
    refused(
        "token-truncated",
        "Token cut in its claims",
        "The JOSE header decodes, but the token ends before the second dot: jwt malformed. A field was too short or \
         the selection missed the end. Copy the whole token.",
        TokenTweak::CutInClaims,
    ),
    refused(
        "token-truncated-signature",
        "Token cut in its signature",
        "Header and claims are whole, but the signature of HS256 has 43 characters and here are fewer: invalid \
         signature, though the secret is right. Copy the whole token.",
        TokenTweak::CutInSignature,
    )
    .cause("token-truncated"),
    refused(
        "jwt-malformed",
        "Not a token at all",
        "The value is no compact serialization: it has no dots and no JOSE header. Some other id was put in the \
         token's place. Look where the value comes from.",
        TokenTweak::Replaced("session-4711"),
    ),
    refused(
        "jwt-malformed-parts",
        "Three parts that do not decode",
        "There are three parts, but they are not base64url of JSON: invalid token. Something changed the token on \
         its way. Compare it with the one that was issued.",
        TokenTweak::Replaced("abc.def.ghi"),
    )
    .cause("jwt-malformed"),
    refused(
        "jwt-expired",
        "Token expired",
        "`exp` is an hour ago and the server closes with 1008 jwt expired. The page shows a code 1008, or 1006 if \
         the server ends TCP at once. Renew the token before connecting.",
        TokenTweak::ExpiresIn(-3600),
    ),
    Fault::path(
        "jwt-expired-401",
        "upgrade-refused",
        "Expired token, refused before the upgrade",
        "The same expired token at a server that answers 401 and gives no reason. Only the token itself says why. \
         Renew it.",
        &[UNAUTHORIZED, Step::Fin],
    )
    .cause("jwt-expired")
    .token(TokenTweak::ExpiresIn(-3600)),
    refused(
        "jwt-not-active",
        "Token not yet valid",
        "`nbf` is an hour ahead: jwt not active. Either the issuer's clock is wrong or the token is meant for later. \
         Set the clocks.",
        TokenTweak::NotBeforeIn(3600),
    ),
    Fault::new(
        "jwt-expired-mid-session",
        "closed",
        "Token expires while connected",
        "The connection was good until `exp`; at that moment the server closed it with 1008. The close time and \
         `exp` agree. Renew the token and reconnect before it ends.",
        Setting::Guide(Twist::ClosesAtExpiry),
    )
    .token(TokenTweak::ExpiresIn(3))
    .watch(6_000),
    Fault::new(
        "jwt-clock-skew",
        "closed",
        "Clocks disagree",
        "By our clock the token is valid for ten minutes more, by the server's Date field it expired. One of the two \
         clocks is wrong. Synchronise them.",
        Setting::Guide(Twist::ClockAhead(3600)),
    )
    .token(TokenTweak::ExpiresIn(600)),
    refused(
        "jwt-alg-mismatch",
        "RS256 token, HS256 secret",
        "The JOSE header names RS256, but the server verifies with a shared secret: invalid algorithm. Issue and \
         verify with the same algorithm.",
        TokenTweak::OtherAlgorithm,
    ),
    refused(
        "jwt-alg-none",
        "Unsecured token",
        "The JOSE header says `none` and there is no signature: jwt signature is required. No server should accept \
         it. Sign the token.",
        TokenTweak::Unsecured,
    ),
    refused(
        "jwt-wrong-secret",
        "Signed with another secret",
        "The token is whole and in date, but its signature was made with another JWT_SECRET: invalid signature. Use \
         one .env for both processes and restart both.",
        TokenTweak::WrongSecret,
    ),
    Fault::path(
        "jwt-wrong-secret-401",
        "upgrade-refused",
        "Another secret, refused before the upgrade",
        "A 401 without a reason, and a token that does not verify under the given secret. Use one JWT_SECRET on both \
         sides and restart both.",
        &[UNAUTHORIZED, Step::Fin],
    )
    .cause("jwt-wrong-secret")
    .token(TokenTweak::WrongSecret),
    Fault::new(
        "jwt-secret-missing",
        "closed",
        "JWT_SECRET is not set",
        "The server's own secret is absent, so no token can verify; its console says that a secret must be provided. \
         Put JWT_SECRET into the server's .env and restart it.",
        Setting::Guide(Twist::NoSecret),
    ),
    Fault::new(
        "jwt-audience",
        "closed",
        "Token for another audience",
        "The signature is right, but `aud` does not name this service: jwt audience invalid. Ask the issuer for a \
         token with this audience.",
        Setting::Guide(Twist::Audience("voice-service")),
    ),
    Fault::new(
        "jwt-issuer",
        "closed",
        "Token of another issuer",
        "The signature is right, but `iss` is not the one that the server trusts: jwt issuer invalid. Use a token of \
         that issuer, or correct the server's setting.",
        Setting::Guide(Twist::Issuer("https://issuer.example.test")),
    ),
    Fault::path(
        "jwt-kid-missing",
        "closed",
        "No `kid` in the JOSE header",
        "The server looks its key up by `kid`, and the token names none. Sign with a library that writes the key id, \
         or give the server a single key.",
        &[
            Step::Accept,
            Step::Console(
                "[WebSocket] ❌ Token verification failed: error in secret or public key callback: \
                 No KID specified and JWKS endpoint returned more than 1 key",
            ),
            Step::Close(1008, "Invalid token: No KID specified and JWKS endpoint returned more than 1 key"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
];

const UNAUTHORIZED: Step =
    Step::Http { status: "401 Unauthorized", headers: "Content-Type: text/html\r\n", body: "Unauthorized" };

const fn refused(id: &'static str, title: &'static str, lesson: &'static str, token: TokenTweak) -> Fault {
    Fault::new(id, "closed", title, lesson, Setting::Guide(Twist::None)).token(token)
}
