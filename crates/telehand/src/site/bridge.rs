//! The live case for the field's own programs: `OpenIGTLink` for 3D Slicer and Plus, NDI's language
//! for whoever knows its trackers. They look on; nothing that they send reaches the core.

use super::core::Core;
use crate::bridge_cli::feed::{self, Case, Publisher};
use crate::bridge_cli::{self, Note, igtl, ndi};
use crate::planner::state::{SIMULATED, SiteState};
use anyhow::{Context as _, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use telehand_bridge::igtl::StatusCode;
use telehand_ortho::Volume;
use telehand_ortho::register::Registration;
use telehand_sim::spine::tracker::{PERIOD, TrackerFrame};
use telehand_vocab::Mono;

/// Where other programs may look on. Neither protocol asks who listens, so both stay on 127.0.0.1.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Doors {
    /// Serve poses, scan and case to OpenIGTLink clients on this port of 127.0.0.1; 0 takes a free
    /// one
    #[arg(long, value_name = "PORT")]
    igtl: Option<u16>,
    /// Answer there as an NDI tracker, with what this site's tracker sees; 0 takes a free port
    #[arg(long, value_name = "PORT")]
    ndi: Option<u16>,
}

impl Doors {
    /// Opens what was asked for, and says where; the servers run until the publisher is dropped.
    pub fn open(self) -> Result<Option<Publisher>> {
        if self.igtl.is_none() && self.ndi.is_none() {
            return Ok(None);
        }
        let (publisher, feed) = feed::pair();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let mut listeners = [None, None];
        let asked = [("OpenIGTLink", self.igtl), ("NDI", self.ndi)];
        for (slot, (protocol, port)) in listeners.iter_mut().zip(asked) {
            let Some(port) = port else { continue };
            let listener = runtime.block_on(bridge_cli::bind(local(port), false))?;
            println!("site {protocol}: {}", listener.local_addr()?);
            *slot = Some(listener);
        }
        let thread = std::thread::Builder::new().name("bridge".into());
        let serving = move || {
            runtime.block_on(async {
                let tell: Arc<dyn Fn(&Note) + Send + Sync> =
                    Arc::new(|note| eprintln!("telehand site: {}", note.json()));
                let [for_igtl, for_ndi] = listeners;
                let igtl =
                    for_igtl.map(|socket| igtl::serve(socket, feed.clone(), PERIOD, tell.clone()));
                let ndi = for_ndi.map(|socket| ndi::serve(socket, feed.clone(), tell));
                tokio::join!(or_nothing(igtl), or_nothing(ndi));
            });
        };
        thread.spawn(serving).context("no thread for the programs that look on")?;
        Ok(Some(publisher))
    }
}

async fn or_nothing(server: Option<impl Future<Output = ()>>) {
    if let Some(server) = server {
        server.await;
    }
}

impl Core {
    /// What the tracker saw at `at`, and where the patient lies in the scan while that is known.
    pub(super) fn show_frame(&self, at: Mono, frame: &TrackerFrame) {
        let Some(publisher) = &self.setup.publisher else { return };
        let registration = self.registration.as_ref().filter(|_| self.registration_holds());
        publisher.frame(at, frame, registration.map(Registration::image_from_reference));
    }

    /// The scan that the plan is made on. A control scan is not shown: no pose belongs to it.
    pub(super) fn show_scan(&self, volume: &Volume) {
        let Some(publisher) = &self.setup.publisher else { return };
        if !publisher.scan(volume) {
            eprintln!(
                "telehand site: the scan is too large for OpenIGTLink and is not shown there"
            );
        }
    }

    pub(super) fn show_case(&self, site: &SiteState) {
        if let Some(publisher) = &self.setup.publisher {
            publisher.case(words(site));
        }
    }
}

/// The case for strangers: where it stands and what the robot does, not who lies on the table.
fn words(site: &SiteState) -> Case {
    let SiteState { case, robot, lease, alarms, .. } = site;
    let code = match alarms.first() {
        None => StatusCode::Ok,
        Some(_) if robot.state == "stopped" => StatusCode::Disabled,
        Some(_) => StatusCode::NotReady,
    };
    let mut words = format!(
        "{SIMULATED} {}; robot {} for {}, guide {}; target {}",
        site.id,
        robot.state,
        lease.holder,
        if robot.guide_occupied { "occupied" } else { "free" },
        robot.target.as_deref().unwrap_or("none"),
    );
    for alarm in alarms {
        words.push_str("; ");
        words.push_str(&alarm.cause);
    }
    Case { code, name: case.state.clone(), words }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::state::{Alarm, CaseState, Patient};

    #[test]
    fn who_lies_on_the_table_is_not_told_to_strangers() {
        let mut site = SiteState {
            id: "tianjin".into(),
            patient: Patient {
                name: "Li^Wei".into(),
                id: "P-1234".into(),
                birth: "19600102".into(),
            },
            case: CaseState { state: "HELD".into(), ..CaseState::default() },
            ..SiteState::default()
        };
        let well = words(&site);
        assert_eq!((well.code, well.name.as_str()), (StatusCode::Ok, "HELD"));
        assert!(well.words.contains(SIMULATED) && well.words.contains("target none"));
        site.alarms = vec![Alarm { cause: "the line is silent".into(), ..Alarm::default() }];
        site.robot.target = Some("L3L".into());
        let alarmed = words(&site);
        assert_eq!(alarmed.code, StatusCode::NotReady);
        assert!(alarmed.words.contains("L3L") && alarmed.words.contains("silent"));
        site.robot.state = "stopped".into();
        assert_eq!(words(&site).code, StatusCode::Disabled);
        for told in [&well.words, &alarmed.words] {
            assert!(!told.contains("Li") && !told.contains("1234") && !told.contains("1960"));
        }
    }
}
