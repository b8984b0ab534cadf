//! What was agreed to, done and found: consents, sessions, outcomes, recordings, incidents.

use super::json::{
    coding, concept, hl7, instant, patient, patient_of, quantity, reference, resource, sha256, word,
};
use super::workflow::procedure as procedure_code;
use super::{About, Resource};
use serde_json::{Value, json};
use telehand_alliance::entity::case::ClosedCase;
use telehand_alliance::entity::consent::{Consent, Scope};
use telehand_alliance::entity::result::{
    Incident, IncidentClass, Recording, RecordingKind, Severity,
};
use telehand_alliance::entity::session::{GrantRecord, GrantRole, GrantState, Session};
use telehand_alliance::ids::{CaseId, ProcedureCode};
use telehand_alliance::state::Alliance;

fn of_case(case: &CaseId, json: Value) -> Resource {
    Resource { about: About::Case(case.clone()), json }
}

/// The patient of a case, open or closed.
fn subject(alliance: &Alliance, case: &CaseId) -> Value {
    alliance.case(case).map_or_else(|| patient_of(case), |known| patient(&known.pseudonym))
}

fn code_of<'a>(alliance: &'a Alliance, case: &CaseId) -> Option<&'a ProcedureCode> {
    let open = alliance.case(case).map(|known| &known.procedure);
    open.or_else(|| alliance.closed_case(case).map(|known| &known.procedure))
}

/// R4's model: what is permitted is told as a provision; R5 differs and is not told.
pub fn consent(alliance: &Alliance, consent: &Consent) -> Resource {
    let scope =
        if consent.scopes.contains(&Scope::Treat) { "treatment" } else { "patient-privacy" };
    let site = alliance.case(&consent.case).and_then(|case| alliance.org_of(&case.site));
    of_case(
        &consent.case,
        resource(
            "Consent",
            &consent.id.to_string(),
            json!({
                "identifier": [sha256(consent.document)],
                "status": if consent.withdrawn.is_some() { "inactive" } else { "active" },
                "scope": hl7("consentscope", scope),
                "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
                "patient": subject(alliance, &consent.case),
                "dateTime": instant(consent.signed),
                "performer": [subject(alliance, &consent.case)],
                "organization": site.map(|org| json!([reference("Organization", org)])),
                "policyRule": {"text": format!("consent form, version {}, {}", consent.version, consent.language)},
                "provision": {
                    "type": "permit",
                    "period": {"start": instant(consent.signed), "end": consent.withdrawn.map(instant)},
                    "action": consent.scopes.iter().map(|s| concept("consent-scope", word(s))).collect::<Vec<_>>(),
                },
            }),
        ),
    )
}

pub fn procedure(alliance: &Alliance, session: &Session) -> Resource {
    let status = match (session.started, session.ended) {
        (None, _) => "preparation",
        (Some(_), None) => "in-progress",
        (Some(_), Some(_)) => "completed",
    };
    let mut grants = session.grants.iter().filter_map(|id| alliance.grant(id));
    let people = grants.next_back().map_or(&[][..], |grant| &grant.people);
    let performers = people
        .iter()
        .filter(|(_, role)| {
            matches!(role, GrantRole::Control | GrantRole::Standby | GrantRole::Mentor)
        })
        .map(|(person, role)| {
            let home = alliance.person(person).map(|known| reference("Organization", &known.org));
            json!({"function": concept("session-role", word(role)),
                   "actor": reference("Practitioner", person), "onBehalfOf": home})
        });
    of_case(
        &session.case,
        resource(
            "Procedure",
            &session.id.to_string(),
            json!({
                "basedOn": [reference("ServiceRequest", &session.case)],
                "status": status,
                "code": code_of(alliance, &session.case).map(|code| procedure_code(alliance, code)),
                "subject": subject(alliance, &session.case),
                "performedPeriod": {"start": session.started.map(instant), "end": session.ended.map(instant)},
                "performer": performers.collect::<Vec<_>>(),
                "location": reference("Location", &session.site),
                "outcome": session.ended.map(|_| concept("session-end", match () {
                    () if session.converted => "converted-to-open",
                    () if session.taken_over => "taken-over-locally",
                    () => "remote",
                })),
                "usedReference": [reference("Device", &session.robot)],
            }),
        ),
    )
}

/// What came of a closed case; `None` where nobody filled the form in.
pub fn outcome(alliance: &Alliance, id: &CaseId, case: &ClosedCase) -> Option<Resource> {
    let summary = case.outcome.as_ref()?;
    let component = |code: &str, value: Value| json!({"code": concept("outcome", code), "valueQuantity": value});
    let minutes = |value: u16| quantity(f64::from(value), "min");
    let graded = |code: &str, grade: Option<String>| {
        grade.map(|grade| {
            json!({"code": concept("outcome", code),
                                 "valueCodeableConcept": concept("clavien-dindo", grade)})
        })
    };
    let screws =
        summary.screws.iter().zip(["A", "B", "C", "D", "E"]).filter(|(count, _)| **count > 0);
    let screws = screws.map(|(count, grade)| {
        component(&format!("screws-{grade}"), quantity(f64::from(*count), "{screws}"))
    });
    let mut components = vec![
        component("operating-time", minutes(summary.operating_min)),
        component("remote-time", minutes(summary.remote_min)),
    ];
    components
        .extend(summary.blood_ml.map(|ml| component("blood-loss", quantity(f64::from(ml), "mL"))));
    components.extend(graded("clavien-30d", summary.clavien_30d.as_ref().map(word)));
    components.extend(graded("clavien-90d", summary.clavien_90d.as_ref().map(word)));
    components.extend(screws);
    Some(of_case(
        id,
        resource(
            "Observation",
            &format!("{id}.outcome"),
            json!({
                "basedOn": [reference("ServiceRequest", id)],
                "status": "final",
                "category": [hl7("observation-category", "procedure")],
                "code": concept("outcome-of", procedure_text(alliance, &case.procedure)),
                "subject": patient_of(id),
                "effectiveDateTime": instant(case.done),
                "performer": alliance.org_of(&case.site).map(|org| json!([reference("Organization", org)])),
                "valueCodeableConcept": concept("conversion", word(&summary.conversion)),
                "component": components,
            }),
        ),
    ))
}

fn procedure_text(alliance: &Alliance, code: &ProcedureCode) -> String {
    alliance.procedure(code).map_or_else(|| code.to_string(), |known| known.code.to_string())
}

/// The manifest; the recording stays at the site.
pub fn recording(alliance: &Alliance, recording: &Recording) -> Resource {
    let media = match recording.kind {
        RecordingKind::Telemetry | RecordingKind::Video => "application/octet-stream",
        RecordingKind::Audio => "audio/ogg",
        RecordingKind::Imaging => "application/dicom",
    };
    let custodian = alliance.org_of(&recording.site).map(|org| reference("Organization", org));
    of_case(
        &recording.case,
        resource(
            "DocumentReference",
            &recording.id.to_string(),
            json!({
                "identifier": [sha256(recording.sha256)],
                "status": "current",
                "type": concept("recording", word(&recording.kind)),
                "subject": subject(alliance, &recording.case),
                "custodian": custodian,
                "content": [{
                    "attachment": {
                        "contentType": media,
                        "url": format!("urn:telehand:recording:{}", recording.id),
                        "title": format!("{} B, kept at the site until {}", recording.size_bytes, recording.keep_until),
                    },
                    "format": coding("recording", word(&recording.kind)),
                }],
            }),
        ),
    )
}

/// A session grant. FHIR has no word for it; the token itself goes to console and arm only.
pub fn grant(alliance: &Alliance, grant: &GrantRecord) -> Resource {
    let current = grant.state != GrantState::Revoked;
    of_case(
        &grant.case,
        resource(
            "DocumentReference",
            &grant.id.to_string(),
            json!({
                "status": if current { "current" } else { "superseded" },
                "docStatus": if grant.state == GrantState::Proposed { "preliminary" } else { "final" },
                "type": concept("document", "session-grant"),
                "subject": subject(alliance, &grant.case),
                "author": [reference("Practitioner", &grant.proposed_by)],
                "authenticator": grant.cosigned_by.as_ref().map(|person| reference("Practitioner", person)),
                "content": [{"attachment": {
                    "contentType": "application/cose",
                    "url": format!("urn:telehand:grant:{}", grant.id),
                }}],
                "context": {"period": {"start": instant(grant.window.from), "end": instant(grant.window.until)}},
            }),
        ),
    )
}

pub fn adverse_event(alliance: &Alliance, incident: &Incident) -> Resource {
    // The one kind for which HL7 has a word of its own.
    let device = incident.class == IncidentClass::Device;
    let case = incident.case.as_ref();
    let subject = case.map_or_else(
        || json!({"display": "no patient was involved"}),
        |case| subject(alliance, case),
    );
    let json = resource(
        "AdverseEvent",
        &incident.id.to_string(),
        json!({
            "actuality": if incident.class == IncidentClass::NearMiss { "potential" } else { "actual" },
            "category": [
                device.then(|| hl7("adverse-event-category", "product-problem")),
                concept("incident", word(&incident.class)),
            ],
            "event": {"text": incident.what},
            "subject": subject,
            "date": instant(incident.at),
            "seriousness": hl7("adverse-event-seriousness", match incident.severity {
                Severity::None | Severity::Minor => "Non-serious",
                Severity::Serious | Severity::Grave => "Serious",
            }),
            "location": reference("Location", &incident.site),
        }),
    );
    let about = case.map_or(About::Org(incident.org.clone()), |case| About::Case(case.clone()));
    Resource { about, json }
}
