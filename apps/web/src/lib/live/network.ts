import type { Fetch } from "../api/api.ts";

const NO_CONTENT = 204;

/** The way to the server, with a pair of scissors: what the demo page's 'cut network' uses. */
export interface Network {
  send: Fetch;
  /**
   * From now on nothing gets through in either direction, and, as when a cable is pulled, nobody is told: connections
   * stay open at the other end, even those that this end gives up meanwhile.
   */
  cut(): void;
  restore(): void;
}

/** @param underlying what requests go through while the network is whole */
export function createNetwork(underlying: Fetch): Network {
  let isCut = false;
  let waiting: (() => void)[] = [];

  /** Runs `action` now, or when the network is whole again. */
  function whenWhole(action: () => void): void {
    if (isCut) waiting.push(action);
    else action();
  }

  /** `body`, held back while the network is cut. */
  function gated(body: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
    const reader = body.getReader();
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await reader.read();
        await new Promise<void>(whenWhole);
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel(reason) {
        whenWhole(() => void reader.cancel(reason).catch(() => undefined));
      },
    });
  }

  return {
    async send(path, init) {
      if (isCut) throw new TypeError("The network is cut.");
      const inner = new AbortController();
      const signal = init.signal ?? inner.signal;
      const abandoned = new Promise<never>((_, reject) => {
        const abandon = () => {
          reject(signal.reason);
          whenWhole(() => inner.abort(signal.reason));
        };
        if (signal.aborted) abandon();
        else signal.addEventListener("abort", abandon, { once: true });
      });
      const response = await Promise.race([underlying(path, { ...init, signal: inner.signal }), abandoned]);
      // Chromium gives even a 204 a body, and refuses to make a response of that status with one.
      if (response.body === null || response.status === NO_CONTENT) return response;
      return new Response(gated(response.body), response);
    },
    cut() {
      isCut = true;
    },
    restore() {
      isCut = false;
      const actions = waiting;
      waiting = [];
      for (const action of actions) action();
    },
  };
}
