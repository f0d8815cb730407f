import { type ClientId, isClientId } from "@presence/protocol";
import { z } from "zod";
import type { ContactDocument } from "./contact-store.ts";

const MAX_CONTACTS = 100_000;

/** One check for the whole list: it is read for whoever arrives, and may be long. */
const contactIds = z.custom<ClientId[]>(
  (value) => Array.isArray(value) && value.length <= MAX_CONTACTS && value.every(isClientId),
  `not a list of client ids, ${MAX_CONTACTS} at the most`,
);

const contactDocument = z.object({
  id: z.string().refine(isClientId, "not a client id"),
  name: z.string().min(1).max(200).exactOptional(),
  role: z.string().max(200).exactOptional(),
  timeZone: z.string().max(100).exactOptional(),
  contacts: contactIds,
});

/**
 * The contact document that `json` holds: anyone may write one by hand.
 *
 * @throws an error that says what is wrong with it
 */
export function parseContactDocument(id: string, json: string): ContactDocument {
  const result = contactDocument.safeParse(JSON.parse(json));
  if (!result.success) throw new Error(z.prettifyError(result.error));
  const document = { name: result.data.id, ...result.data };
  if (document.id !== id) throw new Error(`its id is ${document.id}`);
  return document;
}
