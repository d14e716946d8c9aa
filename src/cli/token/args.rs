//! The options of `token` and of what it does besides reading.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::super::args::ConnectArgs;
use super::super::values;
use crate::token::{Expectations, SecretForm};

/// Options of `token`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Exit status: 0 if nothing is wrong with the token, else 1; 2 usage.\n\
    Any text will do: a URL, a header, a log line. What is wrong with it is told by position, what is right is shown."
)]
pub(in crate::cli) struct TokenArgs {
    /// Makes a token for a test, or many, and tries them on a server.
    #[command(subcommand)]
    pub(in crate::cli) command: Option<TokenCommand>,
    /// The token; `-`, or nothing in a pipe, reads standard input.
    #[arg(allow_hyphen_values = true)]
    pub(in crate::cli) token: Option<String>,
    /// Which token to read where there are several in the text, counted from 1.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) pick: Option<usize>,
    #[command(flatten)]
    pub(in crate::cli) secrets: SecretArgs,
    #[command(flatten)]
    pub(in crate::cli) claims: ClaimArgs,
    /// The moment to validate at: seconds since 1970, or such as 2026-11-27T08:00:00Z [default: now].
    #[arg(long, value_name = "TIME", value_parser = values::moment, help_heading = "Validate")]
    pub(in crate::cli) at: Option<i64>,
    /// Prints one JSON object and nothing else.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// What the server expects of a token's claims.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ClaimArgs {
    /// Whom the token must be meant for (`aud`).
    #[arg(long, value_name = "AUDIENCE", help_heading = "Validate")]
    pub(in crate::cli) aud: Option<String>,
    /// Who must have issued the token (`iss`).
    #[arg(long, value_name = "ISSUER", help_heading = "Validate")]
    pub(in crate::cli) iss: Option<String>,
    /// What is allowed on both sides of the token's dates, in seconds.
    #[arg(long, value_name = "S", default_value = "0", value_parser = values::seconds, help_heading = "Validate")]
    pub(in crate::cli) leeway: Duration,
}

impl ClaimArgs {
    /// What is expected.
    pub(in crate::cli) fn expectations(&self) -> Expectations {
        Expectations { audience: self.aud.clone(), issuer: self.iss.clone(), leeway_secs: self.leeway.as_secs_f64() }
    }
}

/// What to do with tokens besides reading them.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TokenCommand {
    /// Makes a token for a test and prints it.
    Mint(MintArgs),
    /// Makes every variant of a token that is wrong in one way, and prints them.
    Variants(VariantsArgs),
    /// Connects with every variant of a token and tabulates how the server answers.
    Matrix(Box<MatrixArgs>),
}

/// Where secrets come from.
#[derive(Debug, Args)]
pub(in crate::cli) struct SecretArgs {
    /// The secret itself; others may see it in the list of processes.
    #[arg(long, value_name = "SECRET", allow_hyphen_values = true, group = "given_secret", help_heading = "Secret")]
    pub(in crate::cli) secret: Option<String>,
    /// The secret is this file: its bytes, or a PEM key, a certificate, a JWK or a JWK Set.
    #[arg(long, value_name = "FILE", group = "given_secret", help_heading = "Secret")]
    pub(in crate::cli) secret_file: Option<PathBuf>,
    /// The secrets are those of this `.env` file; `.env.local` and its like beside it are tried as well.
    #[arg(long, value_name = "FILE", group = "given_secret", help_heading = "Secret")]
    pub(in crate::cli) env_file: Option<PathBuf>,
    /// The secret is the value of this environment variable.
    #[arg(long, value_name = "NAME", group = "given_secret", help_heading = "Secret")]
    pub(in crate::cli) secret_env: Option<String>,
    /// How the secret is written.
    #[arg(
        long,
        value_name = "FORM",
        value_enum,
        default_value_t,
        conflicts_with = "env_file",
        help_heading = "Secret"
    )]
    pub(in crate::cli) secret_form: Form,
    /// The variable of the `.env` file that holds the secret [default: `JWT_SECRET`].
    #[arg(long, value_name = "NAME", requires = "env_file", help_heading = "Secret")]
    pub(in crate::cli) env_var: Option<String>,
}

/// How a secret is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Form {
    /// The characters are the secret.
    #[default]
    Text,
    /// Base64 with `+` and `/`.
    Base64,
    /// Base64 with `-` and `_`.
    Base64url,
    /// Pairs of hexadecimal digits.
    Hex,
}

impl From<Form> for SecretForm {
    fn from(form: Form) -> Self {
        match form {
            Form::Text => Self::Text,
            Form::Base64 => Self::Base64,
            Form::Base64url => Self::Base64Url,
            Form::Hex => Self::Hex,
        }
    }
}

/// Options of `token mint`.
#[derive(Debug, Args)]
pub(in crate::cli) struct MintArgs {
    #[command(flatten)]
    pub(in crate::cli) secrets: SecretArgs,
    /// The algorithm: HS256 and its kin with a secret, RS256, PS256, ES256, `EdDSA` and theirs with a private key, or none.
    #[arg(long, value_name = "ALG", default_value = "HS256")]
    pub(in crate::cli) alg: String,
    /// The header's `kid`.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) kid: Option<String>,
    /// The claims as a JSON object; `iat` and `exp` are added where they are missing.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(in crate::cli) claims: String,
    /// A claim, its value as JSON or else as text; may be given again.
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::key_value)]
    pub(in crate::cli) claim: Vec<(String, String)>,
    /// Seconds from now until it expires; negative for a token that has expired.
    #[arg(long, value_name = "S", default_value_t = 3600, allow_negative_numbers = true)]
    pub(in crate::cli) expires_in: i64,
    /// Seconds from now until it becomes valid.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(in crate::cli) not_before: Option<i64>,
}

/// Options of `token variants`.
#[derive(Debug, Args)]
pub(in crate::cli) struct VariantsArgs {
    /// The token; `-` reads standard input.
    #[arg(allow_hyphen_values = true)]
    pub(in crate::cli) token: String,
    #[command(flatten)]
    pub(in crate::cli) secrets: SecretArgs,
    /// Prints this variant alone, without its name.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) only: Option<String>,
}

/// Options of `token matrix`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 if the server accepts what is right and refuses what is wrong, else 1; 2 usage."
)]
pub(in crate::cli) struct MatrixArgs {
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArgs,
    /// The secret or private key that signs the token; others may see it in the list of processes.
    #[arg(long, value_name = "SECRET", allow_hyphen_values = true, conflicts_with_all = ["secret_file", "env_file"],
        help_heading = "Token")]
    pub(in crate::cli) secret: Option<String>,
    /// The secret is the value of this environment variable.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["secret", "secret_file", "env_file"], help_heading = "Token")]
    pub(in crate::cli) secret_env: Option<String>,
    /// The claims of a token to begin with, as a JSON object, in place of a token.
    #[arg(long, value_name = "JSON", conflicts_with = "given_token", help_heading = "Token")]
    pub(in crate::cli) claims: Option<String>,
    /// Tries these variants alone; may be given again.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(in crate::cli) only: Vec<String>,
    /// How long to stay after the confirmation, in seconds.
    #[arg(long, value_name = "S", default_value = "0.3", value_parser = values::seconds)]
    pub(in crate::cli) watch: Duration,
    /// Prints one JSON object and nothing else.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
