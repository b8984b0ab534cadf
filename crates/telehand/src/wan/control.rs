//! What may be asked of a running relay, and the JSON bodies that ask it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use telehand_sim::network::Direction;
use telehand_vocab::Span;
use thiserror::Error;

/// A request to the relay.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    /// Tell the state, change nothing.
    Look,
    /// Cut paths both ways, for a time or until restored.
    Cut(Which, Option<Span>),
    /// Mend paths cut by hand.
    Restore(Which),
    /// Change the conditions of paths; keys as in a profile.
    Set(Which, Vec<Direction>, toml::Table),
    /// End the relay.
    Stop,
}

/// One path, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Every path.
    All,
    /// The path of that name.
    Named(String),
}

/// A request that makes no sense. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}; nothing was changed")]
pub struct BadRequest {
    /// What is wrong and what would be right.
    pub message: String,
}

const CUT_MAX_S: f64 = 86_400.0;
const CUT_FORM: &str = r#"send {"path": "fibre", "for_s": 5}, without for_s to cut until restored"#;
const RESTORE_FORM: &str = r#"send {"path": "fibre"} or {"path": "all"}"#;
const SET_FORM: &str = r#"send {"path": "5g", "delay_ms": 80, "loss": 0.01}, keys as in a profile, with "direction": "out" or "back" for one way only"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CutBody {
    path: String,
    for_s: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RestoreBody {
    path: String,
}

/// The body of `POST /api/cut`.
pub fn parse_cut(body: &[u8]) -> Result<Control, BadRequest> {
    let CutBody { path, for_s } = read(body, CUT_FORM)?;
    let length = match for_s {
        None => None,
        Some(seconds) if seconds > 0.0 && seconds <= CUT_MAX_S => {
            Some(Span::from_secs_f64(seconds))
        }
        Some(seconds) => {
            return Err(bad(format!(
                "for_s = {seconds} is outside 0 to {CUT_MAX_S} s; {CUT_FORM}"
            )));
        }
    };
    Ok(Control::Cut(path.into(), length))
}

/// The body of `POST /api/restore`.
pub fn parse_restore(body: &[u8]) -> Result<Control, BadRequest> {
    let RestoreBody { path } = read(body, RESTORE_FORM)?;
    Ok(Control::Restore(path.into()))
}

/// The body of `POST /api/set`. The conditions' keys are judged later, against the path they change.
pub fn parse_set(body: &[u8]) -> Result<Control, BadRequest> {
    let mut table: toml::Table = read(body, SET_FORM)?;
    let mut text = |key| match table.remove(key) {
        None => Ok(None),
        Some(toml::Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(format!("`{key}` must be a text; {SET_FORM}"))),
    };
    let path = text("path")?.ok_or_else(|| bad(format!("`path` is missing; {SET_FORM}")))?;
    let directions = match text("direction")?.as_deref() {
        None | Some("both") => Direction::BOTH.to_vec(),
        Some("out") => vec![Direction::Out],
        Some("back") => vec![Direction::Back],
        Some(_) => return Err(bad(format!("`direction` must be out, back or both; {SET_FORM}"))),
    };
    if table.is_empty() {
        return Err(bad(format!("there is nothing to set; {SET_FORM}")));
    }
    Ok(Control::Set(path.into(), directions, table))
}

impl From<String> for Which {
    fn from(name: String) -> Self {
        if name == "all" { Self::All } else { Self::Named(name) }
    }
}

/// A refusal.
pub fn bad(message: impl Into<String>) -> BadRequest {
    BadRequest { message: message.into() }
}

fn read<T: DeserializeOwned>(body: &[u8], form: &str) -> Result<T, BadRequest> {
    serde_json::from_slice(body)
        .map_err(|error| bad(format!("the body is not understood ({error}); {form}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_sim::random::Random;

    #[test]
    fn s_072_bodies_mean_what_they_say() {
        let fibre = || Which::Named("fibre".into());
        let cut = |body: &str| parse_cut(body.as_bytes());
        assert_eq!(
            cut(r#"{"path":"fibre","for_s":5}"#),
            Ok(Control::Cut(fibre(), Some(Span::from_millis(5000))))
        );
        assert_eq!(cut(r#"{"path":"all"}"#), Ok(Control::Cut(Which::All, None)));
        assert_eq!(parse_restore(br#"{"path":"fibre"}"#), Ok(Control::Restore(fibre())));
        let Ok(Control::Set(which, directions, table)) =
            parse_set(br#"{"path":"fibre","direction":"back","delay_ms":80}"#)
        else {
            panic!("refused")
        };
        assert_eq!((which, directions), (fibre(), vec![Direction::Back]));
        assert_eq!(table, toml::from_str("delay_ms = 80").unwrap());
    }

    #[test]
    fn s_073_a_bad_body_is_refused_with_what_would_be_right() {
        let message = |result: Result<Control, BadRequest>| result.unwrap_err().to_string();
        for body in [
            "",
            "{}",
            "[]",
            r#"{"path":1}"#,
            r#"{"path":"a","for_s":0}"#,
            r#"{"path":"a","for_s":1e99}"#,
            r#"{"path":"a","fors":1}"#,
        ] {
            let text = message(parse_cut(body.as_bytes()));
            assert!(text.contains(r#"send {"path""#), "{body}: {text}");
            assert!(text.ends_with("nothing was changed"), "{body}: {text}");
        }
        for body in [
            "null",
            r#"{"delay_ms":1}"#,
            r#"{"path":"a"}"#,
            r#"{"path":"a","loss":null}"#,
            r#"{"path":"a","direction":"up","loss":0}"#,
            r#"{"path":"a","direction":3,"loss":0}"#,
        ] {
            assert!(message(parse_set(body.as_bytes())).contains("send {"), "{body}");
        }
        assert!(message(parse_restore(b"\xff")).contains("send {"));
    }

    #[test]
    fn s_074_no_bytes_make_the_body_readers_panic() {
        let seeds: [&[u8]; 3] = [
            br#"{"path":"fibre","for_s":5}"#,
            br#"{"path":"5g","direction":"out","burst":{"model":"timed","mean_ms":20,"gap_ms":9}}"#,
            br#"{"path":"all","outage":[{"at_s":1,"for_s":2}],"rate_mbit_s":1e3}"#,
        ];
        let mut random = Random::new(74);
        let mut understood = 0;
        for round in 0..10_000 {
            let mut body = seeds[round % seeds.len()].to_vec();
            for _ in 0..random.below(4) {
                let place = random.below(body.len() as u64) as usize;
                body[place] = random.below(256) as u8;
            }
            understood += u32::from(parse_cut(&body).is_ok());
            understood += u32::from(parse_restore(&body).is_ok());
            understood += u32::from(parse_set(&body).is_ok());
        }
        assert!(understood > 1000, "the mutations leave some bodies whole: {understood}");
    }
}
