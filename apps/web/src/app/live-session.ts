/** Carries what the worker says into the page's stores: the one place where it arrives. */
import type { ClientId, Problem } from "@presence/protocol";
import type { QueryClient } from "@tanstack/react-query";
import { activityStore, EMPTY_ACTIVITY, withSightings } from "../features/activity/activity-store.ts";
import { CONTACTS_KEY } from "../features/contacts/contacts-query.ts";
import type { ContactList } from "../lib/api/api.ts";
import { connectionStore, INITIAL_CONNECTION, staleDelayMs } from "../lib/live/connection-store.ts";
import type { LinkView } from "../lib/live/link-view.ts";
import { type LiveClient, startLiveClient } from "../lib/live/live-client.ts";
import type { Credential, Sighting, WorkerMessage } from "../lib/live/tab-protocol.ts";
import { createFrameQueue } from "../lib/presence/frame-queue.ts";
import { presenceStore, withChanges, withPicture } from "../lib/presence/presence-store.ts";

export interface LiveSessionOptions {
  credential: Credential;
  ownConnection: boolean;
  queryClient: QueryClient;
}

const REFRESH_DELAY_MS = 150;
/** How long the list of contacts rests after changes: short enough that nobody sees a badge come late. */
const CONTACTS_REST_MS = 200;
/** Longer, as nobody reads what goes by as fast; with 500 changes a second fewer come meanwhile than the list holds. */
const ACTIVITY_REST_MS = 300;

const BROKEN: Problem = {
  type: "about:blank",
  title: "This page is out of date",
  status: 0,
  detail: "Part of it couldn’t be loaded, most likely because a newer version has been put in place. Reload the page.",
};

/** Connects this page as somebody, until `stop`. */
export function startLiveSession({ credential, ownConnection, queryClient }: LiveSessionOptions): LiveClient {
  const queue = createFrameQueue<Sighting>(applyChanges, CONTACTS_REST_MS);
  const activityQueue = createFrameQueue<Sighting>(noteActivity, ACTIVITY_REST_MS);
  let refreshTimer: ReturnType<typeof setTimeout> | undefined;
  let staleTimer: ReturnType<typeof setTimeout> | undefined;

  const client = startLiveClient({
    credential,
    ownConnection,
    onMessage: receive,
    onBroken: () => showLink({ kind: "refused", problem: BROKEN }),
  });

  function receive(message: WorkerMessage): void {
    switch (message.kind) {
      case "session":
        connectionStore.setState({ token: message.token });
        break;
      case "link":
        if (message.asOfMs !== undefined) connectionStore.setState({ asOfMs: message.asOfMs });
        showLink(message.view);
        break;
      case "picture":
        queue.clear();
        activityQueue.flush();
        if (presenceStore.getState().statuses !== undefined) refreshContacts();
        presenceStore.setState(withPicture(message.contacts, message.missed));
        noteActivity(message.missed);
        break;
      case "changes":
        queue.add(message.changes);
        break;
      case "company":
        connectionStore.setState({ inUse: new Set(message.clients), tabs: message.tabs });
        break;
    }
  }

  function showLink(view: LinkView): void {
    queue.flush();
    activityQueue.flush();
    const delayMs = staleDelayMs(view);
    if (delayMs === undefined) {
      clearTimeout(staleTimer);
      staleTimer = undefined;
      connectionStore.setState({ view, isStale: false });
    } else if (delayMs === 0) connectionStore.setState({ view, isStale: true });
    else {
      connectionStore.setState({ view });
      staleTimer ??= setTimeout(() => connectionStore.setState({ isStale: true }), delayMs);
    }
  }

  function applyChanges(changes: Sighting[]): void {
    presenceStore.setState((state) => withChanges(state, changes));
    activityQueue.add(changes);
    const lists = queryClient.getQueriesData<ContactList>({ queryKey: [CONTACTS_KEY, credential.client] });
    const lasting = lists.flatMap(([, list]) => (list === undefined ? [] : [lastingContacts(list)]));
    if (changes.some(({ client: id }) => !lasting.some((ids) => ids.has(id)))) refreshContacts();
  }

  function noteActivity(sightings: readonly Sighting[]): void {
    activityStore.setState((state) => withSightings(state, sightings));
  }

  /** Reads the contacts again, once for however many changes come in a burst. */
  function refreshContacts(): void {
    refreshTimer ??= setTimeout(() => {
      refreshTimer = undefined;
      void queryClient.invalidateQueries({ queryKey: [CONTACTS_KEY, credential.client] });
    }, REFRESH_DELAY_MS);
  }

  return {
    ...client,
    stop() {
      client.stop();
      queue.clear();
      activityQueue.clear();
      clearTimeout(staleTimer);
      clearTimeout(refreshTimer);
      connectionStore.setState(INITIAL_CONNECTION, true);
      presenceStore.setState({ statuses: undefined }, true);
      activityStore.setState(EMPTY_ACTIVITY, true);
    },
  };
}

const lastingOf = new WeakMap<ContactList, ReadonlySet<ClientId>>();

/** Who stands in a contact list for good. A guest stands there only while online. */
function lastingContacts(list: ContactList): ReadonlySet<ClientId> {
  const known = lastingOf.get(list);
  if (known !== undefined) return known;
  const ids = new Set(list.contacts.filter(({ guest }) => guest !== true).map(({ id }) => id));
  lastingOf.set(list, ids);
  return ids;
}
