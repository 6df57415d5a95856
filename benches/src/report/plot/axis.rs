//! Where a value lies on an axis, and where the axis has its marks.

/// Values further apart than this cannot be read beside each other on a linear axis.
const LINEAR_UP_TO: f64 = 25.0;
/// Marks that find room beside each other.
const MARKS: f64 = 4.0;

/// An axis over some values. Places are what is handed to `plotters`, always on a linear coordinate.
#[derive(Debug, PartialEq)]
pub(super) struct Axis {
    logarithmic: bool,
    /// The places of the first and last value.
    pub(super) ends: [f64; 2],
    /// The places of the marks.
    pub(super) marks: Vec<f64>,
}

impl Axis {
    /// From zero, or by powers of ten if the values are far apart. Values that are not above zero do not count.
    pub(super) fn over(values: impl Iterator<Item = f64>) -> Axis {
        Axis::with_limit(values, LINEAR_UP_TO)
    }

    /// From zero however far apart the values are: for parts of a whole.
    pub(super) fn linear(values: impl Iterator<Item = f64>) -> Axis {
        Axis::with_limit(values, f64::INFINITY)
    }

    fn with_limit(values: impl Iterator<Item = f64>, linear_up_to: f64) -> Axis {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| *value > 0.0 && value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if high == 0.0 {
            return Axis { logarithmic: false, ends: [0.0, 1.0], marks: vec![0.0] };
        }
        if high / low <= linear_up_to {
            let step = step(high);
            let last = (high / step).ceil();
            let marks = (0..=last as u32).map(|number| f64::from(number) * step).collect();
            return Axis { logarithmic: false, ends: [0.0, last * step], marks };
        }
        // A little before the smallest, so that its bar can be seen.
        let first = (low / 1.5).log10().floor();
        let last = high.log10().ceil();
        let every = ((last - first) / (MARKS + 2.0)).ceil().max(1.0);
        let count = ((last - first) / every).floor() as u32;
        let marks = (0..=count).map(|number| first + f64::from(number) * every).collect();
        Axis { logarithmic: true, ends: [first, last], marks }
    }

    /// Where a value lies, at an end if it is beyond it.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = if self.logarithmic { value.max(f64::MIN_POSITIVE).log10() } else { value };
        place.clamp(self.ends[0], self.ends[1])
    }

    /// The value at a place.
    pub(super) fn value(&self, place: f64) -> f64 {
        if self.logarithmic { 10_f64.powf(place) } else { place }
    }

    pub(super) fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }
}

/// A round step (1, 2 or 5 times a power of ten) of which a few reach `high`.
fn step(high: f64) -> f64 {
    let power = 10_f64.powf((high / MARKS).log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| high / step <= MARKS)
        .unwrap_or(power * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_values_begin_at_zero_and_have_round_marks() {
        let axis = Axis::over([120.0, 310.0].into_iter());
        assert_eq!(
            axis,
            Axis { logarithmic: false, ends: [0.0, 400.0], marks: vec![0.0, 100.0, 200.0, 300.0, 400.0] }
        );
        assert_eq!(axis.place(310.0), 310.0);
    }

    #[test]
    fn far_values_lie_between_powers_of_ten() {
        let axis = Axis::over([3000.0, 90_000.0].into_iter());
        assert_eq!(axis, Axis { logarithmic: true, ends: [3.0, 5.0], marks: vec![3.0, 4.0, 5.0] });
        assert_eq!(axis.place(1e4), 4.0);
        assert_eq!(axis.value(4.0), 1e4);
        assert_eq!(axis.place(0.0), 3.0);
    }

    #[test]
    fn parts_of_a_whole_begin_at_zero_however_far_apart() {
        let axis = Axis::linear([3.0, 90_000.0].into_iter());
        assert_eq!(axis.ends, [0.0, 100_000.0]);
    }

    #[test]
    fn nothing_to_show_is_still_an_axis() {
        assert_eq!(Axis::over([0.0, f64::NAN, -1.0].into_iter()).ends, [0.0, 1.0]);
    }
}
