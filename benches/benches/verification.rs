//! What a request costs before it reaches the journal: parse, and the Request Authenticator, alone and by batch.
//! Ratios within one run are what counts: `one by one` is the baseline of `batch`.

use std::{error::Error, hint::black_box, process::ExitCode};

use criterion::{BenchmarkId, Criterion, Throughput};
use md5_lanes::{Lanes, Prepared, RequestCheck};
use radius::{Framed, authenticator};

const SECRET: &[u8] = b"sixteen octets..";
const BATCH: usize = 64;

fn requests(length: usize) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    (0..BATCH)
        .map(|index| {
            let mut buffer = [0; radius::MAX_LENGTH];
            Ok(benches::accounting_request(&mut buffer, length, index as u8, SECRET)?.to_vec())
        })
        .collect()
}

fn run(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let (mut lanes, secret) = (Lanes::best(), Prepared::new(SECRET));
    for length in [64, 200, 400, 1000] {
        let requests = requests(length)?;
        let mut group = criterion.benchmark_group(format!("{length} octets"));
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function(BenchmarkId::from_parameter("parse"), |bencher| {
            bencher.iter(|| {
                requests
                    .iter()
                    .filter(|octets| Framed::parse(octets).is_ok_and(|framed| framed.request().is_ok()))
                    .count()
            });
        });
        group.bench_function(BenchmarkId::from_parameter("verify one by one"), |bencher| {
            bencher.iter(|| {
                requests
                    .iter()
                    .filter(|octets| authenticator::verify_request(black_box(octets), SECRET))
                    .count()
            });
        });
        group.bench_function(BenchmarkId::from_parameter("verify batch"), |bencher| {
            bencher.iter(|| {
                let mut checks: [RequestCheck<'_>; BATCH] = std::array::from_fn(|index| RequestCheck {
                    octets: &requests[index],
                    secret: &secret,
                    genuine: false,
                });
                lanes.verify_requests(black_box(&mut checks));
                checks.iter().filter(|check| check.genuine).count()
            });
        });
        group.finish();
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut criterion = Criterion::default().configure_from_args();
    if let Err(error) = run(&mut criterion) {
        eprintln!("error: the bench's requests could not be built: {error}");
        return ExitCode::FAILURE;
    }
    criterion.final_summary();
    ExitCode::SUCCESS
}
