/** Who is signed in, and what they read most: the directory. */

import { onSignedOut, problemIn, Reading, send, intent, type Problem } from "./api/client.svelte";
import { forgetDemo } from "./api/demo";
import type { Directory, Me } from "./api/contract";
import { Book } from "./book";
import { parse } from "./format";

export type Standing = "asking" | "in" | "out" | "silent";

class Session {
  standing = $state<Standing>("asking");
  me = $state.raw<Me | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** It ended while the page was in use. */
  expired = $state(false);
  /** The page's clock, once a second: ages and countdowns derive from it. */
  now_ms = $state(Date.now());
  readonly directory = new Reading<Directory>();
  readonly book = $derived(new Book(this.directory.data));
  readonly #me = new Reading<Me>();

  constructor() {
    onSignedOut(() => {
      if (this.standing === "in") this.expired = true;
      this.#out();
    });
    setInterval(() => {
      this.now_ms = Date.now();
      const end = parse(this.me?.expires);
      if (this.standing === "in" && end && end.getTime() <= this.now_ms) {
        this.expired = true;
        this.#out();
      }
    }, 1000);
  }

  async ask(): Promise<void> {
    await this.#me.read("/v1/me");
    this.problem = this.#me.problem;
    if (this.#me.data && !this.#me.problem) {
      this.me = this.#me.data;
      this.standing = "in";
      this.expired = false;
      void this.directory.read("/v1/directory");
    } else if (this.problem?.status === 401) this.standing = "out";
    else if (this.standing !== "in") this.standing = "silent";
  }

  async signOut(): Promise<void> {
    try {
      await send("POST", "/v1/logout", {}, { key: intent() });
      forgetDemo();
      this.expired = false;
      this.#out();
    } catch (error) {
      // it is said so: a page that only looks signed out would be worse
      this.problem = problemIn(error);
    }
  }

  #out(): void {
    this.standing = "out";
    this.me = null;
    void this.directory.read(null);
  }
}

export const session = new Session();
