import { CLIENT_ID_RULE } from "@presence/protocol";
import { clientSlug } from "../../lib/people/client-slug.ts";
import { BrandMark } from "../../ui/brand-mark.tsx";
import { Notice } from "../../ui/notice.tsx";

/** Shown for a link with an invalid client id. */
export function WrongId({ id }: { id: string }) {
  const suggestion = clientSlug(id);
  const shown = id.length > 40 ? `${id.slice(0, 40)}…` : id;

  return (
    <main className="sign-in">
      <Notice
        level={1}
        figure={<BrandMark />}
        title="This id can’t be used"
        actions={
          <>
            {suggestion !== undefined && (
              <a className="button button--primary" href={`/?as=${suggestion}`}>
                Join as {suggestion}
              </a>
            )}
            <a className="button" href="/">
              Pick a person
            </a>
          </>
        }
      >
        <p>
          {id === "" ? "The link has no id." : `The link has the id “${shown}”.`} An id must be {CLIENT_ID_RULE}.
        </p>
      </Notice>
    </main>
  );
}
