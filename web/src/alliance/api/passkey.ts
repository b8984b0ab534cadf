/** Passkeys: what the hub asks of the browser and what the browser answers (WebAuthn level 3, JSON forms). */

import { intent, send } from "./client.svelte";
import { demoSignIn, demoToken } from "./demo";

type Json = Record<string, unknown>;

export const passkeysPossible = (): boolean =>
  isSecureContext && typeof PublicKeyCredential === "function";

/** Signs in with a passkey; `false` when the person thought better of it. */
export async function signIn(): Promise<boolean> {
  const begun = await send<Json>("POST", "/v1/login:begin", {}, { key: intent() });
  const answer = await assertion(begun.data);
  if (!answer) return false;
  await send("POST", "/v1/login:finish", answer, { key: intent() });
  return true;
}

/** Makes the passkey that an enrolment link allows; `false` when the person thought better of it. */
export async function enrol(token: string): Promise<boolean> {
  const begun = await send<Json>("POST", "/v1/enrol:begin", { token }, { key: intent() });
  const options = creationOptions(begun.data);
  const made = await calm(navigator.credentials.create({ publicKey: options }));
  if (!made) return false;
  const body = {
    token,
    credential: credentialJson(made as PublicKeyCredential),
    id: idOf(begun.data),
  };
  await send("POST", "/v1/enrol:finish", body, { key: intent() });
  return true;
}

/** Asks for a touch of the passkey on the hub's challenge; `null` when the person thought better of it. */
export async function assertion(begun: Json): Promise<Json | null> {
  const options = requestOptions(begun);
  const found = await calm(navigator.credentials.get({ publicKey: options }));
  return found
    ? { id: idOf(begun), credential: credentialJson(found as PublicKeyCredential) }
    : null;
}

/** A person who cancels or waits too long is no fault. */
async function calm(asked: Promise<Credential | null>): Promise<Credential | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DOMException && ["NotAllowedError", "AbortError"].includes(error.name))
      return null;
    throw error;
  }
}

const idOf = (begun: Json): unknown => begun["id"] ?? null;
const optionsOf = (begun: Json): Json => {
  const options = (begun["options"] ?? begun) as Json;
  return (options["publicKey"] ?? options) as Json;
};

function creationOptions(begun: Json): PublicKeyCredentialCreationOptions {
  const told = optionsOf(begun);
  const user = told["user"] as Json;
  return {
    ...(told as object),
    challenge: bytes(told["challenge"]),
    user: { ...(user as object), id: bytes(user["id"]) },
    excludeCredentials: descriptors(told["excludeCredentials"]),
  } as unknown as PublicKeyCredentialCreationOptions;
}

function requestOptions(begun: Json): PublicKeyCredentialRequestOptions {
  const told = optionsOf(begun);
  return {
    ...(told as object),
    challenge: bytes(told["challenge"]),
    allowCredentials: descriptors(told["allowCredentials"]),
  } as unknown as PublicKeyCredentialRequestOptions;
}

function descriptors(list: unknown): Json[] {
  return Array.isArray(list) ? list.map((one: Json) => ({ ...one, id: bytes(one["id"]) })) : [];
}

function credentialJson(made: PublicKeyCredential): Json {
  const { response } = made;
  const json: Json = { clientDataJSON: text(response.clientDataJSON) };
  if (response instanceof AuthenticatorAttestationResponse) {
    json["attestationObject"] = text(response.attestationObject);
    json["transports"] = response.getTransports?.() ?? [];
  } else if (response instanceof AuthenticatorAssertionResponse) {
    json["authenticatorData"] = text(response.authenticatorData);
    json["signature"] = text(response.signature);
    json["userHandle"] = response.userHandle ? text(response.userHandle) : null;
  }
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: json,
    extensions: made.getClientExtensionResults(),
  };
}

function bytes(base64url: unknown): Uint8Array<ArrayBuffer> {
  const plain = String(base64url).replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(plain), (c) => c.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** A touch of the passkey for one deed: the hub counts it as fresh for a short time. */
export async function freshTouch(person: string | undefined): Promise<boolean> {
  const token = demoToken();
  if (!token || !person) return signIn();
  await demoSignIn(token, person);
  return true;
}

/** Signs in with a recovery code: good for making a new passkey, and for nothing else. */
export async function recover(person: string, code: string): Promise<void> {
  await send("POST", "/v1/login:recover", { person, code }, { key: intent() });
}
