import { PresenceServer, requestEventStream } from "@presence/testkit";

/** The built server in a separate process, and clients that connect to it without a browser. */
export class RunningApp {
  readonly #server: PresenceServer;
  readonly #streams = new Map<string, AbortController>();

  private constructor(server: PresenceServer) {
    this.#server = server;
  }

  /** @param heartbeatIntervalMs `d`: shorter than the default, so that an animation has no long pauses */
  static async start(heartbeatIntervalMs: number): Promise<RunningApp> {
    return new RunningApp(await PresenceServer.start({ heartbeatIntervalMs }));
  }

  get url(): string {
    return this.#server.url;
  }

  /** Opens a stream of the client, which comes online. */
  async connect(client: string): Promise<void> {
    const controller = new AbortController();
    this.#streams.set(client, controller);
    const response = await requestEventStream(`${this.url}/events/${client}`, { signal: controller.signal });
    response.on("error", () => {}).resume();
  }

  /** Closes the stream of the client, which goes offline when its lease expires. */
  disconnect(client: string): void {
    this.#streams.get(client)?.abort();
    this.#streams.delete(client);
  }

  async stop(): Promise<void> {
    for (const client of this.#streams.keys()) this.disconnect(client);
    await this.#server.stop();
  }
}
