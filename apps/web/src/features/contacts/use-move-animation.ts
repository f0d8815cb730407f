import { type RefObject, useLayoutEffect, useRef } from "react";
import { type Positions, topIn } from "./row-positions.ts";

const MOVE_MS = 320;
const EASING = "cubic-bezier(0.3, 0.7, 0.2, 1)";

/**
 * Animates visible lines from their old position to the new one (FLIP). It animates `translate`, while `transform` sets the
 * position, so that the DOM order stays the reading order.
 *
 * @param listKey if it has changed (another search or filter), nothing is animated
 */
export function useMoveAnimation(list: RefObject<HTMLElement | null>, positions: Positions, listKey: string): void {
  const before = useRef({ positions, listKey });

  useLayoutEffect(() => {
    const { positions: from, listKey: fromListKey } = before.current;
    before.current = { positions, listKey };
    const container = list.current;
    if (container === null || from === positions || fromListKey !== listKey || prefersReducedMotion()) return;
    const maxPx = container.clientHeight;
    // Measure all elements before starting an animation, to avoid a forced layout per element.
    for (const { element, byPx } of visibleMoves(container, from, positions)) animateMove(element, byPx, maxPx);
  }, [list, positions, listKey]);
}

interface Move {
  element: HTMLElement;
  /** Pixels from the new position to the old one. */
  byPx: number;
}

function visibleMoves(container: HTMLElement, from: Positions, to: Positions): Move[] {
  const { scrollTop, clientHeight } = container;
  const isVisible = (top: number, height: number) => top + height > scrollTop && top < scrollTop + clientHeight;
  return [...container.querySelectorAll<HTMLElement>("[data-line]")].flatMap((element) => {
    const line = to.lines[Number(element.dataset["index"])];
    const oldTop = line && topIn(from, line);
    if (line === undefined || oldTop === undefined || oldTop === line.top) return [];
    const height = element.offsetHeight;
    const moves = isVisible(oldTop, height) || isVisible(line.top, height);
    return moves ? [{ element, byPx: oldTop - line.top }] : [];
  });
}

interface RunningMove {
  animation: Animation;
  /** Its start, in pixels from the line's position. */
  fromPx: number;
}

const running = new WeakMap<Element, RunningMove>();

/**
 * Starts an animation, or replaces a running one, which continues from its current position. An element has one animation
 * at a time: browsers run several animations of one property on the main thread in every frame.
 */
function animateMove(element: HTMLElement, byPx: number, maxPx: number): void {
  const before = running.get(element);
  const distancePx = byPx + (before === undefined ? 0 : remainingPx(before));
  const fromPx = Math.max(-maxPx, Math.min(maxPx, distancePx));
  const animation = element.animate([{ translate: `0 ${fromPx}px` }, { translate: "0 0" }], {
    duration: MOVE_MS,
    easing: EASING,
  });
  // An explicit start time avoids that the main thread runs until the compositor reports the start.
  animation.startTime = document.timeline.currentTime;
  before?.animation.cancel();
  running.set(element, { animation, fromPx });
}

function remainingPx({ animation, fromPx }: RunningMove): number {
  return fromPx * (1 - (animation.effect?.getComputedTiming().progress ?? 1));
}

function prefersReducedMotion(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
