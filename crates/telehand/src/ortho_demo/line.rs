//! A page without a browser: the state over the web socket, buttons over HTTP, and the held button.

use crate::lock;
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest wait for an answer.
const WAIT: Duration = Duration::from_secs(20);
/// How long a process may take to open its page.
const START: Duration = Duration::from_secs(30);

/// What a script holds of a process: exactly what a page holds.
pub struct Line {
    base: String,
    bearer: String,
    stream: Mutex<TcpStream>,
    latest: Arc<Mutex<Value>>,
    agent: ureq::Agent,
}

impl Line {
    /// Connects to the page server at 127.0.0.1:`port`, waiting until it is there.
    pub fn open(port: u16, token: &str) -> Result<Self> {
        let began = Instant::now();
        loop {
            match Self::connect(port, token) {
                Ok(line) => return Ok(line),
                Err(error) if began.elapsed() > START => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    fn connect(port: u16, token: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /ws/control HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGVsZWhhbmQgZGVtbyBrZXk=\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).context("the page server hung up")?;
            head.extend(byte);
            if head.len() > 4096 {
                bail!("the page server's answer has no end");
            }
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            bail!("no web socket: {}", String::from_utf8_lossy(&head));
        }
        let latest = Arc::new(Mutex::new(Value::Null));
        let (reader, heard) = (stream.try_clone()?, latest.clone());
        std::thread::Builder::new().name("states".into()).spawn(move || {
            // The process has ended: the last state stands still.
            let _ = listen(reader, &heard);
        })?;
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(WAIT))
            .http_status_as_error(false)
            .build()
            .into();
        Ok(Self {
            base: format!("http://127.0.0.1:{port}"),
            bearer: format!("Bearer {token}"),
            stream: Mutex::new(stream),
            latest,
            agent,
        })
    }

    /// The newest state.
    pub fn state(&self) -> Value {
        lock(&self.latest).clone()
    }

    /// The newest state, once there is one.
    pub fn first_state(&self) -> Result<Value> {
        let began = Instant::now();
        loop {
            let state = self.state();
            if !state.is_null() {
                return Ok(state);
            }
            if began.elapsed() > WAIT {
                bail!("{} says nothing", self.base);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses a button. A refusal is an answer, not an error.
    pub fn press(&self, action: &str, more: Value) -> Result<Value> {
        let mut body = json!({"action": action});
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        let mut response = self
            .agent
            .post(format!("{}/api/action", self.base))
            .header("authorization", &self.bearer)
            .header("content-type", "application/json")
            .send(body.to_string())?;
        Ok(serde_json::from_str(&response.body_mut().read_to_string()?)?)
    }

    /// One repetition of a held button, or its release.
    pub fn hold(&self, mut body: Value, on: bool) -> Result<()> {
        if let Some(body) = body.as_object_mut() {
            body.insert("type".into(), "hold".into());
            body.insert("on".into(), on.into());
        }
        let text = body.to_string();
        // A client's frame is masked (RFC 6455, 5.3); a mask of zeros leaves the text as it is.
        let mut frame = vec![0x81];
        if text.len() < 126 {
            frame.push(0x80 | text.len() as u8);
        } else {
            frame.push(0xfe);
            frame.extend((text.len() as u16).to_be_bytes());
        }
        frame.extend([0; 4]);
        frame.extend(text.bytes());
        lock(&self.stream).write_all(&frame)?;
        Ok(())
    }
}

/// Reads states until the other side ends.
fn listen(mut stream: TcpStream, latest: &Mutex<Value>) -> Result<()> {
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head)?;
        let [first, second] = head;
        let length = match second & 0x7f {
            126 => {
                let mut bytes = [0; 2];
                stream.read_exact(&mut bytes)?;
                u64::from(u16::from_be_bytes(bytes))
            }
            127 => {
                let mut bytes = [0; 8];
                stream.read_exact(&mut bytes)?;
                u64::from_be_bytes(bytes)
            }
            short => u64::from(short),
        };
        if length > 16 << 20 {
            bail!("a state of {length} bytes");
        }
        let mut text = vec![0; length as usize];
        stream.read_exact(&mut text)?;
        if first & 0x0f == 8 {
            return Ok(());
        }
        if let Ok(value) = serde_json::from_slice::<Value>(&text)
            && value.get("type").and_then(Value::as_str) == Some("state")
        {
            *lock(latest) = value;
        }
    }
}
