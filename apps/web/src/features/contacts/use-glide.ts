import { type RefObject, useLayoutEffect, useRef } from "react";
import type { Positions } from "./row-positions.ts";

const GLIDE_MS = 320;
const EASING = "cubic-bezier(0.3, 0.7, 0.2, 1)";

/**
 * Lets lines that changed places glide from where they were. Runs on the elements' `translate`, beside the `transform`
 * that places them, so that the DOM keeps the order of reading.
 *
 * @param occasion changes whenever the whole list is another one (a search, a filter): then nothing glides
 */
export function useGlide(list: RefObject<HTMLElement | null>, positions: Positions, occasion: string): void {
  const before = useRef({ positions, occasion });

  useLayoutEffect(() => {
    const { positions: from, occasion: fromOccasion } = before.current;
    before.current = { positions, occasion };
    const container = list.current;
    if (container === null || from === positions || fromOccasion !== occasion || prefersStillness()) return;
    const tops = new Map(from.lines.map(({ key, top }) => [key, top]));
    const farthest = container.clientHeight;
    for (const element of container.querySelectorAll<HTMLElement>("[data-line]")) {
      const line = positions.lines[Number(element.dataset["index"])];
      const oldTop = line === undefined ? undefined : tops.get(line.key);
      if (line === undefined || oldTop === undefined || oldTop === line.top) continue;
      const distance = Math.max(-farthest, Math.min(farthest, oldTop - line.top));
      element.animate([{ translate: `0 ${distance}px` }, { translate: "0 0" }], {
        duration: GLIDE_MS,
        easing: EASING,
      });
    }
  }, [list, positions, occasion]);
}

function prefersStillness(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
