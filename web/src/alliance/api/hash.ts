/** Commitments made in the browser: the document itself never leaves the hospital. */

export interface Commitment {
  /** What the hub gets: HMAC-SHA-256 of the document under the salt, hexadecimal. */
  hash: string;
  /** What opens it; it stays beside the document. Deleting it erases what the hub holds. */
  salt: string;
}

/** A salted commitment to a document; `null` commits to an empty one. */
export async function commit(document: ArrayBuffer | null): Promise<Commitment> {
  const salt = crypto.getRandomValues(new Uint8Array(32));
  const key = await crypto.subtle.importKey("raw", salt, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const digest = await crypto.subtle.sign("HMAC", key, document ?? new ArrayBuffer(0));
  return { hash: hex(new Uint8Array(digest)), salt: hex(salt) };
}

/** Gives the person what opens a commitment, as a file to keep beside the document. */
export function keep(name: string, commitment: Commitment): void {
  const text = JSON.stringify({ algorithm: "HMAC-SHA-256", ...commitment }, null, 2);
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
