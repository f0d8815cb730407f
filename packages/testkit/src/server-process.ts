import { findFreePort } from "./free-port.ts";
import { NodeProgram, type NodeProgramOptions } from "./node-program.ts";
import { waitFor } from "./wait-for.ts";

export interface ServerProcessOptions extends NodeProgramOptions {
  /** The address that it listens on. Without it, `HOST` is not set and the URL says `localhost`. */
  host?: string;
}

/**
 * An HTTP server in a process of its own: a program that takes `PORT` and `HOST` from its environment, and logs a JSON
 * line with a `port` when it listens. It keeps its port when it is started again.
 */
export class ServerProcess extends NodeProgram {
  readonly host: string;
  readonly #options: ServerProcessOptions;
  #port = 0;

  constructor(options: ServerProcessOptions) {
    super(options);
    this.#options = options;
    this.host = options.host ?? "localhost";
  }

  /** Resolves with a server that listens. */
  static async launch(options: ServerProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    await server.restart();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** Without a slash at the end. */
  get url(): string {
    return `http://${this.host}:${this.#port}`;
  }

  /** Starts it on the port it had; kills it first if it runs. Resolves when it listens. */
  async restart(): Promise<void> {
    await this.kill();
    const { host, logFile } = this.#options;
    // The log is not read, so the port has to be known before.
    if (logFile !== undefined && this.#port === 0) this.#port = await findFreePort();
    const env = { PORT: String(this.#port), ...(host !== undefined && { HOST: host }) };
    await this.startProcess(env, () => (logFile === undefined ? this.#readPort() : this.#answers()));
  }

  /** The sum of a metric's values over all its labels, or the value of exactly `name{labels}`. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }

  async #readPort(): Promise<void> {
    const { port } = await this.nextLine(({ port }) => typeof port === "number");
    this.#port = port as number;
  }

  async #answers(): Promise<void> {
    await waitFor("the server answers", () =>
      fetch(`${this.url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  }
}
