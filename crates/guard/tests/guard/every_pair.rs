//! Every state meets every event: no pair is left to chance.

use crate::theatre::{FIRST, LINK, Theatre, servo};
use ArmState::{Armed, Following, Hold, Local, Off, SafeOff};
use telehand_guard::{Event, LinkFacts, Refusal, ServoFacts};
use telehand_vocab::{ArmId, ArmState, Authority, Cause};

type Outcome = (Option<Cause>, ArmState);

const fn ok(state: ArmState) -> Outcome {
    (None, state)
}

const fn no(cause: Cause, state: ArmState) -> Outcome {
    (Some(cause), state)
}

/// What happens, by name; and what comes of it in OFF, LOCAL, ARMED, FOLLOWING, HOLD, `SAFE_OFF`.
fn table() -> Vec<(&'static str, [Outcome; 6])> {
    use Cause::{NotGranted, PedalNotReleased, PowerOff, StaleLease, Stop};
    let stopped = no(Stop, SafeOff);
    let stay = [ok(Off), ok(Local), ok(Armed), ok(Following), ok(Hold), ok(SafeOff)];
    let hold = [ok(Off), ok(Local), ok(Hold), ok(Hold), ok(Hold), ok(SafeOff)];
    let (unpowered, ungranted) = (no(PowerOff, Off), no(NotGranted, Local));
    vec![
        ("enable", [ok(Local), ok(Local), ok(Armed), ok(Following), ok(Hold), stopped]),
        ("disable", [ok(Off), ok(Off), ok(Off), ok(Off), ok(Off), stopped]),
        ("grant", [unpowered, ok(Armed), ok(Armed), ok(Following), ok(Hold), stopped]),
        ("take over", [unpowered, ok(Local), ok(Local), ok(Local), ok(Local), stopped]),
        ("stop", [ok(SafeOff); 6]),
        ("clear stop", [ok(Off), ok(Local), ok(Armed), ok(Following), ok(Hold), ok(Off)]),
        ("remote hold", [unpowered, ungranted, ok(Hold), ok(Hold), ok(Hold), stopped]),
        ("beat", stay),
        ("pedal up", [unpowered, ungranted, ok(Armed), ok(Armed), ok(Hold), stopped]),
        (
            "pedal down",
            [
                unpowered,
                ungranted,
                ok(Following),
                ok(Following),
                no(PedalNotReleased, Hold),
                stopped,
            ],
        ),
        (
            "old lease",
            [
                unpowered,
                ungranted,
                no(StaleLease, Armed),
                no(StaleLease, Following),
                no(StaleLease, Hold),
                stopped,
            ],
        ),
        ("green link", stay),
        ("red link", hold),
        ("green servo", stay),
        ("red servo", hold),
        ("a tick", stay),
        ("console and bedside silent", hold),
    ]
}

fn happens(play: &mut Theatre, event: &str) -> Result<(), Refusal> {
    match event {
        "enable" => play.give(Event::Enable),
        "disable" => play.give(Event::Disable),
        "grant" => play.give(Event::Grant),
        "take over" => play.give(Event::TakeOver),
        "stop" => play.give(Event::Stop),
        "clear stop" => play.give(Event::ClearStop),
        "remote hold" => play.give(Event::RemoteHold),
        "beat" => play.give(Event::BedsideBeat),
        "pedal up" => {
            play.release(0);
            play.command()
        }
        "pedal down" => {
            play.press(0);
            play.command()
        }
        "old lease" => {
            play.learns = false;
            play.say.lease = FIRST;
            play.command()
        }
        "green link" => play.give(Event::Link(LINK)),
        "red link" => play.give(Event::Link(LinkFacts { loss: 1.0, ..LINK })),
        "green servo" => play.give(Event::Servo(servo(ArmId::Psm2))),
        "red servo" => play.give(Event::Servo(ServoFacts { fault: true, ..servo(ArmId::Psm2) })),
        "a tick" => {
            play.run(1);
            Ok(())
        }
        "console and bedside silent" => {
            (play.console, play.bedside) = (false, false);
            play.run(200);
            Ok(())
        }
        other => panic!("unknown event {other:?}"),
    }
}

#[test]
fn every_state_meets_every_event() {
    let mut pairs = 0;
    for (event, outcomes) in table() {
        for (state, (cause, after)) in ArmState::ALL.into_iter().zip(outcomes) {
            let mut play = Theatre::in_state(state);
            let lease = play.sup.lease();
            let outcome = happens(&mut play, event);
            let pair = format!("{event} in {}", state.name());
            assert_eq!(outcome.err().map(|no| no.cause), cause, "{pair}");
            assert_eq!(play.sup.state(), after, "{pair}");
            checks_that_hold_for_all(&mut play, state, &pair);
            let grown = play.sup.lease().0 - lease.0;
            let renewed = (state, after) == (Local, Armed) || (state != Hold && after == Hold);
            assert_eq!(grown, u32::from(renewed), "{pair}: lease");
            pairs += 1;
        }
    }
    assert_eq!(pairs, 17 * 6);
}

/// True after any event from any state.
fn checks_that_hold_for_all(play: &mut Theatre, before: ArmState, pair: &str) {
    let after = play.sup.state();
    let explained = matches!(after, Hold | SafeOff);
    assert_eq!(play.sup.hold_cause().is_some(), explained, "{pair}: a hold has a cause");
    assert_eq!(play.sup.held_since().is_some(), explained, "{pair}");
    let follows = ArmId::ALL.iter().any(|arm| play.sup.following(*arm).is_some());
    assert_eq!(follows, after == Following, "{pair}: FOLLOWING means that an arm follows");
    let remote = play.sup.authority() == Authority::Remote;
    assert_eq!(remote, matches!(after, Armed | Following), "{pair}");
    let logged = play.sup.poll_transition();
    assert_eq!(logged.map(|step| (step.from, step.to)), changed(before, after), "{pair}");
    assert!(play.sup.poll_transition().is_none(), "{pair}: one step, one entry");
}

fn changed(before: ArmState, after: ArmState) -> Option<(ArmState, ArmState)> {
    (before != after).then_some((before, after))
}
