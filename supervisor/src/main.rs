//! `fumehood`, and, under another `argv[0]`, its worker.

fn main() -> std::process::ExitCode {
    fumehood::main()
}
