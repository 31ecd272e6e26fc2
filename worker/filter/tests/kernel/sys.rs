//! Raw system calls, because what the filter refuses mostly has no safe wrapper.
#![expect(
    unsafe_code,
    reason = "raw system calls are what these tests are about"
)]

use std::io;

/// One argument of a raw call.
pub(crate) enum Argument<'a> {
    /// A number, a descriptor, a null pointer.
    Number(i64),
    /// Memory that the call reads.
    In(&'a [u8]),
    /// Memory that the call fills.
    Out(&'a mut [u8]),
}

/// Makes a call and returns what the kernel returns, or the errno.
///
/// The callers in this folder pass the numbers of calls that touch no memory of this process but
/// what `In` and `Out` lend them.
pub(crate) fn call<const N: usize>(number: i64, arguments: [Argument<'_>; N]) -> Result<i64, i32> {
    let mut words = [0_i64; 6];
    for (word, argument) in words.iter_mut().zip(arguments) {
        *word = match argument {
            Argument::Number(number) => number,
            Argument::In(bytes) => bytes.as_ptr() as i64,
            Argument::Out(bytes) => bytes.as_mut_ptr() as i64,
        };
    }
    let [a, b, c, d, e, f] = words;
    // SAFETY: by the rule above the call reads and writes only what the arguments borrow, and the
    // borrows last until it returns; a buffer is as long as the call's own definition says.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    match result {
        -1 => Err(io::Error::last_os_error().raw_os_error().unwrap_or(0)),
        result => Ok(result),
    }
}

/// Asks for the process id through the 32-bit entry.
#[cfg(target_arch = "x86_64")]
pub(crate) fn getpid_by_32_bit_entry() -> i64 {
    let answer: i64;
    // SAFETY: call 20 of that entry is getpid, which takes no argument and touches no memory; the
    // entry keeps all registers but rax and r8 to r11, which are declared as lost.
    unsafe {
        std::arch::asm!(
            "int 0x80",
            inlateout("rax") 20_i64 => answer,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    answer
}
