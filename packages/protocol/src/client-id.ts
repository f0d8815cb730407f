/** The id of a client or of a server: 1–64 of `A–Z a–z 0–9 . _ ~ -`, the characters a URL never needs to encode. */
export type ClientId = string;

const LEGAL_ID = /^[A-Za-z0-9._~-]{1,64}$/;

/** Whether `value` is a legal client id. Ids are compared as they are: no case folding, no decoding. */
export function isClientId(value: unknown): value is ClientId {
  return typeof value === "string" && LEGAL_ID.test(value);
}

/** What a legal id looks like, for error messages. */
export const CLIENT_ID_RULE = "1 to 64 characters out of A–Z a–z 0–9 . _ ~ -";
