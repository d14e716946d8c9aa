//! The algorithms of RFC 7518 and RFC 8037, as far as reading needs them: their names and the lengths of their signatures.

/// Every `alg` that a JWS may have, save `none`.
pub(super) const ALGS: [&str; 16] = [
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
    "ES256K", "EdDSA", "Ed25519", "Ed448",
];

/// The length in base64url of a signature by `alg`, where the algorithm fixes it (RFC 7518 §3, RFC 8037 §3.1).
pub(super) fn signature_len(alg: &str) -> Option<usize> {
    match alg {
        "HS256" => Some(43),
        "HS384" => Some(64),
        "HS512" | "ES256" | "ES256K" | "Ed25519" => Some(86),
        "ES384" => Some(128),
        "ES512" => Some(176),
        "Ed448" => Some(152),
        _ => None,
    }
}

/// Whether `len` characters are too few for a signature by `alg`.
pub(super) fn is_short_signature(alg: Option<&str>, len: usize) -> bool {
    match alg {
        Some("RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512") => len < SHORTEST_RSA,
        Some("EdDSA") => len < 86,
        Some(alg) => signature_len(alg).is_some_and(|wanted| len < wanted),
        None => false,
    }
}

/// After how many characters a signature by `alg` ends, if `len` are more than that.
pub(super) fn surplus_from(alg: &str, len: usize) -> Option<usize> {
    let whole = if alg == "EdDSA" { if len < 152 { 86 } else { 152 } } else { signature_len(alg)? };
    (len > whole).then_some(whole)
}

/// Whether `len` characters are a whole signature by `alg`, as far as one can tell.
pub(super) fn is_full_signature(alg: Option<&str>, len: usize) -> bool {
    match alg.and_then(signature_len) {
        Some(wanted) => len == wanted,
        None if is_none(alg) => len == 0,
        None => {
            let has_more = alg.is_some_and(|alg| surplus_from(alg, len).is_some());
            len > 0 && !has_more && !is_short_signature(alg, len)
        }
    }
}

/// What a signature by `alg` is long, in words.
pub(super) fn usual_len(alg: Option<&str>) -> String {
    match alg {
        Some("EdDSA") => "86 or, over Ed448, 152".to_owned(),
        alg => alg.and_then(signature_len).map_or_else(|| format!("at least {SHORTEST_RSA}"), |len| len.to_string()),
    }
}

/// Whether `alg` says that nothing is signed, however it is spelt.
pub(super) fn is_none(alg: Option<&str>) -> bool {
    alg.is_some_and(|alg| alg.eq_ignore_ascii_case("none"))
}

/// A signature by an RSA key of 1024 bits, in base64url.
const SHORTEST_RSA: usize = 171;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_tell_whole_signatures_from_cut_ones() {
        assert!(is_full_signature(Some("HS256"), 43) && !is_full_signature(Some("HS256"), 42));
        assert!(is_short_signature(Some("HS512"), 85) && !is_short_signature(Some("HS512"), 86));
        assert!(is_short_signature(Some("RS256"), 170) && is_full_signature(Some("PS512"), 342));
        assert!(is_full_signature(Some("none"), 0) && !is_full_signature(Some("None"), 1));
        assert!(!is_short_signature(None, 1) && is_full_signature(Some("ES1"), 1));
        assert_eq!(usual_len(Some("HS384")), "64");
        let eddsa = |len| (is_full_signature(Some("EdDSA"), len), is_short_signature(Some("EdDSA"), len));
        assert_eq!([85, 86, 87, 152, 153].map(eddsa).map(|(full, _)| full), [false, true, false, true, false]);
        assert_eq!([85, 86, 120].map(eddsa).map(|(_, short)| short), [true, false, false]);
        assert_eq!([86, 120, 152, 160].map(|len| surplus_from("EdDSA", len)), [None, Some(86), None, Some(152)]);
        assert_eq!((surplus_from("HS256", 44), surplus_from("RS256", 999)), (Some(43), None));
    }
}
