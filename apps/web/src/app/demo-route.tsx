import { useMemo } from "react";
import { DemoPage } from "../features/demo/demo-page.tsx";
import { usePeople } from "../features/sign-in/people-query.ts";
import { ThemeSwitch } from "../features/theme/theme-switch.tsx";
import { BrandMark } from "../ui/brand-mark.tsx";
import { Notice } from "../ui/notice.tsx";

/** Those of the original demo; where the roster lacks them, its first three. */
const CAST = ["anouk", "magali", "omar"];

export function DemoRoute() {
  const people = usePeople();
  const roster = people.data?.mode === "demo" ? people.data.people : undefined;
  const cast = useMemo(() => {
    const known = roster?.filter(({ id }) => CAST.includes(id)) ?? [];
    return known.length === CAST.length ? known : roster?.slice(0, CAST.length);
  }, [roster]);

  if (cast !== undefined) return <DemoPage cast={cast} actions={<ThemeSwitch />} />;
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
              Go to the start
            </a>
          ) : (
            <button className="button button--primary" type="button" onClick={() => void people.refetch()}>
              Try again
            </button>
          )
        }
      >
        <p>
          {isIssuer ? "This one lets nobody in without a token, so nobody can be three people." : "It may be starting."}
        </p>
      </Notice>
    </main>
  );
}
