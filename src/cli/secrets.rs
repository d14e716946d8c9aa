//! Reads what the user keeps to himself: tokens and secrets, byte for byte.

use std::path::Path;
use std::{env, fs};

use super::args::SecretArgs;
use super::failure::Failure;
use super::print;
use crate::token::{Secret, secrets_from_env};

/// The bytes of a file that the user named.
pub(super) fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|source| Failure::Read { what, path: path.to_owned(), source })
}

/// The text of a file that the user named.
pub(super) fn read_text(what: &'static str, path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|source| Failure::Read { what, path: path.to_owned(), source })
}

/// The value of an environment variable.
pub(super) fn variable(what: &str, name: &str) -> Result<String, Failure> {
    env::var(name).map_err(|error| Failure::Usage(format!("read {what} from the variable {name}: {error}")))
}

/// The secrets of a file or of a `.env` file.
pub(super) fn from_files(secret_file: Option<&Path>, env_file: Option<&Path>) -> Result<Vec<Secret>, Failure> {
    let mut secrets = Vec::new();
    if let Some(path) = secret_file {
        secrets.push(Secret::new("--secret-file", read("the secret", path)?));
    }
    if let Some(path) = env_file {
        let found = secrets_from_env(&read_text("the .env file", path)?);
        if found.is_empty() {
            print::note(&format!("note: {} holds no JWT_SECRET and nothing like it", path.display()));
        }
        secrets.extend(found);
    }
    Ok(secrets)
}

/// The secrets that these options name.
pub(super) fn from_args(args: &SecretArgs) -> Result<Vec<Secret>, Failure> {
    let mut secrets = from_files(args.secret_file.as_deref(), args.env_file.as_deref())?;
    if let Some(secret) = &args.secret {
        secrets.push(Secret::new("--secret", secret.as_bytes()));
    }
    if let Some(name) = &args.secret_env {
        secrets.push(Secret::new(format!("${name}"), variable("the secret", name)?.into_bytes()));
    }
    Ok(secrets)
}
