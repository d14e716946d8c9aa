//! JSON Web Tokens: read, verify, validate (RFC 7515, 7519).
