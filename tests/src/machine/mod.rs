//! Another kernel: a virtual machine of Debian's packages, in which the program is tried at what that kernel offers.
//!
//! ```text
//! host     disk.rs     the root file system, its kernels, the image with the suite's programs in it
//!          boot.rs     one run of qemu
//!          table.rs    what was found, for people
//! guest    guest.rs    the first process, and the scenes in order
//!          groups.rs   groups of version 2 that are given to a user
//!          scenes.rs   what has to hold
//! both     found.rs    what is wanted, and one line of what was found
//! ```

mod boot;
mod disk;
mod found;
mod groups;
mod guest;
mod scenes;
mod table;

pub use boot::{Accelerator, boot};
pub use disk::{Disk, lacking};
pub use found::{Found, Line, Wish};
pub use guest::{INSIDE, first_process, inside};
pub use table::table;
