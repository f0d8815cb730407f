import { type RefObject, useEffect, useState } from "react";

/** The number of items to add at a time. */
const STEP = 8;
/** Items are added when the end of the list is this close to the visible part, in relation to its height. */
const MARGIN = "25%";

interface IncrementalList {
  /** The number of items to render. */
  count: number;
  /** Removes the added items when the list is scrolled back to the top. */
  onScroll(event: { currentTarget: Element }): void;
}

/**
 * Renders a long list only as far as the user has scrolled.
 *
 * @param end an element after the last rendered item, inside the scrolling list
 * @param total the number of items in the whole list
 */
export function useIncrementalList(end: RefObject<Element | null>, total: number): IncrementalList {
  const [count, setCount] = useState(STEP);
  const isComplete = total <= count;

  useEffect(() => {
    const element = end.current;
    if (element === null || isComplete) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setCount(count + STEP);
      },
      { root: element.parentElement, rootMargin: `0px 0px ${MARGIN} 0px` },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [end, count, isComplete]);

  return {
    count,
    onScroll({ currentTarget }) {
      if (currentTarget.scrollTop === 0) setCount(STEP);
    },
  };
}
