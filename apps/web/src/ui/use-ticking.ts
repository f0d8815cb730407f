import { useSyncExternalStore } from "react";
import { ticker } from "../lib/time/ticker.ts";

/**
 * Returns `read(now)`, computed again every second. The component renders only when the result differs, so `read` must
 * return a primitive value.
 */
export function useTicking<Value extends string | number | boolean | undefined>(read: (nowMs: number) => Value): Value {
  return useSyncExternalStore(ticker.subscribe, () => read(ticker.now()));
}
