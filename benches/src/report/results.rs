//! The lines of a result file.

use std::{fs, path::Path};

use anyhow::Context as _;

use crate::measure::{MISSING, Measurement, WHOLE};

/// What a run measured, in the order of its file. A figure that is there twice counts as it was last.
#[derive(Debug, Default)]
pub struct Results {
    measurements: Vec<Measurement>,
}

impl Results {
    /// Reads a file of JSON lines. The error names the file and the line.
    pub fn read(path: &Path) -> anyhow::Result<Results> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Results::parse(&text, &path.display().to_string())
    }

    /// The lines of `text`; `name` is for the error.
    pub fn parse(text: &str, name: &str) -> anyhow::Result<Results> {
        let mut measurements: Vec<Measurement> = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let new: Measurement = serde_json::from_str(line)
                .with_context(|| format!("{name}:{}: not a result of a bench", number + 1))?;
            match measurements.iter_mut().find(|old| same(old, &new) && old.baseline == new.baseline) {
                Some(old) => *old = new,
                None => measurements.push(new),
            }
        }
        Ok(Results { measurements })
    }

    /// Everything that one bench measured.
    pub(super) fn of(&self, bench: &str) -> impl Iterator<Item = &Measurement> {
        self.measurements.iter().filter(move |measurement| measurement.bench == bench)
    }

    /// The same figure in this run; of several that differ in what they are compared with, the first.
    pub(super) fn counterpart(&self, of: &Measurement) -> Option<&Measurement> {
        self.measurements.iter().find(|measurement| same(measurement, of))
    }

    /// The figure that `of` was compared with or could be: the same case and metric by another path.
    pub(super) fn by_path(&self, of: &Measurement, path: &str) -> Option<&Measurement> {
        self.of(&of.bench)
            .find(|other| other.case == of.case && other.metric == of.metric && other.path == path)
    }

    /// The paths of a bench that could not be measured on that host.
    pub(super) fn missing(&self, bench: &str) -> Vec<&str> {
        let missing = self.of(bench).filter(|it| it.metric == MISSING && it.path != WHOLE);
        missing.map(|it| &*it.path).collect()
    }

    /// Why a bench as a whole is missing, or what of it was not measured any more.
    pub(super) fn whole_missing(&self, bench: &str) -> Option<&str> {
        let missing = self.of(bench).find(|it| it.metric == MISSING && it.path == WHOLE)?;
        Some(missing.reason.as_deref().unwrap_or("no reason is known"))
    }

    /// The values of one field, each once, in order.
    pub(super) fn distinct<'a>(&'a self, field: fn(&'a Measurement) -> &'a str) -> Vec<&'a str> {
        let mut values = Vec::new();
        for value in self.measurements.iter().map(field) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }
}

/// Whether both are the same figure, whatever it is compared with.
pub(super) fn same(one: &Measurement, other: &Measurement) -> bool {
    one.bench == other.bench && one.case == other.case && one.path == other.path && one.metric == other.metric
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A figure with its spread, of a made-up run.
    pub(in crate::report) fn measured(
        name: [&str; 4],
        unit: &str,
        [p10, median, p90]: [f64; 3],
    ) -> Measurement {
        let [bench, case, path, metric] = name.map(str::to_owned);
        Measurement {
            bench,
            case,
            path,
            metric,
            unit: unit.to_owned(),
            value: median,
            median,
            p10,
            p90,
            runs: 20,
            baseline: None,
            ratio: None,
            reason: None,
            limit: None,
            host: "host".to_owned(),
            kernel: "6.12".to_owned(),
            commit: "0123456789ab".to_owned(),
        }
    }

    pub(in crate::report) fn results(measurements: &[Measurement]) -> Results {
        let lines: Vec<_> = measurements.iter().map(|it| serde_json::to_string(it).unwrap()).collect();
        Results::parse(&lines.join("\n"), "test").unwrap()
    }

    #[test]
    fn a_line_that_is_no_result_is_named() {
        let line = serde_json::to_string(&measured(["a", "b", "c", "d"], "ns", [1.0, 2.0, 3.0])).unwrap();
        let error = Results::parse(&format!("{line}\n\n{{}}\n"), "x.jsonl").unwrap_err();
        assert!(error.to_string().contains("x.jsonl:3"), "{error}");
    }

    #[test]
    fn the_last_of_two_equal_figures_counts_and_other_baselines_stay() {
        let old = measured(["a", "b", "c", "d"], "ns", [1.0, 2.0, 3.0]);
        let new = measured(["a", "b", "c", "d"], "ns", [4.0, 5.0, 6.0]);
        let compared = new.clone().against("echo", &[2.0]);
        let results = results(&[old, new.clone(), compared.clone()]);
        assert_eq!(results.measurements, [new, compared]);
    }
}
