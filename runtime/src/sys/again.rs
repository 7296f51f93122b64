//! Reading memory again that was read before.
#![allow(unsafe_code)]

/// What lies there, read from memory and not from where the compiler has kept it: between two reads it keeps nothing then, which
/// takes a register or a place on the stack.
#[inline(always)]
pub(crate) fn again<T: Copy>(value: &T) -> T {
    // SAFETY: "`src` must be valid for reads", "properly aligned" and "point to a properly initialized value of type `T`": it is a
    // reference; "read_volatile creates a bitwise copy of `T`, regardless of whether `T` is `Copy`": it is.
    unsafe { std::ptr::read_volatile(value) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_read_again_is_what_lies_there() {
        let mut value = (1_u8, "two");
        assert_eq!(super::again(&value), (1, "two"));
        value.0 = 3;
        assert_eq!(super::again(&value), (3, "two"));
    }
}
