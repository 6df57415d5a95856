//! Which paths there are: what the processor has must be found, and what is asked for must be what is done.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

use std::io::Write as _;

use md5_lanes::{Lanes, Path, Unavailable};

/// What Linux says of this processor, independent of how the crate finds out.
#[cfg(all(target_arch = "x86_64", not(miri)))]
fn processor_has(feature: &str) -> bool {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap();
    let features = information.lines().filter(|line| line.starts_with("flags"));
    features.flat_map(str::split_whitespace).any(|it| it == feature)
}

#[test]
#[cfg(all(target_arch = "x86_64", not(miri)))]
fn what_the_processor_has_is_available() {
    assert_eq!(Path::Avx2.is_available(), processor_has("avx2"));
    assert_eq!(Path::Avx512.is_available(), processor_has("avx512f") && processor_has("avx512bw"));
    assert!(!Path::Neon.is_available());
    // The other tests run what is there. Without this line they would pass on a machine that has nothing to test.
    assert!(Path::Avx2.is_available(), "the kernels cannot be tested on a processor without AVX2");
}

#[test]
#[cfg(target_arch = "aarch64")]
fn what_the_processor_has_is_available() {
    assert!(Path::Neon.is_available());
    assert!(!Path::Avx2.is_available() && !Path::Avx512.is_available());
}

/// The paths that a machine has to have, separated by commas: set where every path must have been tested. Elsewhere the
/// tests take what there is.
const DEMANDED: &str = "VPN_SENSOR_TEST_DIGESTS";

#[test]
fn every_path_that_is_demanded_is_tested() {
    let demanded = std::env::var(DEMANDED).unwrap_or_default();
    let demanded: Vec<Path> =
        demanded.split(',').filter(|name| !name.is_empty()).map(|name| name.parse().unwrap()).collect();
    let names = |is_wanted: &dyn Fn(&Path) -> bool| {
        Path::ALL.into_iter().filter(is_wanted).map(Path::name).collect::<Vec<_>>().join(", ")
    };
    let lacking = names(&|path| demanded.contains(path) && !path.is_available());
    assert!(
        lacking.is_empty(),
        "{DEMANDED} demands digests by {lacking}, which this processor cannot compute: that they are right is not shown \
         by these tests. Run them on a processor that can"
    );
    // Past what the test runner holds back.
    let tested = names(&|path| path.is_available());
    let _ = writeln!(std::io::stderr(), "digests are tested by {tested} on this machine");
}

#[test]
fn the_best_path_is_the_last_that_is_available() {
    let best = Path::ALL.into_iter().rfind(|path| path.is_available()).unwrap();
    assert_eq!(Path::best(), best);
    assert_eq!(Lanes::best().path(), best);
}

#[test]
fn lanes_go_by_the_path_they_were_asked_for() {
    for path in Path::ALL {
        match Lanes::new(path) {
            Ok(lanes) => {
                assert!(path.is_available());
                assert_eq!(lanes.path(), path);
            }
            Err(error) => {
                assert!(!path.is_available());
                let message = error.to_string();
                assert!(message.contains(path.name()) && message.contains(Path::best().name()), "{message}");
                let _: Unavailable = error;
            }
        }
    }
}
