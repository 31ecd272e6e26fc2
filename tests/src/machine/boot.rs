//! One run of qemu: a kernel, the image, and what it said.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::found::Line;

/// What carries the machine out.
#[derive(Clone, Copy, Debug, Default)]
pub enum Accelerator {
    /// An interpreter: everywhere, and slow.
    #[default]
    Tcg,
    /// The processor.
    Kvm,
}

/// What the kernel is told. A machine that is interpreted on a busy host has no timer that is good enough for a check.
const TOLD: &str = "console=ttyS0 root=/dev/vda rw panic=-1 quiet no_timer_check";
/// Seconds that all scenes of a kernel may take.
const PATIENCE: &str = "5400";

/// Boots the kernel of a release and returns what it told. What else it said lies in `console-RELEASE.log` below `work`.
///
/// # Errors
/// If qemu can not be run, or the machine did not come to its end.
pub fn boot(work: &Path, release: &str, accelerator: Accelerator) -> Result<Vec<Line>, String> {
    let found = work.join(format!("found-{release}.jsonl"));
    let console = work.join(format!("console-{release}.log"));
    let path = |text: &str| format!("{}/{text}", work.display());
    let accelerator = match accelerator {
        Accelerator::Tcg => "tcg,thread=multi",
        Accelerator::Kvm => "kvm",
    };
    let status = Command::new("nice")
        .args(["timeout", PATIENCE, "qemu-system-x86_64"])
        .args(["-accel", accelerator, "-cpu", "max"])
        .args(["-m", "3072", "-smp", "2", "-nodefaults"])
        .args(["-no-reboot", "-display", "none", "-monitor", "none"])
        .args(["-serial", &format!("file:{}", console.display())])
        .args(["-serial", &format!("file:{}", found.display())])
        .args(["-kernel", &path(&format!("root/boot/vmlinuz-{release}"))])
        .args(["-initrd", &path(&format!("root/boot/initrd.img-{release}"))])
        .args(["-append", &format!("{TOLD} init={}", super::disk::PROGRAM)])
        .args([
            "-drive",
            &format!("file={},if=virtio,format=raw,snapshot=on", path("image")),
        ])
        // The image itself is never written; what is, goes here.
        .env("TMPDIR", work)
        .status();
    let status = status.map_err(|error| format!("qemu can not be started: {error}"))?;
    let text = fs::read_to_string(&found).unwrap_or_default();
    let lines: Vec<Line> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line.trim()).ok())
        .collect();
    match lines.last() {
        Some(Line::End) if status.success() => Ok(lines),
        _ => Err(format!(
            "the machine did not come to its end ({status}, after {lines:?}): see {}",
            console.display()
        )),
    }
}
