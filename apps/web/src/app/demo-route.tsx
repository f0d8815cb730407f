import { useMemo } from "react";
import { DemoPage } from "../features/demo/demo-page.tsx";
import { usePeople } from "../features/sign-in/people-query.ts";
import { ThemeSwitch } from "../features/theme/theme-switch.tsx";
import { BrandMark } from "../ui/brand-mark.tsx";
import { Notice } from "../ui/notice.tsx";

/** The clients of the original demo. If the roster lacks one of them, the demo shows the first three of the roster. */
const DEMO_CLIENTS = ["anouk", "magali", "omar"];

export function DemoRoute() {
  const people = usePeople();
  const roster = people.data?.mode === "demo" ? people.data.people : undefined;
  const profiles = useMemo(() => {
    const found = roster?.filter(({ id }) => DEMO_CLIENTS.includes(id)) ?? [];
    return found.length === DEMO_CLIENTS.length ? found : roster?.slice(0, DEMO_CLIENTS.length);
  }, [roster]);

  if (profiles !== undefined) return <DemoPage profiles={profiles} actions={<ThemeSwitch />} />;
  if (people.isPending) return <main />;
  const isIssuer = people.data?.mode === "issuer";
  return (
    <main className="sign-in">
      <Notice
        level={1}
        figure={<BrandMark />}
        title={isIssuer ? "The demo needs a server in demo mode" : "The server can’t be reached"}
        actions={
          isIssuer ? (
            <a className="button" href="/">
              Go to the start page
            </a>
          ) : (
            <button className="button button--primary" type="button" onClick={() => void people.refetch()}>
              Try again
            </button>
          )
        }
      >
        <p>
          {isIssuer
            ? "This server accepts only tokens, so the demo can’t sign in as three people."
            : "It may still be starting. Try again in a few seconds."}
        </p>
      </Notice>
    </main>
  );
}
