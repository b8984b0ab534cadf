//! Prints what an NDI tracker says, one line for each tool and frame.

use super::igtl_client::place;
use super::{connect, print, shown};
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::time::Duration;
use telehand_bridge::ndi::{Client, Reading, Seen};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// A tracker that has not answered a command for so long is gone.
const SILENT: Duration = Duration::from_secs(10);
/// Between two questions for readings: the tracker has 60 frames a second.
const PERIOD: Duration = Duration::from_millis(8);

/// Sets the tracker up and reads until `count` readings have come, or nobody reads the lines.
pub async fn read(
    tracker: &str,
    definitions: Vec<Vec<u8>>,
    count: Option<u64>,
    as_json: bool,
) -> Result<()> {
    let mut client = Client::new(definitions)?;
    let mut connection = connect(tracker).await?;
    let mut left = count.unwrap_or(u64::MAX);
    let mut told: Vec<Reading> = Vec::new();
    let mut beat = tokio::time::interval(PERIOD);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    while left > 0 {
        if let Some(command) = client.poll() {
            if client.tracks() {
                beat.tick().await;
            }
            connection.write_all(&command).await?;
        }
        let readings = answer(tracker, &mut client, &mut connection).await?;
        for reading in &readings {
            if told.contains(reading) || left == 0 {
                continue;
            }
            left -= 1;
            if !print(&shown(&line(reading), as_json)) {
                return Ok(());
            }
        }
        if !readings.is_empty() {
            told = readings;
        }
    }
    Ok(())
}

async fn answer(
    tracker: &str,
    client: &mut Client,
    connection: &mut tokio::net::TcpStream,
) -> Result<Vec<Reading>> {
    let mut buffer = [0; 4 * 1024];
    let Ok(read) = timeout(SILENT, connection.read(&mut buffer)).await else {
        bail!("{tracker} has not answered for {} s; nothing more is read", SILENT.as_secs());
    };
    let read = read?;
    if read == 0 {
        bail!("{tracker} hung up; connect again");
    }
    Ok(client.handle(buffer.get(..read).unwrap_or_default())?)
}

/// One reading; units in the names.
fn line(reading: &Reading) -> Value {
    let mut line = match reading.seen {
        Seen::At { pose, error } => {
            let mut line = place(&pose);
            if let Some(fields) = line.as_object_mut() {
                fields.insert("error_mm".into(), (error * 1e3).into());
            }
            line
        }
        Seen::Missing => json!({}),
        Seen::Disabled => json!({ "disabled": true }),
    };
    if let Some(fields) = line.as_object_mut() {
        fields.insert("handle".into(), reading.handle.into());
        fields.insert("frame".into(), reading.frame.into());
        fields.insert("seen".into(), matches!(reading.seen, Seen::At { .. }).into());
    }
    line
}
