//! What was found in a machine, for people.

use super::found::Line;

/// Characters of what was seen that are shown where a scene holds.
const WIDTH: usize = 230;

/// Returns the table of a machine, and how many scenes did not hold.
#[must_use]
pub fn table(lines: &[Line]) -> (String, usize) {
    let mut text = String::new();
    let mut broken = 0;
    for line in lines {
        match line {
            Line::Kernel {
                release,
                landlock,
                controllers,
            } => text.push_str(&format!(
                "Linux {release}, Landlock ABI {landlock}, control groups of version 2: {controllers}\n"
            )),
            Line::Scene(found) => {
                let (word, said) = match &found.seen {
                    Ok(said) => ("holds", said.lines().next().unwrap_or_default()),
                    Err(said) => ("DOES NOT HOLD", said.as_str()),
                };
                broken += usize::from(found.seen.is_err());
                let said: String = match found.seen {
                    Ok(_) => said.chars().take(WIDTH).collect(),
                    Err(_) => format!("\n{said}"),
                };
                text.push_str(&format!(
                    "  {:<34} {:<52} {word:<6} {said}\n",
                    found.setting, found.scene
                ));
            }
            Line::End => {}
        }
    }
    (text, broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Found;

    #[test]
    fn a_scene_that_does_not_hold_is_counted_and_told_whole() {
        let scene = |seen: Result<&str, &str>| {
            Line::Scene(Found {
                setting: "uid 0, ns".to_owned(),
                scene: "something".to_owned(),
                seen: seen.map(str::to_owned).map_err(str::to_owned),
            })
        };
        let (text, broken) = table(&[scene(Ok("well")), scene(Err("one\ntwo")), Line::End]);
        assert_eq!(broken, 1);
        assert!(text.contains("holds  well"), "{text}");
        assert!(text.contains("DOES NOT HOLD \none\ntwo"), "{text}");
    }
}
