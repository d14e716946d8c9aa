//! `token mint` and `token variants`: tokens for tests.

use serde_json::{Map, Value};

use super::args::{MintArgs, VariantsArgs};
use super::given;
use crate::cli::failure::Failure;
use crate::cli::{clock, print, secrets};
use crate::export::visible::visible;
use crate::token::{Secret, mint_as, variant, variants};

pub(super) fn mint_one(args: &MintArgs) -> Result<u8, Failure> {
    let secrets = secrets::from_args(&args.secrets)?;
    let none = Secret::new("no secret", Vec::new());
    let secret = match secrets.first() {
        Some(secret) => secret,
        None if args.alg == "none" => &none,
        None => return Err(no_secret()),
    };
    let mut claims: Map<String, Value> = serde_json::from_str(&args.claims)
        .map_err(|error| Failure::Usage(format!("--claims is no JSON object: {error}")))?;
    for (name, value) in &args.claim {
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.clone()));
        claims.insert(name.clone(), value);
    }
    let now = clock::unix_secs();
    if !claims.contains_key("iat") {
        claims.insert("iat".to_owned(), (now + args.expires_in.min(0)).into());
    }
    if let Some(not_before) = args.not_before {
        claims.insert("nbf".to_owned(), now.saturating_add(not_before).into());
    }
    if !claims.contains_key("exp") {
        claims.insert("exp".to_owned(), now.saturating_add(args.expires_in).into());
    }
    let token = mint_as(&Value::Object(claims).to_string(), &args.alg, args.kid.as_deref(), secret)?;
    print::note("note: this token is for tests");
    print::out(&format!("{token}\n"))?;
    Ok(0)
}

pub(super) fn variants_of_one(args: &VariantsArgs) -> Result<u8, Failure> {
    let secrets = secrets::from_args(&args.secrets)?;
    let secret = secrets.first().ok_or_else(no_secret)?;
    let token = given(&args.token)?;
    let now = clock::unix_secs();
    print::note("note: these tokens are for tests");
    if let Some(name) = &args.only {
        let found = variant(&token, secret, now, name)?;
        let made = found.ok_or_else(|| Failure::Usage(format!("this token has no variant called {name}")))?;
        print::out(&format!("{}\n", made.token))?;
        return Ok(0);
    }
    for made in variants(&token, secret, now)? {
        print::out(&format!("{}\t{}\t{}\n", visible(&made.name), made.token, visible(&made.about)))?;
    }
    Ok(0)
}

/// What to say where a secret is needed and none is given.
pub(super) fn no_secret() -> Failure {
    Failure::Usage("give a secret: --secret, --secret-file, --env-file or --secret-env".to_owned())
}
