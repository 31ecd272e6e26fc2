//! What was asked for with everything that it depends on: planned, told if that is all that is wanted, made.

use std::sync::Arc;

use builder::{Failure, Plan, Settings, Watcher, Wheel};
use model::Code;

use super::Surroundings;
use super::made::{Made, give, tell};
use super::making::Order;
use crate::render::Problem;
use crate::report::{Document, PlanDocument};
use crate::settings::ReportSettings;

impl Order {
    /// Plans, and makes what is planned.
    pub(super) async fn whole(
        &self,
        settings: &Arc<Settings>,
        around: &Surroundings,
    ) -> Result<Vec<Result<Wheel, Failure>>, Problem> {
        match self.plan(settings, around).await {
            Ok(plan) => {
                let watcher = Arc::clone(&around.talk) as Arc<dyn Watcher>;
                Ok(builder::carry_out(Arc::clone(settings), &plan, watcher).await)
            }
            Err(failure) => Ok(vec![Err(failure)]),
        }
    }

    /// Resolves what is asked for, and says what should be known about that.
    pub(super) async fn plan(
        &self,
        settings: &Arc<Settings>,
        around: &Surroundings,
    ) -> Result<Plan, Failure> {
        let watcher = Arc::clone(&around.talk) as Arc<dyn Watcher>;
        let wanted = self.wanted().to_vec();
        let plan = builder::plan(Arc::clone(settings), wanted, watcher).await?;
        for note in &plan.notes {
            around.talk.note(note);
        }
        Ok(plan)
    }
}

/// Tells what would be made, and makes nothing.
pub(super) fn dry_run(
    order: Result<Order, Problem>,
    report: &ReportSettings,
    around: &Surroundings,
) -> Result<Option<Code>, Problem> {
    let planned = order.and_then(|order| {
        order.host(around, async |settings| {
            let settings = Arc::new(settings);
            let policy = settings.policy.name().to_owned();
            Ok(match order.plan(&settings, around).await {
                Ok(plan) => (Some(plan), policy, Made::default()),
                Err(failure) => {
                    let mut made = Made::default();
                    made.failed(&failure);
                    (None, policy, made)
                }
            })
        })
    });
    around.talk.end();
    let ((plan, policy, mut made), is_fresh) = match planned {
        Ok(planned) => planned,
        Err(problem) => {
            tell(&Document::of_problem(&problem), report)?;
            return Err(problem);
        }
    };
    if let Some(plan) = &plan {
        for (_, failure) in &plan.failures {
            made.failed(failure);
        }
        for failure in plan.projects.iter().filter_map(builder::Planned::failure) {
            made.failed(failure);
        }
    }
    if is_fresh {
        made = made.without_the_cache();
    }
    for problem in &made.problems {
        around.talk.problem(problem);
    }
    let projects = plan.map(|plan| plan.projects).unwrap_or_default();
    let document = PlanDocument::new(&projects, &policy, made.document.failures);
    give(&crate::report::text(&document), &document.lines(), report)?;
    around.talk.say(&document.last_line());
    Ok(made.problems.first().map(|problem| problem.code))
}
