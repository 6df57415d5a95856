//! Waiting for conditions: the only way in which a test lets time pass.

use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for something that takes milliseconds on an idle machine: long enough for one that compiles
/// on all cores beside it.
pub const PATIENCE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `condition` holds; panics with `description` after `timeout`.
#[track_caller]
pub fn wait_until(description: &str, timeout: Duration, mut condition: impl FnMut() -> bool) {
    wait_for(description, timeout, || condition().then_some(()));
}

/// Whether `condition` holds within `timeout`; for callers that have more to say when it does not.
pub fn holds(timeout: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + timeout;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(PAUSE);
    }
}

/// Waits until `attempt` returns something and returns that; panics with `description` after `timeout`.
#[track_caller]
pub fn wait_for<T>(description: &str, timeout: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {timeout:?} in vain: {description}");
        thread::sleep(PAUSE);
    }
}
