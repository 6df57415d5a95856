//! What of `linux/if_xdp.h` and `linux/ethtool.h` the `libc` crate does not have, and typed socket options.

use std::{
    io,
    mem::{MaybeUninit, size_of},
    os::fd::{AsRawFd, BorrowedFd},
};

/// Descriptors that one `sendto` may take from the transmit ring in copy mode (Linux 6.17; 32 before).
pub(crate) const XDP_MAX_TX_SKB_BUDGET: libc::c_int = 9;

/// Sets one socket option. `T` must be a plain C struct or integer, which every caller in this crate uses.
pub(crate) fn set_option<T: Copy>(fd: BorrowedFd<'_>, level: i32, name: i32, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` is valid for reads of `length` octets during the call, and the kernel only reads it.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const *value).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Structs that only the kernel fills and for which every bit pattern is a value.
///
/// # Safety
/// All-zero octets, and whatever the kernel writes over them, must be a valid value of the type.
pub(crate) unsafe trait KernelFilled: Copy {}
// SAFETY: structs of unsigned integers.
unsafe impl KernelFilled for libc::xdp_mmap_offsets {}
// SAFETY: as above.
unsafe impl KernelFilled for libc::xdp_options {}
// SAFETY: as above.
unsafe impl KernelFilled for libc::xdp_statistics {}

/// Reads one socket option. An older kernel may fill less than the whole struct: the rest is zero.
pub(crate) fn get_option<T: KernelFilled>(
    fd: BorrowedFd<'_>,
    level: i32,
    name: i32,
) -> io::Result<(T, usize)> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` is valid for writes of `length` octets during the call.
    let result =
        unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut length) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `KernelFilled` promises that zeroes overwritten in part by the kernel are a valid value.
    Ok((unsafe { value.assume_init() }, length as usize))
}
