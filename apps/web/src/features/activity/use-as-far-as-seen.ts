import { type RefObject, useEffect, useState } from "react";

/** Some more than stay out of a screen's sight are in the document, and no more than that. */
const STEP = 8;
/** How far below what is in view the next ones are added. */
const AHEAD = "25%";

interface AsFarAsSeen {
  /** How many of a list's first items to have in the document. */
  count: number;
  /** Back at the top the rest is let go. */
  onScroll(event: { currentTarget: Element }): void;
}

/**
 * Lets a long list into the document only as far down as one has scrolled.
 *
 * @param end an element that follows the last one that is there
 */
export function useAsFarAsSeen(end: RefObject<Element | null>, total: number): AsFarAsSeen {
  const [count, setCount] = useState(STEP);
  const isWhole = total <= count;

  useEffect(() => {
    const element = end.current;
    if (element === null || isWhole) return;
    const observer = new IntersectionObserver(
      (sights) => {
        if (sights.some(({ isIntersecting }) => isIntersecting)) setCount(count + STEP);
      },
      { root: element.parentElement, rootMargin: `0px 0px ${AHEAD} 0px` },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [end, count, isWhole]);

  return {
    count,
    onScroll({ currentTarget }) {
      if (currentTarget.scrollTop === 0) setCount(STEP);
    },
  };
}
