//! The `sockeye` program: arguments in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    sockeye::cli::run(std::env::args_os())
}
