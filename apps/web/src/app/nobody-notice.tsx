import type { Problem, Profile } from "@presence/protocol";
import type { ReactNode } from "react";
import { TokenForm } from "../features/sign-in/token-form.tsx";
import type { LinkView } from "../lib/live/link-view.ts";
import { Avatar } from "../ui/avatar.tsx";
import { Notice } from "../ui/notice.tsx";

interface NobodyOptions {
  view: LinkView;
  me: Profile;
  /** Whether the server lets in only those who bring a token. */
  wantsToken: boolean;
  /** Whether this page came with one. */
  hasToken: boolean;
  onToken(token: string): string | undefined;
  onSignIn(): void;
  /** Called on the way to being someone else; `undefined` where there's no such way. */
  onForget: (() => void) | undefined;
}

/** What stands in place of the contacts while one is nobody: signed out, or not let in. */
export function nobodyNotice(options: NobodyOptions): ReactNode {
  const { view, me } = options;
  if (view.kind === "refused") return refusalNotice(view.problem, options);
  if (view.kind !== "signed-out") return undefined;
  return (
    <Notice
      figure={<Avatar client={me.id} name={me.name} status="OFFLINE" size="l" />}
      title="You’re signed out"
      actions={<WayBack {...options} />}
    >
      <p>Others see you offline.</p>
    </Notice>
  );
}

function refusalNotice(problem: Problem, options: NobodyOptions): ReactNode {
  const isMissingToken = options.wantsToken && !options.hasToken;
  return (
    <Notice title={isMissingToken ? "This server wants a token" : problem.title} actions={<WayBack {...options} />}>
      <p>{isMissingToken ? "Open the link that you were given, or paste your token." : problem.detail}</p>
    </Notice>
  );
}

function WayBack({ wantsToken, onToken, onSignIn, onForget }: NobodyOptions) {
  if (wantsToken) return <TokenForm problem={undefined} onToken={onToken} />;
  return (
    <>
      <button className="button button--primary" type="button" onClick={onSignIn}>
        Sign in again
      </button>
      {onForget !== undefined && (
        <a className="button" href="/" onClick={onForget}>
          Be someone else
        </a>
      )}
    </>
  );
}
