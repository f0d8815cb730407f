/** Receives the worker's messages and writes them to the page's stores. */
import type { ClientId, Presence } from "@presence/protocol";
import type { QueryClient } from "@tanstack/react-query";
import { activityStore, EMPTY_ACTIVITY, withChanges as withActivity } from "../features/activity/activity-store.ts";
import { CONTACTS_KEY } from "../features/contacts/contacts-query.ts";
import type { ContactList } from "../lib/api/api.ts";
import { connectionStore, INITIAL_CONNECTION, staleDelayMs } from "../lib/live/connection-store.ts";
import type { LinkView } from "../lib/live/link-view.ts";
import { type LiveClient, startLiveClient } from "../lib/live/live-client.ts";
import type { Credential, LiveMessage, ObservedChange } from "../lib/live/tab-protocol.ts";
import { createFrameBatcher } from "../lib/presence/frame-batcher.ts";
import { presenceStore, withChanges, withSnapshot } from "../lib/presence/presence-store.ts";

export interface LiveSessionOptions {
  credential: Credential;
  ownConnection: boolean;
  queryClient: QueryClient;
}

const REFRESH_DELAY_MS = 150;
/** The contact list renders changes at most this often. Users don't notice a delay this short. */
const CONTACTS_INTERVAL_MS = 200;
/** The activity list can update less often. At 500 changes per second, one interval brings fewer entries than it holds. */
const ACTIVITY_INTERVAL_MS = 300;

/** Connects this page as the credential's client until `stop` is called. */
export function startLiveSession({ credential, ownConnection, queryClient }: LiveSessionOptions): LiveClient {
  const contactsBatcher = createFrameBatcher<ObservedChange>(applyChanges, CONTACTS_INTERVAL_MS);
  const activityBatcher = createFrameBatcher<ObservedChange>(addActivity, ACTIVITY_INTERVAL_MS);
  let refreshTimer: ReturnType<typeof setTimeout> | undefined;
  let staleTimer: ReturnType<typeof setTimeout> | undefined;

  const client = startLiveClient({
    credential,
    ownConnection,
    onMessage: receive,
    getPresence,
  });

  function getPresence(): Presence[] | undefined {
    contactsBatcher.flush();
    const { statuses } = presenceStore.getState();
    return statuses && Array.from(statuses, ([id, { status, sinceMs }]) => ({ client: id, status, since: sinceMs }));
  }

  function receive(message: LiveMessage): void {
    switch (message.kind) {
      case "session":
        connectionStore.setState({ token: message.token });
        break;
      case "link":
        if (message.asOfMs !== undefined) connectionStore.setState({ asOfMs: message.asOfMs });
        showLink(message.view);
        break;
      case "snapshot":
        contactsBatcher.clear();
        activityBatcher.flush();
        if (presenceStore.getState().statuses !== undefined) refreshContacts();
        presenceStore.setState(withSnapshot(message.contacts, message.missed));
        addActivity(message.missed);
        break;
      case "changes":
        contactsBatcher.add(message.changes);
        break;
      case "tabs":
        connectionStore.setState({ inUse: new Set(message.clients), tabCount: message.count });
        break;
    }
  }

  function showLink(view: LinkView): void {
    contactsBatcher.flush();
    activityBatcher.flush();
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

  function applyChanges(changes: ObservedChange[]): void {
    presenceStore.setState((state) => withChanges(state, changes));
    activityBatcher.add(changes);
    const lists = queryClient.getQueriesData<ContactList>({ queryKey: [CONTACTS_KEY, credential.client] });
    const permanent = lists.flatMap(([, list]) => (list === undefined ? [] : [permanentContacts(list)]));
    // A change of an unknown client or a guest can change the list itself.
    if (changes.some(({ client: id }) => !permanent.some((ids) => ids.has(id)))) refreshContacts();
  }

  function addActivity(changes: readonly ObservedChange[]): void {
    activityStore.setState((state) => withActivity(state, changes));
  }

  /** Fetches the contacts again. A burst of calls causes one fetch. */
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
      contactsBatcher.clear();
      activityBatcher.clear();
      clearTimeout(staleTimer);
      clearTimeout(refreshTimer);
      connectionStore.setState(INITIAL_CONNECTION, true);
      presenceStore.setState({ statuses: undefined }, true);
      activityStore.setState(EMPTY_ACTIVITY, true);
    },
  };
}

const permanentContactsCache = new WeakMap<ContactList, ReadonlySet<ClientId>>();

/** The ids of a list's contacts, without guests: a guest is listed only while online. Cached per list. */
function permanentContacts(list: ContactList): ReadonlySet<ClientId> {
  const cached = permanentContactsCache.get(list);
  if (cached !== undefined) return cached;
  const ids = new Set(list.contacts.filter(({ guest }) => guest !== true).map(({ id }) => id));
  permanentContactsCache.set(list, ids);
  return ids;
}
