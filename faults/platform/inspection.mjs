/** Preloaded into a server: answers IPC messages with its resource usage after a garbage collection. Needs --expose-gc. */
process.on("message", () => {
  globalThis.gc?.();
  const resources = process.getActiveResourcesInfo();
  const count = (/** @type {string} */ name) => resources.filter((resource) => resource === name).length;
  process.send?.({
    heapBytes: process.memoryUsage().heapUsed,
    sockets: count("TCPSocketWrap"),
    timers: count("Timeout"),
    processListeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  });
});
process.channel?.unref();
