//! System calls that this process may not make any more, on any of its threads: what it does without them is proven.

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO,
    SECCOMP_RET_KILL_PROCESS,
};

/// What happens at such a call.
pub(crate) enum Deny {
    /// The process ends by SIGSYS.
    Kill,
    /// The call fails with this error.
    Errno(i32),
}

fn step(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: u16::try_from(code).expect("codes are small"), jt, jf, k }
}

/// Denies the calls from now on; ends the process with 77 where the system does not let it.
#[allow(unsafe_code)]
pub(crate) fn apply(deny: Deny, calls: &[libc::c_long]) {
    let denied = match deny {
        Deny::Kill => SECCOMP_RET_KILL_PROCESS,
        Deny::Errno(errno) => SECCOMP_RET_ERRNO | u32::try_from(errno).expect("errors are positive"),
    };
    // The number of the call is the first word of what the filter sees.
    let mut program = vec![step(BPF_LD | BPF_W | BPF_ABS, 0, 0, 0)];
    for call in calls {
        program.push(step(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, u32::try_from(*call).expect("a call's number")));
        program.push(step(BPF_RET | BPF_K, 0, 0, denied));
    }
    program.push(step(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW));
    let length = u16::try_from(program.len()).expect("a short program");
    let filter = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    // SAFETY: takes numbers only.
    let may = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: the program is alive, as long as its length says, and only read.
    let done = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_TSYNC,
            &raw const filter,
        )
    };
    if may != 0 || done != 0 {
        super::tell("no filter of system calls can be made here");
        std::process::exit(77);
    }
}
