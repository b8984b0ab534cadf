//! A screw plan and how the screws came to lie, as a structured report (Comprehensive 3D SR, PS3.3
//! A.35.13), written and read back.
//!
//! The concepts are our own (coding scheme 99TELEHAND): the report carries exactly what the planner
//! shows. Points are 32-bit floats in DICOM, so they come back to 1e-4 mm; the plan's hash is over
//! the planner's own bytes and travels as text.

use super::compose::{Composer, WriteError, decimal, uid};
use super::instance::Origin;
use super::spatial::{Made, common};
use super::write::File;
use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use telehand_ortho::{PlanHash, RegistrationId, Screw, SeriesUid};
use telehand_vocab::Vec3;

/// Our coding scheme.
pub(super) const SCHEME: &str = "99TELEHAND";

/// A plan, its approvals, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanReport {
    /// Patient and study it belongs to.
    pub origin: Origin,
    /// When it was made.
    pub made: Made,
    /// The series it was drawn on.
    pub series: SeriesUid,
    /// Frame of Reference UID of that series.
    pub frame_of_reference: String,
    /// Version of the plan.
    pub version: u64,
    /// Hash of plan, series and registration.
    pub hash: PlanHash,
    /// The registration it is carried over by.
    pub registration: Option<RegistrationId>,
    /// Who approved this hash.
    pub approvals: Vec<ReportedApproval>,
    /// Every screw.
    pub screws: Vec<ReportedScrew>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedApproval {
    /// `remote` or `local`.
    pub role: String,
    /// The person.
    pub by: String,
    /// `YYYYMMDDHHMMSS`.
    pub at: String,
}

/// One screw as planned, and as it lies if that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportedScrew {
    /// The plan.
    pub screw: Screw,
    /// Least distance to the pedicle's wall, metres; negative: it stands out.
    pub margin: Option<f64>,
    /// Its uncertainty, metres.
    pub margin_uncertainty: Option<f64>,
    /// Predicted target registration error, metres.
    pub tre: Option<f64>,
    /// How it came to lie.
    pub result: Option<ReportedResult>,
}

/// How a screw came to lie. Lengths in metres, angles in radians.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportedResult {
    /// Lateral deviation in the plane through the entry.
    pub entry_lateral: f64,
    /// Lateral deviation in the plane through the tip.
    pub target_lateral: f64,
    /// Angle between the axes.
    pub angle: f64,
    /// Signed depth error along the plan, where it is known.
    pub depth: Option<f64>,
    /// Breach of the pedicle.
    pub breach: f64,
    /// Its uncertainty.
    pub breach_uncertainty: f64,
    /// Gertzbein-Robbins grade, `A` to `E`.
    pub grade: char,
    /// The second grader's.
    pub second_grade: Option<char>,
    /// The two graders disagree: a person must look.
    pub flagged: bool,
}

/// Writes the report.
pub fn encode_plan(report: &PlanReport) -> Result<File, WriteError> {
    let name = format!("plan/{}/{}{}", report.hash, report.made.date, report.made.time);
    let registration = report.registration.map_or_else(|| "none".into(), |id| id.to_string());
    let kind = if report.made.simulated { "SIMULATED" } else { "measured" };
    let mut content = vec![
        text("KIND", "Kind of data", kind),
        text("HASH", "Plan hash", &report.hash.to_string()),
        number("VERSION", "Plan version", report.version as f64, UNITLESS),
        text("REGISTRATION", "Registration", &registration),
        reference("SERIES", "Planned on series", report.series.as_str()),
        reference("FRAME", "Frame of reference", &report.frame_of_reference),
    ];
    content.extend(report.approvals.iter().map(approval));
    content.extend(report.screws.iter().map(|screw| reported(screw, &report.frame_of_reference)));
    let composer = common(&report.origin, &report.made, "SR", &name)
        .text(tags::COMPLETION_FLAG, VR::CS, "COMPLETE")
        .text(tags::VERIFICATION_FLAG, VR::CS, "UNVERIFIED")
        .sequence(
            tags::CODING_SCHEME_IDENTIFICATION_SEQUENCE,
            vec![Composer::new().text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, SCHEME).text(
                tags::CODING_SCHEME_NAME,
                VR::ST,
                "telehand: pedicle screw plans",
            )],
        )
        .sequence(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, Vec::new())
        .sequence(tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, Vec::new())
        .with(container("PLAN", "Pedicle screw plan", content, true));
    let bytes = composer.file(uids::COMPREHENSIVE3_DSR_STORAGE, &uid(&name))?;
    Ok(File { name: "plan.dcm".into(), bytes })
}

fn approval(approval: &ReportedApproval) -> Composer {
    let content = vec![
        text("ROLE", "Role", &approval.role),
        text("PERSON", "Person", &approval.by),
        item("DATETIME", "AT", "Time").text(tags::DATE_TIME, VR::DT, &approval.at),
    ];
    container("APPROVAL", "Approval", content, false)
}

fn reported(reported: &ReportedScrew, frame: &str) -> Composer {
    let screw = &reported.screw;
    let mut content = vec![
        text("SCREW", "Screw", &screw.id.to_string()),
        point("ENTRY", "Entry point", screw.entry, frame),
        point("TIP", "Tip", screw.tip, frame),
        number("DIAMETER", "Diameter", screw.diameter * 1e3, MILLIMETRE),
        number("LENGTH", "Length", screw.length() * 1e3, MILLIMETRE),
    ];
    let some = [
        ("MARGIN", "Margin", reported.margin),
        ("MARGIN_U", "Uncertainty of the margin", reported.margin_uncertainty),
        ("TRE", "Predicted target registration error", reported.tre),
    ];
    content.extend(some.into_iter().filter_map(|(code, meaning, value)| {
        Some(number(code, meaning, value? * 1e3, MILLIMETRE))
    }));
    content.extend(reported.result.as_ref().map(result));
    container("PEDICLE_SCREW", "Pedicle screw", content, false)
}

fn result(result: &ReportedResult) -> Composer {
    let mm = |code, meaning, metres: f64| number(code, meaning, metres * 1e3, MILLIMETRE);
    let mut content = vec![
        mm("ENTRY_DEV", "Lateral deviation at the entry", result.entry_lateral),
        mm("TARGET_DEV", "Lateral deviation at the tip", result.target_lateral),
        number("ANGLE_DEV", "Angular deviation", result.angle.to_degrees(), DEGREE),
        mm("BREACH", "Breach", result.breach),
        mm("BREACH_U", "Uncertainty of the breach", result.breach_uncertainty),
        text("GRADE", "Gertzbein-Robbins grade", &result.grade.to_string()),
        text("FLAGGED", "Graders disagree", if result.flagged { "YES" } else { "NO" }),
    ];
    content.extend(result.depth.map(|depth| mm("DEPTH_DEV", "Depth deviation", depth)));
    let second = result.second_grade.map(|grade| grade.to_string());
    content.extend(second.map(|grade| text("GRADE_2", "Grade by the second grader", &grade)));
    container("RESULT", "Result", content, false)
}

/// UCUM code and meaning.
type Unit = (&'static str, &'static str);
const MILLIMETRE: Unit = ("mm", "millimeter");
const DEGREE: Unit = ("deg", "degree");
const UNITLESS: Unit = ("1", "no units");

fn code(value: &str, scheme: &str, meaning: &str) -> Composer {
    Composer::new()
        .text(tags::CODE_VALUE, VR::SH, value)
        .text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme)
        .text(tags::CODE_MEANING, VR::LO, meaning)
}

/// A content item of `kind` without its value and without its relationship.
fn named(kind: &str, concept: &str, meaning: &str) -> Composer {
    Composer::new()
        .text(tags::VALUE_TYPE, VR::CS, kind)
        .sequence(tags::CONCEPT_NAME_CODE_SEQUENCE, vec![code(concept, SCHEME, meaning)])
}

fn item(kind: &str, concept: &str, meaning: &str) -> Composer {
    named(kind, concept, meaning).text(tags::RELATIONSHIP_TYPE, VR::CS, "CONTAINS")
}

fn container(concept: &str, meaning: &str, content: Vec<Composer>, root: bool) -> Composer {
    let container = if root {
        named("CONTAINER", concept, meaning)
    } else {
        item("CONTAINER", concept, meaning)
    };
    container
        .text(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE")
        .sequence(tags::CONTENT_SEQUENCE, content)
}

fn text(concept: &str, meaning: &str, text: &str) -> Composer {
    // An empty text is no text for DICOM.
    let text = if text.is_empty() { "-" } else { text };
    item("TEXT", concept, meaning).text(tags::TEXT_VALUE, VR::UT, text)
}

fn reference(concept: &str, meaning: &str, uid: &str) -> Composer {
    item("UIDREF", concept, meaning).text(tags::UID, VR::UI, uid)
}

fn number(concept: &str, meaning: &str, value: f64, unit: Unit) -> Composer {
    let value = Composer::new()
        .text(tags::NUMERIC_VALUE, VR::DS, &decimal(value))
        .value(tags::FLOATING_POINT_VALUE, VR::FD, PrimitiveValue::from(value))
        .sequence(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, vec![code(unit.0, "UCUM", unit.1)]);
    item("NUM", concept, meaning).sequence(tags::MEASURED_VALUE_SEQUENCE, vec![value])
}

fn point(concept: &str, meaning: &str, at: Vec3, frame: &str) -> Composer {
    let mm: Vec<f32> = (at * 1e3).to_array().into_iter().map(|v| v as f32).collect();
    item("SCOORD3D", concept, meaning)
        .text(tags::GRAPHIC_TYPE, VR::CS, "POINT")
        .value(tags::GRAPHIC_DATA, VR::FL, PrimitiveValue::F32(mm.into()))
        .text(tags::REFERENCED_FRAME_OF_REFERENCE_UID, VR::UI, frame)
}
