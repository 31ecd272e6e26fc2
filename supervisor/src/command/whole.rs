//! What was asked for with everything that it depends on: planned, told if that is all that is wanted, made.

use std::sync::Arc;

use builder::{Failure, Plan, Planned, Settings, Watcher, Wheel};
use model::Code;
use sources::Wanted;

use super::Surroundings;
use super::made::{Made, give, tell};
use super::making::Order;
use crate::render::Problem;
use crate::report::{Answer, Document, PlanDocument};
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
        Self::plan_for(self.wanted().to_vec(), settings, around).await
    }

    /// The same for what is named here.
    pub(super) async fn plan_for(
        wanted: Vec<Wanted>,
        settings: &Arc<Settings>,
        around: &Surroundings,
    ) -> Result<Plan, Failure> {
        let watcher = Arc::clone(&around.talk) as Arc<dyn Watcher>;
        let plan = builder::plan(Arc::clone(settings), wanted, watcher).await?;
        for note in &plan.notes {
            around.talk.note(note);
        }
        Ok(plan)
    }
}

/// Runs `work` on what was understood, and tells what came of it: the answer to whom it is for, problems to people.
pub(super) fn tell_of<T, A: Answer>(
    order: Result<Order, Problem>,
    report: &ReportSettings,
    around: &Surroundings,
    work: impl AsyncFnOnce(&Order, Arc<Settings>, &mut Made) -> Option<T>,
    answer: impl FnOnce(Option<T>, Made) -> A,
) -> Result<Option<Code>, Problem> {
    let done = order.and_then(|order| {
        order.host(around, async |settings| {
            let mut made = Made::default();
            let done = work(&order, Arc::new(settings), &mut made).await;
            Ok((done, made))
        })
    });
    around.talk.end();
    let ((done, mut made), is_fresh) = match done {
        Ok(done) => done,
        Err(problem) => {
            tell(&Document::of_problem(&problem), report)?;
            return Err(problem);
        }
    };
    if is_fresh {
        made = made.without_the_cache();
    }
    for problem in &made.problems {
        around.talk.problem(problem);
    }
    let code = made.problems.first().map(|problem| problem.code);
    let answer = answer(done, made);
    give(&answer.json(), &answer.lines(), report)?;
    around.talk.say(&answer.last_line());
    Ok(code)
}

/// Tells what would be made, and makes nothing.
pub(super) fn dry_run(
    order: Result<Order, Problem>,
    report: &ReportSettings,
    around: &Surroundings,
) -> Result<Option<Code>, Problem> {
    tell_of(
        order,
        report,
        around,
        async |order, settings, made| match order.plan(&settings, around).await {
            Ok(plan) => {
                let known = plan.failures.iter().map(|(_, failure)| failure);
                for failure in known.chain(plan.projects.iter().filter_map(Planned::failure)) {
                    made.failed(failure);
                }
                Some((plan.projects, settings.policy.name().to_owned()))
            }
            Err(failure) => {
                made.failed(&failure);
                None
            }
        },
        |planned, made| {
            let (projects, policy) = planned.unwrap_or_default();
            PlanDocument::new(&projects, &policy, made.document.failures)
        },
    )
}
