//! The page in the operating room: the local team's buttons and its hold-to-run signal.

use super::wire::Refused;
use super::{Hall, Order};
use crate::http::{Backend, Denied, Document, Feed, Query, VideoMessage};
use crate::lock;
use crate::planner::slices;
use crate::planner::state::{SIMULATED, ScrewState};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use telehand_ortho::Screw;
use telehand_ortho::plan::ScrewForm;
use tokio::sync::broadcast;

/// Longest wait for an answer of the core: a simulated scan takes it a second.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// What the page talks to.
pub struct Page {
    hall: Arc<Hall>,
}

impl Page {
    /// For this process.
    pub const fn new(hall: Arc<Hall>) -> Self {
        Self { hall }
    }

    /// A screw of the plan in force.
    fn screw(&self, id: &str) -> Option<Screw> {
        let state = lock(&self.hall.state);
        let shown = state.plan.as_ref()?.screws.iter().find(|screw| screw.id == id)?;
        let ScrewState { entry_mm, tip_mm, diameter_mm, .. } = *shown;
        ScrewForm { id: id.parse().ok()?, entry_mm, tip_mm, diameter_mm }.screw()
    }
}

impl Backend for Page {
    fn page(&self) -> &'static str {
        "site.html"
    }

    fn state(&self, controls: bool) -> Value {
        let site = lock(&self.hall.state).clone();
        json!({
            "type": "state",
            "label": SIMULATED,
            "controls": controls,
            "site": site,
            "local": {"name": self.hall.team},
        })
    }

    fn action(&self, body: &Value) -> Result<Value, Denied> {
        let (sender, receiver) = std::sync::mpsc::channel();
        self.hall.order(Order::Local { body: body.clone(), answer: sender });
        match receiver.recv_timeout(ANSWER_WAIT) {
            Ok(Ok(())) => Ok(json!({"ok": true})),
            Ok(Err(denied)) => Err(denied),
            Err(_) => Err(Denied::Refused(
                Refused {
                    id: "site-silent".into(),
                    message: "The site's core does not answer. The robot holds.".into(),
                    value: None,
                    limit: None,
                    unit: Box::default(),
                    clears: "Use the stop button at the robot, then restart the site.".into(),
                }
                .answer(),
            )),
        }
    }

    fn hands(&self, body: &Value) {
        if body.get("action").and_then(Value::as_str) == Some("enable") {
            let on = body.get("on").and_then(Value::as_bool).unwrap_or(false);
            self.hall.order(Order::Enable { at: crate::clock::now(), on });
        }
    }

    fn hands_gone(&self) {
        self.hall.order(Order::Enable { at: crate::clock::now(), on: false });
    }

    /// The same cuts as the planner's, through the site's own scan: what is co-signed is seen without
    /// the network.
    fn document(&self, name: &str, query: &Query) -> Result<Document, Denied> {
        if name != "slice" {
            return Err(Denied::Bad(format!("there is no {name:?}; there is slice")));
        }
        let volume = lock(&self.hall.volume).clone();
        let volume = volume.ok_or_else(|| Denied::Bad("there is no scan yet".into()))?;
        let screw = query.get("screw").and_then(|id| self.screw(id));
        slices::document(&volume, screw.as_ref(), query)
    }

    fn feed(&self, _name: &str) -> Option<Arc<dyn Feed>> {
        Some(Arc::new(Self::new(self.hall.clone())))
    }
}

impl Feed for Page {
    fn join_video(&self) {
        self.hall.viewer_joins();
    }

    fn video(&self) -> broadcast::Receiver<VideoMessage> {
        self.hall.video.subscribe()
    }

    fn video_config(&self) -> Option<Value> {
        lock(&self.hall.video_config).clone()
    }
}
