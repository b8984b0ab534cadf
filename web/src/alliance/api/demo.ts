/** A demonstration: everything is invented, and so is the passkey. The hub printed the token at its start. */

import { intent, send } from "./client.svelte";

const KEPT_AS = "telehand-demo";

export function demoToken(): string | null {
  try {
    return sessionStorage.getItem(KEPT_AS);
  } catch {
    return null;
  }
}

/** Signs in as anybody of the invented alliance. */
export async function demoSignIn(token: string, person: string): Promise<void> {
  await send("POST", "/v1/login:demo", { token, person }, { key: intent() });
  try {
    sessionStorage.setItem(KEPT_AS, token);
  } catch {
    // without storage the token is asked for again
  }
}

export function forgetDemo(): void {
  try {
    sessionStorage.removeItem(KEPT_AS);
  } catch {
    // nothing was kept
  }
}
