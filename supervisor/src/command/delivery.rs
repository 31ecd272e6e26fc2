//! Wheels on their way into the output directory.

use std::io;
use std::path::Path;

use builder::{Failure, Wheel};
use cache::{CacheError, Delivery, deliver_all};

use crate::compose;
use crate::render::Problem;

/// What came of one request in the end.
pub(super) enum Answer {
    /// The wheel is in the output directory.
    Delivered(Wheel),
    /// There is a wheel, and it could not be put there.
    Undelivered(Wheel, Problem),
    /// There is none.
    Failed(Failure),
}

/// Puts all wheels into `out_dir`, and answers for each request in its order.
pub(super) fn deliver(out_dir: &Path, results: Vec<Result<Wheel, Failure>>) -> Vec<Answer> {
    let deliveries: Vec<_> = results
        .iter()
        .flatten()
        .map(|wheel| Delivery {
            file: &wheel.path,
            name: &wheel.filename,
            expected: &wheel.sha256,
        })
        .collect();
    let mut done = deliver_all(out_dir, &deliveries).into_iter();
    let mut next = || {
        done.next().unwrap_or_else(|| {
            Err(CacheError::OutDir {
                path: out_dir.to_owned(),
                source: io::Error::other("no answer for this file"),
            })
        })
    };
    let of = |result: Result<Wheel, Failure>| match result {
        Ok(wheel) => match next() {
            Ok(_) => Answer::Delivered(wheel),
            Err(error) => undelivered(wheel, &error),
        },
        Err(failure) => Answer::Failed(failure),
    };
    results.into_iter().map(of).collect()
}

fn undelivered(wheel: Wheel, error: &CacheError) -> Answer {
    let mut problem = compose::of_cache(error);
    problem.message = format!("{}: {}", wheel.filename, problem.message);
    Answer::Undelivered(wheel, problem)
}
