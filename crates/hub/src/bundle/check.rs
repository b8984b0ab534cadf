//! Checks a bundle without any network: what holds, what does not, what was not looked at.

use telehand_alliance::grant::{Token, Trust, both_signed};
use telehand_alliance::log::{
    Checkpoint, Note, Quorum, SignedCheckpoint, VerifierKey, commit, digest, leaf_hash,
    verify_consistency, verify_inclusion,
};

use super::archive::{Files, unpack};
use super::export::numbered;
use super::make::seal_text;
use super::manifest::{CHECKPOINT, FORMAT, FileEntry, Kind, MANIFEST, Manifest, SEAL};
use super::report::{Mark, Report};

/// Whom the one who checks believes. What is not given is taken from the bundle itself, which then
/// shows that it is whole, but not who made it.
#[derive(Debug, Clone, Default)]
pub struct Believed {
    /// The log's key.
    pub log: Option<VerifierKey>,
    /// The witnesses' keys.
    pub witnesses: Vec<VerifierKey>,
    /// How many witnesses must have cosigned; two if not said.
    pub needed: Option<usize>,
    /// The key of the bundle's seal.
    pub seal: Option<VerifierKey>,
}

/// Checks everything in a bundle. Never panics, whatever the bytes are.
pub fn check_bundle(bytes: &[u8], believed: &Believed) -> Report {
    let mut report = Report::default();
    let archive = unpack(bytes).map_err(|e| e.to_string());
    let good = format!("{} bytes, in the one form", bytes.len());
    let Some(files) = report.judge("archive", archive, &good) else { return report };
    let manifest = read_manifest(&files);
    let Some((manifest, text)) = report.judge("manifest", manifest, "read") else { return report };
    let sealed = sealed(&files, &manifest, text, believed);
    let good = format!("case {}, made {}, by {}", manifest.case, manifest.made, manifest.seal_key);
    report.judge("seal", sealed, &good);
    contents(&mut report, &files, &manifest);
    if let Some(signed) = checkpoint(&mut report, &files, &manifest, believed) {
        let head = signed.checkpoint();
        leaves(&mut report, &files, &manifest, head);
        grants(&mut report, &files, &manifest, head);
    }
    documents(&mut report, &files, &manifest);
    if believed.log.is_none() || believed.witnesses.is_empty() || believed.seal.is_none() {
        let found = "some are the bundle's own: it is whole, but who made it is only claimed; \
                     give --key, --witness and --seal";
        report.line(Mark::Unchecked, "keys", found);
    }
    report
}

fn read_manifest(files: &Files) -> Result<(Manifest, &[u8]), String> {
    let text = files.get(MANIFEST).ok_or("there is none")?;
    let manifest: Manifest = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    if manifest.format == FORMAT {
        Ok((manifest, text))
    } else {
        Err(format!("format {:?}, and {FORMAT} is read", manifest.format))
    }
}

fn sealed(files: &Files, of: &Manifest, text: &[u8], believed: &Believed) -> Result<(), String> {
    let note = Note::parse(files.get(SEAL).ok_or("there is none")?).map_err(|e| e.to_string())?;
    let own = VerifierKey::parse(&of.seal_key).map_err(|e| e.to_string())?;
    let key = believed.seal.as_ref().unwrap_or(&own);
    if note.text() != seal_text(&of.case, text) {
        return Err("it is over another manifest".to_string());
    }
    if note.signed_by(key).is_none() || note.signatures().len() != 1 {
        return Err(format!("it is not signed by {} alone", key.name));
    }
    Ok(())
}

/// Exactly the files of the manifest, each with its length and hash, and every kind accounted for.
fn contents(report: &mut Report, files: &Files, manifest: &Manifest) {
    let mut bad = Vec::new();
    for (path, FileEntry { bytes, sha256, .. }) in &manifest.files {
        match files.get(path) {
            None => bad.push(format!("{path} is missing")),
            Some(file) if file.len() as u64 != *bytes || digest(file) != *sha256 => {
                bad.push(format!("{path} was changed"));
            }
            Some(_) => {}
        }
    }
    for path in files.keys().filter(|path| *path != MANIFEST && *path != SEAL) {
        if !manifest.files.contains_key(path) {
            bad.push(format!("{path} is not in the manifest"));
        }
    }
    let good = format!("{}, all as the manifest has them", manifest.files.len());
    report.judge("files", whole(&bad), &good);
    for kind in Kind::ALL {
        let count = manifest.files.values().filter(|file| file.kind == Some(kind)).count();
        match (count, manifest.absent.get(&kind)) {
            (0, Some(why)) => report.line(Mark::Unchecked, &name(kind), format!("absent: {why}")),
            (0, None) => report.line(Mark::Fails, &name(kind), "absent without a reason"),
            _ => report.line(Mark::Holds, &name(kind), format!("{count} in the bundle")),
        }
    }
}

fn checkpoint(
    report: &mut Report,
    files: &Files,
    manifest: &Manifest,
    believed: &Believed,
) -> Option<SignedCheckpoint> {
    let read = files.get(CHECKPOINT).ok_or_else(|| "there is none".to_string());
    let read = read.and_then(|note| SignedCheckpoint::parse(note).map_err(|e| e.to_string()));
    let signed = match read {
        Ok(signed) => signed,
        Err(why) => {
            report.line(Mark::Fails, "checkpoint", why);
            return None;
        }
    };
    let own = || -> Result<Quorum, String> {
        let parse = |text: &String| VerifierKey::parse(text).map_err(|e| e.to_string());
        let witnesses = manifest.witness_keys.iter().map(parse).collect::<Result<_, String>>()?;
        Ok(Quorum::two_of(parse(&manifest.log_key)?, witnesses))
    };
    let quorum = own().map(|own| Quorum {
        log: believed.log.clone().unwrap_or(own.log),
        witnesses: if believed.witnesses.is_empty() {
            own.witnesses
        } else {
            believed.witnesses.clone()
        },
        needed: believed.needed.unwrap_or(own.needed),
        hours: own.hours,
    });
    let Checkpoint { origin, size, .. } = signed.checkpoint();
    let good = format!("{origin}, {size} leaves, signed by the log and enough witnesses");
    report.judge("checkpoint", quorum.and_then(|quorum| quorum.holds(&signed)), &good)?;
    Some(signed)
}

fn leaves(report: &mut Report, files: &Files, manifest: &Manifest, head: &Checkpoint) {
    let mut bad = Vec::new();
    let mut last = None;
    for entry in &manifest.leaves {
        let Some(leaf) = files.get(&entry.path) else {
            bad.push(format!("{} is missing", entry.path));
            continue;
        };
        if last.is_some_and(|last| entry.index <= last) {
            bad.push(format!("leaf {} is out of order", entry.index));
        }
        last = Some(entry.index);
        let hash = leaf_hash(leaf);
        let proof = verify_inclusion(&hash, entry.index, head.size, &entry.proof, &head.root);
        if let Err(fault) = proof.map_err(|e| e.to_string()).and(numbered(leaf, entry.index)) {
            bad.push(format!("leaf {}: {fault}", entry.index));
        }
    }
    let listed = |path: &String| manifest.leaves.iter().any(|leaf| leaf.path == *path);
    for path in files.keys().filter(|p| p.starts_with("log/leaves/") && !listed(p)) {
        bad.push(format!("{path} has no proof"));
    }
    if manifest.leaves.is_empty() {
        bad.push("there is none".to_string());
    }
    let good = format!("{} in the log, each with its proof", manifest.leaves.len());
    report.judge("leaves", whole(&bad), &good);
}

/// Both signatures, the case, and that the log it was decided on is the beginning of this one.
fn grants(report: &mut Report, files: &Files, manifest: &Manifest, head: &Checkpoint) {
    let entries = manifest.files.iter().filter(|(_, file)| file.kind == Some(Kind::Grant));
    for (path, _) in entries {
        let judged = (|| {
            let bytes = files.get(path).ok_or("missing")?;
            let token = Token::parse(bytes).map_err(|e| e.to_string())?;
            let claims = token.claims();
            let trust = Trust {
                hubs: [(claims.hub.clone(), vec![manifest.hub_key])].into(),
                sites: [(claims.site.clone(), vec![manifest.site_key])].into(),
                ..Trust::default()
            };
            both_signed(&token, &trust).map_err(|e| e.to_string())?;
            if claims.case != manifest.case {
                return Err(format!("it is for case {}", claims.case));
            }
            let proof = manifest.grants.get(path).ok_or("no proof of the log it names")?;
            let then = claims.log;
            verify_consistency(then.size, head.size, &then.root, &head.root, proof)
                .map_err(|e| format!("the log it names is not the beginning of this one: {e}"))
        })();
        let good = "signed by hub and site, on a beginning of this log";
        report.judge(&format!("grant {path}"), judged, good);
    }
}

/// Which leaf or grant names each document: the others rest on the seal alone.
fn documents(report: &mut Report, files: &Files, manifest: &Manifest) {
    let is_anchor = |path: &str, file: &FileEntry| {
        file.kind == Some(Kind::Grant) || path.starts_with("log/leaves/")
    };
    let anchors: Vec<(&String, &Vec<u8>)> = manifest
        .files
        .iter()
        .filter(|(path, file)| is_anchor(path, file))
        .filter_map(|(path, _)| files.get_key_value(path))
        .collect();
    for (path, file) in &manifest.files {
        let (Some(kind), Some(bytes)) = (file.kind, files.get(path)) else { continue };
        if kind == Kind::Grant {
            continue;
        }
        let hash = file.salt.as_ref().map_or_else(|| digest(bytes), |salt| commit(salt, bytes).0);
        let named = |anchor: &&(&String, &Vec<u8>)| anchor.1.windows(32).any(|w| *w == hash.0);
        let what = format!("document {path}");
        match (anchors.iter().find(named), &file.salt) {
            (Some((anchor, _)), _) => report.line(Mark::Holds, &what, format!("named by {anchor}")),
            (None, Some(_)) => {
                report.line(Mark::Fails, &what, "its commitment is in no leaf and no grant");
            }
            (None, None) => report.line(Mark::Unchecked, &what, "vouched for by the seal alone"),
        }
    }
}

fn whole(bad: &[String]) -> Result<(), String> {
    if bad.is_empty() { Ok(()) } else { Err(bad.join("; ")) }
}

fn name(kind: Kind) -> String {
    serde_json::to_value(kind).ok().and_then(|v| v.as_str().map(str::to_string)).unwrap_or_default()
}
