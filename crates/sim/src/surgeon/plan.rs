//! What to do next: the peg transfer, object by object, as a sequence of confirmed movements.

use telehand_vocab::space::{Camera, Pose, Tip, Vec3, World};
use telehand_vocab::{Feedback, Mono, Span};

use super::field::{Field, Seen};
use super::operator::{Operator, REACTION};
use crate::random::Random;
use crate::scene::{JAW_LENGTH_M, JAW_OPENING_AXIS, OBJECTS_MAX, Peg};

/// The working hand and its tool: the right one.
const RIGHT: usize = 1;
const LEFT: usize = 0;
/// The left tool waits here, out of the way and of the picture's middle (board frame, metres).
const PARKED: Vec3 = Vec3::new(-0.058, 0.040, 0.060);
/// Jaw ends travel this high: over the pegs with a ring below them.
const TRAVEL_M: f64 = 0.034;
/// Jaw ends go this low to take a ring.
const LOW_M: f64 = 0.0009;
/// The middle of a ring is let go this high.
const DROP_M: f64 = 0.0042;
/// Jaw openings before taking and when letting go, radians.
const OPEN_WIDE_RAD: f64 = 40.0 * DEG;
const OPEN_RAD: f64 = 35.0 * DEG;
/// Squeezing jaws that stay this open hold something.
const HOLDS_RAD: f64 = 14.0 * DEG;
/// A ring this near to a peg's axis lies around it.
const AROUND_PEG_M: f64 = 0.0045;
/// A ring off its peg by more than this, towards the jaws, is taken from the other side; by this
/// much it may be off before the jaws go outside the middle of the tube.
const LEAST_ROOM_M: f64 = 1.6e-3;
const ROOM_M: f64 = 2e-4;
/// Movements end this near: coarse ones, and those next to a ring.
const COARSE_M: f64 = 1.5e-3;
const FINE_M: f64 = 4.5e-4;
/// Failures with one object before the surgeon leaves it.
const TRIES: u32 = 6;
const DEG: f64 = core::f64::consts::PI / 180.0;

/// One object on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Task {
    colour: usize,
    peg: Peg,
    /// The ring's middle when it was aimed at.
    ring: [f64; 2],
    /// +1 or -1: which side of the ring along the jaws' opening direction.
    side: f64,
    /// How far outside the middle of the tube the jaws go down, metres.
    outside: f64,
    /// From the tip to the ring's middle, once held.
    hang: Vec3,
    aim_error: [f64; 2],
}

/// What the surgeon does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Look,
    Park,
    Choose,
    Rise,
    Above,
    Down,
    Close,
    Lift,
    Check,
    Carry,
    Lower,
    Open,
    Leave,
    Confirm,
    Finish,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Look => "looks at the board",
            Self::Park => "parks the left tool",
            Self::Choose => "chooses an object",
            Self::Rise => "rises",
            Self::Above => "goes over the object",
            Self::Down => "goes down to the object",
            Self::Close => "grasps",
            Self::Lift => "lifts",
            Self::Check => "looks whether the object came along",
            Self::Carry => "carries over the peg",
            Self::Lower => "lowers",
            Self::Open => "lets go",
            Self::Leave => "leaves",
            Self::Confirm => "looks whether the object lies there",
            Self::Finish => "done",
        }
    }
}

/// The transfer so far.
#[derive(Debug, Clone)]
pub struct Plan {
    objects: usize,
    step: Step,
    since: Mono,
    /// Where the tool was when the step began, board frame.
    from: Option<Vec3>,
    task: Option<Task>,
    tries: [u32; OBJECTS_MAX],
    lost: [bool; OBJECTS_MAX],
    random: Random,
}

impl Plan {
    /// For `objects` rings of the colours 0, 1, ...
    pub fn new(seed: u64, objects: usize) -> Self {
        Self {
            objects: objects.min(OBJECTS_MAX),
            step: Step::Look,
            since: Mono::ZERO,
            from: None,
            task: None,
            tries: [0; OBJECTS_MAX],
            lost: [false; OBJECTS_MAX],
            random: Random::stream(seed, "surgeon aim"),
        }
    }

    /// What is being done, in words.
    pub const fn phase(&self) -> &'static str {
        self.step.name()
    }

    /// True when nothing is left to do.
    pub fn finished(&self) -> bool {
        self.step == Step::Finish
    }

    /// Rings seen around a target peg.
    pub fn transferred(&self, field: &Field) -> usize {
        (0..self.objects)
            .filter(|&c| field.ring(c).is_some_and(|r| target_of(field, r).is_some()))
            .count()
    }

    /// Failures so far.
    pub fn failures(&self) -> u32 {
        self.tries.iter().sum()
    }

    /// Goes on with the transfer; call it often.
    pub fn advance(&mut self, now: Mono, field: &Field, hands: &mut Operator) {
        let Some(view) = View::of(field, hands) else {
            self.since = now;
            return;
        };
        hands.work(self.step != Step::Finish && self.step != Step::Look);
        let waited = now.since(self.since);
        let settled = waited > REACTION;
        let arrived = settled && hands.following() && hands.arrived(RIGHT, now);
        match self.step {
            Step::Look => {
                let all = (0..self.objects).all(|c| field.ring(c).is_some());
                if settled && (all || waited > Span::from_millis(4_000)) {
                    self.go(now, Step::Park);
                }
            }
            Step::Park => {
                hands.aim(LEFT, view.camera(PARKED), 2.0 * COARSE_M);
                hands.grip(LEFT, grip_of(0.0));
                hands.grip(RIGHT, grip_of(OPEN_WIDE_RAD));
                let up = Vec3::new(0.045, 0.0, TRAVEL_M + JAW_LENGTH_M);
                hands.aim(RIGHT, view.camera(up), 2.0 * COARSE_M);
                if arrived && hands.arrived(LEFT, now) {
                    self.go(now, Step::Choose);
                }
            }
            Step::Choose => self.choose(now, field, &view, waited),
            Step::Rise | Step::Leave => {
                self.above_here(&view, hands);
                if arrived {
                    let next = if self.step == Step::Rise { Step::Choose } else { Step::Confirm };
                    self.go(now, next);
                }
            }
            Step::Finish => {}
            _ => self.transfer(now, field, &view, hands, arrived, waited),
        }
    }

    /// The steps that have a task.
    fn transfer(
        &mut self,
        now: Mono,
        field: &Field,
        view: &View,
        hands: &mut Operator,
        arrived: bool,
        waited: Span,
    ) {
        let Some(task) = self.task else { return self.go(now, Step::Choose) };
        let still = REACTION.plus(hands.loop_delay()).plus(Span::from_millis(600));
        match self.step {
            Step::Above | Step::Down => {
                let high = if self.step == Step::Above { TRAVEL_M } else { LOW_M };
                let near = if self.step == Step::Above { FINE_M * 1.6 } else { FINE_M };
                hands.grip(RIGHT, grip_of(OPEN_WIDE_RAD));
                hands.aim(RIGHT, view.camera(view.over(task.rim(view), high)), near);
                if arrived {
                    let next = if self.step == Step::Above { Step::Down } else { Step::Close };
                    self.go(now, next);
                }
            }
            Step::Close => {
                hands.grip(RIGHT, 0.0);
                if waited > still && hands.following() {
                    let held = view.jaw_rad > HOLDS_RAD;
                    self.task = Some(Task { hang: task.hang(view), ..task });
                    if held { self.go(now, Step::Lift) } else { self.failed(now, hands) }
                }
            }
            Step::Lift | Step::Carry | Step::Lower => {
                let ring_low = if self.step == Step::Lower { DROP_M } else { TRAVEL_M };
                let [x, y] = if self.step == Step::Lift {
                    task.ring
                } else {
                    [task.peg.x_m + task.aim_error[0], task.peg.y_m + task.aim_error[1]]
                };
                let tip = Vec3::new(x, y, ring_low) - task.hang;
                let near = if self.step == Step::Lift { COARSE_M } else { FINE_M * 1.4 };
                hands.aim(RIGHT, view.camera(tip), near);
                if hands.following() && view.jaw_rad < HOLDS_RAD {
                    self.failed(now, hands);
                } else if arrived {
                    self.go(
                        now,
                        match self.step {
                            Step::Lift => Step::Check,
                            Step::Carry => Step::Lower,
                            _ => Step::Open,
                        },
                    );
                }
            }
            Step::Check => {
                let left = field
                    .ring(task.colour)
                    .is_some_and(|ring| ring.born > self.since && away(ring.at, task.ring) < 2e-3);
                if left {
                    self.failed(now, hands);
                } else if waited > still {
                    self.go(now, Step::Carry);
                }
            }
            Step::Open => {
                hands.grip(RIGHT, grip_of(OPEN_RAD));
                if waited > still && hands.following() && view.jaw_rad > 0.9 * OPEN_RAD {
                    self.go(now, Step::Leave);
                }
            }
            Step::Confirm => {
                let ring = field.ring(task.colour).filter(|ring| ring.born > self.since);
                if ring.is_some_and(|ring| target_of(field, ring).is_some()) {
                    self.go(now, Step::Choose);
                } else if waited > Span::from_millis(2_500).plus(hands.loop_delay()) {
                    self.failed(now, hands);
                }
            }
            _ => {}
        }
    }

    /// Straight up from here.
    fn above_here(&mut self, view: &View, hands: &mut Operator) {
        let high = TRAVEL_M + JAW_LENGTH_M;
        let tip = *self.from.get_or_insert(view.tip.translation);
        let (x, y) = match self.task {
            Some(task) if self.step == Step::Leave => {
                let tip = Vec3::new(task.peg.x_m, task.peg.y_m, DROP_M) - task.hang;
                (tip.x + task.aim_error[0], tip.y + task.aim_error[1])
            }
            Some(task) => {
                let over = view.over(task.rim(view), 0.0);
                let near = libm::hypot(tip.x - over.x, tip.y - over.y) < 5e-3;
                if near { (over.x, over.y) } else { (tip.x, tip.y) }
            }
            None => (tip.x, tip.y),
        };
        hands.aim(RIGHT, view.camera(Vec3::new(x, y, high)), 2.0 * COARSE_M);
    }

    /// Picks the next object and its peg.
    fn choose(&mut self, now: Mono, field: &Field, view: &View, waited: Span) {
        let rings: Vec<(usize, Seen)> =
            (0..self.objects).filter_map(|c| Some((c, field.ring(c)?))).collect();
        let tries = &self.tries;
        let lost = &self.lost;
        let open =
            |c: usize| tries.get(c).is_some_and(|n| *n < TRIES) && lost.get(c) == Some(&false);
        let next = rings.iter().find(|(c, ring)| open(*c) && target_of(field, *ring).is_none());
        let Some(&(colour, ring)) = next else {
            let unseen = (0..self.objects).any(|c| open(c) && field.ring(c).is_none());
            if !unseen || waited > Span::from_millis(5_000) {
                self.task = None;
                self.go(now, Step::Finish);
            }
            return;
        };
        let taken = |peg: &Peg| {
            rings.iter().any(|(_, other)| away(other.at, [peg.x_m, peg.y_m]) < 2.0 * AROUND_PEG_M)
        };
        let peg = field
            .targets()
            .filter(|peg| !taken(peg))
            .min_by(|a, b| away(ring.at, [a.x_m, a.y_m]).total_cmp(&away(ring.at, [b.x_m, b.y_m])));
        let Some(peg) = peg else { return self.go(now, Step::Finish) };
        let mut aim = || self.random.range(-2e-4, 2e-4);
        let aim_error = [aim(), aim()];
        let (side, outside) = grasp_of(field, ring.at, view.opening);
        let hang = Vec3::ZERO;
        self.task = Some(Task { colour, peg, ring: ring.at, side, outside, hang, aim_error });
        self.go(now, Step::Above);
    }

    /// Gives up this attempt: open, rise, look again.
    fn failed(&mut self, now: Mono, hands: &mut Operator) {
        if let Some(tries) = self.task.and_then(|task| self.tries.get_mut(task.colour)) {
            *tries += 1;
        }
        hands.grip(RIGHT, grip_of(OPEN_WIDE_RAD));
        self.go(now, Step::Rise);
    }

    fn go(&mut self, now: Mono, step: Step) {
        self.step = step;
        self.since = now;
        self.from = None;
    }
}

impl Task {
    /// The point of the rim between the jaws, board frame.
    fn rim(&self, view: &View) -> Vec3 {
        let [x, y] = self.ring;
        let out = view.opening * (self.side * (view.ring_major + self.outside));
        Vec3::new(x + out.x + self.aim_error[0], y + out.y + self.aim_error[1], 0.0)
    }

    /// From the tip to the middle of the held ring: closing centres the tube between the jaws.
    fn hang(&self, view: &View) -> Vec3 {
        let tip = view.tip.translation;
        let [x, y] = self.ring;
        let seen = Vec3::new(x - tip.x, y - tip.y, 0.0);
        let along = view.opening.dot(seen);
        let centred = -self.side * view.ring_major;
        let flat = seen + view.opening * (centred - along);
        Vec3::new(flat.x, flat.y, view.ring_minor - tip.z)
    }
}

/// The right tool over the board as telemetry and sight tell it, in the board frame.
struct View {
    camera_from_board: Pose<Camera, World>,
    tip: Pose<World, Tip>,
    /// Direction in which the jaws open, along the board.
    opening: Vec3,
    /// From the tip to the jaws' ends.
    reach: Vec3,
    jaw_rad: f64,
    ring_major: f64,
    ring_minor: f64,
}

impl View {
    fn of(field: &Field, hands: &Operator) -> Option<Self> {
        let camera_from_board = field.camera_from_board()?;
        let feedback: &Feedback = hands.feedback()?;
        let right = feedback.arms.get(RIGHT)?;
        let tip = camera_from_board.inverse() * right.camera_from_tip;
        let across = tip.rotation.rotate(JAW_OPENING_AXIS);
        Some(Self {
            camera_from_board,
            tip,
            opening: Vec3::new(across.x, across.y, 0.0).unit()?,
            reach: tip.rotation.rotate(Vec3::new(0.0, 0.0, JAW_LENGTH_M)),
            jaw_rad: right.jaw_rad,
            ring_major: field.board.ring_major_m,
            ring_minor: field.board.ring_minor_m,
        })
    }

    /// A place over the board in the camera frame.
    fn camera(&self, board: Vec3) -> Vec3 {
        self.camera_from_board.point(board)
    }

    /// Where the tip is when the jaws' ends are over `at`, `high` above the board.
    fn over(&self, at: Vec3, high: f64) -> Vec3 {
        Vec3::new(at.x, at.y, high) - self.reach
    }
}

/// Where to take a ring: the side (+1 or -1 along the jaws' opening) and how far outside the middle
/// of its tube. The right tool's shaft leans to the right, so it takes the right side and stays
/// clear of the peg, unless the ring leaves no room there; outwards when the inner jaw is tight.
fn grasp_of(field: &Field, ring: [f64; 2], opening: Vec3) -> (f64, f64) {
    let right = if opening.x < 0.0 { -1.0 } else { 1.0 };
    let inside = field
        .board
        .pegs
        .iter()
        .find(|peg| away(ring, [peg.x_m, peg.y_m]) < field.board.ring_major_m);
    let Some(peg) = inside else { return (right, 0.0) };
    let off = opening.dot(Vec3::new(ring[0] - peg.x_m, ring[1] - peg.y_m, 0.0));
    let side = if off * right < -LEAST_ROOM_M { -right } else { right };
    (side, (-ROOM_M - off * side).clamp(0.0, 5e-4))
}

/// The target peg a ring lies around.
fn target_of(field: &Field, ring: Seen) -> Option<Peg> {
    field.targets().find(|peg| away(ring.at, [peg.x_m, peg.y_m]) < AROUND_PEG_M)
}

fn away([ax, ay]: [f64; 2], [bx, by]: [f64; 2]) -> f64 {
    libm::hypot(ax - bx, ay - by)
}

/// The grip that opens the jaws by an angle: 12 deg closes them, 60 deg opens them by 80 deg.
fn grip_of(jaw_rad: f64) -> f64 {
    12.0 * DEG + jaw_rad * 0.6
}
