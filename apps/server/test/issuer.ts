import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { onTestFinished } from "vitest";

const ALGORITHM = "ES256";

interface Key {
  kid: string;
  privateKey: CryptoKey;
  publicKey: CryptoKey;
  jwk: JWK;
}

/** A token issuer that serves its public keys (JWKS) over HTTP. It closes at the end of the test. */
export class Issuer {
  readonly #server: Server;
  #keys: Key[];
  /** How many times the keys were fetched. */
  fetches = 0;
  /** The status of its responses. */
  status = 200;

  private constructor(key: Key) {
    this.#keys = [key];
    this.#server = createServer((_request, response) => {
      this.fetches += 1;
      response.writeHead(this.status, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ keys: this.#keys.map(({ jwk }) => jwk) }));
    });
  }

  static async start(): Promise<Issuer> {
    const issuer = new Issuer(await createKey("key-1"));
    await new Promise<void>((resolve) => issuer.#server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      issuer.#server.closeAllConnections();
      issuer.#server.close();
    });
    return issuer;
  }

  get jwksUrl(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/.well-known/jwks.json`;
  }

  /** Replaces the key. */
  async rotate(): Promise<void> {
    this.#keys = [await createKey(`${this.#newest.kid}-rotated`)];
  }

  sign(claims: JWTPayload): Promise<string> {
    const { kid, privateKey } = this.#newest;
    return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, kid }).sign(privateKey);
  }

  /** A forged token: signed with the public key as an HS256 secret. */
  async forgeWithPublicKey(claims: JWTPayload): Promise<string> {
    const { kid, publicKey } = this.#newest;
    const secret = new TextEncoder().encode(await exportSPKI(publicKey));
    return new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid }).sign(secret);
  }

  get #newest(): Key {
    const [key] = this.#keys;
    if (!key) throw new Error("an issuer has a key");
    return key;
  }
}

async function createKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  return { kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: ALGORITHM } };
}
