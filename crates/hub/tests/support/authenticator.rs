//! An authenticator made of software: ES256, "none" attestation, as a browser passes it on.

use super::client::{Answer, Client};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use telehand_hub::identity::token::{sha256, text};

pub struct Authenticator {
    pair: EcdsaKeyPair,
    id: Vec<u8>,
    user: Option<String>,
    count: u32,
    pub origin: String,
}

impl Authenticator {
    pub fn new(origin: &str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let id = telehand_hub::clock::random::<32>().to_vec();
        Self { pair, id, user: None, count: 0, origin: origin.to_owned() }
    }

    /// Enrols by the code of a link; the answer carries the session's cookie.
    pub fn enrol(&mut self, client: &Client, link: &str) -> Answer {
        let code = link.rsplit('/').next().unwrap();
        let begun = client.send("POST", "/v1/enrol:begin", &json!({"token": code}));
        if begun.status != 200 {
            return begun;
        }
        let begun = begun.json();
        let options = &begun["options"];
        self.user = options["user"]["id"].as_str().map(str::to_owned);
        let client_data = self.client_data("webauthn.create", options);
        let point = self.pair.public_key().as_ref();
        let mut attested = vec![0; 16];
        attested.extend((self.id.len() as u16).to_be_bytes());
        attested.extend(&self.id);
        attested.extend([0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        attested.extend(&point[1..33]);
        attested.extend([0x22, 0x58, 0x20]);
        attested.extend(&point[33..]);
        let data = self.data(options["rp"]["id"].as_str().unwrap(), 0x45, &attested);
        let mut object = vec![0xA3, 0x63];
        object.extend(b"fmt\x64none\x67attStmt\xA0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(&data);
        let body = json!({
            "token": code, "id": begun["id"],
            "credential": {
                "id": text(&self.id), "rawId": text(&self.id), "type": "public-key", "extensions": {},
                "response": {
                    "clientDataJSON": text(client_data.as_bytes()),
                    "attestationObject": text(&object), "transports": ["internal"],
                },
            },
        });
        client.send("POST", "/v1/enrol:finish", &body)
    }

    /// Logs in; the answer carries the session's cookie.
    pub fn login(&mut self, client: &Client) -> Answer {
        let body = self.assertion(client);
        client.send("POST", "/v1/login:finish", &body)
    }

    /// The body of a login.
    pub fn assertion(&mut self, client: &Client) -> Value {
        let begun = client.send("POST", "/v1/login:begin", &json!({})).json();
        let options = &begun["options"];
        self.count += 1;
        let client_data = self.client_data("webauthn.get", options);
        let data = self.data(options["rpId"].as_str().unwrap(), 0x05, &[]);
        let signed = [data.as_slice(), &sha256(client_data.as_bytes())].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": begun["id"],
            "credential": {
                "id": text(&self.id), "rawId": text(&self.id), "type": "public-key", "extensions": {},
                "response": {
                    "clientDataJSON": text(client_data.as_bytes()),
                    "authenticatorData": text(&data),
                    "signature": text(signature.as_ref()),
                    "userHandle": self.user,
                },
            },
        })
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin,
            "crossOrigin": false,
        })
        .to_string()
    }

    fn data(&self, rp: &str, flags: u8, rest: &[u8]) -> Vec<u8> {
        [&sha256(rp.as_bytes())[..], &[flags], &self.count.to_be_bytes(), rest].concat()
    }
}

/// The session's token out of the cookie that came.
pub fn session(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").unwrap_or_else(|| panic!("{answer:?}"));
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    pair.split_once('=').unwrap().1.to_owned()
}
