//! What a command may do: keep the lease alive, begin an engagement, end one.
//!
//! In this order: is it admitted at all, what does the surgeon see, was the pedal up, and only
//! then who asks to follow.

use super::Supervisor;
use crate::alarm::Level;
use crate::facts::CommandFacts;
use crate::refusal::{Refusal, no_longer, seconds};
use telehand_vocab::message::PictureEcho;
use telehand_vocab::{ArmId, ArmState, Cause, Engage, Mono, Span};

impl Supervisor {
    pub(super) fn command(&mut self, now: Mono, facts: &CommandFacts) -> Result<(), Refusal> {
        self.granted()?;
        if let Err(why) = self.admit(now, facts) {
            self.alarms.raise(now, Level::Amber, why);
            return Err(why);
        }
        self.tenancy.note_link(now, self.link.good());
        self.look_at_picture(now, facts.picture);
        if self.state == ArmState::Following
            && let Err(why) = self.picture
        {
            self.draw_consequence(now, why);
            return Err(why);
        }
        if facts.hands.iter().all(|hand| !hand.engaged) {
            self.tenancy.see_pedal_up();
        }
        let refused = self.engage_as_asked(now, facts);
        match (self.state, self.tenancy.anybody_follows()) {
            (ArmState::Following, false) => self.go(now, ArmState::Armed, None),
            (ArmState::Armed | ArmState::Hold, true) => {
                self.alarms.unlatch();
                self.go(now, ArmState::Following, None);
            }
            _ => {}
        }
        if self.state == ArmState::Following { Ok(()) } else { refused }
    }

    /// Well formed, honest about its date, fresh, under this lease and in order.
    fn admit(&mut self, now: Mono, facts: &CommandFacts) -> Result<(), Refusal> {
        if !facts.well_formed {
            return Err(Refusal::plain(Cause::Malformed));
        }
        let (error, age) = (facts.clock_error, facts.age.plus(facts.clock_error));
        no_longer(Cause::ClockUntrusted, error, self.limits.clock_error_max_s())?;
        if facts.ahead > error {
            let [ahead, error] = [facts.ahead, error].map(seconds);
            return Err(Refusal::new(Cause::CommandFromFuture, ahead, error));
        }
        no_longer(Cause::CommandTooOld, age, self.limits.command_age_max_s())?;
        self.tenancy.admit(now, facts.lease, facts.seq)?;
        if let Err(why) = no_longer(Cause::CommandTooOld, age, self.limits.command_age_amber_s()) {
            self.alarms.raise(now, Level::Amber, why);
        }
        Ok(())
    }

    fn look_at_picture(&mut self, now: Mono, picture: PictureEcho) {
        let patience = self.limits.picture_frozen_max_s();
        let frozen = self.frozen.lasts(now, !picture.intact, Span::from_secs_f64(patience));
        let moves = if frozen {
            Err(Refusal::new(Cause::PictureFrozen, seconds(picture.age), patience))
        } else {
            Ok(())
        };
        self.picture =
            no_longer(Cause::PictureTooOld, picture.age, self.limits.picture_age_max_s())
                .and(moves);
        let fresh = no_longer(Cause::PictureTooOld, picture.age, self.limits.picture_age_amber_s());
        for why in [fresh, self.picture].into_iter().filter_map(Result::err) {
            self.alarms.raise(now, Level::Amber, why);
        }
    }

    /// Ends and begins engagements; the first refusal, if there is one.
    fn engage_as_asked(&mut self, now: Mono, facts: &CommandFacts) -> Result<(), Refusal> {
        let mut outcome = Ok(());
        for arm in ArmId::ALL {
            let asked = facts.engaged(arm);
            if asked == self.tenancy.following(arm) {
                continue;
            }
            self.tenancy.follow(arm, None);
            let Some(engage) = asked else { continue };
            match self.may_engage(now, arm, engage) {
                Ok(()) => self.tenancy.follow(arm, asked),
                Err(why) => {
                    self.alarms.raise(now, Level::Amber, why);
                    outcome = outcome.and(Err(why));
                }
            }
        }
        outcome
    }

    fn may_engage(&mut self, now: Mono, arm: ArmId, engage: Engage) -> Result<(), Refusal> {
        // noted first: an engagement that is refused once is refused for good
        let new = self.tenancy.is_new(arm, engage);
        if !self.tenancy.pedal_seen_up() {
            return Err(Refusal::plain(Cause::PedalNotReleased));
        }
        if !new {
            return Err(Refusal::plain(Cause::StaleEngage));
        }
        let [good, wanted] =
            [self.tenancy.good_for(now), Span::from_secs_f64(self.limits.link_good_s())];
        if good < wanted {
            let [good, wanted] = [good, wanted].map(seconds);
            return Err(Refusal::new(Cause::LinkNotReady, good, wanted));
        }
        self.picture?;
        self.bedside_alive(now)?;
        self.arms_sound()
    }
}
