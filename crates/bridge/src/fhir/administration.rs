//! Who belongs: organisations, places, people and what they may do, devices, networks.

use super::json::{
    coding, concept, contact, date, hl7, instant, quantity, reference, resource, word,
};
use super::{About, Resource};
use serde_json::{Value, json};
use telehand_alliance::entity::device::{Console, DeviceState, Firmware, Robot};
use telehand_alliance::entity::member::{Membership, Org, OrgKind, Room, Site};
use telehand_alliance::entity::network::{Path, Qualification};
use telehand_alliance::entity::people::Person;
use telehand_alliance::entity::privilege::{Privilege, PrivilegeState};
use telehand_alliance::ids::{ModelCode, SiteId};
use telehand_alliance::state::Alliance;

fn directory(json: Value) -> Resource {
    Resource { about: About::Directory, json }
}

pub fn organization(org: &Org) -> Resource {
    let kind = match org.kind {
        OrgKind::Hospital => "prov",
        OrgKind::Operator | OrgKind::Supplier => "bus",
    };
    directory(resource(
        "Organization",
        &org.id.to_string(),
        json!({
            "active": org.state == Membership::Member,
            "type": [hl7("organization-type", kind)],
            "name": org.name,
            "alias": [org.name_local],
            "telecom": contact(&org.contact_24h),
        }),
    ))
}

pub fn site(site: &Site) -> Resource {
    directory(resource(
        "Location",
        &site.id.to_string(),
        json!({
            "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": site.zone}],
            "status": if site.open { "active" } else { "inactive" },
            "name": site.name,
            "alias": [site.name_local],
            "mode": "instance",
            "address": {"country": "CN", "state": site.region.to_string()},
            "physicalType": hl7("location-physical-type", "si"),
            "position": {
                "longitude": f64::from(site.geo.longitude_udeg) * 1e-6,
                "latitude": f64::from(site.geo.latitude_udeg) * 1e-6,
            },
            "managingOrganization": reference("Organization", &site.org),
        }),
    ))
}

pub fn room(room: &Room) -> Resource {
    directory(resource(
        "Location",
        &room.id.to_string(),
        json!({
            "status": "active",
            "name": room.name,
            "mode": "instance",
            "physicalType": hl7("location-physical-type", "ro"),
            "partOf": reference("Location", &room.site),
        }),
    ))
}

pub fn practitioner(person: &Person) -> Resource {
    let licences = person.licences.iter().map(|licence| {
        json!({
            "identifier": [{"system": "urn:telehand:register", "value": licence.register}],
            "code": {"text": "licence to practise"},
            "period": {"end": date(licence.until)},
            "issuer": {"display": licence.jurisdiction.to_string()},
        })
    });
    let languages = person.languages.iter();
    directory(resource(
        "Practitioner",
        &person.id.to_string(),
        json!({
            "active": person.active && person.suspended.is_none(),
            "name": [{"text": person.name}],
            "qualification": licences.collect::<Vec<_>>(),
            "communication": languages
                .map(|tag| json!({"coding": [{"system": "urn:ietf:bcp:47", "code": tag}]}))
                .collect::<Vec<_>>(),
        }),
    ))
}

/// One for each role that a person has.
pub fn roles(person: &Person) -> impl Iterator<Item = Resource> + '_ {
    person.roles.iter().map(|role| {
        let role_word = word(role);
        let id = format!("{}.{}", person.id, role_word.replace('_', "-"));
        directory(resource(
            "PractitionerRole",
            &id,
            json!({
                "active": person.acts_as(*role),
                "practitioner": reference("Practitioner", &person.id),
                "organization": reference("Organization", &person.org),
                "code": [concept("role", role_word)],
            }),
        ))
    })
}

pub fn privilege(alliance: &Alliance, privilege: &Privilege) -> Resource {
    let org = alliance.person(&privilege.surgeon).map(|person| &person.org);
    directory(resource(
        "PractitionerRole",
        &privilege.id.to_string(),
        json!({
            "active": privilege.state == PrivilegeState::Granted,
            "period": {"start": date(privilege.from), "end": date(privilege.until)},
            "practitioner": reference("Practitioner", &privilege.surgeon),
            "organization": org.map(|org| reference("Organization", org)),
            "code": [concept("privilege-role", word(&privilege.role)),
                     concept("privilege-state", word(&privilege.state))],
            "specialty": [concept("procedure", &privilege.procedure),
                          concept("robot-model", &privilege.robot_model)],
        }),
    ))
}

struct Machine<'a> {
    id: String,
    kind: &'static str,
    site: &'a SiteId,
    model: &'a ModelCode,
    serial: &'a str,
    firmware: Firmware,
    state: DeviceState,
}

pub fn robot(alliance: &Alliance, robot: &Robot) -> Resource {
    device(
        alliance,
        &Machine {
            id: robot.id.to_string(),
            kind: "surgical-robot",
            site: &robot.site,
            model: &robot.model,
            serial: &robot.serial,
            firmware: robot.firmware,
            state: robot.state,
        },
    )
}

pub fn console(alliance: &Alliance, console: &Console) -> Resource {
    device(
        alliance,
        &Machine {
            id: console.id.to_string(),
            kind: "surgeon-console",
            site: &console.site,
            model: &console.model,
            serial: &console.serial,
            firmware: console.firmware,
            state: console.state,
        },
    )
}

fn device(alliance: &Alliance, machine: &Machine<'_>) -> Resource {
    directory(resource(
        "Device",
        &machine.id,
        json!({
            "status": if machine.state == DeviceState::Ready { "active" } else { "inactive" },
            "serialNumber": machine.serial,
            "deviceName": [{"name": machine.model.to_string(), "type": "model-name"}],
            "modelNumber": machine.model.to_string(),
            "type": concept("device", machine.kind),
            "version": [{"type": {"text": "firmware"}, "value": machine.firmware.to_string()}],
            "owner": alliance.org_of(machine.site).map(|org| reference("Organization", org)),
            "location": reference("Location", machine.site),
        }),
    ))
}

pub fn path(path: &Path) -> Resource {
    directory(resource(
        "Endpoint",
        &path.id.to_string(),
        json!({
            "status": if path.open { "active" } else { "off" },
            "connectionType": coding("medium", word(&path.medium)),
            "name": format!("{} - {} ({})", path.a, path.b, path.provider),
            "payloadType": [concept("payload", "tele-operation")],
            "address": format!("urn:telehand:path:{}", path.id),
        }),
    ))
}

/// What each path is qualified for.
pub fn qualifications(alliance: &Alliance) -> impl Iterator<Item = Resource> + '_ {
    alliance.paths().values().flat_map(move |path| {
        alliance.qualifications_of(&path.id).iter().map(move |one| qualification(path, one))
    })
}

fn qualification(path: &Path, one: &Qualification) -> Resource {
    let survey = &one.survey;
    let milliseconds = |us: u32| quantity(f64::from(us) * 1e-3, "ms");
    let component = |code: &str, value: Value| json!({"code": concept("network-metric", code), "valueQuantity": value});
    directory(resource(
        "Observation",
        &one.id.to_string(),
        json!({
            "status": "final",
            "category": [hl7("observation-category", "survey")],
            "code": concept("network-qualification", word(&one.class)),
            "subject": reference("Location", &path.a),
            "focus": [reference("Endpoint", &path.id), reference("Location", &path.b)],
            "effectivePeriod": {"start": instant(survey.from), "end": instant(survey.until)},
            "valueCodeableConcept": concept("network-grade", word(&one.grade)),
            "note": one.reasons.iter().map(|reason| json!({"text": reason})).collect::<Vec<_>>(),
            "component": [
                component("rtt-p50", milliseconds(survey.rtt_p50_us)),
                component("rtt-p99", milliseconds(survey.rtt_p99_us)),
                component("rtt-p999", milliseconds(survey.rtt_p999_us)),
                component("jitter-p99", milliseconds(survey.jitter_p99_us)),
                component("longest-gap", milliseconds(survey.longest_gap_us)),
                component("loss", quantity(f64::from(survey.loss_ppm), "[ppm]")),
            ],
        }),
    ))
}
