/** Preloaded into a server: tells by IPC what it holds on to, after all garbage has been collected. Runs with --expose-gc. */
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
