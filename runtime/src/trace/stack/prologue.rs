//! The frame pointer of a function that keeps one, from how it begins.
//!
//! The kernel does not tell the frame pointer of a thread that sleeps. But a function that keeps one begins alike:
//!
//! ```text
//! push rbp;  mov rbp, rsp;  push r15; push r14; ..;  sub rsp, N        so later rbp = rsp + N + 8 * pushes
//! ```

/// How far above the stack pointer the frame pointer is, in a function that begins with `code`, and how long that beginning is.
pub(super) fn frame_pointer(code: &[u8]) -> Option<(u64, usize)> {
    let mut at = 0;
    let eat = |at: &mut usize, bytes: &[u8]| {
        let there = code.get(*at..).is_some_and(|code| code.starts_with(bytes));
        *at += if there { bytes.len() } else { 0 };
        there
    };
    // A mark for indirect jumps.
    eat(&mut at, &[0xf3, 0x0f, 0x1e, 0xfa]);
    if !eat(&mut at, &[0x55]) || !(eat(&mut at, &[0x48, 0x89, 0xe5]) || eat(&mut at, &[0x48, 0x8b, 0xec])) {
        return None;
    }
    let mut above = 0;
    loop {
        let wide = usize::from(code.get(at) == Some(&0x41));
        match code.get(at + wide) {
            Some(0x50..=0x57) => (at, above) = (at + wide + 1, above + 8),
            _ => break,
        }
    }
    if eat(&mut at, &[0x48, 0x83, 0xec]) {
        above += u64::from(*code.get(at)?);
        at += 1;
    } else if eat(&mut at, &[0x48, 0x81, 0xec]) {
        above += u64::from(u32::from_le_bytes(code.get(at..at + 4)?.try_into().ok()?));
        at += 4;
    }
    Some((above, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_beginning_is_read() {
        let begins = [
            (&[0x55, 0x48, 0x89, 0xe5, 0x90][..], Some((0, 4))),
            (&[0x55, 0x48, 0x89, 0xe5, 0x41, 0x57, 0x41, 0x56, 0x53, 0x48, 0x83, 0xec, 0x28], Some((24 + 0x28, 13))),
            (&[0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x8b, 0xec, 0xc3], Some((0, 8))),
            (&[0x55, 0x48, 0x89, 0xe5, 0x48, 0x81, 0xec, 0x00, 0x10, 0x00, 0x00], Some((4096, 11))),
            (&[0x41, 0x57, 0x53, 0x48, 0x83, 0xec, 0x28], None),
            (&[0x55, 0x53, 0x50], None),
            (&[], None),
        ];
        for (code, expected) in begins {
            assert_eq!(frame_pointer(code), expected, "{code:x?}");
        }
    }
}
