//! The JSON schema of a command's fields, found by reading: a deserializer that has no input, but
//! notes what is asked of it and gives something that fits.
//!
//! So the schema is that of the code that reads requests, and needs no second description. Texts are
//! tried from a list until one is taken; every variant of every enum is tried once; a field is
//! required when reading fails without it.

use super::route::{Form, Route};
use serde::Deserialize;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use telehand_alliance::command::Command;

type Fault = de::value::Error;
type Picks = BTreeMap<String, usize>;

/// Runs of the reader at most, for one command.
const RUNS: usize = 5000;

/// Texts that are tried, and what it says of the field when one is taken.
const TEXTS: [(&str, &str); 9] = [
    ("free words", r#"{"type":"string","maxLength":280}"#),
    ("x1", r#"{"type":"string","pattern":"^[A-Za-z0-9._-]{1,64}$"}"#),
    ("2026-11-20", r#"{"type":"string","format":"date"}"#),
    ("2026-11-20T18:40:00Z", r#"{"type":"string","format":"date-time"}"#),
    (
        "0000000000000000000000000000000000000000000000000000000000000000",
        r#"{"type":"string","pattern":"^[0-9a-f]{64}$"}"#,
    ),
    (
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        r#"{"type":"string","pattern":"^[0-9a-f]{128}$"}"#,
    ),
    ("1.0.0", r#"{"type":"string","pattern":"^[0-9]+\\.[0-9]+\\.[0-9]+$"}"#),
    ("robot/x1", r#"{"type":"string","pattern":"^(person|robot|room|console|path)/.+$"}"#),
    ("A-001", r#"{"type":"string","pattern":"^A-[0-9]{3}$"}"#),
];

/// The body of a route: the command's fields without those of the path.
pub(super) fn body(form: &Form, route: &Route) -> Value {
    let mut schema =
        command(form.command).unwrap_or_else(|| json!({"type": "object", "properties": {}}));
    let given: Vec<&str> = route.parameters().collect();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for name in &given {
            properties.remove(*name);
        }
        properties.insert("reason".into(), json!({"type": ["string", "null"], "maxLength": 280}));
    }
    // What is made or filled in by the hub may be left out.
    let kept = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        form.fill.is_none() && !given.contains(&name) && form.mint != Some(name)
    };
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(kept);
    }
    if form.fill.is_some()
        && let Some(fields) = schema.as_object_mut()
    {
        // Shorter forms are taken too: what is left out is filled in.
        fields.remove("additionalProperties");
    }
    schema
}

fn command(name: &str) -> Option<Value> {
    let state = RefCell::new(State::default());
    // The first run only learns the names of the commands.
    let _ = Command::deserialize(Probe { path: String::new(), state: &state });
    let place = match state.borrow().nodes.get("") {
        Some(Node::Enum(names)) => names.iter().position(|known| *known == name)?,
        _ => return None,
    };
    let first = Picks::from([(String::new(), place)]);
    let mut state = State { picks: first, seen: Some(String::new()), ..State::default() };
    let mut waiting: Vec<(Picks, String, usize)> = Vec::new();
    let mut runs = 0;
    loop {
        state = settle(state, &mut runs)?;
        for (path, count) in std::mem::take(&mut state.found) {
            waiting.extend((1..count).map(|pick| (state.picks.clone(), path.clone(), pick)));
        }
        let Some((picks, path, pick)) = waiting.pop() else { break };
        state.picks = picks;
        state.picks.insert(path, pick);
    }
    Some(render(&state, &format!("<{name}>")))
}

/// Reads until every text is taken.
fn settle(mut state: State, runs: &mut usize) -> Option<State> {
    loop {
        *runs += 1;
        let (outcome, after) = run(state);
        state = after;
        if outcome || *runs > RUNS {
            return (*runs <= RUNS).then_some(state);
        }
        let last = state.last.take()?;
        let pick = state.picks.entry(last).or_insert(0);
        *pick += 1;
        if *pick >= TEXTS.len() {
            return None;
        }
    }
}

fn run(mut state: State) -> (bool, State) {
    state.last = None;
    let cell = RefCell::new(state);
    let outcome = Command::deserialize(Probe { path: String::new(), state: &cell }).is_ok();
    (outcome, cell.into_inner())
}

#[derive(Debug, Clone)]
enum Node {
    Text(usize),
    Integer(i64, u64),
    Number,
    Bool,
    Maybe,
    List,
    Tuple(usize),
    Table,
    Object(&'static [&'static str]),
    Enum(&'static [&'static str]),
    Unit,
}

#[derive(Debug, Clone, Default)]
struct State {
    picks: Picks,
    nodes: BTreeMap<String, Node>,
    /// The choices by which a node is reached.
    reach: BTreeMap<String, Picks>,
    /// The last text that was given: the one that an error is about.
    last: Option<String>,
    /// A field that is left out.
    omit: Option<String>,
    /// Enums that were seen for the first time, and how many variants they have.
    found: Vec<(String, usize)>,
    /// The enum whose variants are not to be explored: the command itself.
    seen: Option<String>,
}

struct Probe<'a> {
    path: String,
    state: &'a RefCell<State>,
}

impl<'a> Probe<'a> {
    fn note(&self, node: Node) {
        let mut state = self.state.borrow_mut();
        if !state.reach.contains_key(&self.path) {
            let picks = state.picks.clone();
            state.reach.insert(self.path.clone(), picks);
            if let Node::Enum(names) = &node
                && state.seen.as_deref() != Some(&self.path)
            {
                let found = (self.path.clone(), names.len());
                state.found.push(found);
            }
        }
        state.nodes.insert(self.path.clone(), node);
    }

    fn below(&self, step: &str) -> Probe<'a> {
        Probe { path: format!("{}{step}", self.path), state: self.state }
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $kind:ty;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.note(Node::Integer(<$kind>::MIN as i64, <$kind>::MAX as u64));
            visitor.$visit(1)
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Fault;

    integers! {
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(de::Error::custom("anything may stand here"))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.note(Node::Bool);
        visitor.visit_bool(true)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.note(Node::Number);
        visitor.visit_f64(1.0)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let pick = self.state.borrow().picks.get(&self.path).copied().unwrap_or(0);
        self.note(Node::Text(pick));
        self.state.borrow_mut().last = Some(self.path.clone());
        visitor.visit_str(TEXTS.get(pick).map_or("", |(text, _)| text))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.note(Node::Maybe);
        visitor.visit_some(self.below("?"))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.note(Node::List);
        visitor.visit_seq(Items { of: self, next: 0, count: 1, list: true })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.note(Node::Tuple(count));
        visitor.visit_seq(Items { of: self, next: 0, count, list: false })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.note(Node::Table);
        visitor.visit_map(Entries { of: self, given: false })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.note(Node::Object(fields));
        visitor.visit_map(Fields { of: self, left: fields, next: None })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.note(Node::Enum(names));
        let pick = self.state.borrow().picks.get(&self.path).copied().unwrap_or(0);
        let name = names.get(pick).copied().ok_or_else(Fault::from_empty)?;
        visitor.visit_enum(Chosen { name, of: self.below(&format!("<{name}>")) })
    }

    serde::forward_to_deserialize_any! {
        f32 char bytes byte_buf unit unit_struct tuple_struct identifier ignored_any
    }
}

trait Empty {
    fn from_empty() -> Self;
}

impl Empty for Fault {
    fn from_empty() -> Self {
        de::Error::custom("an enum without variants")
    }
}

struct Items<'a> {
    of: Probe<'a>,
    next: usize,
    count: usize,
    list: bool,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        if self.next >= self.count {
            return Ok(None);
        }
        let step = if self.list { "[]".to_owned() } else { format!("[{}]", self.next) };
        self.next += 1;
        seed.deserialize(self.of.below(&step)).map(Some)
    }
}

struct Entries<'a> {
    of: Probe<'a>,
    given: bool,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        if std::mem::replace(&mut self.given, true) {
            return Ok(None);
        }
        seed.deserialize(self.of.below("{k}")).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(self.of.below("{}"))
    }
}

struct Fields<'a> {
    of: Probe<'a>,
    left: &'static [&'static str],
    next: Option<&'static str>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        while let Some((first, rest)) = self.left.split_first() {
            self.left = rest;
            let path = format!("{}.{first}", self.of.path);
            if self.of.state.borrow().omit.as_ref() != Some(&path) {
                self.next = Some(first);
                let name: de::value::StrDeserializer<'_, Fault> = (*first).into_deserializer();
                return seed.deserialize(name).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let name = self.next.take().unwrap_or_default();
        seed.deserialize(self.of.below(&format!(".{name}")))
    }
}

struct Chosen<'a> {
    name: &'static str,
    of: Probe<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Chosen<'a> {
    type Error = Fault;
    type Variant = Payload<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Payload<'a>), Fault> {
        let name: de::value::StrDeserializer<'_, Fault> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Payload(self.of)))
    }
}

struct Payload<'a>(Probe<'a>);

impl<'de> VariantAccess<'de> for Payload<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        self.0.note(Node::Unit);
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Fault> {
        self.0.deserialize_tuple(count, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.0.deserialize_struct("", fields, visitor)
    }
}

fn render(state: &State, path: &str) -> Value {
    let Some(node) = state.nodes.get(path) else { return json!({}) };
    let below = |step: &str| render(state, &format!("{path}{step}"));
    match node {
        Node::Text(pick) => TEXTS
            .get(*pick)
            .and_then(|(_, schema)| serde_json::from_str(schema).ok())
            .unwrap_or_else(|| json!({"type": "string"})),
        Node::Integer(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Node::Number => json!({"type": "number"}),
        Node::Bool => json!({"type": "boolean"}),
        Node::Maybe => json!({"anyOf": [below("?"), {"type": "null"}]}),
        Node::List => json!({"type": "array", "items": below("[]")}),
        Node::Tuple(count) => {
            let items: Vec<_> = (0..*count).map(|place| below(&format!("[{place}]"))).collect();
            json!({"type": "array", "prefixItems": items, "minItems": count, "maxItems": count})
        }
        Node::Table => json!({"type": "object", "additionalProperties": below("{}")}),
        Node::Object(fields) => {
            let properties: Map<_, _> =
                fields.iter().map(|f| ((*f).to_owned(), below(&format!(".{f}")))).collect();
            let required: Vec<_> = fields.iter().filter(|f| required(state, path, f)).collect();
            json!({
                "type": "object", "properties": properties, "required": required,
                "additionalProperties": false,
            })
        }
        Node::Enum(names) => variants(state, path, names),
        Node::Unit => json!({}),
    }
}

fn variants(state: &State, path: &str, names: &[&str]) -> Value {
    let at = |name: &str| format!("{path}<{name}>");
    let unit = |name: &&&str| matches!(state.nodes.get(&at(name)), Some(Node::Unit));
    let plain: Vec<_> = names.iter().filter(unit).collect();
    let words = json!({"type": "string", "enum": plain});
    if plain.len() == names.len() {
        return words;
    }
    let mut all: Vec<_> = names
        .iter()
        .filter(|name| !plain.contains(name))
        .map(|name| {
            json!({
                "type": "object", "properties": {(*name): render(state, &at(name))},
                "required": [name], "additionalProperties": false,
            })
        })
        .collect();
    if !plain.is_empty() {
        all.push(words);
    }
    json!({"oneOf": all})
}

/// Whether reading fails without the field.
fn required(state: &State, path: &str, field: &str) -> bool {
    let Some(reach) = state.reach.get(path) else { return false };
    let mut picks = reach.clone();
    // Texts that were settled later, on the way to this node or elsewhere.
    for (place, node) in &state.nodes {
        if let Node::Text(pick) = node {
            picks.insert(place.clone(), *pick);
        }
    }
    let omit = Some(format!("{path}.{field}"));
    let (read, _) = run(State { picks, omit, seen: Some(String::new()), ..State::default() });
    !read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_says_what_the_reader_takes() {
        let referral = command("refer_case").unwrap();
        let of = |name: &str| &referral["properties"][name];
        assert_eq!(of("due"), &json!({"type": "string", "format": "date"}));
        assert_eq!(of("urgency")["enum"], json!(["elective", "soon", "urgent", "emergency"]));
        assert_eq!(of("referral")["pattern"], json!("^[0-9a-f]{64}$"));
        assert_eq!(of("centre")["anyOf"][1], json!({"type": "null"}));
        let required = referral["required"].as_array().unwrap();
        assert!(
            required.contains(&json!("site")) && !required.contains(&json!("centre")),
            "{required:?}"
        );
        let upload = command("upload_session").unwrap();
        let what = &upload["properties"]["events"]["items"]["properties"]["what"]["oneOf"];
        let started = what.as_array().unwrap().iter().find(|v| v["required"] == json!(["started"]));
        let epoch = &started.unwrap()["properties"]["started"]["properties"]["epoch"];
        assert_eq!(epoch, &json!({"type": "integer", "minimum": 0, "maximum": 4_294_967_295_u64}));
        assert_eq!(command("no_such_command"), None);
    }
}
