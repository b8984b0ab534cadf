/**
 * Edits of a plan. Drawn at once, sent against the version they were made on, one at a time; a plan
 * that has changed meanwhile wins, and the surgeon is told. A drag is one edit, made when the hand
 * lets go; on the way the process only says what the plan would be.
 */

import type { Reply } from "../line.svelte";
import type { Plan, Point, Screw, SiteState } from "./contract";
import { type Axis, axisOf } from "./geometry";

export interface Draft extends Axis {
  id: string;
}

export interface Conflict {
  /** The version the edit was made on, and the one there is now. */
  base: number;
  now: number;
  by: string;
  draft: Draft | null;
}

export interface EditorOptions {
  site: () => SiteState | null;
  /** Sends one edit; null when it was dropped or nothing answered. */
  send: (epoch: number, action: string, more: object) => Promise<Reply | null>;
  epoch: () => number;
  /** A refusal that is no conflict. */
  refused: (reply: Reply | null) => void;
}

interface Undo {
  what: "set" | "remove";
  screw: Draft;
}

/** How long an accepted draft stays drawn for want of the state that has it. */
const SETTLE_MS = 1500;

export class Editor {
  draft = $state.raw<Draft | null>(null);
  conflict = $state.raw<Conflict | null>(null);
  /** The dragged screw as the process judges it; nothing of it is in the plan. */
  judged = $state.raw<Screw | null>(null);
  /** An edit is on its way. */
  busy = $state(false);
  undos = $state.raw<Undo[]>([]);
  /** Every version this page has seen, for comparison. */
  seen = $state.raw<Map<number, Screw[]>>(new Map());
  #base = 0;
  /** The newest version that an answer has told of: the states may be behind it. */
  #told = 0;
  #epoch = 0;
  #site: string | null = null;
  #next: Draft | null = null;
  #before: Draft | null = null;
  /** What is to be judged next, and whether an answer is awaited. */
  #try: Draft | null = null;
  #trying = false;
  #settle = 0;
  #settled_by = 0;
  readonly #options: EditorOptions;

  constructor(options: EditorOptions) {
    this.#options = options;
  }

  get #plan(): Plan | null {
    return this.#options.site()?.plan ?? null;
  }

  /** The version that an edit is made on now. */
  get #newest(): number {
    return Math.max(this.#plan?.version ?? 0, this.#told);
  }

  /** To be called with every state: remembers versions, ends a draft that the plan has caught up with. */
  watch(site: SiteState | null): void {
    if (site?.id !== this.#site) {
      this.#site = site?.id ?? null;
      this.drop();
      this.undos = [];
      this.conflict = null;
      this.seen = new Map();
      this.#told = 0;
    }
    const plan = site?.plan;
    if (!plan) return;
    if (!this.seen.has(plan.version))
      this.seen = new Map(
        [...this.seen, [plan.version, plan.screws]].slice(-50) as [number, Screw[]][],
      );
    const caught = plan.version >= this.#settle || performance.now() > this.#settled_by;
    if (this.#settle > 0 && caught && !this.busy && !this.#next && !this.#before) {
      this.#settle = 0;
      this.draft = null;
      this.judged = null;
    }
  }

  /** The plan's screws, the dragged one with the margin that it would have. */
  screws(of: Plan | null): Screw[] {
    const { judged, draft } = this;
    const there = (one: Screw): Screw =>
      judged && draft?.id === one.id && judged.id === one.id
        ? { ...judged, state: one.state, entry_mm: one.entry_mm, tip_mm: one.tip_mm }
        : one;
    return (of?.screws ?? []).map(there);
  }

  /** Nothing that was begun goes on. */
  drop(): void {
    this.draft = null;
    this.judged = null;
    this.#try = null;
    this.#next = null;
    this.#before = null;
    this.#settle = 0;
  }

  /** A drag begins. */
  begin(screw: Screw): boolean {
    if (!this.#plan || this.busy) return false;
    this.conflict = null;
    this.#base = this.#newest;
    this.#epoch = this.#options.epoch();
    this.#before = { id: screw.id, ...axisOf(screw) };
    this.draft = this.#before;
    return true;
  }

  /** A drag goes on: what was not asked yet is overtaken. */
  move(axis: Axis): void {
    if (!this.#before) return;
    this.draft = { id: this.#before.id, ...axis };
    this.#try = this.draft;
    void this.#judge();
  }

  /** A drag ends: now it is an edit, one version, and one undo takes it back. */
  end(): void {
    const before = this.#before;
    this.#before = null;
    this.#try = null;
    if (!before || !this.draft) return;
    if (same(before, this.draft)) return this.drop();
    this.#remember({ what: "set", screw: before });
    this.#next = this.draft;
    void this.#flush();
  }

  /** A drag is given up: nothing of it was in the plan. */
  cancel(): void {
    if (this.#before) this.drop();
  }

  /** One change that is no drag. */
  set(screw: Screw, axis: Axis): void {
    if (!this.begin(screw)) return;
    this.draft = { id: screw.id, ...axis };
    this.end();
  }

  async remove(screw: Screw): Promise<void> {
    if (await this.#once("plan_remove", { id: screw.id }))
      this.#remember({ what: "set", screw: { id: screw.id, ...axisOf(screw) } });
  }

  async suggest(
    level: string,
    landmarks: { anterior_mm: Point; left_mm: Point; right_mm: Point },
  ): Promise<boolean> {
    const had = new Set(this.#plan?.screws.map(({ id }) => id));
    const done = await this.#once("suggest", { level, landmarks });
    if (done)
      for (const id of [`${level}L`, `${level}R`])
        if (!had.has(id))
          this.#remember({
            what: "remove",
            screw: { id, entry_mm: [0, 0, 0], tip_mm: [0, 0, 0], diameter_mm: 0 },
          });
    return done;
  }

  async undo(): Promise<void> {
    const last = this.undos.at(-1);
    if (!last || this.busy) return;
    const more = last.what === "set" ? { screw: last.screw } : { id: last.screw.id };
    if (await this.#once(last.what === "set" ? "plan_set" : "plan_remove", more))
      this.undos = this.undos.slice(0, -1);
  }

  #remember(undo: Undo): void {
    this.undos = [...this.undos, undo].slice(-30);
  }

  async #once(action: string, more: object): Promise<boolean> {
    if (this.busy) return false;
    this.conflict = null;
    this.#base = this.#newest;
    this.#epoch = this.#options.epoch();
    this.busy = true;
    const reply = await this.#options.send(this.#epoch, action, { version: this.#base, ...more });
    this.busy = false;
    if (reply?.ok) {
      this.#accepted(reply);
      return true;
    }
    await this.#failed(reply, null);
    return false;
  }

  /** Asks what the plan would be with the dragged screw, one question at a time. */
  async #judge(): Promise<void> {
    while (!this.#trying && this.#try) {
      const screw = this.#try;
      this.#try = null;
      this.#trying = true;
      const more = { version: this.#base, screw };
      const reply = await this.#options.send(this.#epoch, "plan_try", more);
      this.#trying = false;
      if (this.draft?.id !== screw.id) continue;
      if (!reply?.ok) return this.#failed(reply, screw);
      this.judged = reply.body.screw as Screw;
    }
  }

  async #flush(): Promise<void> {
    while (!this.busy && this.#next) {
      const draft = this.#next;
      this.#next = null;
      this.busy = true;
      const edit = { version: this.#base, screw: draft };
      const reply = await this.#options.send(this.#epoch, "plan_set", edit);
      this.busy = false;
      if (!reply?.ok) return this.#failed(reply, draft);
      this.#accepted(reply);
      this.#settle = this.#base;
      this.#settled_by = performance.now() + SETTLE_MS;
    }
  }

  /** The next edit is made on what this one made. */
  #accepted(reply: Reply): void {
    const told = reply.body.version;
    this.#base = typeof told === "number" ? told : this.#base + 1;
    this.#told = this.#base;
  }

  /** Nothing of the edit is kept on the screen: what the process has is shown. */
  async #failed(reply: Reply | null, draft: Draft | null): Promise<void> {
    const base = this.#base;
    const epoch = this.#epoch;
    this.#told = 0;
    this.drop();
    if (epoch !== this.#options.epoch()) return;
    const now = await this.#newer(base);
    if (reply && now !== null) {
      const by = this.#plan?.history.at(-1)?.by ?? this.#plan?.writer ?? "";
      this.conflict = { base, now, by, draft };
      this.undos = [];
    } else this.#options.refused(reply);
  }

  /** The version of the plan if it is newer than `base`, now or within the next states. */
  async #newer(base: number): Promise<number | null> {
    for (let i = 0; i < 10; i += 1) {
      const version = this.#plan?.version;
      if (version !== undefined && version > base) return version;
      await new Promise((done) => setTimeout(done, 40));
    }
    return null;
  }
}

const same = (a: Draft, b: Draft): boolean => JSON.stringify(a) === JSON.stringify(b);
