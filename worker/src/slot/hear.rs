//! What an interpreter says to its reaper: words that are known before they come, or it is of no use.

use std::io::{ErrorKind, Read};
use std::time::Instant;

use protocol::{Fault, Step};

use crate::error::{At, fault};
use crate::reaper::Reaper;

/// Waits until exactly `line` has come from the interpreter, or from the build that it branched off.
pub(super) fn hear(reaper: &mut Reaper<'_>, line: &[u8]) -> Result<(), Fault> {
    let mut heard = Vec::new();
    while heard.len() < line.len() {
        let woken = reaper.attend()?;
        if woken.signal {
            reaper.take_exits()?;
        }
        if woken.link {
            return Err(fault(
                Step::Slot,
                "an order before the interpreter was ready",
            ));
        }
        if reaper.interpreter.is_none() {
            return Err(fault(Step::Slot, "the interpreter ended"));
        }
        late(reaper)?;
        let Some(from) = reaper.child.answers.as_mut().filter(|_| woken.answers) else {
            continue;
        };
        let mut buffer = vec![0; line.len() - heard.len()];
        match from.read(&mut buffer) {
            Ok(0) => return Err(fault(Step::Slot, "the interpreter has closed its socket")),
            Ok(got) => heard.extend_from_slice(&buffer[..got]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error).at(Step::Slot, "hear the interpreter"),
        }
        if !line.starts_with(&heard) {
            return Err(fault(Step::Slot, "the interpreter said something else"));
        }
    }
    Ok(())
}

pub(super) fn late(reaper: &Reaper<'_>) -> Result<(), Fault> {
    if Instant::now() < reaper.until {
        Ok(())
    } else {
        Err(fault(Step::Slot, "the interpreter took too long"))
    }
}
