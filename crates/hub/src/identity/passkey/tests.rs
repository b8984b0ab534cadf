use super::*;
use crate::identity::signing::SigningKey;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

const CHALLENGE: &[u8] = b"0123456789abcdef0123456789abcdef";
const EXPECTED: Expected<'_> =
    Expected { rp_id: "localhost", origin: "http://localhost:8470", challenge: CHALLENGE };
const UP: u8 = 1;
const UV: u8 = 4;

/// A key in an authenticator made of software.
enum Secret {
    Es256(Box<EcdsaKeyPair>),
    Ed25519(SigningKey),
}

fn es256() -> Secret {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
    Secret::Es256(Box::new(pair))
}

impl Secret {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(pair) => {
                pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
            }
            Self::Ed25519(key) => key.sign(message).to_vec(),
        }
    }

    fn cose(&self) -> Vec<u8> {
        match self {
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let mut key = vec![0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
                key.extend_from_slice(&point[1..33]);
                key.extend_from_slice(&[0x22, 0x58, 0x20]);
                key.extend_from_slice(&point[33..]);
                key
            }
            Self::Ed25519(key) => {
                let mut cose = vec![0xA4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20];
                cose.extend_from_slice(&key.public());
                cose
            }
        }
    }
}

fn client(kind: &str) -> Value {
    json!({
        "type": kind, "challenge": token::text(CHALLENGE),
        "origin": EXPECTED.origin, "crossOrigin": false,
    })
}

fn data(rp: &str, flags: u8, count: u32, attested: &[u8]) -> Vec<u8> {
    [&sha256(rp.as_bytes())[..], &[flags], &count.to_be_bytes(), attested].concat()
}

fn attested(secret: &Secret, id: &[u8]) -> Vec<u8> {
    [&[0; 16][..], &(id.len() as u16).to_be_bytes(), id, &secret.cose()].concat()
}

fn object(format: &str, statement: &[u8], data: &[u8]) -> Vec<u8> {
    let text = |s: &str| [&[0x60 | s.len() as u8][..], s.as_bytes()].concat();
    let mut bytes = vec![0xA3];
    bytes.extend([text("fmt"), text(format), text("attStmt"), statement.to_vec()].concat());
    bytes.extend(text("authData"));
    bytes.extend([&[0x58, u8::try_from(data.len()).unwrap()][..], data].concat());
    bytes
}

fn attestation_of(client: &Value, object: &[u8]) -> Attestation {
    Attestation {
        client_data: token::text(client.to_string().as_bytes()),
        attestation_object: token::text(object),
    }
}

fn registration(secret: &Secret) -> Attestation {
    let data = data("localhost", UP | UV | 0x40, 0, &attested(secret, b"credential"));
    attestation_of(&client("webauthn.create"), &object("none", &[0xA0], &data))
}

fn assertion(secret: &Secret, client: &Value, data: &[u8]) -> Assertion {
    let client = client.to_string();
    let signed = [data, &sha256(client.as_bytes())].concat();
    Assertion {
        credential: token::text(b"credential"),
        client_data: token::text(client.as_bytes()),
        authenticator_data: token::text(data),
        signature: token::text(&secret.sign(&signed)),
        user_handle: Some(token::text(b"user")),
    }
}

#[test]
fn a_022_a_passkey_registers_and_logs_in_with_either_key() {
    for secret in [es256(), Secret::Ed25519(SigningKey::generate())] {
        let credential = register(&registration(&secret), &EXPECTED).unwrap();
        assert_eq!((credential.id.as_str(), credential.count), ("Y3JlZGVudGlhbA", 0));
        let login =
            assertion(&secret, &client("webauthn.get"), &data("localhost", UP | UV, 0, b""));
        assert_eq!(assert(&login, &credential, b"user", &EXPECTED), Ok(0));
        // With extensions behind, as some browsers send.
        let more = data("localhost", UP | UV | 0x80, 1, &[0xA0]);
        let login = assertion(&secret, &client("webauthn.get"), &more);
        assert_eq!(assert(&login, &credential, b"user", &EXPECTED), Ok(1));
    }
}

#[test]
fn a_022_a_registration_with_anything_wrong_is_refused() {
    let secret = es256();
    let new = attested(&secret, b"credential");
    let good = data("localhost", UP | UV | 0x40, 0, &new);
    let none = |data: &[u8]| object("none", &[0xA0], data);
    let create = client("webauthn.create");
    let with = |key: &str, value: Value| {
        let mut changed = create.clone();
        changed[key] = value;
        changed
    };
    for (client, object, why) in [
        (client("webauthn.get"), none(&good), PasskeyError::Ceremony),
        (with("challenge", json!("AAAA")), none(&good), PasskeyError::Challenge),
        (with("challenge", json!("?")), none(&good), PasskeyError::Form),
        (with("origin", json!("http://localhost:8471")), none(&good), PasskeyError::Origin),
        (with("crossOrigin", json!(true)), none(&good), PasskeyError::Origin),
        (with("topOrigin", json!("http://evil")), none(&good), PasskeyError::Origin),
        (create.clone(), none(&data("evil", UP | UV | 0x40, 0, &new)), PasskeyError::RelyingParty),
        (create.clone(), none(&data("localhost", UV | 0x40, 0, &new)), PasskeyError::UserPresence),
        (
            create.clone(),
            none(&data("localhost", UP | 0x40, 0, &new)),
            PasskeyError::UserVerification,
        ),
        (create.clone(), none(&data("localhost", UP | UV | 0x50, 0, &new)), PasskeyError::Flags),
        (create.clone(), none(&data("localhost", UP | UV, 0, b"")), PasskeyError::Form),
        (create.clone(), none(&[good.as_slice(), b"x"].concat()), PasskeyError::Form),
        (create.clone(), [none(&good).as_slice(), &[0]].concat(), PasskeyError::Form),
        (create.clone(), object("none", &[0xA1, 0x01, 0x01], &good), PasskeyError::Attestation),
        (create.clone(), object("tpm", &[0xA0], &good), PasskeyError::Attestation),
        (create.clone(), vec![], PasskeyError::Form),
    ] {
        let answer = attestation_of(&client, &object);
        assert_eq!(register(&answer, &EXPECTED), Err(why), "{client}");
    }
    // A key on another curve: COSE's kty 2 with crv 2.
    let mut other = good.clone();
    let at = other.windows(4).position(|w| w == [0x26, 0x20, 0x01, 0x21]).unwrap();
    other[at + 2] = 0x02;
    let answer = attestation_of(&create, &none(&other));
    assert_eq!(register(&answer, &EXPECTED), Err(PasskeyError::Key));
}

#[test]
fn a_022_self_attestation_counts_only_with_the_signature_of_the_new_key() {
    let (secret, other) = (es256(), es256());
    let data = data("localhost", UP | UV | 0x40, 0, &attested(&secret, b"credential"));
    let create = client("webauthn.create");
    let signed = [data.as_slice(), &sha256(create.to_string().as_bytes())].concat();
    let statement = |signer: &Secret| {
        let signature = signer.sign(&signed);
        let mut bytes = vec![0xA2, 0x63, b'a', b'l', b'g', 0x26, 0x63, b's', b'i', b'g', 0x58];
        bytes.push(signature.len() as u8);
        [bytes, signature].concat()
    };
    let answer = |signer| attestation_of(&create, &object("packed", &statement(signer), &data));
    assert!(register(&answer(&secret), &EXPECTED).is_ok());
    assert_eq!(register(&answer(&other), &EXPECTED), Err(PasskeyError::Signature));
}

#[test]
fn a_022_a_login_with_anything_wrong_is_refused() {
    let (secret, other) = (es256(), es256());
    let mut credential = register(&registration(&secret), &EXPECTED).unwrap();
    let get = client("webauthn.get");
    let good = data("localhost", UP | UV, 5, b"");
    let fails = |login: &Assertion, credential: &Credential, why| {
        assert_eq!(assert(login, credential, b"user", &EXPECTED), Err(why));
    };
    let login = assertion(&secret, &get, &good);
    assert_eq!(assert(&login, &credential, b"user", &EXPECTED), Ok(5));
    fails(&assertion(&other, &get, &good), &credential, PasskeyError::Signature);
    fails(
        &assertion(&secret, &client("webauthn.create"), &good),
        &credential,
        PasskeyError::Ceremony,
    );
    let rp = data("evil", UP | UV, 5, b"");
    fails(&assertion(&secret, &get, &rp), &credential, PasskeyError::RelyingParty);
    let silent = data("localhost", UP, 5, b"");
    fails(&assertion(&secret, &get, &silent), &credential, PasskeyError::UserVerification);
    let mut changed = login.clone();
    changed.authenticator_data = token::text(&data("localhost", UP | UV, 6, b""));
    fails(&changed, &credential, PasskeyError::Signature);
    let mut changed = login.clone();
    changed.user_handle = Some(token::text(b"somebody else"));
    fails(&changed, &credential, PasskeyError::User);
    let mut changed = login.clone();
    changed.credential = token::text(b"another");
    fails(&changed, &credential, PasskeyError::User);
    credential.count = 5;
    fails(&login, &credential, PasskeyError::Copied);
    assert_eq!(
        assert(&login, &credential, b"user", &Expected { challenge: b"", ..EXPECTED }),
        Err(PasskeyError::Challenge)
    );
}

#[test]
fn no_bytes_break_the_readers() {
    let secret = es256();
    let good = registration(&secret);
    let object = token::bytes(&good.attestation_object).unwrap();
    let mut state = 1_u64;
    let mut accepted = 0;
    for _ in 0..10_000 {
        let mut changed = object.clone();
        for _ in 0..3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (state >> 33) as usize % changed.len();
            match state >> 62 {
                0 => changed[at] = (state >> 41) as u8,
                1 => changed[at] ^= 1 << (state >> 41 & 7),
                2 => changed.truncate(at + 1),
                _ => changed.insert(at, (state >> 41) as u8),
            }
        }
        let answer = Attestation { attestation_object: token::text(&changed), ..good.clone() };
        accepted += usize::from(register(&answer, &EXPECTED).is_ok());
    }
    // Bytes of key, id and counter may be anything; the frame around them may not.
    assert!(accepted < 9_000, "{accepted}");
}
