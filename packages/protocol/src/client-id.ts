/** The id of a client or server: 1–64 characters of `A–Z a–z 0–9 . _ ~ -`, which need no encoding in a URL. */
export type ClientId = string;

const LEGAL_ID = /^[A-Za-z0-9._~-]{1,64}$/;

/** Whether `value` is a valid client id. Ids are case-sensitive and never decoded. */
export function isClientId(value: unknown): value is ClientId {
  return typeof value === "string" && LEGAL_ID.test(value);
}

/** The format of a valid id, for error messages. */
export const CLIENT_ID_RULE = "1 to 64 characters out of A–Z a–z 0–9 . _ ~ -";
