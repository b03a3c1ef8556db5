import { execFile } from "node:child_process";
import { HubError } from "../errors.ts";

/** An SSH key that is known to the hub. */
export interface SshIdentity {
  /** The private key, or a public one whose private key the agent has: signed by `ssh-keygen`. */
  readonly privateKeyPath?: string;
  /** Signs instead: gives the armoured signature that `ssh-keygen -Y sign -n <namespace>` prints. */
  readonly sign?: (message: string, namespace: string) => string | Promise<string>;
  /** `SHA256:…`. Default: that of the key at `privateKeyPath`. */
  readonly fingerprint?: string;
  /**
   * What the hub may ask to sign for; anything else is refused, so that no other hub can pass a challenge
   * on. Default `alkdev-auth`.
   */
  readonly namespace?: string;
}

const NAMESPACE = "alkdev-auth";
/** Milliseconds that `ssh-keygen` may take. */
const LONGEST_MS = 10_000;

/** Something the hub wants signed. */
export interface SshChallenge {
  readonly nonce: string;
  readonly namespace: string;
}

/** The fingerprint of a key. @throws HubError `INVALID_ARGUMENT` */
export async function fingerprintOf(ssh: SshIdentity): Promise<string> {
  const { fingerprint, privateKeyPath } = ssh;
  if (fingerprint !== undefined) return fingerprint;
  if (privateKeyPath === undefined) {
    throw new HubError("INVALID_ARGUMENT", "ssh has neither fingerprint nor privateKeyPath");
  }
  const printed = await sshKeygen(["-l", "-E", "sha256", "-f", privateKeyPath]);
  const found = printed.split(" ").find((word) => word.startsWith("SHA256:"));
  if (found !== undefined) return found;
  throw new HubError("INVALID_ARGUMENT", `"${privateKeyPath}" is no key that ssh-keygen knows`);
}

/**
 * Signs a challenge.
 *
 * @throws HubError `REFUSED` for a namespace that is not the pinned one, `INVALID_ARGUMENT` where the key
 * cannot sign
 */
export async function signChallenge(ssh: SshIdentity, challenge: SshChallenge): Promise<string> {
  const { sign, privateKeyPath, namespace: pinned = NAMESPACE } = ssh;
  const { nonce, namespace } = challenge;
  if (namespace !== pinned) {
    throw new HubError(
      "REFUSED",
      `the hub asks for a signature for "${namespace}", not for "${pinned}"`,
      { hint: "Set ssh.namespace if this is the hub you mean", details: { namespace, pinned } },
    );
  }
  if (sign !== undefined) return sign(nonce, namespace);
  if (privateKeyPath === undefined) {
    throw new HubError("INVALID_ARGUMENT", "ssh has neither privateKeyPath nor sign");
  }
  return sshKeygen(["-Y", "sign", "-f", privateKeyPath, "-n", namespace, "-q"], nonce);
}

function sshKeygen(args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: LONGEST_MS,
      // a service has nobody to type a passphrase
      env: { ...process.env, SSH_ASKPASS_REQUIRE: "never" },
    };
    const child = execFile("ssh-keygen", args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const reason = stderr.trim() || error.message;
      const message = `ssh-keygen ${args[0]} ${args[1]} failed: ${reason}`;
      reject(new HubError("INVALID_ARGUMENT", message, { cause: error }));
    });
    child.stdin?.on("error", () => undefined); // it ended before it read: its exit says why
    child.stdin?.end(input);
  });
}
