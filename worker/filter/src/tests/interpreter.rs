//! Classic BPF as seccomp runs it, step by step. Not here: any knowledge of rules.

use crate::emit::Instruction;

/// What the kernel shows a filter (`struct seccomp_data`, 64 bytes).
#[derive(Debug, Clone, Copy)]
pub(super) struct Data {
    pub(super) number: u32,
    pub(super) arch: u32,
    pub(super) arguments: [u64; 6],
}

impl Data {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.arch.to_le_bytes());
        bytes.extend(0x5555_aaaa_1234_5678_u64.to_le_bytes());
        for argument in self.arguments {
            bytes.extend(argument.to_le_bytes());
        }
        bytes
    }
}

/// Runs a program to its return. Panics on whatever the kernel's checker would have refused.
pub(super) fn run(program: &[Instruction], data: &Data) -> u32 {
    let bytes = data.bytes();
    let mut accumulator: u32 = 0;
    let mut at = 0;
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        let branch = |holds: bool| usize::from(if holds { jt } else { jf });
        match code {
            // ld w abs
            0x20 => {
                assert_eq!(k % 4, 0, "a load is aligned");
                let from = k as usize;
                let word = bytes[from..from + 4].try_into().unwrap();
                accumulator = u32::from_le_bytes(word);
            }
            // and k
            0x54 => accumulator &= k,
            // ja
            0x05 => at += k as usize,
            // jeq, jgt, jge, jset
            0x15 => at += branch(accumulator == k),
            0x25 => at += branch(accumulator > k),
            0x35 => at += branch(accumulator >= k),
            0x45 => at += branch(accumulator & k != 0),
            // ret k
            0x06 => return k,
            _ => panic!("instruction {code:#x} at {} is not known here", at - 1),
        }
    }
}
