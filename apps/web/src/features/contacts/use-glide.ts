import { type RefObject, useLayoutEffect, useRef } from "react";
import { type Positions, topIn } from "./row-positions.ts";

const GLIDE_MS = 320;
const EASING = "cubic-bezier(0.3, 0.7, 0.2, 1)";

/**
 * Lets lines that changed places within sight glide from where they were. Runs on the elements' `translate`, beside the
 * `transform` that places them, so that the DOM keeps the order of reading.
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
    const farthest = container.clientHeight;
    // All are found before the first one glides: to ask for sizes after that would have the page laid out for each.
    for (const { element, byPx } of movesInSight(container, from, positions)) glide(element, byPx, farthest);
  }, [list, positions, occasion]);
}

interface Move {
  element: HTMLElement;
  /** From the new place to the old. */
  byPx: number;
}

function movesInSight(container: HTMLElement, from: Positions, to: Positions): Move[] {
  const { scrollTop, clientHeight } = container;
  const isInSight = (top: number, height: number) => top + height > scrollTop && top < scrollTop + clientHeight;
  return [...container.querySelectorAll<HTMLElement>("[data-line]")].flatMap((element) => {
    const line = to.lines[Number(element.dataset["index"])];
    const oldTop = line && topIn(from, line);
    if (line === undefined || oldTop === undefined || oldTop === line.top) return [];
    const height = element.offsetHeight;
    const isSeen = isInSight(oldTop, height) || isInSight(line.top, height);
    return isSeen ? [{ element, byPx: oldTop - line.top }] : [];
  });
}

interface Glide {
  animation: Animation;
  /** How far from the line's place it began. */
  fromPx: number;
}

const glides = new WeakMap<Element, Glide>();

/**
 * One that still glides goes on from where it is. It has one animation at a time: a browser leaves several of one property
 * to the main thread, which then has work for every frame.
 */
function glide(element: HTMLElement, byPx: number, farthestPx: number): void {
  const before = glides.get(element);
  const wantedPx = byPx + (before === undefined ? 0 : remainingPx(before));
  const fromPx = Math.max(-farthestPx, Math.min(farthestPx, wantedPx));
  const animation = element.animate([{ translate: `0 ${fromPx}px` }, { translate: "0 0" }], {
    duration: GLIDE_MS,
    easing: EASING,
  });
  // Said outright: what waits for the compositor to say when it began keeps the main thread at work until it has.
  animation.startTime = document.timeline.currentTime;
  before?.animation.cancel();
  glides.set(element, { animation, fromPx });
}

function remainingPx({ animation, fromPx }: Glide): number {
  return fromPx * (1 - (animation.effect?.getComputedTiming().progress ?? 1));
}

function prefersStillness(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
