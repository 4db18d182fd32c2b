//! The program: arguments in, exit code out. Everything else is in the library's `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    flowloom::cli::main(std::env::args_os())
}
