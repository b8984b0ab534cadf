//! Scans that arrive: stored by the DICOM service, read, checked, and handed to the patient's room.

use super::grading;
use super::office::{Office, Room};
use crate::lock;
use crate::site::wire::{FromPlanner, Purpose};
use anyhow::{Context as _, Result};
use std::path::Path;
use std::sync::Arc;
use telehand_bridge::dicom;
use telehand_bridge::dicom::network::{Received, Scp, ScpOptions};
use telehand_ortho::plan::By;
use telehand_ortho::series::{assemble, registration_allowed};
use telehand_ortho::{SeriesUid, Volume};

/// The application entity title of the planner.
pub const TITLE: &str = "TELEHAND";

/// Serves C-STORE on 127.0.0.1 and says the port.
pub fn serve(office: &Arc<Office>, port: u16, folder: &Path) -> Result<u16> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let scp = Scp::bind(("127.0.0.1", port), ScpOptions::new(TITLE, folder))
        .with_context(|| format!("the DICOM service cannot listen on 127.0.0.1:{port}"))?;
    let port = scp.local_addr()?.port();
    let serving = scp.serve(|received| {
        if let Received::Refused { from, why } = received {
            eprintln!("telehand planner: an object of {from} was refused: {why}");
        }
    })?;
    // It serves as long as the process lives.
    std::mem::forget(serving);
    for room in office.sites() {
        recover(room, folder);
    }
    Ok(port)
}

/// After a restart: the series that the plan was drawn on is still on the disk.
fn recover(room: &Arc<Room>, folder: &Path) {
    let Some(uid) = lock(&room.workup).plan().map(|plan| plan.series().clone()) else { return };
    match read(folder, &uid) {
        Ok(Read { volume, origin, .. }) => {
            *lock(&room.origin) = Some(origin);
            let by = By { name: String::new(), at_ms: super::calendar::now_ms() };
            let mut workup = lock(&room.workup);
            // The same series again writes nothing.
            if let Err(why) = workup.take_series(Arc::new(volume), by) {
                eprintln!("telehand planner: {}: {why}", room.id);
            }
            workup.find_bones();
            drop(workup);
            room.analyse();
        }
        Err(why) => eprintln!("telehand planner: {}: the planned series: {why:#}", room.id),
    }
}

struct Read {
    volume: Volume,
    count: usize,
    origin: (dicom::Origin, String),
}

fn read(folder: &Path, uid: &SeriesUid) -> Result<Read> {
    let series = dicom::read_series(&folder.join(uid.as_str()), Some(uid))?;
    let count = series.slices.len();
    let assembled = assemble(series.slices)?;
    let origin = (series.origin, assembled.frame_of_reference);
    Ok(Read { volume: assembled.volume, count, origin })
}

/// Reads every series that the site has announced: the announcement comes after the last slice was
/// acknowledged.
pub fn look(office: &Office, room: &Room) {
    let expected = std::mem::take(&mut *lock(&room.expected));
    for (uid, (instances, purpose)) in expected {
        let found = read(&office.folder.join("incoming"), &uid);
        let answer = match &found {
            Ok(Read { volume, count, .. }) => {
                let coarse = registration_allowed(&volume.grid).err().map(|why| why.to_string());
                let lacking = (*count != instances)
                    .then(|| format!("{count} of {instances} slices arrived; send it again"));
                FromPlanner::Imported {
                    uid: uid.clone(),
                    complete: lacking.is_none(),
                    registration_allowed: coarse.is_none(),
                    refusal: lacking.or(coarse),
                }
            }
            Err(why) => FromPlanner::Imported {
                uid: uid.clone(),
                complete: false,
                registration_allowed: false,
                refusal: Some(format!("{why:#}")),
            },
        };
        if let Ok(Read { volume, origin, .. }) = found {
            if purpose == Purpose::Plan {
                *lock(&room.origin) = Some(origin);
            }
            take(office, room, Arc::new(volume), purpose);
        }
        lock(&room.read).insert(uid);
        room.tell(&answer);
    }
}

fn take(office: &Office, room: &Room, volume: Arc<Volume>, purpose: Purpose) {
    match purpose {
        Purpose::Plan => {
            let by = By { name: office.surgeon.clone(), at_ms: super::calendar::now_ms() };
            if let Err(why) = lock(&room.workup).take_series(volume, by) {
                eprintln!("telehand planner: {}: {why}", room.id);
            }
            lock(&room.lines).clear();
            room.analyse();
            room.send_plan();
        }
        Purpose::Wire(screw) => grading::wire(room, &volume, screw),
        Purpose::Final => grading::screws(office, room, &volume),
    }
}
