//! Who waits for the surgeon, most urgent first.

use super::state::{SiteState, Waiter};

/// How long the surgeon needs for one request, seconds: 1.5 min a screw to plan, 1.0 to confirm a
/// move, 1.2 to verify, and half a minute to turn to another site (the gated script of the queue
/// study).
fn service_s(needs: &str, screws: usize) -> f64 {
    let own = match needs {
        "plan" => 90.0 * screws.max(4) as f64,
        "go" => 60.0,
        "verify" | "confirm" => 72.0,
        "grade" => 180.0,
        _ => 30.0,
    };
    own + 30.0
}

/// The queue: a wire in bone first, then whoever has waited longest.
pub fn queue(sites: &[SiteState], focus: Option<&str>) -> Vec<Waiter> {
    let mut waiting: Vec<(Waiter, f64)> = sites
        .iter()
        .filter_map(|site| {
            let wait = site.waiting.as_ref()?;
            let screws = site.plan.as_ref().map_or(0, |plan| plan.screws.len());
            let waiter = Waiter {
                site: site.id.clone(),
                needs: wait.needs.clone(),
                waiting_s: wait.since_s,
                expected_wait_s: 0.0,
                critical: wait.critical,
            };
            Some((waiter, service_s(&wait.needs, screws)))
        })
        .collect();
    waiting.sort_by(|(a, _), (b, _)| {
        b.critical.cmp(&a.critical).then(b.waiting_s.total_cmp(&a.waiting_s))
    });
    let mut ahead = 0.0;
    let mut queue = Vec::with_capacity(waiting.len());
    for (mut waiter, service) in waiting {
        // Whoever is looked at is being served.
        waiter.expected_wait_s = if focus == Some(waiter.site.as_str()) { 0.0 } else { ahead };
        ahead += service;
        queue.push(waiter);
    }
    queue
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::state::Waiting;

    fn site(id: &str, needs: &str, since_s: f64, critical: bool) -> SiteState {
        let waiting = Some(Waiting { needs: needs.into(), since_s, critical });
        SiteState { id: id.into(), waiting, ..SiteState::default() }
    }

    #[test]
    fn a_wire_in_bone_goes_first_and_then_the_longest_wait() {
        let quiet = SiteState { id: "quiet".into(), ..SiteState::default() };
        let sites = [
            site("a", "plan", 100.0, false),
            quiet,
            site("b", "go", 300.0, false),
            site("c", "verify", 1.0, true),
        ];
        let queue = queue(&sites, Some("c"));
        let order: Vec<&str> = queue.iter().map(|waiter| waiter.site.as_str()).collect();
        assert_eq!(order, ["c", "b", "a"]);
        assert_eq!(queue[0].expected_wait_s, 0.0);
        assert!(queue[1].expected_wait_s < queue[2].expected_wait_s);
    }
}
