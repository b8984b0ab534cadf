//! One route: what it is called, who may use it, what it takes, what it does. A route exists only as a
//! row of the table in `table.rs`: there is no other way to answer a request.

use super::call::{Call, Outcome};
use super::office::Office;
use serde_json::Value;
use std::sync::Arc;
use telehand_alliance::entity::people::Role;
use telehand_alliance::state::Alliance;

/// A method that the hub knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the methods of RFC 9110")]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// From the name on the wire; `HEAD` is `GET` without a body.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "GET" | "HEAD" => Some(Self::Get),
            "POST" => Some(Self::Post),
            "PUT" => Some(Self::Put),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// Who may ask at all. What somebody may do to which thing is decided by the alliance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody who reaches the socket: health, the page, logging in, the public log.
    Anyone,
    /// Every person who is logged in and every site's machine.
    Member,
    /// People with one of these roles; none: any person.
    People(&'static [Role]),
    /// Such people, and sites' machines.
    PeopleOrMachine(&'static [Role]),
    /// Sites' machines only.
    Machine,
    /// Administrators of the organisation that runs the hub.
    Operator,
}

/// Whose things a route touches: what the test of A-002 tries to break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant {
    /// Nobody's: health, login, the log's hashes.
    None,
    /// The alliance's: every member sees it.
    Shared,
    /// One hospital's, or those whom a case concerns.
    Own,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// `/v1/cases/{case}:triage`: `{name}` is a parameter, `:verb` behind it part of the path.
    pub path: &'static str,
    /// The operation's name in `OpenAPI`, metrics and access log.
    pub id: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// The group in the reference.
    pub tag: &'static str,
    /// Who may ask.
    pub who: Who,
    /// Whose things.
    pub tenant: Tenant,
    /// Parameters behind the question mark.
    pub query: &'static [&'static str],
    /// What it does.
    pub act: Act,
}

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// Looks, and answers at once.
    Read(fn(&Office, &Call) -> Outcome),
    /// May wait for a disk or compute long: on a thread of its own.
    Slow(fn(&Arc<Office>, &Call) -> Outcome),
    /// Asks the alliance for one command, made of body and path.
    Command(Form),
}

/// How a command is made from a request.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// Its name in `alliance::Command`'s readable form.
    pub command: &'static str,
    /// The field that gets a new id.
    pub mint: Option<&'static str>,
    /// Fills in what the request leaves out, from what the alliance knows.
    pub fill: Option<Fill>,
    /// Parameters of the path that the command does not have: they name the thing around.
    pub around: &'static [&'static str],
    /// What is answered: the thing that was changed, looked up afterwards.
    pub show: Show,
}

/// Fills in what a request leaves out.
pub type Fill = fn(&Office, &Call, &mut Fields) -> Result<(), super::problem::Problem>;
/// The fields of a command.
pub type Fields = serde_json::Map<String, Value>;
/// Finds the thing that was changed, and its version.
pub type Show = fn(&Alliance, &Fields) -> Option<(Value, u64)>;

/// Answers only the number of the last event.
pub const NOTHING: Show = |_, _| None;

/// The thing of `field`'s id, and its version.
pub fn shown<I: std::str::FromStr, T: serde::Serialize>(
    fields: &Fields,
    field: &str,
    find: impl FnOnce(&I) -> Option<T>,
) -> Option<(Value, u64)> {
    let id = fields.get(field)?.as_str()?.parse().ok()?;
    let value = serde_json::to_value(find(&id)?).ok()?;
    let version = value.get("version").and_then(Value::as_u64).unwrap_or(0);
    Some((value, version))
}

impl Route {
    const fn new(method: Method, path: &'static str, id: &'static str, act: Act) -> Self {
        let (who, tenant) = (Who::Member, Tenant::Shared);
        Self { method, path, id, about: "", tag: "", who, tenant, query: &[], act }
    }

    /// A question that is answered at once.
    pub const fn read(
        path: &'static str,
        id: &'static str,
        handler: fn(&Office, &Call) -> Outcome,
    ) -> Self {
        Self::new(Method::Get, path, id, Act::Read(handler))
    }

    /// A command to the alliance.
    pub const fn command(
        method: Method,
        path: &'static str,
        command: &'static str,
        show: Show,
    ) -> Self {
        let form = Form { command, mint: None, fill: None, around: &[], show };
        Self::new(method, path, command, Act::Command(form))
    }

    /// Something that may take its time.
    pub const fn slow(
        method: Method,
        path: &'static str,
        id: &'static str,
        handler: fn(&Arc<Office>, &Call) -> Outcome,
    ) -> Self {
        Self::new(method, path, id, Act::Slow(handler))
    }

    /// With a name of its own.
    pub const fn named(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }

    /// With what it does, and its group.
    pub const fn about(mut self, tag: &'static str, about: &'static str) -> Self {
        self.tag = tag;
        self.about = about;
        self
    }

    /// With who may ask.
    pub const fn who(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    /// About one hospital's things, or those whom a case concerns.
    pub const fn own(mut self) -> Self {
        self.tenant = Tenant::Own;
        self
    }

    /// For everybody who reaches the socket.
    pub const fn open(mut self) -> Self {
        self.who = Who::Anyone;
        self.tenant = Tenant::None;
        self
    }

    /// With parameters behind the question mark.
    pub const fn query(mut self, query: &'static [&'static str]) -> Self {
        self.query = query;
        self
    }

    /// A new id for this field.
    pub const fn mint(mut self, field: &'static str) -> Self {
        if let Act::Command(mut form) = self.act {
            form.mint = Some(field);
            self.act = Act::Command(form);
        }
        self
    }

    /// With what fills in the rest.
    pub const fn fill(mut self, fill: Fill) -> Self {
        if let Act::Command(mut form) = self.act {
            form.fill = Some(fill);
            self.act = Act::Command(form);
        }
        self
    }

    /// With parameters of the path that the command does not have.
    pub const fn around(mut self, around: &'static [&'static str]) -> Self {
        if let Act::Command(mut form) = self.act {
            form.around = around;
            self.act = Act::Command(form);
        }
        self
    }

    /// Whether it changes something.
    #[must_use]
    pub const fn writes(&self) -> bool {
        !matches!(self.method, Method::Get)
    }

    /// The names of the path's parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('{').skip(1).filter_map(|part| part.split('}').next())
    }

    /// The parameters of a path that is this route's; `None` for another path.
    #[must_use]
    pub fn matches<'a>(&self, path: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
        let mut found = Vec::new();
        let (mut own, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (own.next(), given.next()) {
                (None, None) => return Some(found),
                (Some(own), Some(given)) => match own.strip_prefix('{') {
                    None if own == given => {}
                    None => return None,
                    Some(own) => {
                        let (name, verb) = own.split_once('}')?;
                        let value = match verb {
                            "" => given,
                            verb => given.strip_suffix(verb)?,
                        };
                        // A colon begins a verb: it is in no id.
                        if value.is_empty() || value.contains(':') {
                            return None;
                        }
                        found.push((name, value));
                    }
                },
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &'static str) -> Route {
        Route {
            method: Method::Get,
            path,
            id: "x",
            about: "",
            tag: "",
            who: Who::Anyone,
            tenant: Tenant::None,
            query: &[],
            act: Act::Read(|_, _| Ok(super::super::call::Reply::empty())),
        }
    }

    #[test]
    fn a_path_matches_its_own_route_only() {
        let one = route("/v1/cases/{case}");
        assert_eq!(one.matches("/v1/cases/c-1"), Some(vec![("case", "c-1")]));
        for other in
            ["/v1/cases", "/v1/cases/", "/v1/cases/c-1/x", "/v1/cases/c-1:triage", "/v1/case/c"]
        {
            assert_eq!(one.matches(other), None, "{other}");
        }
        let verb = route("/v1/sessions/{session}/grants/{grant}:sign");
        assert_eq!(
            verb.matches("/v1/sessions/s/grants/g:sign"),
            Some(vec![("session", "s"), ("grant", "g")])
        );
        for other in [
            "/v1/sessions/s/grants/g",
            "/v1/sessions/s/grants/:sign",
            "/v1/sessions/s/grants/g:sign:sign",
        ] {
            assert_eq!(verb.matches(other), None, "{other}");
        }
        assert_eq!(verb.parameters().collect::<Vec<_>>(), ["session", "grant"]);
        assert_eq!(route("/v1/schedule:find").matches("/v1/schedule:find"), Some(vec![]));
    }
}
