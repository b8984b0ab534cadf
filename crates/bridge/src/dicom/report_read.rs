//! Reading back our own structured report.

use super::instance;
use super::parse;
use super::refusal::Refused;
use super::report::{PlanReport, ReportedApproval, ReportedResult, ReportedScrew, SCHEME};
use super::spatial::{class, made};
use super::value::{items, number, numbers, text};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use telehand_ortho::{PlanHash, RegistrationId, Screw, ScrewId, SeriesUid};
use telehand_vocab::Vec3;

/// Reads a report that this program wrote; another program's is refused by what it lacks.
pub fn read_plan(bytes: &[u8]) -> Result<PlanReport, Refused> {
    let parsed = parse::file(bytes)?;
    class(&parsed, uids::COMPREHENSIVE3_DSR_STORAGE)?;
    let root = Content(&parsed.object);
    if root.concept().as_deref() != Some("PLAN") {
        return Err(Refused::Missing { attribute: "Pedicle screw plan (99TELEHAND, PLAN)" });
    }
    let registration = match root.text("REGISTRATION", "Registration")?.as_str() {
        "none" => None,
        hex => Some(RegistrationId::from_hex(hex).ok_or_else(|| wrong("Registration", hex))?),
    };
    let hash = root.text("HASH", "Plan hash")?;
    let series = root.reference("SERIES", "Planned on series")?;
    let approvals = root.all("APPROVAL").map(|of| approval(&of)).collect::<Result<_, _>>()?;
    let screws = root.all("PEDICLE_SCREW").map(|of| screw(&of)).collect::<Result<_, _>>()?;
    Ok(PlanReport {
        origin: instance::origin(&parsed.object),
        made: made(&parsed.object),
        series: SeriesUid::new(&series).map_err(|_| wrong("Planned on series", &series))?,
        frame_of_reference: root.reference("FRAME", "Frame of reference")?,
        version: root.number("VERSION", "Plan version")? as u64,
        hash: PlanHash::from_hex(&hash).ok_or_else(|| wrong("Plan hash", &hash))?,
        registration,
        approvals,
        screws,
    })
}

fn wrong(attribute: &'static str, value: &str) -> Refused {
    let value = value.chars().take(80).collect();
    Refused::Value { attribute, value, allowed: "what this program writes" }
}

fn approval(of: &Content<'_>) -> Result<ReportedApproval, Refused> {
    let at = of.one("AT", "Time")?;
    Ok(ReportedApproval {
        role: of.text("ROLE", "Role")?,
        by: of.text("PERSON", "Person")?,
        at: text(at.0, tags::DATE_TIME).ok_or(Refused::Missing { attribute: "Time" })?,
    })
}

fn screw(of: &Content<'_>) -> Result<ReportedScrew, Refused> {
    let name = of.text("SCREW", "Screw")?;
    let id: ScrewId = name.parse().map_err(|_| wrong("Screw", &name))?;
    let mm = |code, meaning| of.maybe(code, meaning).map(|mm| mm.map(|mm| mm * 1e-3));
    Ok(ReportedScrew {
        screw: Screw {
            id,
            entry: of.point("ENTRY", "Entry point")?,
            tip: of.point("TIP", "Tip")?,
            diameter: of.number("DIAMETER", "Diameter")? * 1e-3,
        },
        margin: mm("MARGIN", "Margin")?,
        margin_uncertainty: mm("MARGIN_U", "Uncertainty of the margin")?,
        tre: mm("TRE", "Predicted target registration error")?,
        result: of.all("RESULT").next().map(|of| result(&of)).transpose()?,
    })
}

fn result(of: &Content<'_>) -> Result<ReportedResult, Refused> {
    let mm = |code, meaning| of.number(code, meaning).map(|mm| mm * 1e-3);
    let grade = |text: String| match text.as_bytes() {
        [letter @ b'A'..=b'E'] => Ok(char::from(*letter)),
        _ => Err(wrong("Gertzbein-Robbins grade", &text)),
    };
    let second = of.all("GRADE_2").next().and_then(|of| text(of.0, tags::TEXT_VALUE));
    Ok(ReportedResult {
        entry_lateral: mm("ENTRY_DEV", "Lateral deviation at the entry")?,
        target_lateral: mm("TARGET_DEV", "Lateral deviation at the tip")?,
        angle: of.number("ANGLE_DEV", "Angular deviation")?.to_radians(),
        depth: of.maybe("DEPTH_DEV", "Depth deviation")?.map(|mm| mm * 1e-3),
        breach: mm("BREACH", "Breach")?,
        breach_uncertainty: mm("BREACH_U", "Uncertainty of the breach")?,
        grade: grade(of.text("GRADE", "Gertzbein-Robbins grade")?)?,
        second_grade: second.map(grade).transpose()?,
        flagged: of.text("FLAGGED", "Graders disagree")? == "YES",
    })
}

/// A content item and what it contains.
struct Content<'a>(&'a InMemDicomObject);

impl<'a> Content<'a> {
    /// Its concept, if it is one of ours.
    fn concept(&self) -> Option<String> {
        let code = items(self.0, tags::CONCEPT_NAME_CODE_SEQUENCE).first()?;
        text(code, tags::CODING_SCHEME_DESIGNATOR).filter(|scheme| scheme == SCHEME)?;
        text(code, tags::CODE_VALUE)
    }

    fn all(&self, concept: &'static str) -> impl Iterator<Item = Content<'a>> {
        let inside = items(self.0, tags::CONTENT_SEQUENCE).iter().map(Content);
        inside.filter(move |item| item.concept().as_deref() == Some(concept))
    }

    fn one(&self, concept: &'static str, attribute: &'static str) -> Result<Self, Refused> {
        self.all(concept).next().ok_or(Refused::Missing { attribute })
    }

    fn text(&self, concept: &'static str, attribute: &'static str) -> Result<String, Refused> {
        let text = text(self.one(concept, attribute)?.0, tags::TEXT_VALUE);
        text.map(|text| if text == "-" { String::new() } else { text })
            .ok_or(Refused::Missing { attribute })
    }

    fn reference(&self, concept: &'static str, attribute: &'static str) -> Result<String, Refused> {
        text(self.one(concept, attribute)?.0, tags::UID).ok_or(Refused::Missing { attribute })
    }

    fn maybe(
        &self,
        concept: &'static str,
        attribute: &'static str,
    ) -> Result<Option<f64>, Refused> {
        let Some(item) = self.all(concept).next() else { return Ok(None) };
        let value = items(item.0, tags::MEASURED_VALUE_SEQUENCE).first();
        let value = value.and_then(|value| {
            number(value, tags::FLOATING_POINT_VALUE).or_else(|| number(value, tags::NUMERIC_VALUE))
        });
        value.map(Some).ok_or(Refused::Missing { attribute })
    }

    fn number(&self, concept: &'static str, attribute: &'static str) -> Result<f64, Refused> {
        self.maybe(concept, attribute)?.ok_or(Refused::Missing { attribute })
    }

    fn point(&self, concept: &'static str, attribute: &'static str) -> Result<Vec3, Refused> {
        let at: [f64; 3] = numbers(self.one(concept, attribute)?.0, tags::GRAPHIC_DATA)
            .ok_or(Refused::Missing { attribute })?;
        Ok(Vec3::from_array(at) * 1e-3)
    }
}
