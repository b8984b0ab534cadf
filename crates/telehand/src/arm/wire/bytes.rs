//! The bytes of the messages: little-endian, versioned, exact.

use super::{
    Action, Changed, INPUT_MAX, Input, LinkInput, Reply, Report, Score, VERSION, Verdict,
    WireError, push_message,
};
use telehand_vocab::message::{ALARMS_MAX, Alarm, ArmFeedback};
use telehand_vocab::{
    ArmId, ArmState, Authority, Cause, Engage, Feedback, Lease, Mono, Pose, Quat, Span, Vec3,
};

/// Writes an input; `out` is cleared first.
pub fn encode_input(input: &Input<'_>, out: &mut Vec<u8>) {
    out.clear();
    out.push(VERSION);
    match input {
        Input::Beat => out.push(0),
        Input::Action { id, action } => {
            out.push(1);
            out.extend(id.to_le_bytes());
            out.push(*action as u8);
        }
        Input::Command { issued_at, clock_error, bytes } => {
            out.push(2);
            out.extend(issued_at.as_nanos().to_le_bytes());
            out.extend(clock_error.as_nanos().to_le_bytes());
            out.extend_from_slice(bytes);
        }
        Input::Link(link) => {
            out.push(3);
            out.push(link.paths_up);
            put_f64(out, link.loss);
            for span in [link.jitter, link.clock_error] {
                out.extend(span.as_nanos().to_le_bytes());
            }
            out.extend(link.forgeries.to_le_bytes());
        }
        Input::Console => out.push(4),
        Input::Grant(bytes) => {
            out.push(5);
            out.extend_from_slice(bytes);
        }
    }
}

/// Reads an input.
pub fn decode_input(bytes: &[u8]) -> Result<Input<'_>, WireError> {
    let mut r = Reader::new(bytes);
    if r.u8()? != VERSION || bytes.len() > INPUT_MAX {
        return Err(r.error());
    }
    let input = match r.u8()? {
        0 => Input::Beat,
        1 => {
            let id = r.u32()?;
            let number = r.u8()?;
            let action = Action::ALL.into_iter().find(|a| *a as u8 == number);
            Input::Action { id, action: action.ok_or(r.error())? }
        }
        2 => {
            let issued_at = Mono::from_nanos(r.u64()?);
            let clock_error = Span::from_nanos(r.u64()?);
            return Ok(Input::Command { issued_at, clock_error, bytes: r.rest() });
        }
        3 => Input::Link(LinkInput {
            paths_up: r.u8()?,
            loss: r.f64()?,
            jitter: Span::from_nanos(r.u64()?),
            clock_error: Span::from_nanos(r.u64()?),
            forgeries: r.u32()?,
        }),
        4 => Input::Console,
        5 => return Ok(Input::Grant(r.rest())),
        _ => return Err(r.error()),
    };
    if r.rest().is_empty() { Ok(input) } else { Err(r.error()) }
}

/// Writes a report; `out` is cleared first.
pub fn encode_report(report: &Report, out: &mut Vec<u8>) {
    out.clear();
    out.push(VERSION);
    put_feedback(out, &report.feedback);
    for number in [report.took.as_nanos(), report.overruns, report.unsent, report.refusals] {
        out.extend(number.to_le_bytes());
    }
    for (joints, jaw) in report.setpoints.iter().zip(report.jaws) {
        joints.iter().chain([&jaw]).for_each(|v| put_f64(out, *v));
    }
    put_verdict(out, report.refused);
    report.verdicts.iter().for_each(|v| put_verdict(out, *v));
    out.push(report.replies.len() as u8);
    for reply in &report.replies {
        out.extend(reply.id.to_le_bytes());
        put_verdict(out, reply.refusal);
    }
    out.push(report.changes.len() as u8);
    for change in &report.changes {
        out.extend(change.at.as_nanos().to_le_bytes());
        out.extend([change.from as u8, change.to as u8]);
        put_verdict(out, change.verdict);
    }
    put_bytes(out, &report.inputs);
    put_bytes(out, &report.scene);
    out.push(u8::from(report.score.is_some()));
    if let Some(score) = &report.score {
        for count in [score.objects, score.done, score.drops, score.collisions] {
            out.extend(count.to_le_bytes());
        }
        let [left, right] = score.path_m;
        for value in [score.time_s, score.score, left, right] {
            put_f64(out, value);
        }
    }
}

/// Reads a report.
pub fn decode_report(bytes: &[u8]) -> Result<Report, WireError> {
    let mut r = Reader::new(bytes);
    if r.u8()? != VERSION {
        return Err(r.error());
    }
    let feedback = r.feedback()?;
    let (took, overruns) = (Span::from_nanos(r.u64()?), r.u64()?);
    let (unsent, refusals) = (r.u64()?, r.u64()?);
    let mut setpoints = [[0.0; 6]; 3];
    let mut jaws = [0.0; 3];
    for (joints, jaw) in setpoints.iter_mut().zip(&mut jaws) {
        for value in joints.iter_mut() {
            *value = r.f64()?;
        }
        *jaw = r.f64()?;
    }
    let refused = r.verdict()?;
    let mut verdicts = [None; 3];
    for verdict in &mut verdicts {
        *verdict = r.verdict()?;
    }
    let replies = r.list(|r| Ok(Reply { id: r.u32()?, refusal: r.verdict()? }))?;
    let changes = r.list(|r| {
        Ok(Changed {
            at: Mono::from_nanos(r.u64()?),
            from: r.state()?,
            to: r.state()?,
            verdict: r.verdict()?,
        })
    })?;
    let inputs = r.bytes()?.to_vec();
    let scene = r.bytes()?.to_vec();
    let score = if r.u8()? == 0 { None } else { Some(r.score()?) };
    if !r.rest().is_empty() {
        return Err(r.error());
    }
    Ok(Report {
        feedback,
        took,
        overruns,
        unsent,
        setpoints,
        jaws,
        refused,
        refusals,
        verdicts,
        replies,
        changes,
        inputs,
        scene,
        score,
    })
}

fn put_f64(out: &mut Vec<u8>, value: f64) {
    out.extend(value.to_bits().to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    if !push_message(out, bytes) {
        out.extend([0, 0]);
    }
}

fn put_verdict(out: &mut Vec<u8>, verdict: Option<Verdict>) {
    match verdict {
        None => out.extend(0_u16.to_le_bytes()),
        Some(v) => {
            out.extend(v.cause.number().to_le_bytes());
            put_f64(out, v.value);
            put_f64(out, v.limit);
        }
    }
}

fn put_feedback(out: &mut Vec<u8>, f: &Feedback) {
    out.extend(f.at.as_nanos().to_le_bytes());
    out.extend(f.tick.to_le_bytes());
    out.extend([f.state as u8, f.authority as u8]);
    out.extend(f.lease.0.to_le_bytes());
    out.extend(f.hold.map_or(0, Cause::number).to_le_bytes());
    out.extend(f.command_seq.to_le_bytes());
    out.extend(f.command_age.as_nanos().to_le_bytes());
    for arm in &f.arms {
        let pose = arm.camera_from_tip;
        let numbers = arm.joints.iter().copied().chain([arm.jaw_rad, arm.force_n]);
        let pose = pose.translation.to_array().into_iter().chain(pose.rotation.to_array());
        numbers.chain(pose).for_each(|v| put_f64(out, v));
        out.extend(arm.engage.0.to_le_bytes());
        out.push(u8::from(arm.following) | u8::from(arm.limited) << 1);
    }
    for alarm in f.alarms.iter().flatten() {
        out.extend(alarm.cause.number().to_le_bytes());
        put_f64(out, alarm.value);
        put_f64(out, alarm.limit);
        out.extend(alarm.since.as_nanos().to_le_bytes());
        out.push(u8::from(alarm.active));
    }
    out.extend(0_u16.to_le_bytes());
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    const fn error(&self) -> WireError {
        WireError { at: self.at, length: self.bytes.len() }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let end = self.at.saturating_add(count);
        let taken = self.bytes.get(self.at..end).ok_or(self.error())?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let error = self.error();
        self.take(N)?.try_into().map_err(|_| error)
    }

    fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        rest
    }

    fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[b]| b)
    }

    fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_le_bytes)
    }

    fn f64(&mut self) -> Result<f64, WireError> {
        self.u64().map(f64::from_bits)
    }

    fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let count = self.u16()?;
        self.take(count.into())
    }

    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, WireError>,
    ) -> Result<Vec<T>, WireError> {
        let count = self.u8()?;
        (0..count).map(|_| item(self)).collect()
    }

    fn state(&mut self) -> Result<ArmState, WireError> {
        let number = self.u8()?;
        ArmState::from_index(number).ok_or(self.error())
    }

    fn cause(&mut self) -> Result<Option<Cause>, WireError> {
        match self.u16()? {
            0 => Ok(None),
            number => Cause::from_number(number).map(Some).ok_or(self.error()),
        }
    }

    fn verdict(&mut self) -> Result<Option<Verdict>, WireError> {
        let Some(cause) = self.cause()? else { return Ok(None) };
        Ok(Some(Verdict { cause, value: self.f64()?, limit: self.f64()? }))
    }

    fn feedback(&mut self) -> Result<Feedback, WireError> {
        let (at, tick) = (Mono::from_nanos(self.u64()?), self.u64()?);
        let state = self.state()?;
        let authority = self.u8()?;
        let authority = Authority::from_index(authority).ok_or(self.error())?;
        let lease = Lease(self.u32()?);
        let hold = self.cause()?;
        let (command_seq, command_age) = (self.u64()?, Span::from_nanos(self.u64()?));
        let mut arms = [ArmFeedback::default(); ArmId::ALL.len()];
        for arm in &mut arms {
            *arm = self.arm()?;
        }
        let mut alarms = [None; ALARMS_MAX];
        let mut slots = alarms.iter_mut();
        while let Some(cause) = self.cause()? {
            let slot = slots.next().ok_or(self.error())?;
            *slot = Some(Alarm {
                cause,
                value: self.f64()?,
                limit: self.f64()?,
                since: Mono::from_nanos(self.u64()?),
                active: self.u8()? != 0,
            });
        }
        Ok(Feedback {
            at,
            tick,
            state,
            authority,
            lease,
            hold,
            command_seq,
            command_age,
            arms,
            alarms,
        })
    }

    fn score(&mut self) -> Result<Score, WireError> {
        Ok(Score {
            objects: self.u32()?,
            done: self.u32()?,
            drops: self.u32()?,
            collisions: self.u32()?,
            time_s: self.f64()?,
            score: self.f64()?,
            path_m: [self.f64()?, self.f64()?],
        })
    }

    fn arm(&mut self) -> Result<ArmFeedback, WireError> {
        let mut joints = [0.0; 6];
        for joint in &mut joints {
            *joint = self.f64()?;
        }
        let (jaw_rad, force_n) = (self.f64()?, self.f64()?);
        let translation = Vec3::new(self.f64()?, self.f64()?, self.f64()?);
        let (w, x, y, z) = (self.f64()?, self.f64()?, self.f64()?, self.f64()?);
        let rotation = Quat::new(w, x, y, z).ok_or(self.error())?;
        let engage = Engage(self.u32()?);
        let flags = self.u8()?;
        Ok(ArmFeedback {
            joints,
            jaw_rad,
            camera_from_tip: Pose::new(rotation, translation),
            force_n,
            engage,
            following: flags & 1 != 0,
            limited: flags & 2 != 0,
        })
    }
}
