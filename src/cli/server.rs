//! What the options tell of the server, for every command that connects to one: secrets and claims of its tokens, its
//! console, whom it may be certified by, whether it may be asked.

use std::path::Path;

use super::args::ServerArgs;
use super::failure::Failure;
use super::secrets;
use crate::engine::{ConnectOptions, ConsoleSource};

/// Puts it into the options of a connection; secrets that are given replace those that are there.
pub(super) fn place(args: &ServerArgs, options: &mut ConnectOptions) -> Result<(), Failure> {
    let given = secrets::from_files(args.secret_file.as_deref(), args.env_file.as_deref())?;
    if args.secret_file.is_some() || args.env_file.is_some() {
        options.secrets = given;
    }
    options.claims = args.claims.expectations();
    options.insecure |= args.insecure;
    for path in &args.ca {
        options.ca_pems.push(secrets::read_authority(path)?);
    }
    options.probes = !args.no_probes;
    options.probes_elsewhere = args.probes;
    options.server_wait = args.server_wait.unwrap_or(options.server_wait);
    if let Some(path) = log_file(args) {
        if path.is_dir() {
            return Err(Failure::Usage(format!("{} is a folder, not a log", path.display())));
        }
        options.server_log = Some(path.to_owned());
    }
    Ok(())
}

/// The consoles of the server that stay attached for all connections of a command.
pub(super) fn consoles(args: &ServerArgs) -> Result<Vec<ConsoleSource>, Failure> {
    let piped = reads_standard_input(args).then_some(ConsoleSource::StandardInput);
    let command = match &args.server_cmd {
        Some(command) if command.trim().is_empty() => {
            return Err(Failure::Usage("--server-cmd needs a command".to_owned()));
        }
        command => command.clone().map(ConsoleSource::Command),
    };
    Ok(piped.into_iter().chain(command).collect())
}

/// Whether the server's console comes on standard input.
pub(super) fn reads_standard_input(args: &ServerArgs) -> bool {
    args.server_log.as_deref().is_some_and(is_standard_input)
}

fn log_file(args: &ServerArgs) -> Option<&Path> {
    args.server_log.as_deref().filter(|path| !is_standard_input(path))
}

/// Whether a path stands for standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}
