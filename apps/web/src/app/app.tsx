import { useMemo, useState } from "react";
import { SignIn } from "../features/sign-in/sign-in.tsx";
import { deleteToken, readToken, storeToken } from "../features/sign-in/token-store.ts";
import { WrongId } from "../features/sign-in/wrong-id.tsx";
import type { Credential } from "../lib/live/tab-protocol.ts";
import { tokenSubject } from "../lib/people/token-subject.ts";
import { BrandMark } from "../ui/brand-mark.tsx";
import { Notice } from "../ui/notice.tsx";
import { DemoRoute } from "./demo-route.tsx";
import type { Route } from "./route.ts";
import { Workspace } from "./workspace.tsx";

const INVALID_TOKEN = "This isn’t a valid token. Copy the whole token and paste it again.";

/** Renders the page of a route. */
export function App({ route }: { route: Route }) {
  const [token, setToken] = useState(readToken);
  const client = token === undefined ? undefined : tokenSubject(token);
  const demoClient = route.kind === "client" ? route.client : undefined;
  const credential = useMemo<Credential | undefined>(() => {
    if (token !== undefined && client !== undefined) return { kind: "token", client, token };
    return demoClient === undefined ? undefined : { kind: "demo", client: demoClient };
  }, [token, client, demoClient]);

  function onToken(pasted: string): string | undefined {
    if (tokenSubject(pasted) === undefined) return INVALID_TOKEN;
    storeToken(pasted);
    setToken(pasted);
    return undefined;
  }

  switch (route.kind) {
    case "demo":
      return <DemoRoute />;
    case "unknown":
      return <NotFound />;
    case "wrong-id":
      return <WrongId id={route.id} />;
  }
  if (credential === undefined) {
    return <SignIn tokenProblem={token === undefined ? undefined : INVALID_TOKEN} onToken={onToken} />;
  }
  return (
    <Workspace
      credential={credential}
      frame={route.kind === "client" ? route.frame : undefined}
      onToken={onToken}
      onDeleteToken={deleteToken}
    />
  );
}

function NotFound() {
  return (
    <main className="sign-in">
      <Notice
        level={1}
        figure={<BrandMark />}
        title="There’s nothing at this address"
        actions={
          <a className="button button--primary" href="/">
            Go to the start page
          </a>
        }
      />
    </main>
  );
}
