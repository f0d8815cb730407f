import { once } from "node:events";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";

const REPLY_TIMEOUT_MS = 10_000;

interface Message {
  kind: "reply" | "push" | "closed";
  value: unknown;
}

/** An error reply of Redis. */
export interface ErrorReply {
  error: string;
}

/**
 * A connection with synchronous commands, as a library inside Redis has them. A worker thread owns the socket. This thread
 * blocks until the reply arrives.
 */
export class SynchronousRedis {
  /** Called when push messages arrive while no command waits for a reply. */
  onPushes: () => void = () => {};
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #arrivals: Int32Array;
  #seen = 0;
  #pushes: unknown[][] = [];
  #closed: string | undefined;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#arrivals = new Int32Array(new SharedArrayBuffer(4));
    this.#worker = new Worker(new URL("./synchronous-redis-worker.mjs", import.meta.url), {
      workerData: { host: hostname, port: Number(port), channel: port2, arrivals: this.#arrivals },
      transferList: [port2],
      execArgv: [],
    });
    this.#port.on("message", (message: Message) => {
      this.#take(message);
      this.onPushes();
    });
  }

  /**
   * Sends all commands in one pipeline and waits for their replies.
   *
   * @param replyCount the number of replies; `SUBSCRIBE` has none, because Redis sends a push message instead
   */
  pipeline(commands: readonly (readonly string[])[], replyCount = commands.length): unknown[] {
    this.#port.postMessage(commands);
    const replies: unknown[] = [];
    const deadline = performance.now() + REPLY_TIMEOUT_MS;
    while (replies.length < replyCount) {
      if (this.#closed !== undefined) throw new Error(this.#closed);
      const message: Message | undefined = receiveMessageOnPort(this.#port)?.message;
      if (message === undefined) this.#sleep(deadline);
      else if (message.kind === "reply") replies.push(message.value);
      else this.#take(message);
    }
    return replies;
  }

  /** @throws if Redis replies with an error */
  call(...command: string[]): unknown {
    const [reply] = this.pipeline([command]);
    if (isErrorReply(reply)) throw new Error(reply.error);
    return reply;
  }

  /** Returns the push messages since the last call. */
  takePushes(): unknown[][] {
    const pushes = this.#pushes;
    this.#pushes = [];
    return pushes;
  }

  async close(): Promise<void> {
    const exited = once(this.#worker, "exit");
    this.#port.postMessage("close");
    await exited;
    this.#port.close();
  }

  #take({ kind, value }: Message): void {
    if (kind === "push") this.#pushes.push(value as unknown[]);
    else if (kind === "closed") this.#closed = String(value);
  }

  #sleep(deadline: number): void {
    const seen = this.#seen;
    Atomics.wait(this.#arrivals, 0, seen, 100);
    this.#seen = Atomics.load(this.#arrivals, 0);
    if (this.#seen === seen && performance.now() > deadline) throw new Error("Redis did not reply in time");
  }
}

export function isErrorReply(reply: unknown): reply is ErrorReply {
  return typeof reply === "object" && reply !== null && "error" in reply;
}
