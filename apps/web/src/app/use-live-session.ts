import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import type { LiveClient } from "../lib/live/live-client.ts";
import type { Credential } from "../lib/live/tab-protocol.ts";
import { startLiveSession } from "./live-session.ts";

export type LiveCommands = Omit<LiveClient, "stop">;

/** Keeps this page connected as the credential's client while the component is mounted. */
export function useLiveSession(credential: Credential, ownConnection: boolean): LiveCommands {
  const queryClient = useQueryClient();
  const live = useRef<LiveClient>(undefined);

  useEffect(() => {
    const session = startLiveSession({ credential, ownConnection, queryClient });
    live.current = session;
    return () => {
      live.current = undefined;
      session.stop();
    };
  }, [credential, ownConnection, queryClient]);

  return useMemo(
    () => ({
      signOut: () => live.current?.signOut(),
      signIn: () => live.current?.signIn(),
      retry: () => live.current?.retry(),
      cutNetwork: () => live.current?.cutNetwork(),
      restoreNetwork: () => live.current?.restoreNetwork(),
    }),
    [],
  );
}
