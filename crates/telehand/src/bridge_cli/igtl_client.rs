//! Prints what an `OpenIGTLink` server says, one line a message.

use super::{connect, print, shown};
use crate::clock;
use anyhow::{Result, bail};
use serde_json::{Value, json};
use telehand_bridge::igtl::{Image, Message, Packet, Stream, ToolKind, Tracked};
use telehand_vocab::Pose;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Reads until `count` messages have come, the server hangs up or nobody reads the lines.
pub async fn read(
    server: &str,
    tdata_ms: Option<u32>,
    count: Option<u64>,
    as_json: bool,
) -> Result<()> {
    let mut connection = connect(server).await?;
    if let Some(period_ms) = tdata_ms {
        let message = Message::StartTdata { period_ms, frame: String::new() };
        let time_ns = clock::wall().as_nanos();
        let packet = Packet { device: "telehand".into(), time_ns, message };
        connection.write_all(&packet.encode()).await?;
    }
    let mut stream = Stream::default();
    let mut buffer = vec![0; 64 * 1024];
    let mut left = count.unwrap_or(u64::MAX);
    while left > 0 {
        let read = connection.read(&mut buffer).await?;
        if read == 0 && count.is_some() {
            bail!("{server} hung up, {left} messages early; connect again");
        }
        if read == 0 {
            break;
        }
        stream.push(buffer.get(..read).unwrap_or_default());
        while let Some(packet) = stream.next_packet().filter(|_| left > 0) {
            match packet {
                Ok(packet) => {
                    left -= 1;
                    if !print(&shown(&line(&packet), as_json)) {
                        return Ok(());
                    }
                }
                Err(error) if error.is_fatal() => bail!(error),
                Err(error) => eprintln!("telehand bridge: {error}"),
            }
        }
    }
    Ok(())
}

/// One message; units in the names.
fn line(packet: &Packet) -> Value {
    let mut line = match &packet.message {
        Message::Transform(pose) => place(pose),
        Message::Tdata(items) => json!({ "items": items.iter().map(item).collect::<Vec<_>>() }),
        Message::StartTdata { period_ms, frame } => {
            json!({ "period_ms": period_ms, "frame": frame })
        }
        Message::ReadyTdata { accepted } => json!({ "accepted": accepted }),
        Message::Status { code, sub_code, name, text } => json!({
            "code": *code as u16, "meaning": format!("{code:?}"), "sub_code": sub_code,
            "name": name, "text": text,
        }),
        Message::Text(text) => json!({ "text": text }),
        Message::Image(image) => volume(image),
        Message::Capability(kinds) => json!({ "types": kinds }),
        Message::StopTdata
        | Message::GetStatus
        | Message::GetImage
        | Message::GetCapability
        | Message::Other { .. } => json!({}),
    };
    if let Some(fields) = line.as_object_mut() {
        fields.insert("type".into(), packet.message.kind().into());
        fields.insert("device".into(), packet.device.as_str().into());
        fields.insert("time_ns".into(), packet.time_ns.into());
    }
    line
}

fn item(item: &Tracked) -> Value {
    let mut line = place(&item.pose);
    if let Some(fields) = line.as_object_mut() {
        let kind = match item.kind {
            ToolKind::Tracker => "tracker",
            ToolKind::SixD => "6d",
            ToolKind::ThreeD => "3d",
            ToolKind::FiveD => "5d",
        };
        fields.insert("name".into(), item.name.as_str().into());
        fields.insert("kind".into(), kind.into());
    }
    line
}

/// A rotation's rows, and millimetres.
pub fn place<A, B>(pose: &Pose<A, B>) -> Value {
    json!({
        "rotation": pose.rotation.to_rows(),
        "translation_mm": pose.translation.to_array().map(|metres| metres * 1e3),
    })
}

/// A volume in LPS, whatever it came in.
fn volume(Image { grid, values }: &Image) -> Value {
    json!({
        "frame": "LPS",
        "size": grid.size,
        "spacing_mm": grid.spacing.map(|metres| metres * 1e3),
        "origin_mm": grid.origin.to_array().map(|metres| metres * 1e3),
        "axes": grid.axes.map(telehand_vocab::Vec3::to_array),
        "least": values.iter().min(),
        "most": values.iter().max(),
        "sum": values.iter().map(|value| i64::from(*value)).sum::<i64>(),
    })
}
