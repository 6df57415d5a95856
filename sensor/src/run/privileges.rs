//! Giving up privileges once everything that needs them is open.
//!
//! Capabilities belong to threads, so this runs before any other thread is made: the writer, the workers and the
//! control runtime inherit what is left, which is nothing.

use caps::{CapSet, errors::CapsError};

/// Clears every capability set of the calling thread and forbids gaining new ones. Returns how many capabilities were
/// in effect before.
///
/// # Errors
/// When the kernel refuses: then the process must not go on as if it had none.
pub(super) fn drop_all() -> anyhow::Result<usize> {
    let before = caps::read(None, CapSet::Effective)?.len();
    // The bounding set first: shrinking it needs CAP_SETPCAP. Without that there is nothing in it to gain either,
    // because of no_new_privs.
    if caps::has_cap(None, CapSet::Effective, caps::Capability::CAP_SETPCAP)? {
        caps::clear(None, CapSet::Bounding)?;
    }
    clear_ambient()?;
    caps::clear(None, CapSet::Inheritable)?;
    caps::clear(None, CapSet::Effective)?;
    caps::clear(None, CapSet::Permitted)?;
    rustix::thread::set_no_new_privs(true)?;
    Ok(before)
}

fn clear_ambient() -> Result<(), CapsError> {
    caps::clear(None, CapSet::Ambient)
}
