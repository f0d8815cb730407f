import type { Profile } from "@presence/protocol";
import { type FormEvent, useState } from "react";
import { clientSlug } from "../../lib/people/client-slug.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { BrandMark } from "../../ui/brand-mark.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Notice } from "../../ui/notice.tsx";
import { usePeople } from "./people-query.ts";
import { TokenForm } from "./token-form.tsx";
import "./sign-in.css";

interface SignInProps {
  /** The error of the token in the link; `undefined` without a token. */
  tokenProblem: string | undefined;
  /** Signs in with the token. Returns an error message if it is invalid. */
  onToken(token: string): string | undefined;
}

/** The start page. */
export function SignIn({ tokenProblem, onToken }: SignInProps) {
  const people = usePeople();

  return (
    <main className="sign-in">
      <div className="sign-in__card">
        <header className="sign-in__header">
          <BrandMark />
          <h1 className="sign-in__title">Who are you?</h1>
        </header>
        {people.isPending && <PeopleSkeleton />}
        {people.isError && (
          <Notice
            title="The server can’t be reached"
            actions={
              <button className="button button--primary" type="button" onClick={() => void people.refetch()}>
                Try again
              </button>
            }
          >
            <p>It may still be starting. Try again in a few seconds.</p>
          </Notice>
        )}
        {people.data?.mode === "demo" && <DemoSignIn people={people.data.people} />}
        {people.data?.mode === "issuer" && (
          <>
            <p className="sign-in__lead">
              This server needs a token. Open the sign-in link that you received, or paste your token.
            </p>
            <TokenForm problem={tokenProblem} onToken={onToken} />
          </>
        )}
      </div>
    </main>
  );
}

function DemoSignIn({ people }: { people: Profile[] }) {
  return (
    <>
      <p className="sign-in__lead">Pick a person. You can be someone else in another tab.</p>
      <ul className="sign-in__people">
        {people.map(({ id, name, role }) => (
          <li key={id}>
            <a className="person" href={`/?as=${id}`}>
              <Avatar client={id} name={name} />
              <span className="person__text">
                <span className="person__name">{name}</span>
                {role !== undefined && <span className="person__role">{role}</span>}
              </span>
            </a>
          </li>
        ))}
      </ul>
      <GuestForm />
      <p className="sign-in__more">
        <a href="/demo">
          Or watch three clients at once <Icon name="arrow" />
        </a>
      </p>
    </>
  );
}

function GuestForm() {
  const [name, setName] = useState("");
  const slug = clientSlug(name);
  const isInvalid = name.trim() !== "" && slug === undefined;

  function join(event: FormEvent): void {
    event.preventDefault();
    if (slug !== undefined) location.assign(`/?as=${slug}`);
  }

  return (
    <form className="guest-form" onSubmit={join}>
      <label className="guest-form__label" htmlFor="guest-name">
        Or type a name
      </label>
      <div className="guest-form__row">
        <input
          id="guest-name"
          className="field"
          value={name}
          onChange={(event) => setName(event.target.value)}
          placeholder="Your name"
          autoComplete="off"
          autoCapitalize="words"
          spellCheck={false}
          maxLength={64}
          aria-describedby="guest-hint"
          aria-invalid={isInvalid}
        />
        <button className="button button--primary" type="submit" disabled={slug === undefined}>
          Join
        </button>
      </div>
      <p id="guest-hint" className="guest-form__hint" aria-live="polite">
        {guestHint(name, slug)}
      </p>
    </form>
  );
}

function guestHint(name: string, slug: string | undefined): string {
  if (name.trim() === "") return "If the name isn’t in the list, you join as a guest.";
  if (slug === undefined) return "This name can’t be used. Use letters a–z or digits.";
  return slug === name.trim()
    ? `Your id will be ${slug}.`
    : `Your id will be ${slug}: ids can’t have spaces, accents or special characters.`;
}

function PeopleSkeleton() {
  return (
    <div aria-hidden="true">
      <p className="sign-in__lead">
        <span className="skeleton skeleton--line" />
      </p>
      <div className="sign-in__people">
        {Array.from({ length: 12 }, (_, index) => `placeholder-${index}`).map((key) => (
          <span key={key} className="person">
            <span className="skeleton skeleton--disc" />
            <span className="person__text">
              <span className="skeleton skeleton--line" />
            </span>
          </span>
        ))}
      </div>
    </div>
  );
}
