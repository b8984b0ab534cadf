//! A small alliance on a hub's socket: made by the hub's own API out of the invented cast.

use super::authenticator::{Authenticator, session};
use super::client::{Answer, Client};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use telehand_alliance::command::{Command, Strength, Who};
use telehand_alliance::ids::{OrgId, PersonId};
use telehand_alliance::time::{Day, Utc};
use telehand_hub::cli::{self, InitArgs, Running};
use telehand_hub::clock;
use telehand_hub::http::joining::Invitation;
use telehand_hub::http::route::Act;
use telehand_hub::http::table;
use telehand_hub::identity::signing::SigningKey;
use telehand_sim::alliance::cast::{self, Cast, FOUNDED};
use telehand_sim::alliance::lifecycle::hub::SimHub;
use telehand_sim::random::Random;

/// A hub, its people and machines.
pub struct World {
    pub dir: PathBuf,
    pub running: Option<Running>,
    pub runtime: tokio::runtime::Runtime,
    pub nobody: Client,
    pub authority: String,
    pub operator: OrgId,
    pub admin: PersonId,
    pub admin_client: Client,
    pub machines: BTreeMap<String, (Client, SigningKey)>,
    pub invitations: BTreeMap<String, Invitation>,
}

/// A directory that goes with its test.
pub fn directory(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("telehand-hub-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    dir
}

impl World {
    /// Founds an alliance and starts its hub over TLS; the first administrator enrols by the link.
    pub fn found(name: &str) -> Self {
        let dir = directory(name);
        let made = cli::make(&InitArgs {
            dir: dir.clone(),
            name: "Test alliance".into(),
            host: Some("localhost".into()),
            port: 8470,
            administrator: "First Administrator".into(),
            contact: "desk".into(),
        })
        .unwrap();
        let settings = dir.join("hub.toml");
        let text = std::fs::read_to_string(&settings).unwrap();
        let text = text
            .replace("rate_per_s = 100", "rate_per_s = 100000")
            .replace("rate_burst = 400", "rate_burst = 100000")
            .replace("access_log = \"stderr\"", "access_log = \"access.log\"");
        std::fs::write(&settings, text).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let running = runtime.block_on(cli::start(&dir, Some(listen), false)).unwrap();
        let authority = std::fs::read_to_string(dir.join("tls/authority.pem")).unwrap();
        let nobody = Client::new(running.address, Some(&authority));
        let mut passkey = Authenticator::new(&running.url());
        let enrolled = passkey.enrol(&nobody, &made.enrolment);
        assert_eq!(enrolled.status, 200, "{}", enrolled.text());
        let admin_client = nobody.with(&session(&enrolled));
        let me = admin_client.get("/v1/me").json();
        let operator = me["org"].as_str().unwrap().parse().unwrap();
        let admin = me["person"].as_str().unwrap().parse().unwrap();
        Self {
            dir,
            running: Some(running),
            runtime,
            nobody,
            authority,
            operator,
            admin,
            admin_client,
            machines: BTreeMap::new(),
            invitations: BTreeMap::new(),
        }
    }

    /// Plays the invented cast's founding through the API, and joins two machines.
    pub fn populate(&mut self) -> Cast {
        let mut sim = SimHub::default();
        sim.script = Some(Vec::new());
        let cast = cast::found(&mut sim, &mut Random::new(7)).unwrap();
        // Nobody changes their own roles: the first administrator hires who does the rest.
        let second = json!({
            "id": "op-second", "org": self.operator, "name": "Second", "active": true,
            "roles": ["administrator", "committee", "clinical_engineer"],
        });
        good(&self.admin_client.send("POST", "/v1/people", &second), "second");
        self.admin = "op-second".parse().unwrap();
        for (context, command) in sim.script.unwrap_or_default() {
            let client = match &context.actor.who {
                Who::Person(person) => self.person(person.to_string().as_str()),
                _ => continue,
            };
            if let Command::InviteOrg { org, administrator } = &command {
                let body = self.local(&json!({
                    "org": org, "administrator": administrator, "site": format!("{}-site", org.id),
                }));
                let invited = client.send("POST", "/v1/orgs:invite", &body);
                good(&invited, "invite");
                let invitation: Invitation = serde_json::from_slice(&invited.body).unwrap();
                assert!(invitation.holds());
                self.invitations.insert(org.id.to_string(), invitation);
                continue;
            }
            let answer = self.drive(&client, context.reason.as_deref(), &command);
            good(&answer, &format!("{command:?}"));
        }
        for org in ["h1", "h2"] {
            self.join(org);
        }
        let all: Vec<_> = telehand_alliance::entity::people::Role::ALL.iter().collect();
        let stranger = json!({
            "id": "h3-all", "org": "h3", "name": "Stranger", "roles": all, "active": true,
        });
        good(&self.person("h3-admin").send("POST", "/v1/people", &stranger), "stranger");
        cast
    }

    /// A hospital's machine comes in by its invitation.
    pub fn join(&mut self, org: &str) {
        let (tls, sign) = (SigningKey::generate(), SigningKey::generate());
        let joined = cli::ask(&self.invitations[org], &tls, &sign).unwrap();
        let client = self.nobody.machine(&joined.authority, &joined.certificate, &tls.pkcs8());
        self.machines.insert(org.to_owned(), (client, sign));
    }

    /// Somebody with a passkey's session.
    pub fn person(&self, name: &str) -> Client {
        let id: PersonId =
            if name == "op-admin" { self.admin.clone() } else { name.parse().unwrap() };
        let office = &self.running.as_ref().unwrap().office;
        let org = office.look(|a| a.person(&id).map(|person| person.org.clone()));
        let org = org.unwrap_or_else(|| panic!("{name} is not known"));
        let registry = &office.registry;
        let token = registry.begin_session(&id, &org, Strength::Passkey, clock::now_us()).unwrap();
        self.nobody.with(&token)
    }

    pub fn machine(&self, org: &str) -> Client {
        self.machines[org].0.clone()
    }

    /// A command as a request, by the route that takes it.
    pub fn drive(&self, client: &Client, reason: Option<&str>, command: &Command) -> Answer {
        let value = self.local(&serde_json::to_value(command).unwrap());
        let (name, fields) = value.as_object().unwrap().iter().next().unwrap();
        let mut fields = fields.as_object().unwrap().clone();
        let route = table::all()
            .iter()
            .find(|route| matches!(route.act, Act::Command(form) if form.command == name))
            .unwrap_or_else(|| panic!("no route takes {name}"));
        let path = fill(route.path, &mut fields);
        if let Some(reason) = reason {
            fields.insert("reason".into(), json!(reason));
        }
        client.send(route.method.name(), &path, &json!(fields))
    }

    /// The invention is founded on a day to come and has an operator of its own: here it is today,
    /// and ours.
    fn local(&self, value: &Value) -> Value {
        let shift = Utc(clock::now_us()).day() - FOUNDED;
        match value {
            Value::String(text) => match text.as_str() {
                "op" => json!(self.operator),
                "op-admin" => json!(self.admin),
                text => match (Day::parse(text), Utc::parse(text)) {
                    (Ok(day), _) => json!(day.plus(shift)),
                    (_, Ok(at)) => json!(at.plus_hours(24 * i64::from(shift))),
                    _ => value.clone(),
                },
            },
            Value::Array(items) => items.iter().map(|item| self.local(item)).collect(),
            Value::Object(fields) => {
                let own = |(key, value): (&String, &Value)| (key.clone(), self.local(value));
                Value::Object(fields.iter().map(own).collect::<Map<_, _>>())
            }
            _ => value.clone(),
        }
    }

    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop()).unwrap();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The path with its parameters out of the fields.
pub fn fill(path: &str, fields: &mut Map<String, Value>) -> String {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap();
        let value = fields.remove(name).unwrap_or_else(|| panic!("{path} needs {name}"));
        filled.push_str(before);
        filled.push_str(value.as_str().unwrap());
        rest = after;
    }
    filled + rest
}

pub fn good(answer: &Answer, what: &str) {
    assert!((200..300).contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
}
