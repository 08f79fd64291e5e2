//! The program: arguments → configuration → telemetry → run. All of it is in [`muster::cli`].

use std::process::ExitCode;

/// Frees what one thread allocated and another dropped without a lock between them: frames and commands cross threads all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    muster::cli::main()
}
