import type { ContactsResponse, PeopleResponse, Profile } from "@presence/protocol";
import { Router } from "express";
import type { Directory } from "../contacts/directory.ts";
import type { PushHub } from "../push/push-hub.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { authenticate } from "./authentication.ts";
import { onlyAllows } from "./http-problem.ts";
import { requireAccepts } from "./negotiation.ts";

export interface ContactRouteDependencies {
  sessions: Sessions;
  directory: Directory;
  hub: PushHub;
}

/** `GET /api/contacts`: the caller's contact list, with profiles and presence. */
export function contactRoutes({ sessions, directory, hub }: ContactRouteDependencies): Router {
  const router = Router();
  router
    .route("/api/contacts")
    .get(async (request, response) => {
      requireAccepts(request, "application/json");
      const { client } = await authenticate(request, sessions);
      const { at, presences } = await hub.read(await directory.contactListOf(client));
      const profiles = await directory.profilesOf(new Set([client, ...presences.map((presence) => presence.client)]));
      const body: ContactsResponse = {
        client,
        profile: profileIn(profiles, client),
        at,
        contacts: presences.map(({ client: contact, status, since }) => ({
          client: contact,
          status,
          since,
          profile: profileIn(profiles, contact),
        })),
      };
      response.set("Cache-Control", "no-store").json(body);
    })
    .all(onlyAllows("GET", "HEAD"));
  return router;
}

/** `GET /api/people` (demo mode only): the profiles that a visitor can sign in as. */
export function peopleRoutes(directory: Directory): Router {
  const router = Router();
  router
    .route("/api/people")
    .get(async (request, response) => {
      requireAccepts(request, "application/json");
      const body: PeopleResponse = { people: await directory.people() };
      response.set("Cache-Control", "no-cache").json(body);
    })
    .all(onlyAllows("GET", "HEAD"));
  return router;
}

function profileIn(profiles: ReadonlyMap<string, Profile>, client: string): Profile {
  return profiles.get(client) ?? { id: client, name: client };
}
