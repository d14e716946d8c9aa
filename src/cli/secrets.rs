//! Reads what the user keeps to himself: tokens and secrets, byte for byte.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::failure::Failure;
use super::print;
use super::token::args::SecretArgs;
use crate::token::{
    Secret, SecretForm, env_file_kin, is_env_file, secrets_from_env, secrets_from_env_file, variables_from_env,
};

/// The bytes of a file that the user named.
pub(super) fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |source| Failure::Read { what, path: path.to_owned(), source };
    let mut bytes = Vec::new();
    // Some files have no end.
    File::open(path).map_err(failed)?.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Failure::Usage(format!("{what} is longer than {MOST_BYTES} bytes: {}", path.display())));
    }
    Ok(bytes)
}

/// The longest file of what the user keeps to himself.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The text of a file that the user named.
pub(super) fn read_text(what: &'static str, path: &Path) -> Result<String, Failure> {
    let not_text = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let text = String::from_utf8(read(what, path)?).map_err(not_text);
    text.map_err(|source| Failure::Read { what, path: path.to_owned(), source })
}

/// A certificate authority, as PEM.
pub(super) fn read_authority(path: &Path) -> Result<String, Failure> {
    let pem = read_text("the certificate authority", path)?;
    if pem.contains("-----BEGIN CERTIFICATE-----") {
        Ok(pem)
    } else {
        Err(Failure::Usage(format!("{} holds no certificate in PEM", path.display())))
    }
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
        let found = from_env_file(path)?;
        if found.is_empty() {
            print::note(&format!("note: {} holds no JWT_SECRET and nothing like it", path.display()));
        }
        secrets.extend(found);
    }
    Ok(secrets)
}

/// The secrets of a `.env` file, then those of the files beside it that frameworks read as well.
fn from_env_file(path: &Path) -> Result<Vec<Secret>, Failure> {
    let mut secrets = secrets_from_env(&read_text("the .env file", path)?);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    for kin in env_file_kin(&name).filter(|_| is_env_file(&name)) {
        // Most of them are not there.
        let text = fs::read_to_string(path.with_file_name(kin)).unwrap_or_default();
        secrets.extend(secrets_from_env_file(&text, kin));
    }
    Ok(secrets)
}

/// The secrets that these options name.
pub(super) fn from_args(args: &SecretArgs) -> Result<Vec<Secret>, Failure> {
    let form = args.secret_form.into();
    let written = |name: &str, text: &str| {
        let not = || Failure::Usage(format!("the secret of {name} is not written in {}", SecretForm::name(form)));
        Secret::written(name, text, form).ok_or_else(not)
    };
    let mut secrets = Vec::new();
    if let Some(path) = &args.secret_file {
        let bytes = read("the secret", path)?;
        secrets.push(match form {
            SecretForm::Text => Secret::new("--secret-file", bytes),
            SecretForm::Base64 | SecretForm::Base64Url | SecretForm::Hex => {
                written("--secret-file", &String::from_utf8_lossy(&bytes))?
            }
        });
    }
    if let Some(path) = &args.env_file {
        secrets.extend(from_files(None, Some(path))?);
        if let Some(name) = &args.env_var {
            let text = read_text("the .env file", path)?;
            let missing = || Failure::Usage(format!("{} holds no variable {name}", path.display()));
            let value = variables_from_env(&text).remove(name).ok_or_else(missing)?;
            // The one that is named is the one that decides.
            secrets.retain(|secret| secret.name != format!(".env {name}"));
            secrets.insert(0, Secret::new(format!(".env {name}"), value.into_bytes()).decisive());
        }
    }
    if let Some(secret) = &args.secret {
        secrets.push(written("--secret", secret)?);
    }
    if let Some(name) = &args.secret_env {
        secrets.push(written(&format!("${name}"), &variable("the secret", name)?)?);
    }
    Ok(secrets)
}
