//! What is wrong with the token, judged by its parts, its dates and the secret at hand.

use super::fix::{advice, command, on_each, snippet};
use super::{Cause, Phase};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "jwt-malformed",
        phase: Phase::Auth,
        title: "The token is not a JWT",
        what: "A JWT consists of three parts with dots in between, each in the URL-safe base64 \
            alphabet, the first two being JSON. This one is not like that; the token panel shows \
            the first place where it goes wrong.",
        browser: "Depends on the server: mostly close 1008, or status 401 shown as a failed HTTP \
            authentication.",
        fixes: &[
            snippet("Decode it and look at the marked position.", "sockeye token YOUR_TOKEN"),
            advice(
                "Check where the value comes from: the whole token, without Bearer, quotes or line \
                    breaks.",
            ),
        ],
        seen_with: &["jsonwebtoken: jwt malformed, or invalid token"],
        see_also: &["token-truncated", "token-placeholder", "token-bearer-prefix", "token-quoted"],
    },
    Cause {
        id: "jwt-expired",
        phase: Phase::Auth,
        title: "The token has expired",
        what: "The token's exp claim lies in the past. The server was right to refuse it. A page \
            that has been open for a long time, or a token copied yesterday, is the usual story.",
        browser: "Depends on the server: mostly close 1008 with a reason, or status 401 shown as a \
            failed HTTP authentication.",
        fixes: &[
            snippet(
                "Fetch a fresh token right before each attempt, also before reconnecting.",
                "const socket = new WebSocket(\"{scheme}://{host}:{port}{path}?token=\" + await freshToken());",
            ),
            snippet("See when it expired.", "sockeye token YOUR_TOKEN"),
            snippet(
                "For tests, mint one that lives longer.",
                "jwt.sign(claims, process.env.JWT_SECRET, { expiresIn: '1h' });",
            ),
        ],
        seen_with: &["jsonwebtoken: jwt expired", "reconnecting with the token of the first connection"],
        see_also: &["jwt-clock-skew", "jwt-expired-mid-session", "jwt-not-active"],
    },
    Cause {
        id: "jwt-not-active",
        phase: Phase::Auth,
        title: "The token is not valid yet",
        what: "The token's nbf claim lies in the future, so it must not be used before then. Mostly \
            the clock of the machine that issued it is ahead of the one that checks.",
        browser: "Depends on the server: mostly close 1008 or status 401.",
        fixes: &[
            on_each(
                "Set both clocks.",
                "sudo timedatectl set-ntp true",
                "sudo sntp -sS time.apple.com",
                "w32tm /resync",
            ),
            snippet("Allow a little tolerance when verifying.", "jwt.verify(token, secret, { clockTolerance: 30 });"),
            advice("Leave out nbf if nobody needs it."),
        ],
        seen_with: &["jsonwebtoken: jwt not active"],
        see_also: &["jwt-clock-skew", "jwt-expired"],
    },
    Cause {
        id: "jwt-expired-mid-session",
        phase: Phase::Auth,
        title: "The token expired while connected",
        what: "The connection ended within seconds of the moment at which its token ran out. The \
            server watches the expiry of open connections and ends them, which is sound, if the \
            client renews in time.",
        browser: "The code that the server uses for it, often 1008 or 4401, or 1006 if it just \
            cuts.",
        fixes: &[
            snippet(
                "Renew the token before it expires and reconnect, or send the new one over the open \
                    socket.",
                "setTimeout(renew, claims.exp * 1000 - Date.now() - 60000);",
            ),
            advice("Give connections longer-lived tokens than single requests."),
        ],
        seen_with: &["servers that check the expiry on a timer"],
        see_also: &["jwt-expired", "lifetime-limit", "idle-timeout"],
    },
    Cause {
        id: "jwt-clock-skew",
        phase: Phase::Auth,
        title: "The clocks disagree",
        what: "By one clock the token is valid, by the other it is not: this machine and the server \
            are more than a minute apart. The Date header of the server's answer shows its time.",
        browser: "Depends on the server: mostly close 1008 or status 401.",
        fixes: &[
            on_each(
                "Set the clock that is wrong.",
                "sudo timedatectl set-ntp true",
                "sudo sntp -sS time.apple.com",
                "w32tm /resync",
            ),
            on_each(
                "In a virtual machine or WSL, set it again after sleep.",
                "sudo hwclock -s",
                "sudo sntp -sS time.apple.com",
                "wsl --shutdown",
            ),
            snippet("Allow tolerance when verifying.", "jwt.verify(token, secret, { clockTolerance: 60 });"),
        ],
        seen_with: &["virtual machines and WSL after sleep", "containers on a host with a wrong clock"],
        see_also: &["jwt-expired", "jwt-not-active", "tls-not-yet-valid"],
    },
    Cause {
        id: "jwt-alg-mismatch",
        phase: Phase::Auth,
        title: "The token's algorithm does not fit the key",
        what: "The header names one family of algorithms and the key is of another: a token signed \
            with an RSA key cannot be verified with a shared secret, and the reverse. Or the \
            server simply does not allow this algorithm.",
        browser: "Depends on the server: mostly close 1008 or status 401.",
        fixes: &[
            snippet("Compare alg in the header with what the server is set to.", "sockeye token YOUR_TOKEN"),
            snippet(
                "Verify with the right kind of key, and name the algorithms.",
                "jwt.verify(token, publicKey, { algorithms: ['RS256'] });",
            ),
        ],
        seen_with: &["jsonwebtoken: invalid algorithm", "a change of the login provider"],
        see_also: &["jwt-alg-none", "jwt-wrong-secret", "jwt-kid-missing"],
    },
    Cause {
        id: "jwt-alg-none",
        phase: Phase::Auth,
        title: "The token is not signed",
        what: "The header says alg none, or the signature is empty. Such a token proves nothing, \
            anybody can write one, and every sound server refuses it.",
        browser: "Depends on the server: mostly close 1008 or status 401.",
        fixes: &[
            snippet("Sign the token.", "jwt.sign(claims, process.env.JWT_SECRET, { algorithm: 'HS256' });"),
            snippet(
                "If a server accepted it, that server has a hole: name the algorithms that it may \
                    take.",
                "jwt.verify(token, secret, { algorithms: ['HS256'] });",
            ),
        ],
        seen_with: &["jsonwebtoken: jwt signature is required", "test tokens"],
        see_also: &["jwt-alg-mismatch", "jwt-malformed"],
    },
    Cause {
        id: "jwt-wrong-secret",
        phase: Phase::Auth,
        title: "The token was signed with another secret",
        what: "The signature does not verify with the secret that the server uses. Two programs \
            read different values: another .env file, a value with quotes or a line break, text \
            in one place and base64 in the other. If one of these variants does verify, the \
            verdict names it.",
        browser: "Depends on the server: mostly close 1008 with a reason, or status 401 shown as a \
            failed HTTP authentication.",
        fixes: &[
            snippet(
                "Check the token against the secret's file; usual slips are tried as well.",
                "sockeye check \"{url}\" --env-file .env",
            ),
            snippet(
                "Compare lengths and prints of the secret in both programs, without printing it.",
                "console.log(secret.length, \
                    createHash('sha256').update(secret).digest('hex').slice(0, 8));",
            ),
            advice(
                "Use one value in both places, restart both programs, and log in again for a new \
                    token.",
            ),
        ],
        seen_with: &[
            "jsonwebtoken: invalid signature",
            "Next.js and the WebSocket server with different .env files",
            "a line break at the end of a secret file",
        ],
        see_also: &["jwt-secret-missing", "jwt-alg-mismatch", "token-truncated"],
    },
    Cause {
        id: "jwt-secret-missing",
        phase: Phase::Auth,
        title: "The server has no secret to verify with",
        what: "The program that checks tokens found no secret in its environment, so it can accept \
            none. The variable is not set for this process, or the .env file is read too late or \
            from another folder.",
        browser: "Depends on the server: close 1008 or 1011, or 1006 if it fails on it.",
        fixes: &[
            snippet("Load the file first of all, before any import that needs it.", "node --env-file=.env server.js"),
            snippet(
                "Stop at the start when it is missing.",
                "if (!process.env.JWT_SECRET) throw new Error('JWT_SECRET is not set');",
            ),
            snippet("In containers, pass it along.", "docker run --env-file .env IMAGE"),
        ],
        seen_with: &[
            "jsonwebtoken: secret or public key must be provided",
            "dotenv loaded after the module that reads the variable",
        ],
        see_also: &["jwt-wrong-secret", "boot-crash", "http-500"],
    },
    Cause {
        id: "jwt-kid-missing",
        phase: Phase::Auth,
        title: "The key named by the token is unknown",
        what: "The header names the key it was signed with, or should name one, and the server \
            finds no such key. Keys were rotated, the set of keys is cached, or the token comes \
            from another issuer.",
        browser: "Depends on the server: mostly close 1008 or status 401.",
        fixes: &[
            command(
                "Compare kid in the header with the issuer's published keys.",
                "curl -s https://ISSUER/.well-known/jwks.json",
                "curl.exe -s https://ISSUER/.well-known/jwks.json",
            ),
            snippet(
                "Let the server fetch the keys again when it meets an unknown one.",
                "createRemoteJWKSet(new URL('https://ISSUER/.well-known/jwks.json'))",
            ),
        ],
        seen_with: &["rotated keys", "several tenants or environments"],
        see_also: &["jwt-issuer", "jwt-alg-mismatch", "jwt-wrong-secret"],
    },
    Cause {
        id: "jwt-audience",
        phase: Phase::Auth,
        title: "The token is meant for somebody else",
        what: "The aud claim says for whom the token was issued, and the server expects another \
            name. It is the right user with a token for another service.",
        browser: "Depends on the server: mostly close 1008 or status 401.",
        fixes: &[
            snippet(
                "Compare aud with what the server expects, letter by letter, including a slash at \
                    the end.",
                "sockeye token YOUR_TOKEN",
            ),
            snippet(
                "Request a token for this service, or set the expected audience.",
                "jwt.verify(token, secret, { audience: 'my-service' });",
            ),
        ],
        seen_with: &["jsonwebtoken: jwt audience invalid", "tokens of one API used for another"],
        see_also: &["jwt-issuer", "jwt-malformed"],
    },
    Cause {
        id: "jwt-issuer",
        phase: Phase::Auth,
        title: "The token comes from another issuer",
        what: "The iss claim names who issued the token, and the server trusts another. Test and \
            production are often mixed up, or a slash at the end differs.",
        browser: "Depends on the server: mostly close 1008 or status 401.",
        fixes: &[
            snippet("Compare iss with what the server expects.", "sockeye token YOUR_TOKEN"),
            snippet(
                "Set the expected issuer exactly as it is written in the token.",
                "jwt.verify(token, secret, { issuer: 'https://login.example.com/' });",
            ),
        ],
        seen_with: &["jsonwebtoken: jwt issuer invalid", "tokens from the test environment"],
        see_also: &["jwt-audience", "jwt-kid-missing"],
    },
];
