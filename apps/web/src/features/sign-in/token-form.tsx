import { type FormEvent, useState } from "react";

interface TokenFormProps {
  /** An error to show at first. */
  problem: string | undefined;
  /** Signs in with the token. Returns an error message if it is invalid. */
  onToken(token: string): string | undefined;
}

/** A form to paste an issuer's token. */
export function TokenForm({ problem, onToken }: TokenFormProps) {
  const [token, setToken] = useState("");
  const [error, setError] = useState(problem);

  function submit(event: FormEvent): void {
    event.preventDefault();
    setError(onToken(token.trim()));
  }

  return (
    <form className="guest-form" onSubmit={submit}>
      <label className="guest-form__label" htmlFor="token">
        Token
      </label>
      <textarea
        id="token"
        className="field field--token"
        rows={5}
        value={token}
        onChange={(event) => setToken(event.target.value)}
        placeholder="eyJhbGciOi…"
        autoComplete="off"
        spellCheck={false}
        aria-describedby="token-hint"
        aria-invalid={error !== undefined}
      />
      <p
        id="token-hint"
        className={error === undefined ? "guest-form__hint" : "guest-form__hint guest-form__hint--bad"}
        role="status"
      >
        {error ?? "The token is kept in this tab only. It is deleted when you close the tab."}
      </p>
      <button className="button button--primary" type="submit" disabled={token.trim() === ""}>
        Sign in
      </button>
    </form>
  );
}
