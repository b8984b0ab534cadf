//! HTTP/1.1 over TLS 1.3, one connection per request, as plain as it gets.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Who asks.
#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    pub host: String,
    pub tls: Option<Arc<ClientConfig>>,
    pub token: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub fn rule(&self) -> String {
        self.json()["rule"].as_str().unwrap_or_default().to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    /// Nobody in particular, who trusts only this authority.
    pub fn new(address: SocketAddr, authority: Option<&str>) -> Self {
        let tls = authority.map(|authority| Arc::new(config(authority, None)));
        Self { address, host: format!("localhost:{}", address.port()), tls, token: None }
    }

    /// A machine with its certificate.
    pub fn machine(&self, authority: &str, certificate: &str, pkcs8: &[u8]) -> Self {
        let tls = Some(Arc::new(config(authority, Some((certificate, pkcs8)))));
        Self { tls, token: None, ..self.clone() }
    }

    /// A person with a session.
    pub fn with(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None, &[])
    }

    /// A write with a new key.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let key = telehand_hub::clock::uuid_v7();
        self.ask(method, path, Some(body), &[("Idempotency-Key", &key)])
    }

    pub fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.raw(method, path, &body, headers).unwrap()
    }

    pub fn raw(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> std::io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head.push_str(&format!("Host: {}\r\n", self.host));
        }
        if let Some(token) = &self.token {
            head.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let bytes = [head.as_bytes(), body].concat();
        let socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut answer = Vec::new();
        match &self.tls {
            None => exchange(socket, &bytes, &mut answer)?,
            Some(tls) => {
                let name = ServerName::try_from("localhost").unwrap();
                let connection =
                    ClientConnection::new(tls.clone(), name).map_err(std::io::Error::other)?;
                exchange(StreamOwned::new(connection, socket), &bytes, &mut answer)?;
            }
        }
        Ok(parse(&answer))
    }

    /// Reads a stream until its text satisfies `enough`.
    pub fn listen(&self, path: &str, enough: impl Fn(&str) -> bool) -> String {
        self.listen_with(path, &[], enough)
    }

    pub fn listen_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        enough: impl Fn(&str) -> bool,
    ) -> String {
        let mut head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        if let Some(token) = &self.token {
            head.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream: Box<dyn ReadWrite> = match &self.tls {
            None => Box::new(socket),
            Some(tls) => Box::new(StreamOwned::new(
                ClientConnection::new(tls.clone(), name).unwrap(),
                socket,
            )),
        };
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "the stream ended: {}", String::from_utf8_lossy(&text));
            text.extend_from_slice(&piece[..count]);
            let so_far = String::from_utf8_lossy(&text);
            if enough(&so_far) {
                return so_far.into_owned();
            }
        }
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

fn exchange(
    mut stream: impl Read + Write,
    bytes: &[u8],
    answer: &mut Vec<u8>,
) -> std::io::Result<()> {
    stream.write_all(bytes)?;
    match stream.read_to_end(answer) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof && !answer.is_empty() => {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("an HTTP answer");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut body = bytes[end + 4..].to_vec();
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    Answer { status, head, body }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
    whole
}

fn config(authority: &str, own: Option<(&str, &[u8])>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    match own {
        None => builder.with_no_client_auth(),
        Some((certificate, pkcs8)) => {
            let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .unwrap();
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.to_vec()));
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    }
}
