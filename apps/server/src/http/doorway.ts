import type { Server } from "node:http";
import type { Socket } from "node:net";

/** How many connections are let in in one turn of the event loop: what each asks for takes a fraction of a ms. */
const LET_IN_PER_TURN = 24;

/**
 * Lets connections in a few at a time. When thousands come at once the operating system hands them over all in one turn,
 * and with them a second of work, in which nobody else is served. Here they wait at no cost, and unread; a connection
 * that comes alone waits for nothing.
 *
 * To be called before others listen to the server's connections.
 */
export function letInByTurns(server: Server): void {
  const serve = server.listeners("connection") as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners("connection");
  // What `pauseOnConnect` is for `net.createServer`, and `http.createServer` doesn't pass on.
  Object.assign(server, { pauseOnConnect: true });
  const doorway = new Doorway((socket) => {
    for (const each of serve) each.call(server, socket);
    socket.resume();
  });
  server.on("connection", (socket: Socket) => doorway.arrive(socket));
}

class Doorway {
  readonly #letIn: (socket: Socket) => void;
  #waiting: Socket[] = [];
  #letInThisTurn = 0;
  #isTurnComing = false;

  constructor(letIn: (socket: Socket) => void) {
    this.#letIn = letIn;
  }

  arrive(socket: Socket): void {
    this.#waiting.push(socket);
    this.#letSomeIn();
  }

  #letSomeIn(): void {
    const some = this.#waiting.splice(0, LET_IN_PER_TURN - this.#letInThisTurn);
    this.#letInThisTurn += some.length;
    for (const socket of some) if (!socket.destroyed) this.#letIn(socket);
    if (this.#isTurnComing || this.#letInThisTurn === 0) return;
    this.#isTurnComing = true;
    setImmediate(() => {
      this.#isTurnComing = false;
      this.#letInThisTurn = 0;
      this.#letSomeIn();
    });
  }
}
