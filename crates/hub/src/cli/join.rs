//! `telehand hub invite` and `telehand hub join`: a hospital comes in.

use super::init::{fresh, private_dir, secret};
use super::{InviteArgs, JoinArgs};
use crate::clock;
use crate::http::joining::{Invitation, Joined, Joining, invite_org};
use crate::http::tls;
use crate::identity::signing::SigningKey;
use anyhow::{Context, Result, bail, ensure};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// How long the hub may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer that is read, bytes.
const ANSWER_MAX: u64 = 1 << 20;

/// Writes an invitation. A hub that is running invites on its page: only one process writes a store.
pub fn invite(args: &InviteArgs) -> Result<()> {
    use telehand_alliance::command::{Actor, Strength, Who};
    let day = telehand_alliance::time::Day::parse(&args.until)?;
    let fields = serde_json::json!({
        "org": {"name": args.org, "until": day, "contact_24h": args.contact},
        "administrator": {"name": args.administrator},
    });
    let fields = fields.as_object().cloned().unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let invitation = runtime.block_on(async {
        let running = super::serve::offline(&args.dir)
            .await
            .context("is the hub running? Then its operator invites on its page")?;
        let office = running.office.clone();
        let operator = office.look(|alliance| alliance.operator().cloned());
        let org = operator.context("the alliance has no operator")?;
        // Whoever is at the hub's own terminal and reads its keys acts as the hub.
        let actor = Actor { who: Who::Hub, org, strength: Strength::Machine };
        let key = crate::identity::token::fresh();
        let made = invite_org(&office, actor, &fields, &key, clock::now_us()).await;
        running.stop().await?;
        made.map_err(|problem| anyhow::anyhow!("{}", problem.detail))
    })?;
    std::fs::write(&args.out, serde_json::to_string_pretty(&invitation)? + "\n")?;
    println!("Written to {}: good once, until {}.", args.out.display(), invitation.until);
    println!("Tell the hospital the hub's key by another way: {}", invitation.hub_key);
    Ok(())
}

/// Joins: makes two keys here, proves them, gets the certificate.
pub fn run(args: &JoinArgs) -> Result<()> {
    let text = std::fs::read_to_string(&args.invitation)
        .with_context(|| format!("cannot read {}", args.invitation.display()))?;
    let invitation: Invitation =
        serde_json::from_str(&text).context("this is not an invitation to an alliance")?;
    ensure!(
        invitation.holds(),
        "the invitation was changed after the hub signed it; nothing was sent. Ask for a new one"
    );
    match &args.hub_key {
        Some(key) if *key == invitation.hub_key => {}
        Some(key) => bail!(
            "the invitation is signed by {}, and not by {key}; nothing was sent. Ask the operator",
            invitation.hub_key
        ),
        None => println!(
            "The invitation is signed by {}: ask the operator by telephone whether that is the hub's key.",
            invitation.hub_key
        ),
    }
    fresh(&args.dir)?;
    let (tls_key, sign_key) = (SigningKey::generate(), SigningKey::generate());
    let joined = ask(&invitation, &tls_key, &sign_key)?;
    private_dir(&args.dir)?;
    secret(&args.dir.join("site.key"), &pem(&tls_key.pkcs8()))?;
    secret(&args.dir.join("grant.key"), &sign_key.secret_text())?;
    std::fs::write(args.dir.join("site.pem"), &joined.certificate)?;
    std::fs::write(args.dir.join("authority.pem"), &joined.authority)?;
    let about = serde_json::json!({
        "alliance": invitation.alliance, "url": invitation.url, "hub_key": joined.hub_key,
        "org": joined.org, "site": joined.site,
    });
    std::fs::write(args.dir.join("site.json"), serde_json::to_string_pretty(&about)? + "\n")?;
    println!("{} is in. Keys and certificate: {}", joined.site, args.dir.display());
    println!("The first administrator enrols a passkey here, once:");
    println!("  {}", joined.enrolment);
    Ok(())
}

/// Sends the public halves.
///
/// # Errors
/// When the hub is not reached, is not the one of the invitation, or says no.
pub fn ask(invitation: &Invitation, tls_key: &SigningKey, sign_key: &SigningKey) -> Result<Joined> {
    let (tls, sign) = (clock::hex(&tls_key.public()), clock::hex(&sign_key.public()));
    let message = Joining::signed_bytes(&invitation.code, &tls, &sign);
    let proofs = [clock::hex(&tls_key.sign(&message)), clock::hex(&sign_key.sign(&message))];
    let body = serde_json::to_vec(&Joining {
        code: invitation.code.clone(),
        tls_key: tls,
        sign_key: sign,
        proofs,
    })?;
    let (status, answer) = post(invitation, "/v1/join", &body)?;
    ensure!(status == 201, "the hub said no ({status}): {}", String::from_utf8_lossy(&answer));
    Ok(serde_json::from_slice(&answer)?)
}

/// One request to the hub of an invitation, over TLS 1.3 to that authority's certificate only.
fn post(invitation: &Invitation, path: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
    let url = crate::config::PublicUrl::parse(&invitation.url)?;
    let socket = TcpStream::connect((url.host.as_str(), url.port))
        .with_context(|| format!("cannot reach {}", invitation.url))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        url.authority(),
        body.len()
    );
    let message = [head.as_bytes(), body].concat();
    let mut answer = Vec::new();
    if url.tls {
        let config =
            rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_protocol_versions(&[&rustls::version::TLS13])?
                .with_root_certificates(tls::roots(&invitation.authority)?)
                .with_no_client_auth();
        let name = ServerName::try_from(url.host.clone())?;
        let connection = rustls::ClientConnection::new(Arc::new(config), name)?;
        let mut stream = rustls::StreamOwned::new(connection, socket);
        stream
            .write_all(&message)
            .context("the hub's certificate is not of the invitation's authority")?;
        read(&mut stream, &mut answer)?;
    } else {
        ensure!(
            matches!(url.host.as_str(), "localhost" | "127.0.0.1"),
            "A-024: the hub's address is plain http and not this machine; nothing was sent"
        );
        let mut socket = socket;
        socket.write_all(&message)?;
        read(&mut socket, &mut answer)?;
    }
    let end =
        answer.windows(4).position(|w| w == b"\r\n\r\n").context("the hub's answer is cut off")?;
    let (head, body) = answer.split_at(end);
    let status = std::str::from_utf8(head)?.split(' ').nth(1).and_then(|s| s.parse().ok());
    Ok((
        status.context("the hub's answer is not HTTP")?,
        body.get(4..).unwrap_or_default().to_vec(),
    ))
}

/// Reads to the end; a connection closed without farewell is an end too.
fn read(from: &mut impl Read, into: &mut Vec<u8>) -> Result<()> {
    match from.take(ANSWER_MAX).read_to_end(into) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof && !into.is_empty() => {
            Ok(())
        }
        Err(error) => Err(error).context("the hub did not answer"),
    }
}

fn pem(pkcs8: &[u8]) -> zeroize::Zeroizing<String> {
    use base64::Engine;
    let body = base64::engine::general_purpose::STANDARD.encode(pkcs8);
    zeroize::Zeroizing::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
    ))
}
