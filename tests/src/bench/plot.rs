//! A picture of the medians: bars, one group a scenario, each bar over the time of uv.

use std::fmt::Write;

use super::scenario::Result;
use super::table::median;
use super::who::Who;

const BAR: usize = 18;
const LABEL: usize = 330;
/// Pixels for as long as uv takes.
const UNIT: f64 = 220.0;
/// A bar that is longer is cut, and says so by its figure.
const MOST: f64 = 2.2;

/// Returns an SVG of the wall times, as parts of uv's.
#[must_use]
pub fn plot(results: &[Result]) -> String {
    let mut bars = String::new();
    let mut row = 0;
    for result in results {
        let Some(uv) = result.runs.get(&Who::Uv) else {
            continue;
        };
        let wall = |runs: &[super::Measured]| median(runs.iter().map(|run| run.wall).collect());
        let unit = wall(uv);
        for (who, runs) in &result.runs {
            let (seconds, y) = (wall(runs), 40 + row * BAR);
            let share = seconds / unit;
            let colour = match who {
                Who::Uv => "#9aa3ad",
                Who::Pip => "#c9ced4",
                _ => "#2f6f4f",
            };
            let width = UNIT * share.min(MOST);
            let text = y + BAR - 6;
            let _ = writeln!(
                bars,
                "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{}: {}</text>\
                 <rect x=\"{LABEL}\" y=\"{y}\" width=\"{width:.1}\" height=\"{}\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{text}\">{share:.2} ({seconds:.2} s)</text>",
                LABEL - 8,
                result.scenario.title(),
                who.name(),
                BAR - 4,
                f64::from(u16::try_from(LABEL).unwrap_or(u16::MAX)) + width + 6.0,
            );
            row += 1;
        }
        row += 1;
    }
    let height = 50 + row * BAR;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"940\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\
         <text x=\"10\" y=\"20\" font-size=\"14\">Wall time over that of uv (medians; shorter is better)</text>\n\
         {bars}</svg>\n"
    )
}
