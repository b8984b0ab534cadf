//! One surgeon, many sites: how long a site waits.
//!
//! The closed form is the machine-repair queue M/M/1//N: N sites, each working alone for an
//! exponential time with mean `think`, then needing the surgeon for an exponential time with mean
//! `service` (J. Sztrik, "Basic Queueing Theory", chapter on finite-source systems). The estimate
//! for the list on the planner's page is plain arithmetic over what is waiting.

use telehand_vocab::Span;

/// The long run of N sites and one surgeon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steady {
    /// The part of the time the surgeon is busy, 0 to 1.
    pub utilisation: f64,
    /// Mean time from asking for the surgeon to having the surgeon, in the unit of `service`.
    pub wait: f64,
}

/// M/M/1//N: `sites` sites, mean `service` and `think` times in one unit. `None` for no site and
/// for times that are not positive numbers.
pub fn steady(sites: u32, service: f64, think: f64) -> Option<Steady> {
    let positive = |time: f64| time.is_finite() && time > 0.0;
    if sites == 0 || !positive(service) || !positive(think) {
        return None;
    }
    let ratio = service / think;
    // the chance of k sites at the surgeon, relative to none: N! / (N - k)! * ratio^k
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 0..sites {
        term *= f64::from(sites - k) * ratio;
        sum += term;
    }
    let utilisation = 1.0 - 1.0 / sum;
    let throughput = utilisation / service;
    let wait = f64::from(sites) / throughput - think - service;
    Some(Steady { utilisation, wait: wait.max(0.0) })
}

/// What a site needs the surgeon for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Look at the registration.
    Register,
    /// Plan this many screws.
    Plan(u32),
    /// Read and sign.
    Approve,
    /// Hold "go" until the guide is there.
    Go,
    /// Confirm the guide's pose.
    Confirm,
    /// Judge a wire.
    Verify,
    /// Grade the screws.
    Grade,
}

impl Need {
    /// Mean time it takes the surgeon. Planning 1.5 min a screw, confirming 1.0, judging 1.2, the
    /// review at the end 3 min: the script behind the simulation; the others are estimates.
    pub fn service(self) -> Span {
        Span::from_secs_f64(match self {
            Self::Register | Self::Approve | Self::Go | Self::Confirm => 60.0,
            Self::Plan(screws) => 90.0 * f64::from(screws),
            Self::Verify => 72.0,
            Self::Grade => 180.0,
        })
    }
}

/// From one site to another: look, confirm.
pub const SWITCH: Span = Span::from_millis(30_000);

/// A site that waits for the surgeon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// What for.
    pub need: Need,
    /// A wire is in: it goes before all that are not critical.
    pub critical: bool,
    /// How long it has waited.
    pub waited: Span,
}

/// How much longer each request will wait, on average, if the surgeon serves critical ones first
/// and otherwise the longest waiting first. `busy` is what the surgeon does now and for how long
/// already.
pub fn expected_wait(requests: &[Request], busy: Option<(Need, Span)>) -> Vec<Span> {
    let first = busy.map_or(Span::ZERO, |(need, spent)| need.service().less(spent));
    let before = |a: &Request, b: &Request| (a.critical, a.waited) > (b.critical, b.waited);
    let of = |(place, request): (usize, &Request)| {
        let ahead = requests.iter().enumerate().filter(|(other, that)| {
            before(that, request) || (*other < place && !before(request, that))
        });
        ahead.fold(first.plus(SWITCH), |sum, (_, that)| sum.plus(that.need.service()).plus(SWITCH))
    };
    requests.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_form_agrees_with_the_published_one() {
        for (sites, utilisation, wait) in
            [(1, 0.25, 0.0), (2, 0.4706, 0.5), (3, 0.6538, 1.1765), (5, 0.8899, 3.2366)]
        {
            let found = steady(sites, 2.0, 6.0).unwrap();
            assert!((found.utilisation - utilisation).abs() < 5e-5, "{sites}: {found:?}");
            assert!((found.wait - wait).abs() < 5e-5, "{sites}: {found:?}");
        }
        // many sites: the surgeon is always busy, the wait grows by one service a site
        let many = steady(100, 2.0, 6.0).unwrap();
        assert!(many.utilisation > 1.0 - 1e-12);
        assert!((many.wait - (100.0 * 2.0 - 6.0 - 2.0)).abs() < 1e-6);
    }

    #[test]
    fn times_that_are_none_have_no_long_run() {
        for (sites, service, think) in [(0, 1.0, 1.0), (1, 0.0, 1.0), (1, 1.0, f64::NAN)] {
            assert_eq!(steady(sites, service, think), None);
        }
    }

    #[test]
    fn a_critical_site_goes_first_then_the_longest_waiting() {
        let ask =
            |need, critical, waited| Request { need, critical, waited: Span::from_millis(waited) };
        let requests = [
            ask(Need::Plan(4), false, 90_000),
            ask(Need::Confirm, false, 100_000),
            ask(Need::Verify, true, 1_000),
        ];
        let waits = expected_wait(&requests, Some((Need::Confirm, Span::from_millis(20_000))));
        let seconds: Vec<f64> = waits.iter().map(|span| span.as_secs_f64()).collect();
        // 40 s left and a switch; before the plan come the wire and the pose, each with a switch
        assert_eq!(seconds, [40.0 + 30.0 + 102.0 + 90.0, 40.0 + 30.0 + 102.0, 70.0]);
        assert!(expected_wait(&[], None).is_empty());
        let alike = [requests[0], requests[0]];
        assert!(expected_wait(&alike, None)[0] < expected_wait(&alike, None)[1]);
    }
}
