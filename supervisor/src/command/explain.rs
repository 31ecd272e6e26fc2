//! `fumehood explain`: prints the section of `docs/errors.md` about one code.

use model::Code;

use crate::args::ExplainArgs;
use crate::data;
use crate::render::Problem;

/// The page that holds one section a code.
const PAGE: &str = include_str!("../../../docs/errors.md");

/// Prints the section.
pub(super) fn run(args: &ExplainArgs) -> Result<(), Problem> {
    let code: Code = args.code.parse().map_err(|what: String| {
        Problem::new(Code::BadFlag, what)
            .fix("an error shows its code in brackets, such as error[F0301]")
    })?;
    let section = section(code).ok_or_else(|| {
        // A test reads the page, so this needs a page that was cut after that.
        Problem::new(Code::Bug, format!("the page has no section about {code}"))
    })?;
    data::put(&format!("{}\n", section.trim_end()))
}

/// Returns the section about `code`, its heading included.
fn section(code: Code) -> Option<&'static str> {
    let start = PAGE.find(&format!("\n## {code} "))? + 1;
    let end = PAGE[start..]
        .find("\n## ")
        .map_or(PAGE.len(), |at| start + at);
    Some(&PAGE[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_section_that_says_what_why_and_how_to_fix() {
        for code in Code::ALL {
            let section = section(*code).unwrap_or_else(|| panic!("no section about {code}"));
            let heading = section.lines().next().unwrap();
            assert_eq!(heading, format!("## {code} {}", code.title()));
            for part in ["**Why.** ", "**Fix.** "] {
                assert!(section.contains(part), "{code} lacks {part}");
            }
            let exit = format!("Exit code {}.", code.exit() as u8);
            assert!(section.contains(&exit), "{code} does not say: {exit}");
        }
    }

    #[test]
    fn the_page_has_no_section_without_a_code() {
        let headings = PAGE.lines().filter(|line| line.starts_with("## "));
        assert_eq!(headings.count(), Code::ALL.len());
    }
}
