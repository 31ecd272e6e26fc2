//! Boots Debian's kernels in virtual machines and tries the program at what each offers, with control groups of version 2
//! as the only hierarchy. Beside CI, heavy:
//!
//! ```text
//! cargo build --profile machines -p tests --bins
//! cargo run --profile machines -p tests --bin machines -- --work DIR [--kernel RELEASE]... [--deed DEED]... [--only TEXT]... [--kvm]
//! ```
//!
//! DIR keeps a root file system of about 1.5 GB, made by debootstrap and apt from the archives of this host, and an image.
//! Every kernel that apt offers is booted unless some are named by how their release begins. DEED is a folder of
//! `tests/backends` that `escape` knows; three of them otherwise. TEXT is a part of `SETTING: SCENE`, as the table has them. Without `--kvm` the machine is interpreted, which is
//! slow: a kernel takes some minutes. Needs root (debootstrap); what else is lacking is said.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use tests::machine::{
    Accelerator, Disk, INSIDE, Wish, boot, first_process, inside, lacking, table,
};
use tests::prey::Deed;

const USAGE: &str =
    "usage: machines --work DIR [--kernel RELEASE]... [--deed DEED]... [--only TEXT]... [--kvm]";
/// What is tried if nothing else is named: files, the network, other processes.
const DEEDS: [&str; 3] = ["reads_secrets", "connects_to_ports", "signals_processes"];

/// What was asked for.
#[derive(Default)]
struct Asked {
    work: PathBuf,
    kernels: Vec<String>,
    deeds: Vec<String>,
    only: Vec<String>,
    accelerator: Accelerator,
}

fn main() -> ExitCode {
    if std::process::id() == 1 {
        first_process();
    }
    if std::env::args().nth(1).as_deref() == Some(INSIDE) {
        inside();
        return ExitCode::SUCCESS;
    }
    // A scene that does not hold panics, which has to be caught to be told.
    if cfg!(panic = "abort") {
        say(
            "machines: NOTHING WAS TRIED, it was built where a panic ends the program: `--profile machines`",
        );
        return ExitCode::from(2);
    }
    let Some(asked) = asked() else {
        say(USAGE);
        return ExitCode::from(2);
    };
    let lacking = lacking();
    if !lacking.is_empty() {
        say(&format!(
            "machines: NOTHING WAS TRIED, this host lacks: {}",
            lacking.join(", ")
        ));
        return ExitCode::from(2);
    }
    match try_all(&asked) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(broken) => {
            say(&format!("{broken} scenes do not hold"));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("machines: {error}"));
            ExitCode::from(2)
        }
    }
}

fn asked() -> Option<Asked> {
    let mut asked = Asked::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--work" => asked.work = words.next()?.into(),
            "--kernel" => asked.kernels.push(words.next()?),
            "--deed" => {
                let name = words.next()?;
                Deed::all().find(|deed| deed.fixture == name)?;
                asked.deeds.push(name);
            }
            "--only" => asked.only.push(words.next()?),
            "--kvm" => asked.accelerator = Accelerator::Kvm,
            _ => return None,
        }
    }
    if asked.deeds.is_empty() {
        asked.deeds = DEEDS.map(str::to_owned).to_vec();
    }
    (!asked.work.as_os_str().is_empty()).then_some(asked)
}

/// Boots one kernel after the other; returns how many scenes did not hold.
fn try_all(asked: &Asked) -> Result<usize, String> {
    let disk = Disk::below(&asked.work)?;
    progress("the root file system");
    disk.make_root()?;
    progress("the image");
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let wish = Wish {
        deeds: asked.deeds.clone(),
        only: asked.only.clone(),
    };
    disk.make_image(&own, &wish)?;
    let wanted = |release: &String| {
        let kernels = &asked.kernels;
        kernels.is_empty() || kernels.iter().any(|one| release.starts_with(one.as_str()))
    };
    let releases: Vec<_> = disk.kernels()?.into_iter().filter(wanted).collect();
    if releases.is_empty() {
        return Err("there is no such kernel".to_owned());
    }
    let mut broken = 0;
    for release in releases {
        progress(&release);
        let (text, more) = table(&boot(disk.work(), &release, asked.accelerator)?);
        say(&text);
        broken += more;
    }
    Ok(broken)
}

/// The table, for whoever asked.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// What is done now, for whoever waits.
fn progress(text: &str) {
    let _ = writeln!(std::io::stderr(), "machines: {text}");
}
