import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A self-signed certificate for `127.0.0.1`, valid for two days. */
export interface Certificate {
  file: string;
  keyFile: string;
  /** The content of `file`, in PEM. */
  text: string;
  remove(): Promise<void>;
}

/** @throws if `openssl` is not installed */
export async function makeCertificate(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), "presence-certificate-"));
  const [file, keyFile] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  const remove = () => rm(folder, { recursive: true, force: true });
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=presence-test", "-addext", "subjectAltName=IP:127.0.0.1"];
  try {
    await promisify(execFile)("openssl", ["req", ...kind, ...names, "-keyout", keyFile, "-out", file]);
    return { file, keyFile, text: await readFile(file, "utf8"), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Arguments of a `redis-server` that speaks only TLS on this port, also with the other nodes of its cluster. */
export function tlsArgs({ file, keyFile }: Certificate, port: number): string[] {
  return [
    ...["--port", "0", "--tls-port", String(port), "--tls-cert-file", file, "--tls-key-file", keyFile],
    ...["--tls-ca-cert-file", file, "--tls-auth-clients", "no", "--tls-cluster", "yes", "--tls-replication", "yes"],
  ];
}
