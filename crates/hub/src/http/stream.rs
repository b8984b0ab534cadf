//! Server-sent events: what happened, from a number on, and the live board. A client that breaks off
//! comes back with `Last-Event-ID` and misses nothing.

use super::call::{Call, Outcome, Reply};
use super::office::Office;
use super::problem::Problem;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures_core::Stream;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use telehand_alliance::command::Actor;
use telehand_alliance::event::Stamped;
use telehand_alliance::view;
use tokio::sync::mpsc;

/// A word at least this often: both ends learn that the other is gone.
const BEAT: Duration = Duration::from_secs(5);
/// Events read at once.
const BATCH: usize = 256;
/// Pieces that may wait for a slow reader; then the stream waits.
const WAITING: usize = 16;
/// Open streams of all callers at most.
const STREAMS_MAX: u64 = 2000;

/// `GET /v1/events?after=seq`.
pub fn events(office: &Arc<Office>, call: &Call) -> Outcome {
    let actor = call.actor()?.clone();
    let last = call.headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let after = match (last, call.asked_id::<u64>("after")?) {
        (Some(last), _) => last
            .parse()
            .map_err(|_| Problem::bad("Last-Event-ID is no number; nothing was done"))?,
        (None, after) => after.unwrap_or(0),
    };
    open(office, |office, sender| follow(office, actor, after, sender))
}

/// `GET /v1/live`.
pub fn live(office: &Arc<Office>, call: &Call) -> Outcome {
    let actor = call.actor()?.clone();
    open(office, |office, sender| board(office, actor, sender))
}

fn open<F: Future<Output = ()> + Send + 'static>(
    office: &Arc<Office>,
    task: impl FnOnce(Arc<Office>, mpsc::Sender<Bytes>) -> F,
) -> Outcome {
    let streams = &office.metrics.streams;
    if streams.load(Ordering::Relaxed) >= STREAMS_MAX {
        return Err(
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many open streams").retry_after(5)
        );
    }
    streams.fetch_add(1, Ordering::Relaxed);
    let (sender, receiver) = mpsc::channel(WAITING);
    let work = task(office.clone(), sender.clone());
    let office = office.clone();
    tokio::spawn(async move {
        let mut stop = office.stop.subscribe();
        tokio::select! {
            () = work => {}
            () = sender.closed() => {}
            () = super::connection::told(&mut stop) => {}
        }
        office.metrics.streams.fetch_sub(1, Ordering::Relaxed);
    });
    Ok(Reply::stream("text/event-stream", Body::from_stream(Pieces(receiver))))
}

struct Pieces(mpsc::Receiver<Bytes>);

impl Stream for Pieces {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|piece| piece.map(Ok))
    }
}

fn piece(kind: &str, id: Option<u64>, data: &Value) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    Bytes::from(format!("{id}event: {kind}\ndata: {data}\n\n"))
}

async fn follow(office: Arc<Office>, actor: Actor, mut after: u64, sender: mpsc::Sender<Bytes>) {
    let mut head = office.engine.follow();
    loop {
        let reader = office.clone();
        let read = move || reader.engine.events(after, BATCH);
        let Ok(Ok(events)) = tokio::task::spawn_blocking(read).await else { return };
        let Some(last) = events.last().map(|event| event.seq) else {
            match tokio::time::timeout(BEAT, head.changed()).await {
                Ok(Ok(())) => continue,
                Ok(Err(_)) => return,
                Err(_) => {}
            }
            // The beat carries the number too: who may read little does not read it all again.
            let beat = piece("beat", Some(after), &json!({"seq": after}));
            if sender.send(beat).await.is_err() {
                return;
            }
            continue;
        };
        for bytes in visible(&office, &actor, &events) {
            if sender.send(bytes).await.is_err() {
                return;
            }
        }
        after = last;
    }
}

fn visible(office: &Office, actor: &Actor, events: &[Stamped]) -> Vec<Bytes> {
    office.look(|alliance| {
        let own = events
            .iter()
            .filter(|event| view::belongs(alliance, actor) && view::event(alliance, actor, event));
        own.map(|event| piece("event", Some(event.seq), &json!(event))).collect()
    })
}

async fn board(office: Arc<Office>, actor: Actor, sender: mpsc::Sender<Bytes>) {
    let mut head = office.engine.follow();
    let mut told: Option<Value> = None;
    loop {
        head.mark_unchanged();
        let now = office.look(|alliance| {
            let live = alliance.sessions().values().filter(|session| session.live());
            let shared = live.filter(|session| view::visible(alliance, &actor, &session.case));
            json!(shared.map(|session| json!(session)).collect::<Vec<_>>())
        });
        let bytes = if told.as_ref() == Some(&now) {
            piece("beat", None, &json!({}))
        } else {
            piece("sessions", None, &now)
        };
        told = Some(now);
        if sender.send(bytes).await.is_err() {
            return;
        }
        if let Ok(Err(_)) = tokio::time::timeout(BEAT, head.changed()).await {
            return;
        }
        // A burst of events is one picture.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
