//! A tracker as its clients see it.

use super::crc16;
use super::wire::{Reading, Seen, binary_reply, text_reply};
use std::fmt::Write as _;

/// The longest command that is read.
const COMMAND_MAX: usize = 2_048;

/// A tool that can be tracked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Manufacturer, at most 12 characters.
    pub manufacturer: String,
    /// Part number, at most 20 characters.
    pub part: String,
    /// Serial number.
    pub serial: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Port {
    tool: Option<usize>,
    initialised: bool,
    enabled: bool,
}

/// Why a command is refused; the numbers are those of the tracker's own guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Unknown = 0x01,
    TooLong = 0x02,
    Checksum = 0x04,
    Parameters = 0x07,
    Handle = 0x08,
    Mode = 0x0C,
    NotInitialised = 0x0E,
    NoHandles = 0x10,
}

/// A simulated tracker with some tools. Each connection has its own.
#[derive(Debug, Clone)]
pub struct Emulator {
    tools: Vec<Tool>,
    ports: Vec<Option<Port>>,
    initialised: bool,
    tracking: bool,
    held: Vec<u8>,
    overlong: bool,
}

impl Emulator {
    /// Tools that are there from the start, like active tools that are plugged in: their handles
    /// wait to be initialised.
    pub fn new(tools: Vec<Tool>) -> Self {
        let port = |tool| Some(Port { tool: Some(tool), initialised: false, enabled: false });
        Self {
            ports: (0..tools.len()).map(port).collect(),
            tools,
            initialised: false,
            tracking: false,
            held: Vec::new(),
            overlong: false,
        }
    }

    /// Takes bytes of the client; `seen` are the tools now, in their order, and `frame` the number
    /// of the frame. Returns the replies.
    pub fn handle(&mut self, bytes: &[u8], seen: &[Seen], frame: u32) -> Vec<u8> {
        let mut replies = Vec::new();
        for &byte in bytes {
            if byte == b'\r' {
                let command = std::mem::take(&mut self.held);
                let reply = if std::mem::take(&mut self.overlong) {
                    Err(Fault::TooLong)
                } else {
                    self.answer(&command, seen, frame)
                };
                match reply {
                    Ok(Reply::Text(text)) => replies.extend(sealed(&text)),
                    Ok(Reply::Binary(bytes)) => replies.extend(bytes),
                    Err(fault) => replies.extend(sealed(&format!("ERROR{:02X}", fault as u8))),
                }
            } else if self.held.len() < COMMAND_MAX {
                self.held.push(byte);
            } else {
                self.overlong = true;
            }
        }
        replies
    }

    fn answer(&mut self, command: &[u8], seen: &[Seen], frame: u32) -> Result<Reply, Fault> {
        let command = std::str::from_utf8(command).map_err(|_| Fault::Unknown)?;
        let split = command.find([':', ' ']).unwrap_or(command.len());
        let (name, rest) = command.split_at(split);
        let parameters = match rest.as_bytes().first() {
            Some(b':') => checked(command, rest.get(1..).unwrap_or_default())?,
            _ => rest.get(1..).unwrap_or_default().trim_end(),
        };
        let okay = || Ok(Reply::Text("OKAY".into()));
        match name {
            "INIT" => {
                self.initialised = true;
                self.tracking = false;
                okay()
            }
            "RESET" => {
                *self = Self::new(std::mem::take(&mut self.tools));
                Ok(Reply::Text("RESET".into()))
            }
            "VER" => Ok(Reply::Text(format!(
                "telehand SIMULATED Polaris\nFreeze Tag: {}\n",
                env!("CARGO_PKG_VERSION")
            ))),
            "APIREV" => Ok(Reply::Text("G.003.001".into())),
            "COMM" | "BEEP" | "SSTAT" => okay(),
            "PHSR" => self.ready().map(|()| Reply::Text(self.search(parameters))),
            "PHRQ" => self.ready().and_then(|()| self.request()),
            "PVWR" => self.port(parameters).and_then(|_| okay()),
            "PINIT" => {
                self.port(parameters)?.initialised = true;
                okay()
            }
            "PENA" => {
                let port = self.port(parameters)?;
                if !port.initialised {
                    return Err(Fault::NotInitialised);
                }
                port.enabled = true;
                okay()
            }
            "PDIS" => {
                self.port(parameters)?.enabled = false;
                okay()
            }
            "PHF" => {
                self.port(parameters)?;
                let slot = place(parameters).and_then(|place| self.ports.get_mut(place));
                *slot.ok_or(Fault::Handle)? = None;
                okay()
            }
            "PHINF" => self.information(parameters),
            "TSTART" => self.ready().and_then(|()| {
                self.tracking = true;
                okay()
            }),
            "TSTOP" => {
                self.tracking = false;
                okay()
            }
            "TX" => self.readings(parameters, seen, frame).map(|r| Reply::Text(text_reply(&r))),
            "BX" => self.readings(parameters, seen, frame).map(|r| Reply::Binary(binary_reply(&r))),
            _ => Err(Fault::Unknown),
        }
    }

    fn ready(&self) -> Result<(), Fault> {
        if self.initialised { Ok(()) } else { Err(Fault::NoHandles) }
    }

    /// The port whose handle begins the parameters.
    fn port(&mut self, parameters: &str) -> Result<&mut Port, Fault> {
        self.ready()?;
        let port = place(parameters).and_then(|place| self.ports.get_mut(place)?.as_mut());
        port.ok_or(Fault::Handle)
    }

    fn handles(&self) -> impl Iterator<Item = (u8, &Port)> {
        (1..=u8::MAX).zip(&self.ports).filter_map(|(handle, port)| Some((handle, port.as_ref()?)))
    }

    /// Handles: all (00), to be freed (01), to be initialised (02), to be enabled (03), enabled (04).
    fn search(&self, parameters: &str) -> String {
        let wanted = |port: &Port| match parameters.get(..2).unwrap_or("00") {
            "01" => port.tool.is_none(),
            "02" => !port.initialised,
            "03" => port.initialised && !port.enabled,
            "04" => port.enabled,
            _ => true,
        };
        let found: Vec<_> = self.handles().filter(|(_, port)| wanted(port)).collect();
        let mut out = format!("{:02X}", found.len());
        for (handle, port) in found {
            let _ = write!(out, "{handle:02X}{:03X}", status(port));
        }
        out
    }

    /// A handle for a passive tool: the next tool that has none.
    fn request(&mut self) -> Result<Reply, Fault> {
        let taken: Vec<usize> = self.ports.iter().flatten().filter_map(|port| port.tool).collect();
        let tool = (0..self.tools.len()).find(|tool| !taken.contains(tool));
        let port = Some(Port { tool, initialised: false, enabled: false });
        let place = match self.ports.iter().position(Option::is_none) {
            Some(place) => place,
            None if self.ports.len() < 0xFE => {
                self.ports.push(None);
                self.ports.len() - 1
            }
            None => return Err(Fault::Handle),
        };
        if let Some(slot) = self.ports.get_mut(place) {
            *slot = port;
        }
        Ok(Reply::Text(format!("{:02X}", place + 1)))
    }

    /// What a tool is: type, manufacturer, revision, serial number, status; with option 0004 the
    /// part number.
    fn information(&mut self, parameters: &str) -> Result<Reply, Fault> {
        let options = number::<u16>(parameters.get(2..6)).unwrap_or(1);
        let port = self.port(parameters)?.clone();
        let tool = port.tool.and_then(|tool| self.tools.get(tool));
        let Some(tool) = tool else { return Ok(Reply::Text("UNOCCUPIED".into())) };
        let mut out = String::new();
        if options & 1 == 1 {
            let Tool { manufacturer, serial, .. } = tool;
            let _ =
                write!(out, "02000000{manufacturer:<12.12}001{serial:08X}{:02X}", status(&port));
        }
        if options & 4 == 4 {
            let _ = write!(out, "{:<20.20}", tool.part);
        }
        Ok(Reply::Text(out))
    }

    fn readings(&self, parameters: &str, seen: &[Seen], frame: u32) -> Result<Vec<Reading>, Fault> {
        if !self.tracking {
            return Err(Fault::Mode);
        }
        // Only transforms are told; a client that asks for more must hear that it does not get it.
        let options = match parameters {
            "" => 1,
            text => number::<u16>(Some(text)).ok_or(Fault::Parameters)?,
        };
        if options & !0x0801 != 0 {
            return Err(Fault::Parameters);
        }
        let read = |(handle, port): (u8, &Port)| {
            let now = port.tool.and_then(|tool| seen.get(tool)).copied();
            let seen = if port.enabled { now.unwrap_or(Seen::Missing) } else { Seen::Disabled };
            Reading { handle, seen, frame }
        };
        Ok(self.handles().filter(|(_, port)| port.enabled).map(read).collect())
    }
}

#[derive(Debug)]
enum Reply {
    Text(String),
    Binary(Vec<u8>),
}

/// Occupied, initialised, enabled.
fn status(port: &Port) -> u8 {
    u8::from(port.tool.is_some()) | u8::from(port.initialised) << 4 | u8::from(port.enabled) << 5
}

/// The parameters of a command that carries its checksum.
fn checked<'a>(command: &str, rest: &'a str) -> Result<&'a str, Fault> {
    let cut = rest.len().checked_sub(4).ok_or(Fault::Checksum)?;
    let (parameters, checksum) = rest.split_at_checked(cut).ok_or(Fault::Checksum)?;
    let whole = command.as_bytes();
    let said = number::<u16>(Some(checksum)).ok_or(Fault::Checksum)?;
    let covered = whole.get(..whole.len() - 4).unwrap_or_default();
    if crc16(covered) == said { Ok(parameters) } else { Err(Fault::Checksum) }
}

/// Where the port lies whose handle begins the parameters.
fn place(parameters: &str) -> Option<usize> {
    usize::from(number::<u8>(parameters.get(..2))?).checked_sub(1)
}

fn number<T: TryFrom<u32>>(text: Option<&str>) -> Option<T> {
    let text = text.filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
    T::try_from(u32::from_str_radix(text, 16).ok()?).ok()
}

/// A reply with its checksum and the carriage return.
fn sealed(text: &str) -> Vec<u8> {
    format!("{text}{:04X}\r", crc16(text.as_bytes())).into_bytes()
}
