import { useSyncExternalStore } from "react";
import { ticker } from "../lib/time/ticker.ts";

/**
 * What `read` makes of the current time, kept up to date by the one clock of the page. The component renders again only
 * when the outcome differs, so `read` returns a string, a number or the like.
 */
export function useTicking<Value extends string | number | boolean | undefined>(read: (nowMs: number) => Value): Value {
  return useSyncExternalStore(ticker.subscribe, () => read(ticker.now()));
}
