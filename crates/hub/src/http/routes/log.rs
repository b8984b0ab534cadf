//! The log for everybody: checkpoints, tiles, proofs, and the witnesses' signatures (C2SP tlog-tiles,
//! tlog-witness). Hashes only: nothing here says what happened.

use crate::http::call::{Call, Outcome, Reply};
use crate::http::log::LogSource;
use crate::http::office::Office;
use crate::http::problem::Problem;
use crate::http::route::{Method, Route};
use axum::http::StatusCode;
use serde_json::json;
use std::sync::Arc;
use telehand_alliance::log::{SignedCheckpoint, TileHashes, TileSource, VerifierKey, proof};

const TAG: &str = "log";

/// The rows.
pub const ROUTES: &[Route] = &[
    Route::slow(Method::Get, "/log/checkpoint", "log_checkpoint", checkpoint)
        .open()
        .about(TAG, "The newest signed checkpoint (C2SP signed note)"),
    Route::slow(Method::Get, "/log/tile/{level}/{a}", "log_tile", tile)
        .open()
        .about(TAG, "A tile of hashes: /log/tile/0/067, or .../067.p/N while it is not whole"),
    Route::slow(Method::Get, "/log/tile/{level}/{a}/{b}", "log_tile_2", tile)
        .open()
        .about(TAG, "The same for numbers above 999 (x001/067) or a partial tile"),
    Route::slow(Method::Get, "/log/tile/{level}/{a}/{b}/{c}", "log_tile_3", tile)
        .open()
        .about(TAG, "The same for numbers above 999,999 or a partial tile"),
    Route::slow(Method::Get, "/log/tile/{level}/{a}/{b}/{c}/{d}", "log_tile_4", tile)
        .open()
        .about(TAG, "The same for a partial tile above 999,999"),
    Route::slow(Method::Get, "/log/proof/{seq}", "log_proof", proof_of)
        .open()
        .about(TAG, "The proof that an event is in the newest checkpoint"),
    Route::slow(Method::Get, "/log/consistency/{old}", "log_consistency", consistency)
        .open()
        .about(TAG, "The proof that the newest checkpoint continues an older one"),
    Route::slow(Method::Post, "/log/witness/add-checkpoint", "log_cosign", cosign)
        .open()
        .about(TAG, "A witness hands in the newest checkpoint with its signature"),
];

fn source(office: &Office) -> Result<&Arc<dyn LogSource>, Problem> {
    let none = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "this hub keeps no log");
    office.log.as_ref().ok_or_else(none)
}

fn head(office: &Office) -> Result<(u64, Vec<u8>), Problem> {
    source(office)?.checkpoint().map_err(broken)?.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "the log is empty: nothing happened yet")
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn broken(error: anyhow::Error) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("the log cannot be read now: {error}"))
        .retry_after(1)
}

fn checkpoint(office: &Arc<Office>, _: &Call) -> Outcome {
    Ok(Reply::bytes("text/plain; charset=utf-8", head(office)?.1))
}

fn tile(office: &Arc<Office>, call: &Call) -> Outcome {
    let absent = || Problem::new(StatusCode::NOT_FOUND, "there is no such tile");
    let level = call.id::<u8>("level")?;
    let parts: Vec<&str> =
        ["a", "b", "c", "d"].iter().map(|n| call.parameter(n)).filter(|p| !p.is_empty()).collect();
    let (index, width) = tile_name(&parts).ok_or_else(absent)?;
    let tile = source(office)?.tile(level, index).ok_or_else(absent)?;
    let bytes = tile.to_bytes();
    let bytes = bytes.get(..width * 32).ok_or_else(absent)?;
    Ok(Reply::bytes("application/octet-stream", bytes.to_vec()))
}

/// `x001/067` or `067.p/17`: the tile's number and how many hashes of it.
fn tile_name(parts: &[&str]) -> Option<(u64, usize)> {
    let (parts, width) = match parts {
        [front @ .., last, width] if last.strip_suffix(".p").is_some() => {
            let width: usize = width.parse().ok().filter(|w| (1..256).contains(w))?;
            let mut parts = front.to_vec();
            parts.push(last.strip_suffix(".p")?);
            (parts, width)
        }
        _ => (parts.to_vec(), 256),
    };
    let count = parts.len();
    let mut index = 0_u64;
    for (place, part) in parts.into_iter().enumerate() {
        let digits = if place + 1 < count { part.strip_prefix('x')? } else { part };
        if digits.len() > 3 || digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        index = index * 1000 + digits.parse::<u64>().ok()?;
    }
    (count > 0).then_some((index, width))
}

/// The dyn source as a tile source.
struct Tiles<'a>(&'a dyn LogSource);

impl TileSource for Tiles<'_> {
    fn tile(&self, level: u8, index: u64) -> Option<telehand_alliance::log::Tile> {
        self.0.tile(level, index)
    }
}

fn proof_of(office: &Arc<Office>, call: &Call) -> Outcome {
    let seq = call.id::<u64>("seq")?;
    let (size, note) = head(office)?;
    let source = source(office)?;
    let absent = || {
        Problem::new(StatusCode::NOT_FOUND, format!("the newest checkpoint has events 1 to {size}"))
    };
    let index = seq.checked_sub(1).filter(|index| *index < size).ok_or_else(absent)?;
    let tiles = Tiles(&**source);
    let path = proof::inclusion(&TileHashes::new(&tiles), index, size)
        .map_err(|fault| broken(anyhow::anyhow!("{fault}")))?;
    let leaf = source.leaf(index).map_err(broken)?.ok_or_else(absent)?;
    Ok(Reply::json(&json!({
        "seq": seq, "index": index, "size": size, "leaf_hash": leaf, "proof": path,
        "checkpoint": String::from_utf8_lossy(&note),
    })))
}

fn consistency(office: &Arc<Office>, call: &Call) -> Outcome {
    let old = call.id::<u64>("old")?;
    let (size, note) = head(office)?;
    if old == 0 || old > size {
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("there are sizes 1 to {size}")));
    }
    let tiles = Tiles(&**source(office)?);
    let path = proof::consistency(&TileHashes::new(&tiles), old, size)
        .map_err(|fault| broken(anyhow::anyhow!("{fault}")))?;
    Ok(Reply::json(&json!({
        "old": old, "size": size, "proof": path, "checkpoint": String::from_utf8_lossy(&note),
    })))
}

/// A signature counts when it is a known witness's over our own newest checkpoint.
fn cosign(office: &Arc<Office>, call: &Call) -> Outcome {
    let no = |status, words: &str| Err(Problem::new(status, words));
    let Ok(given) = SignedCheckpoint::parse(&call.body) else {
        return no(StatusCode::BAD_REQUEST, "the body is no signed checkpoint; nothing was done");
    };
    let source = source(office)?;
    let (_, note) = head(office)?;
    let Ok(mut own) = SignedCheckpoint::parse(&note) else {
        return no(StatusCode::SERVICE_UNAVAILABLE, "the log cannot be read now");
    };
    if given.checkpoint() != own.checkpoint() {
        return no(
            StatusCode::CONFLICT,
            "this is not the newest checkpoint; ask for it and sign that one",
        );
    }
    let witnesses: Vec<VerifierKey> =
        office.config.witnesses.iter().filter_map(|text| VerifierKey::parse(text).ok()).collect();
    let known = given.cosigned_by(&witnesses);
    if known.is_empty() {
        return no(
            StatusCode::FORBIDDEN,
            "no signature of a known witness is on it; nothing was done",
        );
    }
    for signature in given.note().signatures() {
        let ours = witnesses.iter().any(|w| w.name == signature.name);
        if ours && !own.note().signatures().contains(signature) {
            own.add(signature.clone());
        }
    }
    source.cosign(own.to_string().into_bytes()).map_err(broken)?;
    Ok(Reply::json(&json!({"witnesses": known.len()})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tile_names_are_those_of_tlog_tiles() {
        assert_eq!(tile_name(&["067"]), Some((67, 256)));
        assert_eq!(tile_name(&["x001", "067"]), Some((1067, 256)));
        assert_eq!(tile_name(&["x001", "067.p", "17"]), Some((1067, 17)));
        for bad in [
            &["x067"][..],
            &["067", "067"],
            &["067.p", "0"],
            &["067.p", "256"],
            &["1000"],
            &[],
            &["-1"],
        ] {
            assert_eq!(tile_name(bad), None, "{bad:?}");
        }
    }
}
