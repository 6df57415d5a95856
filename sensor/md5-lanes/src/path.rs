//! Which instructions the lanes are made of.

use std::{fmt, str::FromStr};

/// A way to compute many digests. What is forced by hand is for tests and tuning; [`Path::best`] is right otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// One message after the other, by the crate `md-5`.
    Scalar,
    /// aarch64: 4 lanes a vector.
    Neon,
    /// x86-64 with AVX2: 8 lanes a vector.
    Avx2,
    /// x86-64 with AVX-512 F and BW: 16 lanes a vector.
    Avx512,
}

impl Path {
    /// Every path, the slowest first.
    pub const ALL: [Path; 4] = [Path::Scalar, Path::Neon, Path::Avx2, Path::Avx512];

    /// Its name in configuration, metrics and results: `scalar`, `neon`, `avx2`, `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Path::Scalar => "scalar",
            Path::Neon => "neon",
            Path::Avx2 => "avx2",
            Path::Avx512 => "avx512",
        }
    }

    /// Whether this processor has what it needs.
    pub fn is_available(self) -> bool {
        match self {
            Path::Scalar => true,
            #[cfg(target_arch = "aarch64")]
            Path::Neon => crate::neon::Neon::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => crate::x86::avx2::Avx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => crate::x86::avx512::Avx512::detect().is_some(),
            #[allow(unreachable_patterns, reason = "the other architectures' paths")]
            _ => false,
        }
    }

    /// The fastest one of this processor.
    pub fn best() -> Path {
        Path::ALL.into_iter().rev().find(|path| path.is_available()).unwrap_or(Path::Scalar)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no path has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a way to compute digests; choose one of scalar, neon, avx2, avx512")]
pub struct UnknownPath(String);

impl FromStr for Path {
    type Err = UnknownPath;

    fn from_str(name: &str) -> Result<Path, UnknownPath> {
        let path = Path::ALL.into_iter().find(|path| path.name() == name);
        path.ok_or_else(|| UnknownPath(name.to_owned()))
    }
}

/// The path asked for needs another processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this processor cannot compute digests by {}; the best it can is {}", .0.name(), Path::best().name())]
pub struct Unavailable(pub(crate) Path);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_and_others_name_the_choices() {
        for path in Path::ALL {
            assert_eq!(path.name().parse(), Ok(path));
        }
        let message = "sse2".parse::<Path>().unwrap_err().to_string();
        assert!(Path::ALL.iter().all(|path| message.contains(path.name())), "{message}");
    }

    #[test]
    fn the_best_is_available() {
        assert!(Path::Scalar.is_available());
        assert!(Path::best().is_available());
    }
}
