//! Medians and ratios as text.

use std::fmt::Write;
use std::fs;

use super::measured::Measured;
use super::run::Run;
use super::scenario::Result;
use super::who::Who;

/// Returns the figures of all scenarios as tables of Markdown.
#[must_use]
pub fn table(results: &[&Result]) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        text.push_str(words);
        text.push('\n');
    };
    line(
        "| scenario | who | wall, s | processor, s | largest process, MiB | wall over uv's | processor over uv's |",
    );
    line("|---|---|---|---|---|---|---|");
    for result in results {
        for (who, runs) in &result.runs {
            let wall = of(runs, |run| run.wall);
            let cpu = of(runs, |run| run.cpu);
            #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
            let memory = median(of(runs, |run| run.largest_kib as f64 / 1024.0));
            let uv = (*who != Who::Uv)
                .then(|| result.runs.get(&Who::Uv))
                .flatten();
            let ratio = |what: fn(&Measured) -> f64| {
                uv.map_or_else(String::new, |uv| ratios(&of(runs, what), &of(uv, what)))
            };
            line(&format!(
                "| {} | {} | {:.3} | {:.3} | {memory:.0} | {} | {} |",
                result.scenario.title(),
                who.name(),
                median(wall),
                median(cpu),
                ratio(|run| run.wall),
                ratio(|run| run.cpu),
            ));
        }
    }
    line("");
    for result in results {
        if let Some(words) = tax(result) {
            line(&words);
        }
    }
    line("");
    line(
        "| scenario | peak memory of the supervisor, MiB | processor a wheel, ms | lowest level |",
    );
    line("|---|---|---|---|");
    for result in results {
        for (who, level) in &result.levels {
            let runs = &result.runs[who];
            #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
            let own = median(of(runs, |run| run.own_kib as f64 / 1024.0));
            #[expect(clippy::cast_precision_loss, reason = "wheels are counted in hundreds")]
            let each = 1000.0 * median(of(runs, |run| run.cpu)) / result.wheels as f64;
            line(&format!(
                "| {} | {own:.0} | {each:.1} | {level} |",
                result.scenario.title()
            ));
        }
    }
    text
}

/// Returns the ratios of each run by itself, as a table of Markdown.
pub(super) fn by_run(runs: &[Run], together: &[Result]) -> String {
    let mut text = "| scenario | wall over uv's, run by run | processor over uv's, run by run |\n|---|---|---|\n".to_owned();
    for scenario in together.iter().map(|result| result.scenario) {
        let results = runs.iter().flat_map(|run| &run.results);
        let of_it: Vec<_> = results.filter(|one| one.scenario == scenario).collect();
        let each = |what: fn(&Measured) -> f64| {
            let medians = of_it.iter().filter_map(|result| {
                let (ours, uv) = (result.runs.get(&Who::Ours)?, result.runs.get(&Who::Uv)?);
                Some(format!(
                    "{:.2}",
                    median(pairs(&of(ours, what), &of(uv, what)))
                ))
            });
            medians.collect::<Vec<_>>().join(", ")
        };
        let (wall, cpu) = (each(|run| run.wall), each(|run| run.cpu));
        if !wall.is_empty() {
            let _ = writeln!(text, "| {} | {wall} | {cpu} |", scenario.title());
        }
    }
    text
}

/// What the isolation costs, if a scenario tells.
fn tax(result: &Result) -> Option<String> {
    let confined = result.runs.get(&Who::Confined)?;
    let open = result.runs.get(&Who::Open)?;
    let cpu = |run: &Measured| run.cpu;
    let (with, without) = (of(confined, cpu), of(open, cpu));
    let mut text = String::new();
    #[expect(clippy::cast_precision_loss, reason = "wheels are counted in hundreds")]
    let each = 1000.0 * (median(with.clone()) - median(without.clone())) / result.wheels as f64;
    let _ = write!(
        text,
        "Sandbox tax at `confined`: processor {} of what the same work takes without isolation, {each:.1} ms a build.",
        ratios(&with, &without)
    );
    Some(text)
}

/// The median of the ratios of pairs, with the smallest and the largest.
fn ratios(ours: &[f64], theirs: &[f64]) -> String {
    let mut pairs = pairs(ours, theirs);
    pairs.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (pairs.first().copied(), pairs.last().copied()) else {
        return String::new();
    };
    format!("{:.2} ({least:.2} to {most:.2})", median(pairs))
}

fn pairs(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(a, b)| a / b).collect()
}

fn of(runs: &[Measured], what: impl Fn(&Measured) -> f64) -> Vec<f64> {
    runs.iter().map(what).collect()
}

/// The middle one, or the mean of the two in the middle.
pub(super) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(figures[middle - 1], figures[middle]),
        _ => figures[middle],
    }
}

/// Returns what the machine is, in words for a table.
#[must_use]
pub fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let busy = load.split(' ').next().unwrap_or("?");
    format!(
        "{cores} cores of {model}, Linux {}; load average when the figures were taken: {busy}",
        kernel.trim()
    )
}
