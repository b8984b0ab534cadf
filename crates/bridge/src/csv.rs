//! CSV (RFC 4180) for registries and spreadsheets: closed cases with their outcome, one a line.

use crate::fhir::word;
use telehand_alliance::entity::case::ClosedCase;
use telehand_alliance::ids::CaseId;
use telehand_alliance::state::Alliance;

const HEAD: [&str; 22] = [
    "case",
    "site",
    "region",
    "procedure",
    "surgeon",
    "standby",
    "robot",
    "urgency",
    "end",
    "referred",
    "done",
    "closed",
    "conversion",
    "clavien_30d",
    "clavien_90d",
    "blood_ml",
    "operating_min",
    "remote_min",
    "screws_abcde",
    "died_30d",
    "steps_local",
    "steps",
];

/// The closed cases that `sees` lets through.
pub fn closed_cases(alliance: &Alliance, sees: impl Fn(&CaseId) -> bool) -> String {
    let mut out = String::new();
    row(&mut out, &HEAD.map(str::to_owned));
    for (id, case) in alliance.closed().iter().filter(|(id, _)| sees(id)) {
        row(&mut out, &fields(id, case));
    }
    out
}

fn fields(id: &CaseId, case: &ClosedCase) -> [String; 22] {
    fn text(value: Option<impl ToString>) -> String {
        value.map_or_else(String::new, |value| value.to_string())
    }
    let o = case.outcome.as_ref();
    [
        id.to_string(),
        case.site.to_string(),
        case.region.to_string(),
        case.procedure.to_string(),
        text(case.surgeon.as_ref()),
        text(case.standby.as_ref()),
        text(case.robot.as_ref()),
        word(&case.urgency),
        word(&case.end),
        case.referred.to_string(),
        case.done.to_string(),
        case.closed.to_string(),
        text(o.map(|o| word(&o.conversion))),
        text(o.and_then(|o| o.clavien_30d.as_ref().map(word))),
        text(o.and_then(|o| o.clavien_90d.as_ref().map(word))),
        text(o.and_then(|o| o.blood_ml)),
        text(o.map(|o| o.operating_min)),
        text(o.map(|o| o.remote_min)),
        text(o.map(|o| o.screws.map(|count| count.to_string()).join(" "))),
        text(o.and_then(|o| o.died_30d)),
        text(o.map(|o| o.steps_local)),
        text(o.map(|o| o.steps)),
    ]
}

fn row(out: &mut String, fields: &[String; 22]) {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&quoted(field));
    }
    out.push_str("\r\n");
}

/// A field that a spreadsheet could take for a formula is quoted with a leading apostrophe.
fn quoted(field: &str) -> String {
    let field = match field.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') if field.parse::<f64>().is_err() => {
            format!("'{field}")
        }
        _ => field.to_owned(),
    };
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_survive_a_reader_and_start_no_formula() {
        assert_eq!(quoted("a"), "a");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=SUM(A1)"), "'=SUM(A1)");
        assert_eq!(quoted("-5"), "-5");
    }
}
