import { type FormEvent, useState } from "react";

interface TokenFormProps {
  problem: string | undefined;
  /** Takes the token, or says why not. */
  onToken(token: string): string | undefined;
}

/** Where a token that didn't come by link is pasted. */
export function TokenForm({ problem, onToken }: TokenFormProps) {
  const [token, setToken] = useState("");
  const [refusal, setRefusal] = useState(problem);

  function submit(event: FormEvent): void {
    event.preventDefault();
    setRefusal(onToken(token.trim()));
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
        aria-invalid={refusal !== undefined}
      />
      <p
        id="token-hint"
        className={refusal === undefined ? "guest-form__hint" : "guest-form__hint guest-form__hint--bad"}
        role="status"
      >
        {refusal ?? "It stays in this tab and is forgotten when the tab closes."}
      </p>
      <button className="button button--primary" type="submit" disabled={token.trim() === ""}>
        Sign in
      </button>
    </form>
  );
}
