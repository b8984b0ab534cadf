//! One site and one surgeon's desk, joined by a line without faults; time is turned by hand.

use crate::patient::{self, A, GOOD_DRIFT, LOCAL, SITE, SURGEON, Stand, story};
use telehand_ortho::ScrewId;
use telehand_ortho::authority::{
    Arbiter, Bindings, Confirmation, Desk, Effect, Epoch, Event, Guide, Holder, Message, Motion,
    Permit, Refusal, Senses, Tick, Why,
};
use telehand_ortho::case::{Act, By, Case, Event as CaseEvent, Party, RobotId, SeatId};
use telehand_vocab::{Mono, Pose, Span};

pub const ROBOT: RobotId = RobotId(3);
pub const SEAT: SeatId = SeatId(40);
pub const PANEL: SeatId = SeatId(90);
pub const STEP: Span = Span::from_millis(10);

pub struct Theatre {
    pub now: Mono,
    pub site: Arbiter,
    pub desk: Desk,
    pub guide: Guide,
    pub disk: Epoch,
    /// Whether the disk answers.
    pub disk_works: bool,
    pub effects: Vec<Effect>,
    pub said: Option<Bindings>,
    presses: u32,
}

impl Theatre {
    /// A site whose case stands there, with nobody holding the robot; the surgeon has looked at it
    /// for more than a second and has confirmed screw A.
    pub fn at(stand: Stand) -> Self {
        let now = Mono::from_millis(1_000_000);
        let case = patient::case_at(stand);
        let (site, effects) = Arbiter::restore(now, SITE, ROBOT, Epoch(10), None);
        let mut new = Self {
            now,
            site,
            desk: Desk::new(SURGEON),
            guide: Guide::Free,
            disk: Epoch(10),
            disk_works: true,
            effects: Vec::new(),
            said: None,
            presses: 0,
        };
        new.carry_out(effects);
        new.tell(&Event::OpenCase(case)).unwrap();
        new.tell_case(By::Local(LOCAL), Act::GuideFree).unwrap();
        new.site_speaks();
        new.desk.open(new.now, SEAT);
        new.desk.focus(new.now, SEAT, SITE).unwrap();
        new.pass(Span::from_millis(1_000));
        new.confirm(A).unwrap();
        new
    }

    /// The surgeon holds the robot, the local team has accepted.
    pub fn grabbed() -> Self {
        let mut new = Self::at(Stand::In(telehand_ortho::case::State::Approved));
        new.grab().unwrap();
        new.tell_case(By::Local(LOCAL), Act::AcceptGrab).unwrap();
        new
    }

    /// The robot moves towards A.
    pub fn moving() -> Self {
        let mut new = Self::grabbed();
        let press = new.new_press();
        for _ in 0..5 {
            drop(new.both_hold(press, A).unwrap());
        }
        assert!(new.permit().is_ok());
        new
    }

    /// A wire is in the guide at A.
    pub fn wire_in() -> Self {
        let mut new = Self::moving();
        for (_, events) in story().into_iter().filter(|(s, _)| {
            [
                Stand::In(telehand_ortho::case::State::Held),
                Stand::In(telehand_ortho::case::State::WireIn),
            ]
            .contains(s)
        }) {
            for event in events {
                new.tell(&Event::Case(event)).unwrap();
            }
        }
        new.guide = Guide::Occupied;
        new
    }

    pub fn senses(&self) -> Senses {
        Senses {
            guide: self.guide,
            tracked: self.now,
            drift: GOOD_DRIFT,
            base_from_guide: Pose::IDENTITY,
        }
    }

    pub fn tick(&mut self) -> Tick {
        let senses = self.senses();
        self.tick_with(&senses)
    }

    pub fn tick_with(&mut self, senses: &Senses) -> Tick {
        let mut tick = self.site.tick(self.now, senses);
        let effects = std::mem::take(&mut tick.effects);
        self.carry_out(effects.clone());
        Tick { permit: tick.permit, effects }
    }

    pub fn permit(&mut self) -> Result<Permit, Refusal> {
        self.tick().permit
    }

    pub fn why(&mut self) -> Option<Why> {
        self.permit().err().map(|refusal| refusal.why)
    }

    /// Time passes; the site ticks and speaks, the desk renews. Nobody presses anything.
    pub fn pass(&mut self, span: Span) {
        let until = self.now + span;
        while self.now < until {
            self.now += STEP;
            drop(self.tick());
            self.site_speaks();
            if let Some(message) = self.desk.renew(self.now) {
                let _late = self.send(&message);
            }
        }
    }

    /// Time passes with the line cut: only the site ticks.
    pub fn pass_alone(&mut self, span: Span) {
        let until = self.now + span;
        while self.now < until {
            self.now += STEP;
            drop(self.tick());
        }
    }

    pub fn site_speaks(&mut self) {
        let said = self.site.bindings(self.now);
        self.said = Some(said);
        self.desk.hear(self.now, &said);
    }

    pub fn new_press(&mut self) -> u32 {
        self.presses += 1;
        let _refused = self.desk.release_button(self.now, SEAT).map(|m| self.send(&m));
        self.presses
    }

    /// One repetition of both held buttons, and a tick.
    pub fn both_hold(&mut self, press: u32, screw: ScrewId) -> Result<Permit, Refusal> {
        self.now += STEP;
        self.site_speaks();
        if let Some(message) = self.desk.renew(self.now) {
            self.send(&message)?;
        }
        for message in self.desk.go(self.now, SEAT, screw)? {
            self.send(&message)?;
        }
        self.enable(press)?;
        self.permit()
    }

    pub fn enable(&mut self, press: u32) -> Result<(), Refusal> {
        self.tell(&Event::Enable { press, held: true })
    }

    pub fn confirm(&mut self, screw: ScrewId) -> Result<(), Refusal> {
        let patient = self.said.unwrap().patient.unwrap();
        self.desk.confirm(self.now, SEAT, Confirmation { site: SITE, patient, screw })
    }

    pub fn grab(&mut self) -> Result<(), Refusal> {
        self.site_speaks();
        let message = self.desk.grab(self.now, SEAT)?;
        self.send(&message)?;
        self.site_speaks();
        Ok(())
    }

    /// From far away, over the bytes of the line.
    pub fn send(&mut self, message: &Message) -> Result<(), Refusal> {
        let read = Message::decode(&message.encode()).unwrap();
        assert_eq!(&read, message);
        self.tell(&Event::Message(Party::Remote, read))
    }

    pub fn tell(&mut self, event: &Event) -> Result<(), Refusal> {
        let effects = self.site.handle(self.now, event)?;
        self.carry_out(effects);
        Ok(())
    }

    pub fn tell_case(&mut self, by: By, act: Act) -> Result<(), Refusal> {
        self.tell(&Event::Case(CaseEvent { by, act }))
    }

    pub fn case(&self) -> &Case {
        self.site.case().unwrap()
    }

    /// What the shell does with effects: the disk takes epochs and says so.
    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.effects.push(effect.clone());
            if let Effect::Persist(epoch) = effect {
                assert!(epoch > self.disk, "{epoch} after {}", self.disk);
                self.disk = epoch;
                if self.disk_works {
                    self.tell(&Event::Persisted(epoch)).unwrap();
                }
            }
        }
    }
}

pub const fn remote(person: telehand_ortho::case::PersonId, seat: SeatId) -> Holder {
    Holder { party: Party::Remote, person, seat }
}

#[test]
fn two_hands_and_everything_in_force_move_the_robot_to_the_confirmed_screw() {
    let mut theatre = Theatre::moving();
    let press = 1;
    let permit = theatre.both_hold(press, A).unwrap();
    assert_eq!(permit.motion(), Motion::Trajectory(A));
    assert_eq!(permit.epoch(), theatre.site.epoch());
    assert_eq!(theatre.case().state(), telehand_ortho::case::State::Moving);
    assert_eq!(theatre.case().target(), Some(A));
}
