import { type RefObject, useEffect, useState } from "react";

/**
 * Whether the pointer or the keyboard is in `target`, so that nothing in it may move: a mouse that is over it, a finger
 * that is on it, or focus that came by keyboard.
 */
export function useHold(target: RefObject<HTMLElement | null>): boolean {
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);

  useEffect(() => {
    const element = target.current;
    if (element === null) return;
    const stop = new AbortController();
    const options = { signal: stop.signal, passive: true };

    element.addEventListener("pointermove", () => setPointed(true), options);
    element.addEventListener("pointerdown", () => setPointed(true), options);
    element.addEventListener("pointerleave", () => setPointed(false), options);
    element.addEventListener("pointercancel", () => setPointed(false), options);
    element.addEventListener(
      "focusin",
      (event) => setFocused(event.target instanceof Element && event.target.matches(":focus-visible")),
      options,
    );
    element.addEventListener("focusout", () => setFocused(false), options);
    // A pointer that rests over a page nobody looks at holds nothing.
    window.addEventListener("blur", () => setPointed(false), options);
    return () => stop.abort();
  }, [target]);

  return isPointed || isFocused;
}
