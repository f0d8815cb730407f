import { createChannel, createSession } from "better-sse";
import { servePeer } from "./serve-peer.ts";

/** better-sse, its sessions and its channel, with their default options. */
const channel = createChannel();

servePeer({
  open(request, response, watches) {
    void createSession(request, response).then((session) => {
      if (watches) channel.register(session);
    });
  },
  broadcast(message) {
    channel.broadcast(message, "presence");
  },
});
