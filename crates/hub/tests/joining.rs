//! Two hospitals come in over real sockets: certificates, passkeys, invitations, and what must fail.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::assigning_clones,
    reason = "a test that cannot go on stops"
)]

mod support;

use serde_json::json;
use support::authenticator::{Authenticator, session};
use support::world::World;
use telehand_hub::cli;
use telehand_hub::identity::signing::SigningKey;

#[test]
fn a_hospital_joins_by_an_invitation_that_is_good_once() {
    let mut world = World::found("joining");
    let invite = json!({
        "org": {"name": "Kashgar", "until": "2030-12-31", "contact_24h": "desk"},
        "administrator": {"name": "Boss"},
    });
    let made = world.admin_client.send("POST", "/v1/orgs:invite", &invite);
    assert_eq!(made.status, 201, "{}", made.text());
    let invitation: telehand_hub::http::joining::Invitation =
        serde_json::from_slice(&made.body).unwrap();
    assert!(invitation.holds());
    // Changed on its way, it says so itself.
    let mut changed = invitation.clone();
    changed.url = "https://evil.example".into();
    assert!(!changed.holds());
    // A key whose private half is not there joins nobody, and the code stays good.
    let (tls, sign, other) =
        (SigningKey::generate(), SigningKey::generate(), SigningKey::generate());
    let mut forged = invitation.clone();
    forged.code = "A".repeat(43);
    assert!(cli::ask(&forged, &tls, &sign).unwrap_err().to_string().contains("403"));
    assert!(cli::ask(&invitation, &tls, &tls).unwrap_err().to_string().contains("400"));
    let joined = cli::ask(&invitation, &tls, &sign).unwrap();
    let again = cli::ask(&invitation, &other, &sign).unwrap_err().to_string();
    assert!(again.contains("403") && again.contains("used"), "{again}");
    // The machine is known by its certificate, and only with its own key.
    let machine = world.nobody.machine(&joined.authority, &joined.certificate, &tls.pkcs8());
    let me = machine.get("/v1/me").json();
    assert_eq!((&me["org"], &me["strength"]), (&json!(joined.org), &json!("machine")), "{me}");
    // Its administrator enrols, accepts, and opens the site that the certificate names.
    let mut passkey = Authenticator::new(&world.running.as_ref().unwrap().url());
    let boss = world.nobody.with(&session(&passkey.enrol(&world.nobody, &joined.enrolment)));
    let path = format!("/v1/orgs/{}:join", joined.org);
    assert_eq!(boss.send("POST", &path, &json!({})).status, 200);
    let site = json!({
        "id": joined.site, "org": joined.org, "name": "Kashgar", "zone": "Asia/Urumqi",
        "geo": {"latitude_udeg": 39_470_000, "longitude_udeg": 75_990_000}, "region": "CN-65",
        "jurisdiction": "CN", "quintile": 1, "open": true,
    });
    let added = boss.send("POST", "/v1/sites", &site);
    assert_eq!(added.status, 201, "{}", added.text());
    assert!(added.header("etag").is_some());
    world.stop();
    // What was acknowledged is there after a new start, the machine's certificate too.
    let listen = "127.0.0.1:0".parse().unwrap();
    let running = world.runtime.block_on(cli::start(&world.dir, Some(listen), false)).unwrap();
    let address = running.address;
    world.running = Some(running);
    let moved = |mut client: support::client::Client| {
        client.address = address;
        client.host = format!("localhost:{}", address.port());
        client
    };
    assert_eq!(moved(machine).get("/v1/me").status, 200);
    let directory = moved(boss).get("/v1/directory").json();
    assert_eq!(directory["sites"][0]["id"], json!(joined.site), "{directory}");
}

#[test]
fn a_022_passkeys_and_sessions_over_the_socket() {
    let world = World::found("passkeys");
    let (nobody, admin) = (&world.nobody, &world.admin_client);
    let link =
        admin.send("POST", "/v1/me:enrol", &json!({})).json()["link"].as_str().unwrap().to_owned();
    let origin = world.running.as_ref().unwrap().url();
    // Another page's origin is refused, and the link stays good.
    let mut elsewhere = Authenticator::new("https://evil.example");
    assert_eq!(elsewhere.enrol(nobody, &link).status, 403);
    let mut passkey = Authenticator::new(&origin);
    assert_eq!(passkey.enrol(nobody, &link).status, 200);
    assert_eq!(passkey.enrol(nobody, &link).status, 403, "a link is good once");
    let token = session(&passkey.login(nobody));
    let me = nobody.with(&token).get("/v1/me");
    assert_eq!((me.status, &me.json()["strength"]), (200, &json!("passkey")));
    // An answer counts once; a counter that does not rise is a copy.
    let answer = passkey.assertion(nobody);
    assert_eq!(nobody.send("POST", "/v1/login:finish", &answer).status, 200);
    assert_eq!(nobody.send("POST", "/v1/login:finish", &answer).status, 403);
    // The cookie alone does it too, and another page cannot use it.
    let port = world.running.as_ref().unwrap().address.port();
    let cookie = format!("__Host-telehand_session={token}");
    assert_eq!(nobody.ask("GET", "/v1/me", None, &[("Cookie", &cookie)]).status, 200);
    let cross = [("Cookie", cookie.as_str()), ("Origin", "https://evil.example")];
    assert_eq!(nobody.ask("POST", "/v1/logout", Some(&json!({})), &cross).status, 403);
    let bent = [("Host", "evil.example"), ("Cookie", cookie.as_str())];
    assert_eq!(nobody.ask("GET", "/v1/me", None, &bent).status, 421);
    let own = [("Cookie", cookie.as_str()), ("Origin", &format!("https://localhost:{port}"))];
    assert_eq!(nobody.ask("POST", "/v1/logout", Some(&json!({})), &own).status, 200);
    assert_eq!(nobody.with(&token).get("/v1/me").status, 401, "logged out");
    // Recovery: good once, and good for a new passkey only.
    let codes = admin.send("POST", "/v1/me/recovery-codes", &json!({})).json();
    let code = codes["codes"][0].as_str().unwrap();
    let body = json!({"person": world.admin, "code": code});
    let recovered = nobody.with(&session(&nobody.send("POST", "/v1/login:recover", &body)));
    assert_eq!(recovered.get("/v1/directory").rule(), "A-022");
    assert_eq!(recovered.send("POST", "/v1/me:enrol", &json!({})).status, 200);
    assert_eq!(nobody.send("POST", "/v1/login:recover", &body).status, 403, "a code is good once");
}
