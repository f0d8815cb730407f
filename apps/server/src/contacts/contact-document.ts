import { type ClientId, isClientId } from "@presence/protocol";
import { z } from "zod";
import type { ContactDocument } from "./contact-store.ts";

const MAX_CONTACTS = 100_000;

const NOT_AN_ID = "not a client id";

/** One check for the whole list instead of one per item: it runs for each new stream, and the list may be long. */
const contactIds = z.custom<ClientId[]>().superRefine((value: unknown, context) => {
  if (!Array.isArray(value) || value.length > MAX_CONTACTS) {
    context.addIssue({ code: "custom", message: `not a list of at most ${MAX_CONTACTS}` });
    return;
  }
  const index = value.findIndex((id) => !isClientId(id));
  if (index >= 0) context.addIssue({ code: "custom", message: NOT_AN_ID, path: [index] });
});

const contactDocument = z.object({
  id: z.string().refine(isClientId, NOT_AN_ID),
  name: z.string().min(1).max(200).exactOptional(),
  role: z.string().max(200).exactOptional(),
  timeZone: z.string().max(100).exactOptional(),
  contacts: contactIds,
});

/**
 * Parses and validates a contact document. Operators may write documents manually, so anything can be in them.
 *
 * @param id the client id in the document's key
 * @throws an error that says what is wrong
 */
export function parseContactDocument(id: string, json: string): ContactDocument {
  const result = contactDocument.safeParse(JSON.parse(json));
  if (!result.success) throw new Error(z.prettifyError(result.error));
  const document = { name: result.data.id, ...result.data };
  if (document.id !== id) throw new Error(`its id is ${document.id}`);
  return document;
}
