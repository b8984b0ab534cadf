//! A site's node and the operation in its theatre. It has no way to ask the hub anything: an operation
//! goes on whatever becomes of the hub (I6), and the team takes over whenever it wants (I7).

use crate::random::Random;
use telehand_alliance::entity::session::{Happening, Owner, Phase, SessionEvent, Signed};
use telehand_alliance::ids::{CaseId, GrantId, Hash32, PersonId, SessionId, Signature64};
use telehand_alliance::time::{Utc, Window};

/// A session at the site, with its whole record.
#[derive(Debug, Clone)]
pub struct SiteSession {
    /// The case.
    pub case: CaseId,
    /// The session.
    pub session: SessionId,
    /// The token's name.
    pub grant: GrantId,
    /// When the token counts.
    pub window: Window,
    /// Who leads.
    pub surgeon: PersonId,
    /// Who stands by.
    pub standby: PersonId,
    /// What happened, from the first event on.
    pub record: Vec<SessionEvent>,
    /// Events that the hub acknowledged.
    pub acknowledged: u32,
    /// True once it is over.
    pub over: bool,
    owner: Owner,
    epoch: u32,
    step: u8,
    late: u8,
    random: Random,
}

impl SiteSession {
    /// A token arrived; nothing moves yet.
    pub fn new(
        [case, session, grant]: [&str; 3],
        window: Window,
        people: (PersonId, PersonId),
        epoch: u32,
        mut random: Random,
    ) -> Self {
        let late = if random.chance(0.2) { 10 } else { 0 };
        Self {
            case: super::super::cast::id(case),
            session: super::super::cast::id(session),
            grant: super::super::cast::id(grant),
            window,
            surgeon: people.0,
            standby: people.1,
            record: Vec::new(),
            acknowledged: 0,
            over: false,
            owner: Owner::Nobody,
            epoch: epoch.saturating_sub(1),
            step: 0,
            late,
            random,
        }
    }

    /// True between the first and the last event.
    pub fn running(&self) -> bool {
        !self.record.is_empty() && !self.over
    }

    fn tell(&mut self, at: Utc, what: Happening) {
        let seq = self.record.len() as u32;
        self.record.push(SessionEvent { seq, at, what });
    }

    /// One step of the operation by the site's own clock. `false` if the token does not count now.
    pub fn advance(&mut self, at: Utc, phi: Option<&str>) -> bool {
        if self.over {
            return true;
        }
        if self.record.is_empty() {
            if !self.window.contains(at) {
                return false;
            }
            self.epoch += 1;
            let (grant, epoch) = (self.grant.clone(), self.epoch);
            self.tell(at, Happening::Started { grant, epoch });
            return true;
        }
        if self.random.chance(0.03) {
            self.take_over(at, phi);
            return true;
        }
        match self.step {
            0 => self.tell(at, Happening::PhaseBegan { phase: Phase::Pre }),
            1 => self.hand_over(at, Owner::Remote(self.surgeon.clone())),
            2 => self.tell(at, Happening::PhaseBegan { phase: Phase::Remote }),
            3 => self.incidental(at),
            4 => self.hand_over(at, Owner::Local),
            5 => self.tell(at, Happening::PhaseBegan { phase: Phase::Post }),
            _ if self.late > 0 => {
                self.late -= 1;
                self.tell(at, Happening::Link { rtt_p99_us: 51_000, loss_ppm: 20 });
                return true;
            }
            _ => {
                self.over = true;
                self.tell(at, Happening::Ended { complete: true });
            }
        }
        self.step += 1;
        true
    }

    /// The team takes the arm. There is nobody to ask.
    pub fn take_over(&mut self, at: Utc, phi: Option<&str>) {
        self.epoch += 1;
        let (by, epoch) = (self.standby.clone(), self.epoch);
        let reason = phi.unwrap_or("bleeding").to_owned();
        self.tell(at, Happening::TakenOver { by, reason, epoch, took_ms: 400 });
        self.owner = Owner::Local;
        self.step = self.step.max(5);
    }

    fn incidental(&mut self, at: Utc) {
        let what = match self.random.below(5) {
            0 => Happening::PathLost { path: 0 },
            1 => Happening::Held { rule: "G-003".into(), held_ms: 900 },
            2 => Happening::Converted,
            _ => Happening::Link { rtt_p99_us: 48_000, loss_ppm: 12 },
        };
        self.tell(at, what);
    }

    fn hand_over(&mut self, at: Utc, to: Owner) {
        self.epoch += 1;
        let sign = |by: &PersonId| Signed {
            by: by.clone(),
            key: Hash32([7; 32]),
            signature: Signature64([8; 64]),
        };
        let (giver, taker) = match &to {
            Owner::Remote(_) => (sign(&self.standby), sign(&self.surgeon)),
            Owner::Local | Owner::Nobody => (sign(&self.surgeon), sign(&self.standby)),
        };
        let from = core::mem::replace(&mut self.owner, to.clone());
        let (epoch, reason) = (self.epoch, String::from("as planned"));
        self.tell(
            at,
            Happening::HandedOver { from, to, epoch, reason, giver, taker, held_ms: 120 },
        );
    }

    /// What to hand in next: usually what is new, sometimes again what was handed in, sometimes
    /// with a hole (which the hub must refuse).
    pub fn batch(&self, random: &mut Random) -> Vec<SessionEvent> {
        let all = self.record.len() as u64;
        let from = match random.below(6) {
            0 => random.below(u64::from(self.acknowledged) + 1),
            1 => (u64::from(self.acknowledged) + 1).min(all.saturating_sub(1)),
            _ => u64::from(self.acknowledged),
        };
        let until = from + 1 + random.below(all.saturating_sub(from).max(1));
        let range = from as usize..(until.min(all)) as usize;
        self.record.get(range).unwrap_or_default().to_vec()
    }
}
