//! Members, agreements, surgeons, stand-by surgeons, consent, the pause.

use super::{Findings, Question, Stage, standing};
use crate::entity::consent::Scope;
use crate::entity::member::Agreement;
use crate::entity::people::{Person, Role};
use crate::entity::privilege::{Privilege, PrivilegeRole, PrivilegeState};
use crate::ids::{ModelCode, OrgId};
use crate::mutant::{self, Mutant};
use crate::refusal::Rule;
use alloc::format;

pub(super) fn judge(question: &Question<'_>, findings: &mut Findings) {
    let state = question.state;
    let surgeon = state.person(&question.request.surgeon);
    let standby = state.person(&question.request.standby);
    members(question, surgeon, findings);
    person(question, surgeon, Role::Surgeon, findings);
    person(question, standby, Role::StandbySurgeon, findings);
    together(question, standby, findings);
    if question.stage != Stage::Booking {
        consent(question, findings);
        briefing(question, findings);
    }
}

///
fn members(question: &Question<'_>, surgeon: Option<&Person>, findings: &mut Findings) {
    let site = question.state.org_of(&question.case.site);
    let lead = surgeon.map(|surgeon| &surgeon.org);
    for (org, what) in [(site, "the patient's hospital"), (lead, "the surgeon's hospital")] {
        let org = org.and_then(|org| question.state.org(org));
        let ok = org.is_some_and(|org| org.takes_part(question.day));
        findings.add(Rule::Member, ok, "Renew or reinstate the membership.", || {
            let value = org.map_or_else(
                || "not known".into(),
                |org| format!("{:?} until {}", org.state, org.until),
            );
            (what, value, format!("a member on {}", question.day))
        });
    }
    let (Some(site), Some(lead)) = (site, lead) else { return };
    let open = question.state.site(&question.case.site).is_some_and(|site| site.open);
    if !open {
        findings.add(Rule::Member, false, "Choose a site that is open.", || {
            ("the patient's site", "closed", "open")
        });
    }
    if site != lead {
        agreement(question, site, lead, findings);
    }
}

fn agreement(question: &Question<'_>, site: &OrgId, lead: &OrgId, findings: &mut Findings) {
    let between = || {
        let covers = |known: &&Agreement| known.covers(&question.case.procedure);
        let all = question.state.agreements_of(site).filter(covers);
        all.filter(|known| known.parties.contains(lead))
    };
    let binding = between().find(|known| known.binds(question.day));
    findings.add(
        Rule::Member,
        binding.is_some(),
        "Sign an agreement of both hospitals that covers the procedure and the day.",
        || {
            let found = binding.or_else(|| between().next());
            let value = found.map_or_else(
                || "none".into(),
                |known| format!("{}: {} to {}", known.id, known.from, known.last_day()),
            );
            ("the agreement of the two hospitals", value, format!("binding on {}", question.day))
        },
    );
}

///
fn person(question: &Question<'_>, person: Option<&Person>, role: Role, findings: &mut Findings) {
    let standby = role == Role::StandbySurgeon;
    let who = if standby { "the stand-by surgeon" } else { "the surgeon" };
    let Some(person) = person else {
        let rule = if standby { Rule::StandBy } else { Rule::Known };
        findings.add(rule, false, "Name somebody who is known.", || (who, "not known", "a person"));
        return;
    };
    let acts = person.acts_as(role);
    let rule = match () {
        () if person.suspended.is_some() => Rule::Suspended,
        () if standby => Rule::StandBy,
        () => Rule::Suspended,
    };
    findings.add(rule, acts, "Name somebody else, or ask the committee.", || {
        let value = match &person.suspended {
            Some(_) => "suspended",
            None if !person.active => "left",
            None if acts => "in service",
            None => "without the role",
        };
        (format!("{who} {}", person.name), value, "in service, in that role")
    });
    licence(question, person, who, findings);
    privilege(question, person, standby, who, findings);
}

fn licence(question: &Question<'_>, person: &Person, who: &str, findings: &mut Findings) {
    let Some(site) = question.state.site(&question.case.site) else { return };
    let until = person.licensed_until(&site.id, &site.jurisdiction);
    let ok = until.is_some_and(|until| question.day <= until);
    findings.add(Rule::Licence, ok, "File the licence for this site.", || {
        let value = until.map_or_else(|| "none".into(), |until| format!("until {until}"));
        (format!("the licence of {who} at {}", site.name), value, format!("on {}", question.day))
    });
}

fn privilege(
    question: &Question<'_>,
    person: &Person,
    standby: bool,
    who: &str,
    findings: &mut Findings,
) {
    let Some(model) = question.state.robot(&question.request.robot).map(|robot| &robot.model)
    else {
        return;
    };
    let role = if standby { PrivilegeRole::LocalStandby } else { PrivilegeRole::RemoteLead };
    let found = best(question, person, role, model);
    let granted = found.is_some_and(|known| known.state == PrivilegeState::Granted);
    let rule = match found {
        Some(known) if known.state == PrivilegeState::Suspended => Rule::Suspended,
        _ if standby => Rule::StandBy,
        _ => Rule::Privilege,
    };
    findings.add(rule, granted, "Ask the committee of the surgeon's hospital.", || {
        let value = found.map_or_else(|| "none".into(), |known| format!("{:?}", known.state));
        let procedure = &question.case.procedure;
        (format!("the privilege of {who} for {procedure} on {model}"), value, "granted")
    });
    let Some(found) = found.filter(|_| granted) else { return };
    if !mutant::is(Mutant::NoLapse) {
        standing::judge(question.state, found, question.now.day(), question.day, who, findings);
    }
}

/// The granted one if there is one, else whatever there is.
fn best<'a>(
    question: &Question<'a>,
    person: &Person,
    role: PrivilegeRole,
    model: &ModelCode,
) -> Option<&'a Privilege> {
    question
        .state
        .privileges_of(&person.id)
        .filter(|known| {
            known.role == role
                && known.procedure == question.case.procedure
                && known.robot_model == *model
        })
        .max_by_key(|known| (known.state == PrivilegeState::Granted, known.until))
}

/// the stand-by surgeon belongs to the patient's hospital and is somebody else.
fn together(question: &Question<'_>, standby: Option<&Person>, findings: &mut Findings) {
    let here = standby.map(|person| &person.org) == question.state.org_of(&question.case.site);
    findings.add(Rule::StandBy, here, "Name a stand-by surgeon of the patient's hospital.", || {
        let value = standby.map_or_else(|| "nobody".into(), |person| format!("of {}", person.org));
        ("the stand-by surgeon's hospital", value, "the patient's")
    });
    let two = question.request.surgeon != question.request.standby;
    findings.add(Rule::TwoPeople, two, "Name two people.", || {
        ("surgeon and stand-by surgeon", if two { "two people" } else { "one person" }, "two")
    });
}

///
fn consent(question: &Question<'_>, findings: &mut Findings) {
    let given = question.case.consent.as_ref().and_then(|id| question.state.consent(id));
    let withdrawn = given.is_some_and(|consent| consent.withdrawn.is_some());
    let form = given.and_then(|consent| question.state.form(&consent.version));
    let valid_until = given
        .zip(form)
        .map(|(consent, form)| consent.signed.day().plus(i32::from(form.valid_days)));
    let scoped = given.is_some_and(|consent| {
        [Scope::Treat, Scope::Remote].iter().all(|scope| consent.scopes.contains(scope))
    });
    let in_date = valid_until.is_some_and(|until| question.day <= until);
    let ok = scoped && in_date && !withdrawn;
    findings.add(
        Rule::Consent,
        ok || mutant::is(Mutant::NoConsent),
        "Explain the valid form to the patient and enter the signed consent.",
        || {
            let value = match (given, valid_until) {
                (None, _) => "none".into(),
                (Some(_), _) if withdrawn => "withdrawn".into(),
                (Some(consent), Some(until)) => {
                    format!("version {} for {:?}, until {until}", consent.version, consent.scopes)
                }
                (Some(consent), None) => format!("version {} is not known", consent.version),
            };
            let limit = format!("treatment and remote surgeon, on {}", question.day);
            ("the patient's consent", value, limit)
        },
    );
}

///
fn briefing(question: &Question<'_>, findings: &mut Findings) {
    let held = question.case.briefing.as_ref();
    findings.add(Rule::Briefing, held.is_some(), "Pause, tick every point, enter it.", || {
        let value = held.map_or_else(|| "not yet".into(), |briefing| format!("{}", briefing.at));
        ("the team's pause before the first cut", value, "held")
    });
}
