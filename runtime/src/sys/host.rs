//! What the machine is called.
#![allow(unsafe_code)]

/// The name of the host, `localhost` where it has none.
pub(crate) fn host_name() -> String {
    let name = read();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

#[cfg(unix)]
fn read() -> String {
    let mut name = [0_u8; 256];
    // SAFETY: `gethostname` writes at most as many bytes as it is told, and the buffer is that long; it keeps nothing.
    let result = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) };
    if result != 0 {
        return String::new();
    }
    // A name that was cut may have no end.
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    String::from_utf8_lossy(&name[..end]).into_owned()
}

#[cfg(not(unix))]
fn read() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn the_hosts_name_is_the_kernels() {
        let known = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("the kernel tells it");
        assert_eq!(super::host_name(), known.trim_end());
    }
}
