const MAX_ID_LENGTH = 64;
const LEGAL_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";

/** As `isClientId` of the protocol, without a regular expression, which Lua has none of. */
export function isLegalId(id: string): boolean {
  if (id.length === 0 || id.length > MAX_ID_LENGTH) return false;
  for (let index = 0; index < id.length; index += 1) {
    if (!LEGAL_CHARACTERS.includes(id.charAt(index))) return false;
  }
  return true;
}
