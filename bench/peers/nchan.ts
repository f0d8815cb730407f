import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findFreePort } from "@presence/testkit";
import { onScopeEnd } from "../setup/scope.ts";

const run = promisify(execFile);

/** Debian's packages are unpacked here, not installed. */
const FOLDER = fileURLToPath(new URL("../../.cache/nchan", import.meta.url));
const PACKAGES = ["nginx", "libnginx-mod-nchan"];
/** Debian's nginx needs this folder, whatever the configuration says. */
const BODY_FOLDER = "/var/lib/nginx/body";
/** A clock tick of Linux. */
const TICK_MS = 10;
const POLL_MS = 20;
const TIMEOUT_MS = 5_000;

export interface Publisher {
  /** Pipelines these messages over one connection. */
  publish(messages: readonly string[]): void;
  close(): void;
}

export interface Nchan {
  port: number;
  publisher: Publisher;
  /** Processor time of nginx so far, ms. */
  cpuMs(): Promise<number>;
}

/**
 * Starts Nchan, a module of nginx, with one worker. `/watch` is its stream. It is stopped with the scope.
 *
 * @throws if the packages are not available
 */
export async function startNchan(): Promise<Nchan> {
  await download();
  const folder = await mkdtemp(join(tmpdir(), "nchan-"));
  const port = await findFreePort();
  const createdFolder = await mkdir(BODY_FOLDER, { recursive: true });
  await writeFile(join(folder, "nginx.conf"), configuration(folder, port));
  const child = spawn(
    join(FOLDER, "usr/sbin/nginx"),
    ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  onScopeEnd(async () => {
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
    for (const each of [folder, createdFolder]) if (each) await rm(each, { recursive: true });
  });
  const publisher = await openPublisher(port);
  onScopeEnd(() => publisher.close());
  return { port, publisher, cpuMs: () => cpuMsOf(child.pid) };
}

/** Connects to Nchan, and waits until it listens. */
export async function openPublisher(port: number): Promise<Publisher> {
  const socket = await connectTo(port);
  socket.resume();
  socket.setNoDelay(true);
  return {
    publish: (messages) => void socket.write(messages.map(publication).join("")),
    close: () => void socket.destroy(),
  };
}

async function download(): Promise<void> {
  const isAvailable = await access(FOLDER).then(
    () => true,
    () => false,
  );
  if (isAvailable) return;
  const parts = `${FOLDER}.parts`;
  await rm(parts, { recursive: true, force: true });
  await mkdir(parts, { recursive: true });
  const get = () => run("apt-get", ["download", ...PACKAGES], { cwd: parts });
  await get().catch(async () => {
    await run("apt-get", ["update"]);
    await get();
  });
  for (const file of await readdir(parts)) {
    if (file.endsWith(".deb")) await run("dpkg-deb", ["-x", file, "root"], { cwd: parts });
  }
  await rename(join(parts, "root"), FOLDER);
  await rm(parts, { recursive: true });
}

function configuration(folder: string, port: number): string {
  return `load_module ${join(FOLDER, "usr/lib/nginx/modules/ngx_nchan_module.so")};
daemon off;
worker_processes 1;
pid ${join(folder, "nginx.pid")};
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000;
  keepalive_timeout 1h;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    location = /watch {
      nchan_subscriber eventsource;
      nchan_subscriber_first_message newest;
      nchan_channel_id presence;
    }
    location = /publish {
      nchan_publisher;
      nchan_channel_id presence;
      nchan_message_buffer_length 1000;
    }
  }
}
`;
}

function publication(message: string): string {
  return `POST /publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`;
}

async function connectTo(port: number): Promise<Socket> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  for (;;) {
    const socket = connect({ host: "127.0.0.1", port });
    try {
      await once(socket, "connect");
      return socket;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

/** Processor time of a process and its children. */
async function cpuMsOf(pid: number | undefined): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ").filter(Boolean);
  const stats = await Promise.all([String(pid), ...children].map((each) => readFile(`/proc/${each}/stat`, "utf8")));
  return stats.reduce((sum, stat) => {
    const [user = 0, system = 0] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13)
      .map(Number);
    return sum + TICK_MS * (user + system);
  }, 0);
}
