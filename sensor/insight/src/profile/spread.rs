//! Lengths and volumes: of a user's newest connections each in one octet, six steps to an octave, so that a value is known
//! to within six per cent. Called within the profiles only.

use super::window;

/// So many connections are kept: those of about two working weeks, and nine in ten of them is a connection that was.
pub(super) const SAMPLES: usize = 20;

/// 2^(k/6), times 2^16.
const STEPS: [u64; 6] = [65_536, 73_562, 82_570, 92_682, 104_032, 116_772];
/// A volume that no request told.
const UNKNOWN: u8 = u8::MAX;

/// The step of a number: 0 for 0, at most 254, which begins at 2^42.
fn code(number: u64) -> u8 {
    let Some(octave) = number.checked_ilog2() else { return 0 };
    // The number's first 17 bits.
    let mantissa = if octave > 16 { number >> (octave - 16) } else { number << (16 - octave) };
    let step = STEPS.iter().rposition(|step| *step <= mantissa).unwrap_or(0);
    u8::try_from(1 + octave * 6 + step as u32).unwrap_or(u8::MAX).min(UNKNOWN - 1)
}

/// The middle of a step.
fn decode(code: u8) -> u64 {
    let first = |steps: u32| (STEPS[steps as usize % 6] << (steps / 6)).div_ceil(1 << 16);
    let Some(steps) = code.checked_sub(1).map(u32::from) else { return 0 };
    let (first, next) = (first(steps), first(steps + 1));
    // Between small numbers there are steps without any.
    first + (next - first).saturating_sub(1) / 2
}

/// One connection that is over. In the order of the ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sample {
    /// Seconds since 1970, the greatest octet first.
    end: [u8; 4],
    length: u8,
    volume: u8,
}

impl Sample {
    pub(super) const OCTETS: usize = 6;

    pub(super) fn of(end_unix_s: u32, seconds: u64, octets: Option<u64>) -> Sample {
        Sample { end: end_unix_s.to_be_bytes(), length: code(seconds), volume: octets.map_or(UNKNOWN, code) }
    }

    fn is_in(self, today: u16) -> bool {
        window::contains(today, window::day(u32::from_be_bytes(self.end)))
    }

    pub(super) fn octets(self) -> [u8; Sample::OCTETS] {
        let [a, b, c, d] = self.end;
        [a, b, c, d, self.length, self.volume]
    }

    pub(super) fn read([a, b, c, d, length, volume]: [u8; Sample::OCTETS]) -> Sample {
        Sample { end: [a, b, c, d], length, volume }
    }
}

/// A user's newest, in their order, the last first; behind them nothing but zeros.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Samples {
    samples: [Sample; SAMPLES],
    pub(super) count: u8,
}

impl Samples {
    pub(super) fn iter(&self) -> impl Iterator<Item = Sample> {
        self.samples.iter().take(usize::from(self.count)).copied()
    }

    /// Takes one more; of too many the oldest leaves, whatever the order in which they came.
    pub(super) fn take(&mut self, new: Sample) {
        let count = usize::from(self.count);
        let at = self.samples[..count].partition_point(|old| *old > new);
        if at == SAMPLES {
            return;
        }
        let count = (count + 1).min(SAMPLES);
        self.samples[at..count].rotate_right(1);
        self.samples[at] = new;
        self.count = count as u8;
    }

    /// Takes one out, if it is there.
    pub(super) fn remove(&mut self, old: Sample) {
        let count = usize::from(self.count);
        if let Some(at) = self.samples[..count].iter().position(|sample| *sample == old) {
            self.samples[at..count].rotate_left(1);
            self.samples[count - 1] = Sample::default();
            self.count -= 1;
        }
    }

    /// Puts the next one in, in their order. `false`: it is not the next, or there is no room.
    pub(super) fn restore(&mut self, next: Sample) -> bool {
        let count = usize::from(self.count);
        let is_next = count == 0 || self.samples[count - 1] >= next;
        let Some(place) = self.samples.get_mut(count).filter(|_| is_next) else { return false };
        *place = next;
        self.count += 1;
        true
    }

    /// Only those of the thirty days stay.
    pub(super) fn keep(&mut self, today: u16) {
        let mut kept = Samples::default();
        for sample in self.iter().filter(|sample| sample.is_in(today)) {
            kept.samples[usize::from(kept.count)] = sample;
            kept.count += 1;
        }
        *self = kept;
    }

    /// Of the thirty days' lengths, seconds.
    pub(super) fn lengths(&self, today: u16) -> Option<Spread> {
        spread(self.iter().filter(|sample| sample.is_in(today)).map(|sample| sample.length))
    }

    /// Of the thirty days' volumes, octets.
    pub(super) fn volumes(&self, today: u16) -> Option<Spread> {
        let known = self.iter().filter(|sample| sample.volume != UNKNOWN && sample.is_in(today));
        spread(known.map(|sample| sample.volume))
    }
}

/// How numbers of a user's newest connections are spread, each to within six per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// Connections that it rests on: at most 20, the newest.
    pub connections: u8,
    /// Half are not above.
    pub median: u64,
    /// Nine in ten are not above.
    pub nine_in_ten: u64,
}

fn spread(codes: impl Iterator<Item = u8>) -> Option<Spread> {
    let mut sorted = [0; SAMPLES];
    let mut count = 0;
    for code in codes.take(SAMPLES) {
        sorted[count] = code;
        count += 1;
    }
    let sorted = &mut sorted[..count];
    sorted.sort_unstable();
    // The nearest rank: a value that was there.
    let rank = |tenths: usize| sorted.get((count * tenths).div_ceil(10).checked_sub(1)?);
    Some(Spread { connections: count as u8, median: decode(*rank(5)?), nine_in_ten: decode(*rank(9)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_known_to_within_six_per_cent() {
        for octave in 0..42 {
            for part in 0..64u64 {
                let number = (1u64 << octave) + (part << octave) / 64;
                let read = decode(code(number));
                let off = (read as f64 / number as f64 - 1.0).abs();
                assert!(off < 0.062 || read.abs_diff(number) <= 1, "{number} {read}");
            }
        }
        assert_eq!([0, 1, 2, 3].map(|number| decode(code(number))), [0, 1, 2, 3]);
        assert_eq!(code(u64::MAX), 254);
        assert!((1..=254u8).all(|step| decode(step) >= decode(step - 1)));
    }

    #[test]
    fn the_newest_stay_in_whatever_order_they_come() {
        let all: Vec<Sample> =
            (0..50).map(|at| Sample::of(20_000 * 86_400 + at * 7 % 50, 60, None)).collect();
        let (mut one, mut other) = (Samples::default(), Samples::default());
        all.iter().for_each(|sample| one.take(*sample));
        all.iter().rev().for_each(|sample| other.take(*sample));
        assert_eq!(one, other);
        let mut sorted = all.clone();
        sorted.sort_by(|one, other| other.cmp(one));
        assert_eq!(one.iter().collect::<Vec<_>>(), sorted[..SAMPLES]);
        one.keep(20_031);
        assert_eq!(one, Samples::default());
    }

    #[test]
    fn quantiles_are_of_values_that_were() {
        let mut samples = Samples::default();
        assert_eq!(samples.lengths(20_000), None);
        for seconds in [600, 1200, 1800, 2400, 36_000] {
            samples.take(Sample::of(20_000 * 86_400, seconds, (seconds > 1200).then_some(seconds * 1000)));
        }
        let lengths = samples.lengths(20_000).unwrap();
        assert_eq!((lengths.connections, lengths.median), (5, decode(code(1800))));
        assert_eq!(lengths.nine_in_ten, decode(code(36_000)));
        assert_eq!(samples.volumes(20_000).unwrap().connections, 3);
        assert_eq!(samples.lengths(20_030), None);
    }
}
