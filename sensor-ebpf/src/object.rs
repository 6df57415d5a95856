//! The steer program as it is committed: built by `cargo xtask ebpf`, so that a build needs no eBPF toolchain.

/// ELF readers want their file at a boundary that `include_bytes!` does not promise.
#[repr(C, align(32))]
struct Aligned<Bytes: ?Sized>(Bytes);

static ALIGNED: &Aligned<[u8]> = &Aligned(*include_bytes!("../steer.bpf.o"));

/// The object file with both programs and all maps, aligned to 32 octets.
pub static OBJECT: &[u8] = &ALIGNED.0;

#[cfg(test)]
mod tests {
    use super::OBJECT;

    #[test]
    fn the_object_is_an_aligned_elf_file() {
        assert_eq!(OBJECT[..4], *b"\x7fELF");
        assert!(OBJECT.as_ptr().addr().is_multiple_of(32));
    }
}
