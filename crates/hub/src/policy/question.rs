//! What is asked of the policies: who would do what in which operation, under what circumstances.

use super::PolicyError;
use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
    Schema,
};
use std::collections::{HashMap, HashSet};

/// What somebody would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Plan the operation with this lead.
    Book,
    /// Sign the grant.
    Grant,
    /// Move the robot.
    Control,
    /// Take the robot at the table. For plans and audit: the take-over itself asks nobody.
    Takeover,
    /// Look on.
    Observe,
}

/// A hospital as the policies see it.
#[derive(Debug, Clone)]
pub struct Hospital {
    /// Its id.
    pub id: String,
    /// Joined, neither suspended nor left.
    pub member: bool,
    /// End of its agreement, microseconds UTC.
    pub agreement_until_us: i64,
}

/// A privilege as the policies see it.
#[derive(Debug, Clone)]
pub struct Privilege {
    /// Its id.
    pub id: String,
    /// Code of the procedure.
    pub procedure: String,
    /// Model of the robot.
    pub robot_model: String,
    /// `remote_lead`, `local_standby`, `mentor` or `proctor`.
    pub role: String,
    /// Granted and neither suspended nor lapsed.
    pub active: bool,
    /// Its end, microseconds UTC.
    pub until_us: i64,
}

/// A person as the policies see it.
#[derive(Debug, Clone)]
pub struct Person {
    /// The person's id.
    pub id: String,
    /// Where the person belongs.
    pub home: Hospital,
    /// Ids of the hospitals for which the person is licensed.
    pub licensed_at: Vec<String>,
    /// Ids of the person's privileges.
    pub privileges: Vec<String>,
    /// Suspended.
    pub suspended: bool,
    /// End of the currency that the last live drill gave, microseconds UTC.
    pub drill_until_us: i64,
}

/// The operation in question.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id: of the session, or of the case while there is no session.
    pub id: String,
    /// Where the patient lies.
    pub site: Hospital,
    /// Code of the procedure.
    pub procedure: String,
    /// Model of the robot.
    pub robot_model: String,
    /// The remote surgeon.
    pub lead: Person,
    /// On which the lead relies.
    pub lead_privilege: Privilege,
    /// The surgeon at the table.
    pub standby: Person,
    /// On which the stand-by relies.
    pub standby_privilege: Privilege,
}

/// What is so at the moment of asking.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "the policies speak of independent facts")]
pub struct Circumstances {
    /// Now, microseconds UTC.
    pub now_us: i64,
    /// The newest consent allows treatment at a distance and is not withdrawn.
    pub consent: bool,
    /// The patient agreed to this kind of observer.
    pub observe_consent: bool,
    /// The stand-by surgeon is in the room.
    pub standby_present: bool,
    /// Paths up whose qualification for this procedure is in date.
    pub paths_qualified: u8,
    /// No two of them share a provider or a duct.
    pub paths_diverse: bool,
    /// Console and robot fit, models and firmware.
    pub compatible: bool,
    /// Neither robot nor console is recalled or in maintenance.
    pub devices_in_service: bool,
    /// The person signed in with a passkey.
    pub phishing_resistant: bool,
}

/// A question to the policies.
#[derive(Debug, Clone)]
pub struct Question {
    /// What.
    pub action: Action,
    /// Who.
    pub person: Person,
    /// Where and with whom.
    pub session: Session,
    /// How things stand.
    pub circumstances: Circumstances,
}

impl Action {
    /// The word of the policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Grant => "grant",
            Self::Control => "control",
            Self::Takeover => "takeover",
            Self::Observe => "observe",
        }
    }
}

type Attributes = HashMap<String, RestrictedExpression>;

impl Question {
    pub(super) fn to_cedar(&self, schema: &Schema) -> Result<(Request, Entities), PolicyError> {
        let bad = |why: &dyn std::fmt::Display| PolicyError::Question(why.to_string());
        let request = Request::new(
            uid("Person", &self.person.id)?,
            uid("Action", self.action.name())?,
            uid("Session", &self.session.id)?,
            self.circumstances.to_cedar()?,
            Some(schema),
        )
        .map_err(|why| bad(&why))?;
        // One entity per id: the person is usually the lead or the stand-by.
        let Session { site, lead, standby, .. } = &self.session;
        let mut by_id: HashMap<EntityUid, Entity> = HashMap::new();
        let people = [&self.person, lead, standby];
        for hospital in people.iter().map(|person| &person.home).chain([site]) {
            let entity = hospital.to_cedar()?;
            by_id.insert(entity.uid(), entity);
        }
        for privilege in [&self.session.lead_privilege, &self.session.standby_privilege] {
            let entity = privilege.to_cedar()?;
            by_id.insert(entity.uid(), entity);
        }
        for person in people {
            let entity = person.to_cedar()?;
            by_id.insert(entity.uid(), entity);
        }
        let session = self.session.to_cedar()?;
        by_id.insert(session.uid(), session);
        // Types were fixed above; checking each entity against the schema again would double the cost.
        let entities =
            Entities::from_entities(by_id.into_values(), None).map_err(|why| bad(&why))?;
        Ok((request, entities))
    }
}

impl Hospital {
    fn to_cedar(&self) -> Result<Entity, PolicyError> {
        let attributes = Attributes::from([
            ("member".into(), RestrictedExpression::new_bool(self.member)),
            ("agreement_until_us".into(), RestrictedExpression::new_long(self.agreement_until_us)),
        ]);
        entity(uid("Hospital", &self.id)?, attributes, HashSet::new())
    }
}

impl Privilege {
    fn to_cedar(&self) -> Result<Entity, PolicyError> {
        let attributes = Attributes::from([
            ("procedure".into(), text(&self.procedure)),
            ("robot_model".into(), text(&self.robot_model)),
            ("role".into(), text(&self.role)),
            ("active".into(), RestrictedExpression::new_bool(self.active)),
            ("until_us".into(), RestrictedExpression::new_long(self.until_us)),
        ]);
        entity(uid("Privilege", &self.id)?, attributes, HashSet::new())
    }
}

impl Person {
    fn to_cedar(&self) -> Result<Entity, PolicyError> {
        let licensed = self
            .licensed_at
            .iter()
            .map(|site| Ok(RestrictedExpression::new_entity_uid(uid("Hospital", site)?)))
            .collect::<Result<Vec<_>, PolicyError>>()?;
        let attributes = Attributes::from([
            ("home".into(), reference("Hospital", &self.home.id)?),
            ("licensed_at".into(), RestrictedExpression::new_set(licensed)),
            ("suspended".into(), RestrictedExpression::new_bool(self.suspended)),
            ("drill_until_us".into(), RestrictedExpression::new_long(self.drill_until_us)),
        ]);
        let held = self.privileges.iter().map(|id| uid("Privilege", id));
        entity(uid("Person", &self.id)?, attributes, held.collect::<Result<_, _>>()?)
    }
}

impl Session {
    fn to_cedar(&self) -> Result<Entity, PolicyError> {
        let attributes = Attributes::from([
            ("site".into(), reference("Hospital", &self.site.id)?),
            ("procedure".into(), text(&self.procedure)),
            ("robot_model".into(), text(&self.robot_model)),
            ("lead".into(), reference("Person", &self.lead.id)?),
            ("lead_privilege".into(), reference("Privilege", &self.lead_privilege.id)?),
            ("standby".into(), reference("Person", &self.standby.id)?),
            ("standby_privilege".into(), reference("Privilege", &self.standby_privilege.id)?),
        ]);
        entity(uid("Session", &self.id)?, attributes, HashSet::new())
    }
}

impl Circumstances {
    fn to_cedar(self) -> Result<Context, PolicyError> {
        let flag = RestrictedExpression::new_bool;
        let pairs = [
            ("now_us", RestrictedExpression::new_long(self.now_us)),
            ("consent", flag(self.consent)),
            ("observe_consent", flag(self.observe_consent)),
            ("standby_present", flag(self.standby_present)),
            ("paths_qualified", RestrictedExpression::new_long(i64::from(self.paths_qualified))),
            ("paths_diverse", flag(self.paths_diverse)),
            ("compatible", flag(self.compatible)),
            ("devices_in_service", flag(self.devices_in_service)),
            ("phishing_resistant", flag(self.phishing_resistant)),
        ];
        Context::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value)))
            .map_err(|why| PolicyError::Question(why.to_string()))
    }
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn reference(kind: &'static str, id: &str) -> Result<RestrictedExpression, PolicyError> {
    Ok(RestrictedExpression::new_entity_uid(uid(kind, id)?))
}

fn uid(kind: &'static str, id: &str) -> Result<EntityUid, PolicyError> {
    let name: EntityTypeName =
        kind.parse().map_err(|why| PolicyError::Question(format!("{why}")))?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

fn entity(
    uid: EntityUid,
    attributes: Attributes,
    parents: HashSet<EntityUid>,
) -> Result<Entity, PolicyError> {
    Entity::new(uid, attributes, parents).map_err(|why| PolicyError::Question(why.to_string()))
}
