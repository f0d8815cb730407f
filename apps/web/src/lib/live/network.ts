import type { Fetch } from "../api/api.ts";

const NO_CONTENT = 204;

/** The network between the worker and the server. The demo page's 'Cut network' button simulates a loss with it. */
export interface Network {
  send: Fetch;
  /**
   * Simulates an unplugged cable: nothing passes in either direction, and the server isn't notified. Its connections stay
   * open until `restore`, even those that the browser closes meanwhile.
   */
  cut(): void;
  restore(): void;
}

/** @param underlying sends the requests while the network isn't cut */
export function createNetwork(underlying: Fetch): Network {
  let isCut = false;
  let waiting: (() => void)[] = [];

  /** Runs `action` now, or after `restore` if the network is cut. */
  function whenConnected(action: () => void): void {
    if (isCut) waiting.push(action);
    else action();
  }

  /** Passes on `body`, except while the network is cut. */
  function holdWhileCut(body: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
    const reader = body.getReader();
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await reader.read();
        await new Promise<void>(whenConnected);
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel(reason) {
        whenConnected(() => void reader.cancel(reason).catch(() => undefined));
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
          whenConnected(() => inner.abort(signal.reason));
        };
        if (signal.aborted) abandon();
        else signal.addEventListener("abort", abandon, { once: true });
      });
      const response = await Promise.race([underlying(path, { ...init, signal: inner.signal }), abandoned]);
      // Chromium gives a 204 response a body, but `new Response` throws for a 204 with a body.
      if (response.body === null || response.status === NO_CONTENT) return response;
      return new Response(holdWhileCut(response.body), response);
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
