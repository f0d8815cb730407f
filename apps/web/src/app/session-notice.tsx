import type { Problem, Profile } from "@presence/protocol";
import type { ReactNode } from "react";
import { TokenForm } from "../features/sign-in/token-form.tsx";
import type { LinkView } from "../lib/live/link-view.ts";
import { Avatar } from "../ui/avatar.tsx";
import { Notice } from "../ui/notice.tsx";

interface SessionNoticeOptions {
  view: LinkView;
  me: Profile;
  /** Whether the server requires an issuer's token. */
  needsToken: boolean;
  /** Whether this page was opened with a token. */
  hasToken: boolean;
  onToken(token: string): string | undefined;
  onSignIn(): void;
  /** Called when the user leaves to sign in as someone else; `undefined` if that isn't offered. */
  onDeleteToken: (() => void) | undefined;
}

/** Shown in place of the contacts after signing out or a refusal; otherwise `undefined`. */
export function sessionNotice(options: SessionNoticeOptions): ReactNode {
  const { view, me } = options;
  if (view.kind === "refused") return refusalNotice(view.problem, options);
  if (view.kind !== "signed-out") return undefined;
  return (
    <Notice
      figure={<Avatar client={me.id} name={me.name} status="OFFLINE" size="l" />}
      title="You’re signed out"
      actions={<SignInAgain {...options} />}
    >
      <p>Others see you as offline.</p>
    </Notice>
  );
}

function refusalNotice(problem: Problem, options: SessionNoticeOptions): ReactNode {
  const isMissingToken = options.needsToken && !options.hasToken;
  return (
    <Notice title={isMissingToken ? "This server needs a token" : problem.title} actions={<SignInAgain {...options} />}>
      <p>{isMissingToken ? "Open the sign-in link that you received, or paste your token." : problem.detail}</p>
    </Notice>
  );
}

function SignInAgain({ needsToken, onToken, onSignIn, onDeleteToken }: SessionNoticeOptions) {
  if (needsToken) return <TokenForm problem={undefined} onToken={onToken} />;
  return (
    <>
      <button className="button button--primary" type="button" onClick={onSignIn}>
        Sign in again
      </button>
      {onDeleteToken !== undefined && (
        <a className="button" href="/" onClick={onDeleteToken}>
          Sign in as someone else
        </a>
      )}
    </>
  );
}
