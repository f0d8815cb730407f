import type { ReactNode } from "react";
import "./notice.css";

interface NoticeProps {
  title: string;
  /** What happened and what to do. */
  children?: ReactNode;
  /** Links and buttons. */
  actions?: ReactNode;
  /** An image above the title. */
  figure?: ReactNode;
  /** The heading level: `1` if the notice is the whole page. */
  level?: 1 | 2;
}

/** A message in place of content, for example for an empty list or an error. */
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
