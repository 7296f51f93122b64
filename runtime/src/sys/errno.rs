//! The names of the system's errors.

macro_rules! names {
    ($($name:ident)*) => {
        /// The symbolic name of an error of the system.
        #[cfg(unix)]
        pub(crate) fn errno_name(code: i32) -> Option<&'static str> {
            // Some systems have one number for two names, so it is a list.
            let names = [$((libc::$name, stringify!($name))),*];
            names.iter().find_map(|(known, name)| (*known == code).then_some(*name))
        }
    };
}

names! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT EBUSY EEXIST EXDEV ENODEV ENOTDIR
    EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK
    ENOSYS ENOTEMPTY ELOOP EPROTO EOVERFLOW EILSEQ EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT
    EPROTONOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED
    ECONNRESET ENOBUFS EISCONN ENOTCONN ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EDQUOT
    ECANCELED
}

/// There are no such names here.
#[cfg(not(unix))]
pub(crate) fn errno_name(_code: i32) -> Option<&'static str> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::errno_name;

    #[test]
    fn errors_have_their_names_and_other_numbers_none() {
        let error = std::fs::File::open("/no/such/file").expect_err("it is not there");
        assert_eq!(error.raw_os_error().and_then(errno_name), Some("ENOENT"));
        assert_eq!((errno_name(0), errno_name(-1), errno_name(i32::MAX)), (None, None, None));
    }
}
