//! The last day of a sensor: what came between each two looks. Bounded: some 8 MB when full.

use std::{collections::VecDeque, sync::Arc};

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    INTERVAL, SensorNow,
    latency::{OCTAVES, octave_s},
};

/// A day of looks.
const SAMPLES_MAX: usize = 86_400 / INTERVAL.as_secs() as usize;
/// Points of a series: more than a plot has pixels for help nobody.
const POINTS_MAX: usize = 120;
/// Verdicts and stages that are followed; there are ten and six.
const VERDICTS_MAX: usize = 12;
const STAGES_MAX: usize = 8;
/// The verdict on datagrams that XDP drops.
const UNKNOWN_CLIENT: &str = "unknown_client";

/// What came between two looks.
#[derive(Debug, Clone)]
struct Sample {
    unix_s: u64,
    seconds: u32,
    received: u32,
    lost: u32,
    lag: u64,
    verdicts: [u32; VERDICTS_MAX],
    stages: [Stage; STAGES_MAX],
}

#[derive(Debug, Clone, Copy, Default)]
struct Stage {
    /// p50, p99, p99.9, seconds.
    percentiles: [f32; 3],
    octaves: [u32; OCTAVES],
}

#[derive(Debug, Default)]
pub(super) struct History {
    now: Option<Arc<SensorNow>>,
    samples: VecDeque<Sample>,
}

/// How it went, point by point, the oldest first. A point covers one look or more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Series {
    /// When each point ends, seconds since 1970 UTC.
    pub unix_s: Vec<u64>,
    /// Requests a second.
    pub requests: Vec<f64>,
    /// Datagrams lost before a worker, a second.
    pub lost: Vec<f64>,
    /// Records that waited for the service, the most.
    pub lag: Vec<u64>,
    /// Verdicts, those that ever occurred.
    pub verdicts: Vec<VerdictSeries>,
    /// Latency by stage.
    pub stages: Vec<StageSeries>,
    /// Upper bounds of the heatmap's rows, seconds.
    pub heat_bounds_s: Vec<f64>,
}

/// One verdict over time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct VerdictSeries {
    /// The verdict.
    pub verdict: String,
    /// A second.
    pub rates: Vec<f64>,
}

/// One stage's latency over time, seconds; where a point covers several looks, the longest of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct StageSeries {
    /// The stage.
    pub stage: String,
    /// Half took no longer; 0 where there was none.
    pub p50_s: Vec<f64>,
    /// 99 in a hundred took no longer.
    pub p99_s: Vec<f64>,
    /// 999 in a thousand took no longer.
    pub p999_s: Vec<f64>,
    /// How many took how long: of each point one number a row of the heatmap.
    pub heat: Vec<Vec<u64>>,
}

impl History {
    pub(super) fn note(&mut self, now: SensorNow) {
        let now = Arc::new(now);
        // Behind a clock that was set back: what was seen later than now would stand in front of what comes, out of order.
        while self.samples.back().is_some_and(|sample| sample.unix_s > now.unix_s) {
            self.samples.pop_back();
        }
        if let Some(before) = self.now.replace(Arc::clone(&now))
            // A clock that was set back is no time passed; another start counts from 0.
            && before.started_unix_s == now.started_unix_s
            && before.unix_s < now.unix_s
        {
            if self.samples.len() == SAMPLES_MAX {
                self.samples.pop_front();
            }
            self.samples.push_back(sample(&before, &now));
        }
    }

    pub(super) fn now(&self) -> Option<Arc<SensorNow>> {
        self.now.clone()
    }

    pub(super) fn series(&self, minutes: u32) -> Series {
        let Some(now) = &self.now else { return Series::default() };
        let since = now.unix_s.saturating_sub(u64::from(minutes) * 60);
        let first = self.samples.partition_point(|sample| sample.unix_s <= since);
        let samples: Vec<&Sample> = self.samples.range(first..).collect();
        let together = samples.len().div_ceil(POINTS_MAX).max(1);
        let points: Vec<&[&Sample]> = samples.chunks(together).collect();
        let rates = |count: &dyn Fn(&Sample) -> u32| -> Vec<f64> {
            let rate = |point: &&[&Sample]| {
                let (count, seconds) = point.iter().fold((0, 0), |(counts, seconds), sample| {
                    (counts + u64::from(count(sample)), seconds + u64::from(sample.seconds))
                });
                count as f64 / seconds.max(1) as f64
            };
            points.iter().map(rate).collect()
        };
        let verdicts = now.workers.first().map(|worker| &worker.verdicts[..]).unwrap_or_default();
        let verdicts = verdicts.iter().take(VERDICTS_MAX).enumerate().map(|(index, verdict)| VerdictSeries {
            verdict: verdict.name.clone(),
            rates: rates(&|sample| sample.verdicts[index]),
        });
        let stages = now.stages.iter().take(STAGES_MAX).enumerate().map(|(index, stage)| {
            let longest = |which: usize| -> Vec<f64> {
                let of = |point: &&[&Sample]| {
                    let times = point.iter().map(|sample| f64::from(sample.stages[index].percentiles[which]));
                    times.fold(0.0, f64::max)
                };
                points.iter().map(of).collect()
            };
            let heat = |point: &&[&Sample]| -> Vec<u64> {
                (0..OCTAVES)
                    .map(|row| point.iter().map(|sample| u64::from(sample.stages[index].octaves[row])).sum())
                    .collect()
            };
            StageSeries {
                stage: stage.stage.clone(),
                p50_s: longest(0),
                p99_s: longest(1),
                p999_s: longest(2),
                heat: points.iter().map(heat).collect(),
            }
        });
        Series {
            unix_s: points.iter().filter_map(|point| point.last()).map(|sample| sample.unix_s).collect(),
            requests: rates(&|sample| sample.received),
            lost: rates(&|sample| sample.lost),
            lag: points
                .iter()
                .map(|point| point.iter().map(|sample| sample.lag).max().unwrap_or(0))
                .collect(),
            verdicts: verdicts.filter(|verdict| verdict.rates.iter().any(|rate| *rate > 0.0)).collect(),
            stages: stages.collect(),
            heat_bounds_s: (0..OCTAVES).map(octave_s).collect(),
        }
    }
}

fn sample(before: &SensorNow, now: &SensorNow) -> Sample {
    let more = |count: fn(&SensorNow) -> u64| narrow(count(now).saturating_sub(count(before)));
    let mut verdicts = [0; VERDICTS_MAX];
    for (index, verdict) in verdicts.iter_mut().enumerate() {
        *verdict = narrow(verdict_sum(now, index).saturating_sub(verdict_sum(before, index)));
    }
    let mut stages = [Stage::default(); STAGES_MAX];
    for ((stage, now), before) in stages.iter_mut().zip(&now.stages).zip(&before.stages) {
        let came = now.counts.since(&before.counts);
        if came.total() > 0 {
            let percentiles = [0.5, 0.99, 0.999].map(|share| came.percentile(share) as f32);
            *stage = Stage { percentiles, octaves: came.octaves() };
        }
    }
    Sample {
        unix_s: now.unix_s,
        seconds: narrow(now.unix_s - before.unix_s),
        received: more(SensorNow::received),
        lost: more(SensorNow::lost),
        lag: now.service.lag,
        verdicts,
        stages,
    }
}

fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Of the workers, and what XDP refused before them, which is theirs to refuse in another mode.
fn verdict_sum(now: &SensorNow, index: usize) -> u64 {
    let of_workers = now.workers.iter().filter_map(|worker| worker.verdicts.get(index));
    let is_of_steering = of_workers.clone().next().is_some_and(|verdict| verdict.name == UNKNOWN_CLIENT);
    let steered = if is_of_steering { now.steer_dropped } else { 0 };
    of_workers.map(|verdict| verdict.count).sum::<u64>() + steered
}

impl SensorNow {
    /// Datagrams that were seen.
    pub fn received(&self) -> u64 {
        self.workers.iter().map(|worker| worker.received).sum::<u64>() + self.steer_dropped
    }

    /// Datagrams that were lost before a worker.
    pub fn lost(&self) -> u64 {
        self.queues.iter().flat_map(|queue| &queue.drops).map(|drop| drop.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Amount, Counts, StageNow, WorkerNow},
        *,
    };

    fn look(unix_s: u64, received: u64, started_unix_s: u64) -> SensorNow {
        let mut counts = Counts::default();
        counts.add(200_000, received);
        let verdicts = vec![
            Amount { name: "accepted".to_owned(), count: received },
            Amount { name: "duplicate".to_owned(), count: 0 },
        ];
        SensorNow {
            unix_s,
            started_unix_s,
            workers: vec![WorkerNow { received, verdicts, ..WorkerNow::default() }],
            stages: vec![StageNow {
                stage: "total".to_owned(),
                count: received,
                counts,
                ..StageNow::default()
            }],
            ..SensorNow::default()
        }
    }

    #[test]
    fn a_series_has_rates_and_what_came_in_each_interval() {
        let mut history = History::default();
        for step in 0..=3 {
            history.note(look(1000 + 10 * step, 500 * step * step, 900));
        }
        let series = history.series(60);
        assert_eq!(series.unix_s, [1010, 1020, 1030]);
        assert_eq!(series.requests, [50.0, 150.0, 250.0]);
        assert_eq!(series.verdicts.len(), 1, "what never occurred is left out");
        assert!((series.stages[0].p99_s[2] - 200e-6).abs() < 40e-6, "{:?}", series.stages[0]);
        assert_eq!(series.stages[0].heat[1].iter().sum::<u64>(), 1500);
        assert_eq!(series.heat_bounds_s.len(), OCTAVES);
    }

    #[test]
    fn what_xdp_refuses_is_among_the_verdicts_so_that_they_add_up_to_the_requests() {
        let mut history = History::default();
        for step in 0..=2 {
            let mut now = look(1000 + 10 * step, 100 * step, 900);
            for (worker, count) in [(0, 20 * step), (1, 10 * step)] {
                now.workers.resize_with(worker + 1, WorkerNow::default);
                let verdict = Amount { name: UNKNOWN_CLIENT.to_owned(), count };
                let others = || Amount { name: "accepted".to_owned(), count: 100 * step };
                now.workers[worker].verdicts = vec![others(), verdict];
                now.workers[worker].received = 100 * step + count;
            }
            now.steer_dropped = 70 * step;
            history.note(now);
        }
        let series = history.series(60);
        let of = |name: &str| {
            series.verdicts.iter().find(|verdict| verdict.verdict == name).map(|verdict| &verdict.rates[..])
        };
        assert_eq!(of(UNKNOWN_CLIENT), Some(&[10.0, 10.0][..]), "once, not for each worker");
        for point in 0..2 {
            let sum: f64 = series.verdicts.iter().map(|verdict| verdict.rates[point]).sum();
            assert_eq!(sum, series.requests[point]);
        }
    }

    #[test]
    fn a_restart_and_a_clock_set_back_are_no_interval_and_a_day_is_kept() {
        let mut history = History::default();
        history.note(look(1000, 10_000, 900));
        history.note(look(1010, 5, 1005));
        history.note(look(1009, 6, 1005));
        assert!(history.series(60).unix_s.is_empty());
        for step in 0..10_000 {
            history.note(look(2000 + 10 * step, step, 1005));
        }
        assert_eq!(history.samples.len(), SAMPLES_MAX);
        let day = history.series(1440);
        assert!(day.unix_s.len() <= POINTS_MAX && day.unix_s.len() > POINTS_MAX / 2, "{}", day.unix_s.len());
        assert!(day.requests.iter().all(|rate| (*rate - 0.1).abs() < 0.01));
        assert!(size_of::<Sample>() * SAMPLES_MAX < 10 << 20, "bounded");
    }

    #[test]
    fn behind_a_clock_that_was_set_back_the_points_stand_in_order() {
        let mut history = History::default();
        for step in 0..=6 {
            history.note(look(10_000 + 10 * step, 100 * step, 900));
        }
        for step in 0..=3 {
            history.note(look(10_035 + 10 * step, 1000 + 100 * step, 900));
        }
        let series = history.series(60);
        assert_eq!(series.unix_s, [10_010, 10_020, 10_030, 10_045, 10_055, 10_065]);
        assert!(series.requests.iter().all(|rate| *rate == 10.0), "{:?}", series.requests);
    }
}
