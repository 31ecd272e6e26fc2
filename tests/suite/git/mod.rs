//! Sources in git repositories: the right commit, the version that a clone would give, and nothing that a
//! repository's author or server could make git do.

mod checked;
mod commits;
mod durable;
mod folders;
mod hostile;
mod identity;
mod kept;
mod once;
mod prompts;
mod removal;
mod servers;
mod ssh;
mod stand_in_program;
mod stand_ins;
mod submodules;
mod transport_security;
