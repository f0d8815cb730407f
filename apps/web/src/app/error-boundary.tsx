import { Component, type ReactNode } from "react";
import { Notice } from "../ui/notice.tsx";

/** Stands between a fault in the page and an empty screen. */
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
          title="Something broke on this page"
          actions={
            <button className="button button--primary" type="button" onClick={() => location.reload()}>
              Reload
            </button>
          }
        >
          <p>It’s a fault of ours, not yours. A reload puts it right, and nobody sees you leave.</p>
        </Notice>
      </main>
    );
  }
}
