//! Times the judgement of a grant, as an arm makes it: two signatures, the console's proof, the list of
//! revocations, the claims.
//!
//! `cargo run --release -p telehand-alliance --example grant_time`

use std::hint::black_box;
use std::time::Instant;

use telehand_alliance::entity::device::{Firmware, FirmwareRange};
use telehand_alliance::entity::session::GrantRole;
use telehand_alliance::grant::{
    Challenge, Claims, KeyPair, LogHead, Presented, Revocations, Signer, Token, Trust, Use,
    thumbprint, verify,
};
use telehand_alliance::log::digest;
use telehand_alliance::time::{Utc, Window};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now = Utc::parse("2026-11-20T12:00:00Z")?;
    let [hub, site, console] = [1, 2, 3].map(|seed| KeyPair::from_seed(&[seed; 32]));
    let claims = Claims {
        id: "grant-1".parse()?,
        hub: "alliance".parse()?,
        session: "session-1".parse()?,
        case: "case-1".parse()?,
        robot_serial: "RX-0042".into(),
        window: Window { from: now, until: now.plus_hours(30) },
        issued: now,
        console_key: thumbprint(&console.public_key()),
        people: [("surgeon".parse()?, GrantRole::Control)].into(),
        procedure: "0SG00A1".parse()?,
        robot_model: "RX".parse()?,
        robot_firmware: FirmwareRange { from: Firmware(4, 0, 0), to: Firmware(4, 9, 9) },
        site: "kashgar".parse()?,
        rtt_max_us: 200_000,
        consent_hash: digest(b"consent"),
        plan_hash: digest(b"plan"),
        epoch_base: 1,
        log: LogHead { size: 1, root: digest(b"root") },
    };
    let begin = Instant::now();
    let bytes = Token::new(&claims)?.sign(&hub).sign(&site).to_bytes()?;
    println!("signed by both in {:.0} us, {} bytes", micros(begin), bytes.len());
    let list = Revocations {
        hub: claims.hub.clone(),
        number: 1,
        issued: now,
        grants: (0..200)
            .map(|n| Ok((format!("grant-x{n}").parse()?, now)))
            .collect::<Result<_, Box<dyn std::error::Error>>>()?,
        people: [].into(),
        robots: [].into(),
    };
    let trust = Trust {
        hubs: [(claims.hub.clone(), vec![hub.public_key()])].into(),
        sites: [(claims.site.clone(), vec![site.public_key()])].into(),
        revocations: Some(list.sign(&hub)?),
        ..Trust::default()
    };
    let challenge = Challenge {
        nonce: digest(b"nonce"),
        grant: claims.id.clone(),
        purpose: Use::Start,
        person: "surgeon".parse()?,
        robot_serial: "RX-0042".into(),
        at: now,
    };
    let presented = Presented {
        proof: challenge.answer(&console)?,
        robot_serial: "RX-0042".into(),
        robot_model: claims.robot_model.clone(),
        robot_firmware: Firmware(4, 2, 0),
        now,
        challenge,
    };
    let mut times = Vec::new();
    for _ in 0..2000 {
        let begin = Instant::now();
        black_box(verify(black_box(&bytes), &trust, &presented))?;
        times.push(micros(begin));
    }
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(times.len() * part / 1000).copied().unwrap_or_default();
    println!("judged: median {:.0} us, p99 {:.0} us", at(500), at(990));
    Ok(())
}

fn micros(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e6
}
