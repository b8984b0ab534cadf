//! Who holds the arms, in which state, and why they hold.
//!
//! **Rule of this file:** the surgeon's authority is borrowed and dies by itself. Silence ends it,
//! late packets do not revive it, and nothing but a fresh engagement under a fresh lease brings
//! motion back. The bedside takes the arms in one action, from every state.

use crate::alarm::{AlarmBoard, Level};
use crate::facts::{Event, LinkFacts, ServoFacts};
use crate::limits::{LimitChange, LimitError, Limits};
use crate::persist::Persist;
use crate::refusal::{Refusal, seconds};
use crate::servo::ArmWatch;
use crate::tenancy::{PerArm, Tenancy};
use crate::transition::{Transition, TransitionLog};
use crate::watch::LinkWatch;
use telehand_vocab::message::{ALARMS_MAX, Alarm};
use telehand_vocab::{ArmId, ArmState, Authority, Cause, Engage, Lease, Mono, Span};

mod command;

/// The supervisor of one patient cart.
#[derive(Debug, Clone)]
pub struct Supervisor {
    limits: Limits,
    state: ArmState,
    hold: Option<(Refusal, Mono)>,
    tenancy: Tenancy,
    bedside_beat: Mono,
    link: LinkWatch,
    arms: PerArm<ArmWatch>,
    frozen: Persist,
    picture: Result<(), Refusal>,
    speed_limit: f64,
    ticked: Mono,
    alarms: AlarmBoard,
    transitions: TransitionLog,
    refusals: u64,
}

impl Supervisor {
    /// A cart that is OFF. Commands will have to carry leases after `first_lease`.
    #[must_use]
    pub const fn new(limits: Limits, first_lease: Lease) -> Self {
        let arm = ArmWatch::new();
        Self {
            speed_limit: limits.tip_speed_floor_m_s(),
            limits,
            state: ArmState::Off,
            hold: None,
            tenancy: Tenancy::new(first_lease),
            bedside_beat: Mono::ZERO,
            link: LinkWatch::new(),
            arms: PerArm(arm, arm, arm),
            frozen: Persist::new(),
            picture: Ok(()),
            ticked: Mono::ZERO,
            alarms: AlarmBoard::new(),
            transitions: TransitionLog::new(),
            refusals: 0,
        }
    }

    /// Feeds one event; what has expired by `now` expires first, so no late event saves it.
    ///
    /// # Errors
    /// A [`Refusal`] means: not acted on. For a command it means that no arm follows it.
    pub fn handle(&mut self, now: Mono, event: Event) -> Result<(), Refusal> {
        self.handle_timeout(now);
        let outcome = match event {
            Event::Enable => self.enable(now),
            Event::Disable => self.disable(now),
            Event::Grant => self.grant(now),
            Event::TakeOver => self.take_over(now),
            Event::RemoteHold => self.remote_hold(now),
            Event::Command(facts) => self.command(now, &facts),
            Event::Stop => {
                self.stop(now);
                Ok(())
            }
            Event::ClearStop => {
                self.clear_stop(now);
                Ok(())
            }
            Event::BedsideBeat => {
                self.bedside_beat = now;
                Ok(())
            }
            Event::Link(facts) => {
                self.link(now, &facts);
                Ok(())
            }
            Event::Servo(facts) => {
                self.servo(now, &facts);
                Ok(())
            }
        };
        if outcome.is_err() {
            self.count_refusal();
        }
        outcome
    }

    /// Lets time pass: silence becomes HOLD. Call it every tick.
    pub fn handle_timeout(&mut self, now: Mono) {
        self.slew_speed_limit(now);
        self.alarms.fade(now, Span::from_secs_f64(self.limits.alarm_linger_s()));
        match self.state {
            ArmState::Off | ArmState::Local => {}
            ArmState::Armed | ArmState::Following | ArmState::Hold => self.watch_silence(now),
            ArmState::SafeOff => {
                self.alarms.raise(now, Level::Red, Refusal::plain(Cause::Stop));
            }
        }
    }

    /// The state of the cart.
    #[must_use]
    pub const fn state(&self) -> ArmState {
        self.state
    }

    /// Who holds the arms.
    #[must_use]
    pub const fn authority(&self) -> Authority {
        match self.state {
            ArmState::Off | ArmState::Local => Authority::Bedside,
            ArmState::Armed | ArmState::Following => Authority::Remote,
            ArmState::Hold | ArmState::SafeOff => Authority::Held,
        }
    }

    /// The lease a command must carry.
    #[must_use]
    pub const fn lease(&self) -> Lease {
        self.tenancy.lease()
    }

    /// Why the arms hold, in HOLD and `SAFE_OFF`.
    #[must_use]
    pub fn hold_cause(&self) -> Option<Cause> {
        self.hold.map(|(why, _)| why.cause)
    }

    /// Since when the arms hold, in HOLD and `SAFE_OFF`.
    #[must_use]
    pub fn held_since(&self) -> Option<Mono> {
        self.hold.map(|(_, since)| since)
    }

    /// The engage epoch an arm follows now.
    #[must_use]
    pub fn following(&self, arm: ArmId) -> Option<Engage> {
        match self.state {
            ArmState::Following => self.tenancy.following(arm),
            _ => None,
        }
    }

    /// Active and latched alarms, the worst first.
    #[must_use]
    pub fn alarms(&self) -> [Option<Alarm>; ALARMS_MAX] {
        self.alarms.listed()
    }

    /// The next step of the state that nobody has polled yet.
    pub fn poll_transition(&mut self) -> Option<Transition> {
        self.transitions.pop()
    }

    /// Steps lost because nobody polled; a shell that polls every tick loses none.
    #[must_use]
    pub const fn dropped_transitions(&self) -> u32 {
        self.transitions.dropped()
    }

    /// How many events and motions were refused so far.
    #[must_use]
    pub const fn refusals(&self) -> u64 {
        self.refusals
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Moves one limit; only in OFF and LOCAL. Log what it returns.
    pub fn set_limit(&mut self, key: &str, value: f64) -> Result<LimitChange, LimitError> {
        match self.state {
            ArmState::Off | ArmState::Local => self.limits.set(key, value),
            _ => Err(LimitError::InUse),
        }
    }

    /// The speed limit of the tool tip now, metres a second: give it to the limiter of `motion`.
    /// It follows the loop delay without jumps.
    #[must_use]
    pub const fn speed_limit(&self) -> f64 {
        self.speed_limit
    }

    fn enable(&mut self, now: Mono) -> Result<(), Refusal> {
        self.not_stopped()?;
        if self.state == ArmState::Off {
            self.go(now, ArmState::Local, None);
        }
        Ok(())
    }

    fn disable(&mut self, now: Mono) -> Result<(), Refusal> {
        self.not_stopped()?;
        self.go(now, ArmState::Off, None);
        Ok(())
    }

    fn grant(&mut self, now: Mono) -> Result<(), Refusal> {
        self.powered()?;
        if self.state == ArmState::Local {
            self.arms_sound()?;
            self.tenancy = self.tenancy.next();
            self.bedside_beat = now;
            self.alarms.unlatch();
            self.go(now, ArmState::Armed, None);
        }
        Ok(())
    }

    fn take_over(&mut self, now: Mono) -> Result<(), Refusal> {
        self.powered()?;
        self.alarms.unlatch();
        self.go(now, ArmState::Local, Some(Refusal::plain(Cause::TakeOver)));
        Ok(())
    }

    fn stop(&mut self, now: Mono) {
        let why = Refusal::plain(Cause::Stop);
        self.alarms.raise(now, Level::Red, why);
        self.go(now, ArmState::SafeOff, Some(why));
    }

    fn clear_stop(&mut self, now: Mono) {
        if self.state == ArmState::SafeOff {
            self.alarms.unlatch();
            self.go(now, ArmState::Off, None);
        }
    }

    fn remote_hold(&mut self, now: Mono) -> Result<(), Refusal> {
        self.granted()?;
        self.draw_consequence(now, Refusal::plain(Cause::RemoteHold));
        Ok(())
    }

    fn link(&mut self, now: Mono, facts: &LinkFacts) {
        self.link.judge(now, facts, &self.limits, &mut self.alarms);
        if let Some(why) = self.link.red() {
            self.tenancy.note_link(now, false);
            self.draw_consequence(now, why);
        }
    }

    fn servo(&mut self, now: Mono, facts: &ServoFacts) {
        let arm = self.arms.of_mut(facts.arm);
        arm.judge(now, facts, &self.limits, self.speed_limit, &mut self.alarms);
        if let Some(why) = arm.red() {
            self.draw_consequence(now, why);
        }
    }

    fn arms_sound(&self) -> Result<(), Refusal> {
        let reds = ArmId::ALL.into_iter().filter_map(|arm| self.arms.of(arm).red());
        reds.map(Err).next().unwrap_or(Ok(()))
    }

    fn not_stopped(&self) -> Result<(), Refusal> {
        match self.state {
            ArmState::SafeOff => Err(Refusal::plain(Cause::Stop)),
            _ => Ok(()),
        }
    }

    fn powered(&self) -> Result<(), Refusal> {
        self.not_stopped()?;
        match self.state {
            ArmState::Off => Err(Refusal::plain(Cause::PowerOff)),
            _ => Ok(()),
        }
    }

    fn granted(&self) -> Result<(), Refusal> {
        self.powered()?;
        match self.state {
            ArmState::Local => Err(Refusal::plain(Cause::NotGranted)),
            _ => Ok(()),
        }
    }

    fn watch_silence(&mut self, now: Mono) {
        if let Err(why) = self.bedside_alive(now) {
            self.draw_consequence(now, why);
        }
        if let Err(why) = self.console_alive(now) {
            self.draw_consequence(now, why);
            self.renew_lease(now, why);
        }
    }

    fn bedside_alive(&self, now: Mono) -> Result<(), Refusal> {
        let limit = self.limits.bedside_silence_hold_s();
        silent_for(Cause::BedsideSilent, now.since(self.bedside_beat), limit)
    }

    /// A console that has not spoken since the bedside granted is not missed.
    fn console_alive(&self, now: Mono) -> Result<(), Refusal> {
        let silence = self.tenancy.heard().map_or(Span::ZERO, |heard| now.since(heard));
        silent_for(Cause::LinkSilent, silence, self.limits.silence_hold_s())
    }

    fn draw_consequence(&mut self, now: Mono, why: Refusal) {
        self.alarms.raise(now, Level::Red, why);
        self.hold(now, why);
    }

    /// ARMED or FOLLOWING to HOLD; every other state is at least as safe already.
    fn hold(&mut self, now: Mono, why: Refusal) {
        if matches!(self.state, ArmState::Armed | ArmState::Following) {
            self.tenancy = self.tenancy.next_after(why.cause);
            self.go(now, ArmState::Hold, Some(why));
        }
    }

    /// The console fell silent while the arms held: it may come back as another one.
    fn renew_lease(&mut self, now: Mono, why: Refusal) {
        if self.state == ArmState::Hold && self.tenancy.spoken() {
            self.tenancy = self.tenancy.next_after(why.cause);
            self.note(now, ArmState::Hold, Some(why));
        }
    }

    /// Draws the consequence of what a gate refused.
    pub(crate) fn refused_by_gate(&mut self, now: Mono, why: Refusal, ends_engagement: bool) {
        self.count_refusal();
        if ends_engagement {
            self.draw_consequence(now, why);
        } else {
            self.alarms.raise(now, Level::Amber, why);
        }
    }

    fn count_refusal(&mut self) {
        self.refusals = self.refusals.saturating_add(1);
    }

    fn slew_speed_limit(&mut self, now: Mono) {
        let most = self.limits.tip_speed_slew_m_s2() * now.since(self.ticked).as_secs_f64();
        let wanted = self.link.speed_limit(&self.limits);
        self.speed_limit += (wanted - self.speed_limit).clamp(-most, most);
        self.ticked = now;
    }

    fn go(&mut self, now: Mono, to: ArmState, why: Option<Refusal>) {
        if self.state != to {
            self.note(now, to, why);
        }
        self.state = to;
        self.hold = match to {
            ArmState::Hold | ArmState::SafeOff => why.map(|why| (why, now)),
            _ => None,
        };
    }

    fn note(&mut self, now: Mono, to: ArmState, why: Option<Refusal>) {
        let (value, limit) = why.map_or((0.0, 0.0), |why| (why.value, why.limit));
        self.transitions.push(Transition {
            at: now,
            from: self.state,
            to,
            lease: self.tenancy.lease(),
            cause: why.map(|why| why.cause),
            value,
            limit,
        });
    }
}

fn silent_for(cause: Cause, silence: Span, limit_s: f64) -> Result<(), Refusal> {
    if silence < Span::from_secs_f64(limit_s) {
        Ok(())
    } else {
        Err(Refusal::new(cause, seconds(silence), limit_s))
    }
}
