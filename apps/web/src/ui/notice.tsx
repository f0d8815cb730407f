import type { ReactNode } from "react";
import "./notice.css";

interface NoticeProps {
  title: string;
  /** What happened and what to do. */
  children?: ReactNode;
  /** Ways on: links and buttons. */
  actions?: ReactNode;
  /** Something to look at, above the title. */
  figure?: ReactNode;
  /** `1` where it is all there is on the page. */
  level?: 1 | 2;
}

/** A state with nothing to list: empty, refused, gone. */
export function Notice({ title, children, actions, figure, level = 2 }: NoticeProps) {
  const Heading = level === 1 ? "h1" : "h2";
  return (
    <div className="notice">
      {figure !== undefined && <div className="notice__figure">{figure}</div>}
      <Heading className="notice__title">{title}</Heading>
      {children !== undefined && <div className="notice__text">{children}</div>}
      {actions !== undefined && <div className="notice__actions">{actions}</div>}
    </div>
  );
}
