//! A filter as text, for reviews and for the golden files. Not here: a way back from the text.

use std::fmt;

use crate::arch::Arch;
use crate::emit::{
    AND, ARCH, ARGUMENTS, Instruction, JUMP, JUMP_ANY_BIT, JUMP_EQUAL, JUMP_GREATER_OR_EQUAL, LOAD,
    NUMBER, Program, RETURN,
};

/// One instruction a line: its place, what it does, and the places it may go on at.
impl fmt::Display for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, instruction) in self.instructions().iter().enumerate() {
            writeln!(formatter, "{at:4} {}", line(self.arch, at, instruction))?;
        }
        Ok(())
    }
}

fn line(arch: Arch, at: usize, instruction: &Instruction) -> String {
    let Instruction { code, jt, jf, k } = *instruction;
    let then = at + 1 + usize::from(jt);
    let otherwise = at + 1 + usize::from(jf);
    match code {
        LOAD => format!("load {}", place(k)),
        AND => format!("and {k:#x}"),
        RETURN => format!("return {}", word(k)),
        JUMP => format!("go to {}", at + 1 + k as usize),
        JUMP_EQUAL => format!("if = {k:#x} then {then} else {otherwise}"),
        JUMP_ANY_BIT => format!("if any of {k:#x} then {then} else {otherwise}"),
        JUMP_GREATER_OR_EQUAL => {
            let name = arch.name_of(k).unwrap_or("none");
            format!("if >= {k} ({name}) then {then} else {otherwise}")
        }
        _ => format!("unknown {code:#x} {jt} {jf} {k:#x}"),
    }
}

fn place(offset: u32) -> String {
    match offset {
        NUMBER => "number".to_owned(),
        ARCH => "architecture".to_owned(),
        _ if offset >= ARGUMENTS => {
            let half = if offset.is_multiple_of(8) {
                "low"
            } else {
                "high"
            };
            format!("argument {} {half}", (offset - ARGUMENTS) / 8)
        }
        _ => format!("[{offset}]"),
    }
}

fn word(word: u32) -> String {
    let data = (word & libc::SECCOMP_RET_DATA).cast_signed();
    match word & libc::SECCOMP_RET_ACTION_FULL {
        libc::SECCOMP_RET_ALLOW => "allow".to_owned(),
        libc::SECCOMP_RET_USER_NOTIF => "notify".to_owned(),
        libc::SECCOMP_RET_KILL_PROCESS => "kill".to_owned(),
        libc::SECCOMP_RET_ERRNO => match data {
            libc::EPERM => "EPERM".to_owned(),
            libc::EACCES => "EACCES".to_owned(),
            libc::EBUSY => "EBUSY".to_owned(),
            libc::ENOTTY => "ENOTTY".to_owned(),
            libc::ENOSYS => "ENOSYS".to_owned(),
            _ => format!("errno {data}"),
        },
        _ => format!("{word:#x}"),
    }
}
