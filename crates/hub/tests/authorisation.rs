//! every route of the table is asked by nobody, by somebody without the role, by another
//! hospital, and by the right one, over a socket. A route without a case here fails the test.
//!
//! The right ones, in this order, are the life of a case from referral to closure.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::assigning_clones,
    reason = "a test that cannot go on stops"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::client::{Answer, Client};
use support::world::{World, fill};
use telehand_alliance::entity::people::Role;
use telehand_alliance::grant::Token;
use telehand_alliance::time::Utc;
use telehand_hub::clock;
use telehand_hub::http::route::{Method, Route, Tenant, Who};
use telehand_hub::http::table;
use telehand_hub::identity::token::text;

const HASH: &str = "abababababababababababababababababababababababababababababababab";

struct Cases {
    world: World,
    covered: BTreeSet<&'static str>,
}

/// People of one hospital with few roles each: one of them lacks the role that a route asks for.
const WEAK: [(&str, &[Role]); 4] = [
    ("h1-nurse", &[Role::Nurse]),
    ("h1-scheduler", &[Role::Scheduler]),
    ("h1-admin", &[Role::Administrator]),
    ("h1-committee", &[Role::Committee, Role::Quality]),
];

impl Cases {
    /// The right request, after the wrong ones; `by` is a person or `machine:ORG`.
    fn right(&mut self, id: &str, by: &str, params: &Value, body: &Value) -> Answer {
        let route =
            table::all().iter().find(|route| route.id == id).unwrap_or_else(|| panic!("{id}"));
        self.covered.insert(route.id);
        let mut params = params.as_object().cloned().unwrap_or_default();
        let mut path = fill(route.path, &mut params);
        let query: Vec<_> = params
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
            .collect();
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        self.wrong(route, &path, body);
        let answer = ask(&self.client(by), route, &path, body);
        assert!(
            (200..300).contains(&answer.status),
            "{id} by {by}: {} {}",
            answer.status,
            answer.text()
        );
        answer
    }

    fn wrong(&self, route: &Route, path: &str, body: &Value) {
        let id = route.id;
        if route.who == Who::Anyone {
            return;
        }
        let anonymous = ask(&self.world.nobody, route, path, body);
        assert_eq!(anonymous.status, 401, "{id} by nobody: {}", anonymous.text());
        let stream = matches!(id, "live" | "events");
        let (roles, machine) = match route.who {
            Who::People(roles) => (roles, false),
            Who::PeopleOrMachine(roles) => (roles, true),
            Who::Operator => (&[Role::Administrator][..], false),
            _ => (&[][..], true),
        };
        let weak = WEAK.iter().find(|(_, own)| !own.iter().any(|role| roles.contains(role)));
        if route.who == Who::Machine || (!roles.is_empty() && weak.is_some()) {
            let weak = weak.map_or("h1-nurse", |(name, _)| *name);
            let answer = ask(&self.world.person(weak), route, path, body);
            assert_eq!((answer.status, answer.rule().as_str()), (403, "A-001"), "{id} by {weak}");
        }
        if !machine {
            let answer = ask(&self.world.machine("h1"), route, path, body);
            assert_eq!(answer.status, 403, "{id} by a machine: {}", answer.text());
        }
        if route.tenant == Tenant::Own && !stream {
            let by = if route.who == Who::Machine { "machine:h2" } else { "h3-all" };
            let answer = ask(&self.client(by), route, path, body);
            let empty = answer.status == 200 && answer.json()["items"] == json!([]);
            let week = id == "week" && answer.json()["bookings"] == json!([]);
            assert!(
                (400..500).contains(&answer.status) || empty || week,
                "{id} by {by}: {} {}",
                answer.status,
                answer.text()
            );
        }
        if route.who == Who::Operator {
            let answer = ask(&self.world.person("h3-all"), route, path, body);
            assert_eq!(answer.status, 403, "{id} by another organisation's administrator");
        }
    }

    fn client(&self, by: &str) -> Client {
        match by.strip_prefix("machine:") {
            Some(org) => self.world.machine(org),
            None if by == "first" => self.world.admin_client.clone(),
            None => self.world.person(by),
        }
    }

    /// An open route: whoever asks gets this status, never "log in".
    fn open(&mut self, id: &str, path: &str, body: &Value, status: u16) -> Answer {
        let route =
            table::all().iter().find(|route| route.id == id).unwrap_or_else(|| panic!("{id}"));
        assert_eq!(route.who, Who::Anyone, "{id}");
        self.covered.insert(route.id);
        let answer = ask(&self.world.nobody, route, path, body);
        assert_eq!(answer.status, status, "{id}: {}", answer.text());
        answer
    }
}

fn ask(client: &Client, route: &Route, path: &str, body: &Value) -> Answer {
    match route.method {
        Method::Get => client.get(path),
        method => client.send(method.name(), path, body),
    }
}

fn day(days: i32) -> String {
    Utc(clock::now_us()).day().plus(days).to_string()
}

fn at(minutes: i64) -> String {
    Utc(clock::now_us()).plus_minutes(minutes).to_string()
}

#[test]
fn a_023_every_route_has_its_authorisation_cases() {
    let mut world = World::found("authorisation");
    world.populate();
    let mut t = Cases { world, covered: BTreeSet::new() };
    identity(&mut t);
    members(&mut t);
    people(&mut t);
    devices(&mut t);
    network(&mut t);
    let case = planned(&mut t);
    granted(&mut t, &case);
    over(&mut t, &case);
    log(&mut t);
    let missing: Vec<_> =
        table::all().iter().map(|route| route.id).filter(|id| !t.covered.contains(id)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "routes without an authorisation case");
}

fn identity(t: &mut Cases) {
    for (id, path) in [
        ("healthz", "/healthz"),
        ("readyz", "/readyz"),
        ("metrics", "/metrics"),
        ("openapi", "/openapi.json"),
    ] {
        t.open(id, path, &json!({}), 200);
    }
    t.open("login_begin", "/v1/login:begin", &json!({}), 200);
    t.open("login_finish", "/v1/login:finish", &json!({}), 400);
    t.open(
        "login_recover",
        "/v1/login:recover",
        &json!({"person": "h1-nurse", "code": "1-AAAA"}),
        403,
    );
    t.open("login_demo", "/v1/login:demo", &json!({"token": "x", "person": "h1-nurse"}), 403);
    t.open("enrol_begin", "/v1/enrol:begin", &json!({"token": "x"}), 403);
    t.open("enrol_finish", "/v1/enrol:finish", &json!({}), 400);
    t.open("logout", "/v1/logout", &json!({}), 200);
    t.open("join_site", "/v1/join", &json!({}), 400);
    let none = json!({});
    t.right("me", "h1-nurse", &none, &none);
    t.right("passkeys", "h1-nurse", &none, &none);
    t.right("enrol_self", "h1-nurse", &none, &none);
    t.right("recovery_codes", "h1-nurse", &none, &none);
    // Somebody else's passkey is not there to be removed; one's own is.
    let keys = t.world.admin_client.get("/v1/me/passkeys").json();
    let key = keys["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/me/passkeys/{key}");
    assert_eq!(t.world.person("h1-nurse").send("DELETE", &path, &none).status, 403);
    t.right("remove_passkey", "first", &json!({"passkey": key}), &none);
}

fn members(t: &mut Cases) {
    let none = json!({});
    t.right("directory", "h1-nurse", &none, &none);
    let org = json!({
        "org": {"id": "h9", "name": "Nine", "until": day(900), "contact_24h": "desk"},
        "administrator": {"id": "h9-admin", "name": "Nine"}, "site": "h9-site",
    });
    t.right("invite_org", "op-admin", &none, &org);
    t.right("join_org", "h9-admin", &json!({"org": "h9"}), &none);
    let because = json!({"reason": "papers are missing"});
    t.right("suspend_org", "op-admin", &json!({"org": "h9"}), &because);
    t.right("reinstate_org", "op-admin", &json!({"org": "h9"}), &because);
    t.right("renew_org", "op-admin", &json!({"org": "h9"}), &json!({"until": day(1000)}));
    t.right("leave_org", "h9-admin", &json!({"org": "h9"}), &because);
    let site = json!({
        "org": "h1", "name": "Second", "zone": "Asia/Urumqi", "region": "CN-65", "jurisdiction": "CN",
        "geo": {"latitude_udeg": 1, "longitude_udeg": 1}, "quintile": 1, "open": true,
    });
    let made = t.right("add_site", "h1-admin", &none, &site).json();
    t.right("change_site", "h1-admin", &json!({"id": made["id"]}), &site);
    t.right("add_room", "h1-admin", &none, &json!({"site": "h1-site", "name": "OR 9"}));
    let agreement = json!({
        "id": "a-more", "parties": ["h0", "h1"], "scope": [], "from": day(0), "until": day(30),
        "responsibilities": {
            "leads": "h0", "takes_over": "h1", "pays": "h1", "network": "h1", "robot": "h1",
            "reports": "h1", "contact_24h": "desk",
        },
        "document": HASH,
    });
    t.right("draft_agreement", "h1-admin", &none, &agreement);
    let named = json!({"agreement": "a-more"});
    t.right("sign_agreement", "h1-admin", &named, &json!({"document": HASH}));
    t.right("end_agreement", "h1-admin", &named, &json!({"day": day(1), "reason": "not needed"}));
}

fn people(t: &mut Cases) {
    let none = json!({});
    let person =
        json!({"id": "h1-extra", "org": "h1", "name": "Extra", "roles": ["nurse"], "active": true});
    t.right("add_person", "h1-admin", &none, &person);
    let extra = json!({"person": "h1-extra"});
    t.right("set_roles", "h1-admin", &extra, &json!({"roles": ["nurse", "observer"]}));
    t.right("set_licences", "h1-admin", &extra, &json!({"licences": []}));
    let because = json!({"reason": "on leave"});
    t.right("suspend_person", "h1-admin", &extra, &because);
    t.right("reinstate_person", "h1-committee", &extra, &because);
    t.right("enrolment_link", "h1-admin", &extra, &none);
    t.right("remove_person", "h1-admin", &extra, &because);
    let privilege = json!({
        "privilege": "p-more", "procedure": "0SG.pedicle", "robot_model": "RX-1", "role": "mentor",
    });
    t.right("apply_privilege", "h1-committee", &json!({"surgeon": "h1-standby-0"}), &privilege);
    let named = json!({"privilege": "p-more"});
    let evidence = json!({
        "kind": "all_cases", "count": 3, "from": day(-90), "until": day(0), "by": "h1-committee",
        "document": HASH,
    });
    t.right("add_evidence", "h1-committee", &named, &evidence);
    t.right("privilege", "h1-committee", &named, &none);
    let no = json!({"granted": false, "until": day(300), "reason": "too few cases"});
    t.right("decide_privilege", "h1-committee", &named, &no);
    let other = json!({"privilege": "priv-h1-standby-2"});
    let review = json!({"until": day(300), "reason": "looked at"});
    t.right("review_privilege", "h1-committee", &other, &review);
    t.right("suspend_privilege", "h1-committee", &other, &because);
    t.right("reinstate_privilege", "h1-committee", &other, &because);
    t.right("revoke_privilege", "h1-committee", &other, &because);
    t.right("currency", "h1-committee", &json!({"surgeon": "h1-standby-0"}), &none);
    let templates = t.right("templates", "h1-nurse", &none, &none).json();
    let mut template = templates["items"][0].clone();
    template["reason"] = json!("reviewed");
    t.right("set_template", "op-admin", &none, &template);
    t.right("procedures", "h1-nurse", &none, &none);
    let procedure = json!({
        "name": "More", "class": "laparoscopic", "phases": {"pre": 3, "remote": 4, "post": 2},
        "tier": "participates",
    });
    t.right("set_procedure", "op-admin", &json!({"code": "0XX.more"}), &procedure);
}

fn devices(t: &mut Cases) {
    let none = json!({});
    let robot = json!({
        "id": "h1-robot-9", "site": "h1-site", "model": "RX-1", "serial": "SN-9", "firmware": "1.2.0",
        "state": "ready", "checked_until": day(90), "key": HASH,
    });
    t.right("add_robot", "h1-admin", &none, &robot);
    let named = json!({"robot": "h1-robot-9"});
    t.right("set_robot_state", "h1-admin", &named, &json!({"state": "out_of_service"}));
    t.right("set_robot_firmware", "h1-admin", &named, &json!({"firmware": "1.3.0"}));
    t.right("plan_robot_maintenance", "h1-admin", &named, &json!({"slots": []}));
    t.right("check_robot", "h1-admin", &named, &json!({"until": day(200)}));
    let console = json!({
        "id": "console-9", "site": "h0-centre", "model": "CX-1", "serial": "CN-9", "firmware": "1.1.0",
        "state": "ready", "key": HASH,
    });
    t.right("add_console", "h0-admin", &none, &console);
    let named = json!({"console": "console-9"});
    t.right("set_console_state", "h0-admin", &named, &json!({"state": "out_of_service"}));
    t.right("set_console_firmware", "h0-admin", &named, &json!({"firmware": "1.2.0", "key": HASH}));
    t.right("plan_console_maintenance", "h0-admin", &named, &json!({"slots": []}));
    t.right("compat", "h1-nurse", &json!({"console": "console-0", "robot": "h1-robot-0"}), &none);
    let range = json!({"from": "2.0.0", "to": "2.9.0"});
    let declared = json!({
        "id": "more", "console_model": "CX-9", "console_firmware": range, "robot_model": "RX-9",
        "robot_firmware": range, "document": HASH, "by": t.world.admin, "valid": true,
    });
    t.right("declare_compatible", "op-admin", &none, &declared);
    let because = json!({"reason": "a fault was found"});
    t.right("withdraw_compatible", "op-admin", &json!({"compatibility": "more"}), &because);
    t.right("recalls", "h1-nurse", &none, &none);
    let recall = json!({
        "id": "rc-1", "model": "RX-9", "firmware": range, "since": day(0), "reason": "a fault was found",
    });
    t.right("open_recall", "op-admin", &none, &recall);
    t.right("lift_recall", "op-admin", &json!({"recall": "rc-1"}), &because);
}

fn network(t: &mut Cases) {
    let none = json!({});
    let path = json!({
        "id": "more", "a": "h0-centre", "b": "h1-site", "medium": "fibre", "provider": "carrier",
        "diversity_group": "duct-9", "lanes": 1, "open": true,
    });
    t.right("add_path", "h1-engineer", &none, &path);
    let named = json!({"path": "more"});
    let survey = json!({
        "class": "plan_then_execute",
        "survey": {
            "from": at(-5000), "until": at(-60), "rtt_p50_us": 38_000, "rtt_p99_us": 52_000,
            "rtt_p999_us": 74_000, "jitter_p99_us": 4_000, "loss_ppm": 30, "loss_burst": 4,
            "longest_gap_us": 60_000, "gaps": 0, "downlink_kbps": 80_000, "uplink_kbps": 20_000,
            "failover": {"day": day(-1), "passed": true, "switch_us": 40_000},
        },
    });
    t.right("submit_survey", "machine:h1", &named, &survey);
    t.right("check_path", "machine:h1", &named, &check());
    t.right("close_path", "h1-engineer", &named, &json!({"reason": "cable cut"}));
    t.right("qualification", "h1-nurse", &json!({"site": "h1-site"}), &none);
    let gates = t.right("gates", "h1-nurse", &none, &none).json();
    let mut gate = gates["items"][0].clone();
    gate["reason"] = json!("reviewed");
    t.right("set_gate", "op-admin", &none, &gate);
    t.right("drills", "h1-nurse", &none, &none);
    let drill = json!({
        "scenario": "path_loss", "site": "h1-site", "people": ["h1-nurse"], "live": true, "score": 80,
        "passed": true, "at": at(-60),
    });
    t.right("record_drill", "h1-committee", &none, &drill);
}

fn check() -> Value {
    json!({
        "at": at(0), "rtt_p999_us": 76_000, "jitter_p99_us": 4_200, "clock_offset_us": 900,
        "certificate_until": at(60 * 24 * 60),
    })
}

fn referral(pseudonym: &str) -> Value {
    json!({
        "site": "h1-site", "centre": "h0", "pseudonym": pseudonym, "procedure": "0SG.pedicle",
        "urgency": "soon", "due": day(5), "region": "CN-65", "referral": HASH,
    })
}

/// From referral to a published booking.
fn planned(t: &mut Cases) -> Value {
    let none = json!({});
    let made = t.right("refer_case", "h1-scheduler", &none, &referral("P-7f3a91c2")).json();
    let case = json!({"case": made["id"]});
    let id = made["id"].as_str().unwrap().to_owned();
    let listed = t.right("cases", "h1-nurse", &none, &none).json();
    assert_eq!(listed["items"][0]["id"], made["id"]);
    t.right("case", "h1-nurse", &case, &none);
    let triage = json!({"fit": true, "urgency": "soon", "due": day(5)});
    t.right("triage_case", "surgeon-0", &case, &triage);
    // From the next full hour, so that hold and booking are of one time.
    let start = Utc(clock::now_us()).plus_hours(2).slot();
    let wanted =
        json!({"case": id, "surgeon": "surgeon-0", "from": start, "until": start.plus(96)});
    let found = t.right("find_slots", "h1-scheduler", &none, &wanted).json();
    let request = found["items"][0].clone();
    assert!(request.is_object(), "{found}");
    let mut asked = case.clone();
    asked["surgeon"] = json!("surgeon-0");
    t.right("eligibility", "h1-nurse", &asked, &none);
    t.right("explain", "h1-nurse", &asked, &none);
    t.right("judge_eligibility", "h1-scheduler", &case, &json!({"request": request}));
    t.right("set_team", "h1-scheduler", &case, &json!({"nurse": "h1-nurse"}));
    let held = json!({"case": id, "request": request});
    let hold = t.right("hold", "h1-scheduler", &none, &held).json();
    t.right("release_hold", "h1-scheduler", &none, &json!({"hold": hold["id"]}));
    let hold = t.right("hold", "h1-scheduler", &none, &held).json();
    let booking = t.right("book", "h1-scheduler", &none, &json!({"hold": hold["id"]})).json();
    assert_eq!(booking["id"], hold["id"]);
    let named = json!({"booking": booking["id"]});
    t.right("booking", "h1-nurse", &named, &none);
    t.right("week", "h1-nurse", &json!({"week": "2026-W48"}), &none);
    let mut moved = request.clone();
    moved["start"] = json!(start.plus(8));
    let moving = json!({"booking": booking["id"], "request": moved, "reason": "the room is taken"});
    t.right("move_booking", "h1-scheduler", &none, &moving);
    let cancel = json!({"booking": booking["id"], "reason": "the surgeon is ill"});
    t.right("cancel_booking", "h1-scheduler", &none, &cancel);
    let again = json!({"case": id, "request": request});
    let booking = t.right("book", "h1-scheduler", &none, &again).json();
    let publish = json!({"booking": booking["id"], "wait_risk_ppm": 20_000});
    t.right("publish_booking", "h1-scheduler", &none, &publish);
    case
}

/// Consent, pause, grants, session.
fn granted(t: &mut Cases, case: &Value) {
    let none = json!({});
    let form = json!({
        "version": 2, "languages": ["zh"], "document": HASH, "from": day(0), "until": day(90),
        "valid_days": 30,
    });
    t.right("consent_forms", "h1-nurse", &none, &none);
    let consent = json!({
        "version": 1, "language": "zh", "scopes": ["treat", "remote", "record", "observers"],
        "document": HASH, "signed": at(-5), "explained_by": "h1-nurse",
    });
    let first = t.right("sign_consent", "h1-nurse", case, &consent).json();
    t.right(
        "withdraw_consent",
        "h1-nurse",
        &json!({"case": case["case"], "consent": first["id"]}),
        &none,
    );
    t.right("sign_consent", "h1-nurse", case, &consent);
    t.right("consents", "h1-nurse", case, &none);
    t.right("publish_form", "op-admin", &none, &form);
    for path in ["h1-duct", "h1-mast"] {
        t.right("check_path", "machine:h1", &json!({"path": path}), &check());
    }
    let points = [
        "patient_procedure_side",
        "introductions",
        "clinical",
        "link_loss_plan",
        "standby_ready",
        "conversion_ready",
        "paths_and_audio",
        "stop_tried",
    ];
    let brief = json!({"local": "h1-nurse", "remote": "surgeon-0", "ticked": points});
    t.right("brief", "h1-nurse", case, &brief);
    let mut session = String::new();
    let mut grant = Value::Null;
    for round in 0..2 {
        grant = t.right("propose_grant", "surgeon-0", case, &none).json();
        session = grant["session"].as_str().unwrap().to_owned();
        let named = json!({"session": session, "grant": grant["id"]});
        t.right("cosign_grant", "h1-nurse", &named, &none);
        if round == 0 {
            t.right("revoke_grant", "h1-nurse", &named, &json!({"reason": "try again"}));
        }
    }
    t.right("grants", "h1-nurse", case, &none);
    let named = json!({"session": session, "grant": grant["id"]});
    let bytes = t.right("grant_token", "machine:h1", &named, &none).body;
    let token = Token::parse(&bytes).unwrap().sign(&t.world.machines["h1"].1);
    let body = json!({"token": text(&token.to_bytes().unwrap())});
    let signed = t.right("grant_cosign", "machine:h1", &named, &body).json();
    assert_eq!(signed["signatures"], json!(2));
    assert_eq!(t.right("grant_token", "surgeon-0", &named, &none).body, token.to_bytes().unwrap());
    let observer = json!({
        "case": case["case"], "person": "surgeon-1", "mentor": true, "delay_s": 0,
        "window": {"from": at(-1), "until": at(600)},
    });
    let observer = t.right("admit_observer", "h1-scheduler", &none, &observer).json();
    t.right("dismiss_observer", "h1-nurse", &json!({"observer": observer["id"]}), &none);
    let epoch = grant["epoch_base"].clone();
    let events = json!({"case": case["case"], "events": [
        {"seq": 0, "at": at(0), "what": {"started": {"grant": grant["id"], "epoch": epoch}}},
        {"seq": 1, "at": at(0), "what": {"phase_began": {"phase": "remote"}}},
    ]});
    t.right("session_upload", "machine:h1", &json!({"session": session}), &events);
    t.right("session", "h1-nurse", &json!({"session": session}), &none);
    streams(t, &session);
    let ended = json!({"case": case["case"], "events": [
        {"seq": 2, "at": at(0), "what": {"ended": {"complete": true}}},
    ]});
    t.right("session_upload", "machine:h1", &json!({"session": session}), &ended);
}

/// Streams tell members what they share, and strangers nothing of it.
fn streams(t: &mut Cases, session: &str) {
    for (id, path) in [("live", "/v1/live"), ("events", "/v1/events?after=0")] {
        assert_eq!(t.world.nobody.get(path).status, 401, "{id} by nobody");
        t.covered.insert(id);
    }
    let live =
        t.world.person("h1-nurse").listen("/v1/live", |text| text.contains("event: sessions"));
    assert!(live.contains(session), "{live}");
    let live = t.world.person("h3-all").listen("/v1/live", |text| text.contains("event: sessions"));
    assert!(!live.contains(session), "{live}");
    let case = "case_referred";
    let own = t.world.person("h1-nurse").listen("/v1/events", |text| text.contains(case));
    assert!(own.contains("id: 1\n"), "{own}");
    let others = t.world.person("h3-all").listen("/v1/events", |text| text.contains("event: beat"));
    assert!(!others.contains(case) && !others.contains("P-7f3a91c2"), "a stranger read a case");
    // Who breaks off comes back with the last number and misses nothing.
    let resumed =
        t.world
            .person("h1-nurse")
            .listen_with("/v1/events", &[("Last-Event-ID", "1")], |text| text.contains("id: 3\n"));
    assert!(!resumed.contains("id: 1\n") && resumed.contains("id: 2\n"), "{resumed}");
}

/// What came of it.
fn over(t: &mut Cases, case: &Value) {
    let none = json!({});
    let recording = json!({
        "case": case["case"], "site": "h1-site", "kind": "video", "sha256": HASH, "size_bytes": 1,
        "key": HASH, "keep_until": day(4000),
    });
    t.right("add_recording", "machine:h1", &none, &recording);
    let outcome = json!({"case": case["case"], "day": day(0), "summary": {
        "conversion": "none", "clavien_30d": null, "clavien_90d": null, "blood_ml": 50,
        "operating_min": 120, "remote_min": 40, "screws": [4, 0, 0, 0, 0], "died_30d": null,
        "steps_local": 2, "steps": 6, "prom_change": null,
    }});
    t.right("record_outcome", "h1-nurse", &none, &outcome);
    let incident = json!({
        "site": "h1-site", "case": case["case"], "class": "network", "severity": "minor", "at": at(-1),
        "what": "one path was away for some seconds",
    });
    let incident = t.right("raise_incident", "h1-nurse", &none, &incident).json();
    t.right("incidents", "h1-nurse", &none, &none);
    let named = json!({"incident": incident["id"]});
    t.right("incident", "h1-nurse", &named, &none);
    t.right("note_incident", "h1-committee", &named, &json!({"text": "the carrier was told"}));
    t.right("close_incident", "h1-committee", &named, &json!({"reason": "fibre spliced"}));
    t.right("close_case", "h1-committee", case, &none);
    t.right("benchmarks", "h1-nurse", &json!({"measure": "conversion", "by": "site"}), &none);
    t.right("equity", "h1-nurse", &json!({"by": "region"}), &none);
    let second = t.right("refer_case", "h1-scheduler", &none, &referral("P-00c2")).json();
    let withdrawn = json!({"reason": "the patient chose another way"});
    t.right("withdraw_case", "h1-scheduler", &json!({"case": second["id"]}), &withdrawn);
}

fn log(t: &mut Cases) {
    let none = json!({});
    t.open("log_checkpoint", "/log/checkpoint", &none, 200);
    t.open("log_tile", "/log/tile/0/000", &none, 200);
    t.open("log_tile_2", "/log/tile/0/x001/000", &none, 404);
    t.open("log_tile_3", "/log/tile/0/x001/x000/000", &none, 404);
    t.open("log_tile_4", "/log/tile/0/x001/x000/000.p/1", &none, 404);
    t.open("log_proof", "/log/proof/1", &none, 200);
    t.open("log_consistency", "/log/consistency/1", &none, 200);
    t.open("log_cosign", "/log/witness/add-checkpoint", &none, 400);
}
