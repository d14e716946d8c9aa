//! The token as a JWT: readable, signed with the right secret, in date, for this audience.

use super::Rule;
use super::token::{REFUSALS, check};

pub(super) const RULES: &[Rule] = &[
    Rule::new("jwt-malformed", check).implies(REFUSALS),
    Rule::new("jwt-alg-none", check).implies(SIGNATURE),
    Rule::new("jwt-alg-mismatch", check).implies(SIGNATURE),
    Rule::new("jwt-wrong-secret", check).implies(REFUSALS),
    Rule::new("jwt-clock-skew", check).implies(DATES),
    Rule::new("jwt-expired-mid-session", check).implies(DATES),
    Rule::new("jwt-expired", check).implies(REFUSALS),
    Rule::new("jwt-not-active", check).implies(REFUSALS),
    Rule::new("jwt-audience", check).implies(REFUSALS),
    Rule::new("jwt-issuer", check).implies(REFUSALS),
    Rule::new("jwt-secret-missing", check).implies(REFUSALS),
    Rule::new("jwt-kid-missing", check).implies(REFUSALS),
];

const SIGNATURE: &[&str] = &[
    "jwt-wrong-secret",
    "jwt-malformed",
    "http-400",
    "http-401",
    "http-403",
    "http-403-starlette",
    "http-500",
    "close-1002",
    "close-1008",
    "close-1011",
    "close-3000",
    "close-3003",
    "close-application",
    "connection-terminated",
    "connection-reset",
    "upgrade-fin-nobytes",
    "upgrade-rst-nobytes",
];

const DATES: &[&str] = &[
    "jwt-expired",
    "jwt-not-active",
    "http-400",
    "http-401",
    "http-403",
    "http-403-starlette",
    "http-500",
    "close-1002",
    "close-1008",
    "close-1011",
    "close-3000",
    "close-3003",
    "close-application",
    "connection-terminated",
    "connection-reset",
    "upgrade-fin-nobytes",
    "upgrade-rst-nobytes",
];
