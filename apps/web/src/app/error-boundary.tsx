import { Component, type ReactNode } from "react";
import { Notice } from "../ui/notice.tsx";

/** Shows a message instead of an empty page when rendering throws. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <main className="sign-in">
        <Notice
          level={1}
          title="Something went wrong on this page"
          actions={
            <button className="button button--primary" type="button" onClick={() => location.reload()}>
              Reload
            </button>
          }
        >
          <p>Reload the page to continue. Until then, this tab isn’t connected.</p>
        </Notice>
      </main>
    );
  }
}
