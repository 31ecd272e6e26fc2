//! Where concrete parts are made and wired: the only place that knows them all.

mod approvals;
mod configuration;
mod indexes;
mod interpreter;
mod kept;
mod keyring;
mod locked;
mod mapped;
mod places;
mod policy;
mod problems;
mod tools;
mod wanted;
mod workers;

pub(crate) use approvals::{account_home, approvable, approvals, approve};
pub(crate) use configuration::configuration;
pub(crate) use indexes::{Indexes, client, format_control, indexes};
pub(crate) use interpreter::{Interpreter, Wish, interpreter, of_this_folder};
pub(crate) use kept::below_the_ceiling;
pub(crate) use keyring::keyring;
pub(crate) use places::{check_length, choose, open};
pub(crate) use policy::{chosen, extras, overrides, passed, policy};
pub(crate) use problems::{of_build, of_cache, of_failure, of_settings};
pub(crate) use tools::{sharing, tools};
pub(crate) use wanted::{bounds, here, wanted, with_locks};
pub(crate) use workers::{executor, runtime};
