import { type RefObject, useEffect, useState } from "react";

/**
 * Whether the user interacts with `target`: the mouse is over it, a finger touches it, or it contains the keyboard focus.
 * Its content must not move meanwhile.
 */
export function useInteraction(target: RefObject<HTMLElement | null>): boolean {
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
    // A pointer over a window without the focus isn't an interaction.
    window.addEventListener("blur", () => setPointed(false), options);
    return () => stop.abort();
  }, [target]);

  return isPointed || isFocused;
}
