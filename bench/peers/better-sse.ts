import { createChannel, createSession } from "better-sse";
import { servePeer } from "./serve-peer.ts";

/** Sessions and a channel of better-sse, with the default options. */
const channel = createChannel();

servePeer({
  open(request, response) {
    void createSession(request, response).then((session) => channel.register(session));
  },
  broadcast(message) {
    channel.broadcast(message, "presence");
  },
});
