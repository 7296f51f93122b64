//! What a thread of this process is doing, as the kernel tells: without a signal, and without the thread's help.

/// Asleep or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// On a processor, or waiting for one.
    Running,
    /// Asleep in the kernel. Where it will go on, where that may be read: stack pointer and instruction pointer.
    Asleep(Option<(u64, u64)>),
}

/// What the thread is doing; `None` if the system does not tell.
pub(crate) fn doing(tid: u64) -> Option<Doing> {
    if tid == 0 || !cfg!(target_os = "linux") {
        return None;
    }
    let read = |file: &str| std::fs::read_to_string(format!("/proc/self/task/{tid}/{file}")).ok();
    read("syscall").and_then(|text| of_syscall(&text)).or_else(|| of_stat(&read("stat")?))
}

/// `running`, or `-1 sp pc`, or the number of the system call, six arguments, `sp pc`.
fn of_syscall(text: &str) -> Option<Doing> {
    let text = text.trim();
    if text == "running" {
        return Some(Doing::Running);
    }
    let mut words = text.split(' ').rev().map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok());
    let (pc, sp) = (words.next()??, words.next()??);
    Some(Doing::Asleep(Some((sp, pc))))
}

/// The letter behind the name in parentheses, which may hold anything.
fn of_stat(text: &str) -> Option<Doing> {
    match text.rsplit_once(") ")?.1.chars().next()? {
        'R' => Some(Doing::Running),
        'S' | 'D' | 'I' => Some(Doing::Asleep(None)),
        _ => None,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::sys::thread::tid;

    #[test]
    fn every_form_of_the_kernels_answer_is_read() {
        assert_eq!(of_syscall("running\n"), Some(Doing::Running));
        let call = "35 0x7ffd 0x0 0x0 0x0 0x0 0x0 0x7ffd1000 0x7f52aa\n";
        assert_eq!(of_syscall(call), Some(Doing::Asleep(Some((0x7ffd_1000, 0x7f_52aa)))));
        assert_eq!(of_syscall("-1 0x10 0x20\n"), Some(Doing::Asleep(Some((0x10, 0x20)))));
        for not in ["", "35", "0x1", "x y z"] {
            assert_eq!(of_syscall(not), None, "{not}");
        }
        assert_eq!(of_stat("7 (a) S (b) R 1 7"), Some(Doing::Running));
        assert_eq!(of_stat("7 (worker) D 1 7"), Some(Doing::Asleep(None)));
        assert_eq!(of_stat("7 (worker) Z 1 7"), None);
        assert_eq!(of_stat("7"), None);
    }

    #[test]
    fn a_thread_that_waits_is_asleep_and_one_that_works_runs() {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, wait) = std::sync::mpsc::channel::<()>();
        let waiting = std::thread::spawn(move || {
            tell.send(tid()).expect("somebody listens");
            let _ = wait.recv();
        });
        let other = told.recv().expect("a number");
        while doing(other) == Some(Doing::Running) {
            std::thread::yield_now();
        }
        assert!(matches!(doing(other), Some(Doing::Asleep(_))), "{:?}", doing(other));
        drop(end);
        waiting.join().expect("no panic");
        // The system may need a moment more to forget a thread that was joined.
        while doing(other).is_some() {
            std::thread::yield_now();
        }
        assert_eq!(doing(0), None);

        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let working = std::thread::spawn(move || {
            tell.send(tid()).expect("somebody listens");
            while ended.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                std::hint::spin_loop();
            }
        });
        let other = told.recv().expect("a number");
        while doing(other) != Some(Doing::Running) {
            std::thread::yield_now();
        }
        drop(end);
        working.join().expect("no panic");
    }
}
