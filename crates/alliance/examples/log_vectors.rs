//! Prints a log, its roots, proofs, checkpoints, commitments and a grant for independent programs to
//! check: one JSON object a line, bytes in hexadecimal.
//!
//! `cargo run -p telehand-alliance --example log_vectors -- [LEAVES]`

use serde_json::{Value, json};
use telehand_alliance::entity::device::{Firmware, FirmwareRange};
use telehand_alliance::entity::session::GrantRole;
use telehand_alliance::grant::{Claims, LogHead, Token, thumbprint};
use telehand_alliance::log::{
    Checkpoint, KeyKind, KeyPair, Levels, Salt, Signer, VerifierKey, commit, consistency, digest,
    inclusion, leaf_hash,
};
use telehand_alliance::time::{Utc, Window};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let size: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(70);
    log(size)?;
    commitments();
    grant()
}

fn line(value: &Value) {
    println!("{value}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn log(size: u64) -> Outcome {
    let mut levels = Levels::default();
    let hub = KeyPair::from_seed(&[1; 32]);
    let witness = KeyPair::from_seed(&[2; 32]);
    let hub_key = VerifierKey::new("hub.example/log", KeyKind::Author, hub.public_key())?;
    let witness_key = VerifierKey::new("a.example", KeyKind::Witness, witness.public_key())?;
    for n in 0..size {
        let leaf = format!("event {n}");
        levels.push(leaf_hash(leaf.as_bytes()));
        let (size, root) = (n + 1, levels.tree().root());
        line(&json!({"kind": "leaf", "leaf": hex(leaf.as_bytes()), "size": size, "root": root}));
        let head = Checkpoint { origin: "hub.example/log".to_string(), size, root };
        let mut signed = head.sign(&hub)?;
        let at = Utc(1_800_000_000_000_000);
        signed.add(signed.note().cosignature("a.example", &witness, at)?);
        line(&json!({
            "kind": "checkpoint", "note": signed.to_string(), "size": size, "root": root,
            "log_key": hub_key.to_string(), "witness_key": witness_key.to_string(),
        }));
    }
    for size in 1..=size {
        for index in 0..size {
            let proof = inclusion(&levels, index, size)?;
            line(&json!({"kind": "inclusion", "index": index, "size": size, "proof": proof}));
            let proof = consistency(&levels, index + 1, size)?;
            line(&json!({"kind": "consistency", "old": index + 1, "size": size, "proof": proof}));
        }
    }
    Ok(())
}

fn commitments() {
    for n in 0..20_u8 {
        let value = vec![n; usize::from(n) * 7];
        let commitment = commit(&Salt::new([n; 32]), &value);
        line(&json!({
            "kind": "commitment", "salt": hex(&[n; 32]), "value": hex(&value),
            "commitment": commitment,
        }));
    }
}

fn grant() -> Outcome {
    let from = Utc::parse("2026-11-20T12:00:00Z")?;
    let [hub, site, console] = [30, 31, 3].map(|seed| KeyPair::from_seed(&[seed; 32]));
    let claims = Claims {
        id: "grant-1".parse()?,
        hub: "alliance".parse()?,
        session: "session-1".parse()?,
        case: "case-1".parse()?,
        robot_serial: "RX-0042".into(),
        window: Window { from, until: from.plus_hours(30) },
        issued: from.plus_hours(-1),
        console_key: thumbprint(&console.public_key()),
        people: [("surgeon".parse()?, GrantRole::Control), ("local".parse()?, GrantRole::Standby)]
            .into(),
        procedure: "0SG00A1".parse()?,
        robot_model: "RX".parse()?,
        robot_firmware: FirmwareRange { from: Firmware(4, 0, 0), to: Firmware(4, 9, 9) },
        site: "kashgar".parse()?,
        rtt_max_us: 200_000,
        consent_hash: digest(b"consent"),
        plan_hash: digest(b"plan"),
        epoch_base: 7,
        log: LogHead { size: 1234, root: digest(b"root") },
    };
    let token = Token::new(&claims)?.sign(&hub).sign(&site);
    line(&json!({
        "kind": "grant", "grant": hex(&token.to_bytes()?), "claims": claims,
        "hub_key": hub.public_key(), "site_key": site.public_key(),
        "console_key": console.public_key(),
    }));
    Ok(())
}
