import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addPeerKey,
  createAuthenticator,
  parseSshPublicKey,
  revokePeerKey,
  updateAccount,
  verifySshSignature,
} from "@alkdev/storage/sqlite";
import { tempFolder } from "@alkdev/testkit";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type AuthSetup, auditTrail, authSetup } from "./auth-fixture.ts";

const KINDS = [
  ["ed25519", []],
  ["ecdsa", ["-b", "256"]],
  ["rsa", ["-b", "2048"]],
] as const;

interface SshKey {
  readonly file: string;
  readonly line: string;
  readonly fingerprint: string;
}

function generate(folder: string, [type, options]: readonly [string, readonly string[]]): SshKey {
  const file = join(folder, `id_${type}_${options.join("")}`);
  const comment = "somebody@somewhere, with spaces";
  execFileSync("ssh-keygen", ["-q", "-t", type, ...options, "-N", "", "-C", comment, "-f", file]);
  const printed = execFileSync("ssh-keygen", ["-l", "-f", `${file}.pub`], { encoding: "utf8" });
  const line = readFileSync(`${file}.pub`, "utf8");
  return { file, line, fingerprint: printed.split(" ")[1] as string };
}

function sign(
  { file }: SshKey,
  message: string,
  namespace = "alkdev-auth",
  options: string[] = [],
): string {
  const input = ["-Y", "sign", "-f", file, "-n", namespace, "-q", ...options];
  return execFileSync("ssh-keygen", input, { input: message, encoding: "utf8" });
}

const { status } = spawnSync("ssh-keygen", ["-?"]);
let folder: string;
const keys = new Map<string, SshKey>();
const keyOf = (kind: string) => keys.get(kind) as SshKey;

describe.skipIf(status === null)("SSH keys, with the real ssh-keygen (M41)", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "alkdev-ssh-"));
    for (const kind of KINDS) keys.set(kind[0], generate(folder, kind));
    mkdirSync(join(folder, "other"));
    keys.set("other", generate(join(folder, "other"), ["ed25519", []]));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.each(KINDS.map(([kind]) => kind))("%s", (kind) => {
    it("has the fingerprint that ssh-keygen prints, whatever stands around it", () => {
      const { line, fingerprint } = keyOf(kind);
      expect(parseSshPublicKey(line).fingerprint).toBe(fingerprint);
      const [type, base64] = line.split(" ") as [string, string];
      expect(parseSshPublicKey(`${type}\t${base64}`)).toMatchObject({ type, fingerprint });
    });

    it("signs a challenge, which signs its owner in once", () => {
      const setup = authSetup();
      const { line, fingerprint } = keyOf(kind);
      const { id } = addPeerKey(setup.system, { ownerId: "ada", publicKey: line });
      const auth = setup.authenticator();
      const { nonce, namespace } = auth.createChallenge(fingerprint);
      const answer = { fingerprint, nonce, signature: sign(keyOf(kind), nonce, namespace) };
      expect(auth.verifyChallenge(answer)).toMatchObject({
        ok: true,
        principal: { accountId: "ada", credentialType: "ssh_key", credentialId: id },
      });
      expect(auth.verifyChallenge(answer)).toMatchObject({ code: "UNAUTHENTICATED" });
      expect(setup.authenticator().verifyChallenge(answer).ok).toBe(false);
    });

    it("signs SHA-256 hashes too, and nothing that was changed passes", () => {
      const message = "hello";
      const good = sign(keyOf(kind), message, "file", ["-O", "hashalg=sha256"]);
      expect(verifySshSignature(good, { message, namespace: "file" })?.fingerprint).toBe(
        keyOf(kind).fingerprint,
      );
      expect(verifySshSignature(good, { message: "hellp", namespace: "file" })).toBeNull();
      expect(verifySshSignature(good, { message, namespace: "other" })).toBeNull();
      const bytes = Buffer.from(good.split("\n").slice(1, -2).join(""), "base64");
      for (let at = 0; at < bytes.length; at += 7) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ 1;
        const armored = `-----BEGIN SSH SIGNATURE-----\n${changed.toString("base64")}\n-----END SSH SIGNATURE-----\n`;
        const signer = verifySshSignature(armored, { message, namespace: "file" });
        expect([at, signer?.fingerprint ?? null]).toEqual([at, null]);
      }
      for (let length = 0; length < bytes.length; length += 13) {
        const cut = bytes.subarray(0, length).toString("base64");
        const armored = `-----BEGIN SSH SIGNATURE-----\n${cut}\n-----END SSH SIGNATURE-----\n`;
        expect(verifySshSignature(armored, { message, namespace: "file" })).toBeNull();
      }
    });
  });

  it.each<[string, () => unknown]>([
    ["nothing", () => ""],
    ["no text", () => null],
    ["a private key", () => readFileSync(keyOf("ed25519").file, "utf8")],
    ["another type before the same key", () => keyOf("rsa").line.replace("ssh-rsa", "ssh-ed25519")],
    ["half a key", () => keyOf("rsa").line.slice(0, 100)],
    ["a type alone", () => "ssh-ed25519"],
    [
      "a point that is not on the curve",
      () => {
        const [type, base64] = keyOf("ecdsa").line.split(" ") as [string, string];
        const blob = Buffer.from(base64, "base64");
        blob[blob.length - 1] = (blob.at(-1) as number) ^ 1;
        return `${type} ${blob.toString("base64")}`;
      },
    ],
    ["RSA of 1,024 bits", () => generate(tempFolder(), ["rsa", ["-b", "1024"]]).line],
    ["another curve", () => generate(tempFolder(), ["ecdsa", ["-b", "384"]]).line],
    ["ten megabytes", () => `ssh-ed25519 ${"A".repeat(1e7)}`],
  ])("a public key is refused: %s", (_, line) => {
    const { system } = authSetup();
    const code = "INVALID_ARGUMENT";
    expect(() => parseSshPublicKey(line() as string)).toThrow(expect.objectContaining({ code }));
    expect(() => addPeerKey(system, { ownerId: "ada", publicKey: line() as string })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it.each<[string, string, (setup: AuthSetup) => unknown]>([
    [
      "a key that somebody has",
      "ALREADY_EXISTS",
      ({ system }) => {
        for (let i = 0; i < 2; i += 1)
          addPeerKey(system, { ownerId: "ada", publicKey: keyOf("rsa").line });
      },
    ],
    [
      "an owner that is not there",
      "NOT_FOUND",
      ({ system }) => addPeerKey(system, { ownerId: "x", publicKey: keyOf("rsa").line }),
    ],
    ["to revoke what is not there", "NOT_FOUND", ({ system }) => revokePeerKey(system, "none")],
    [
      "a challenge for no fingerprint",
      "INVALID_ARGUMENT",
      ({ authenticator }) => authenticator().createChallenge("MD5:00"),
    ],
  ])("refused: %s: %s", (_, code, call) => {
    const setup = authSetup();
    expect(() => call(setup)).toThrow(expect.objectContaining({ code }));
  });

  describe("a challenge is refused with one answer", () => {
    interface Attempt extends AuthSetup {
      readonly id: string;
      readonly auth: ReturnType<AuthSetup["authenticator"]>;
      readonly answer: { fingerprint: string; nonce: string; signature: string };
    }
    it.each<[string, string, (attempt: Attempt) => unknown]>([
      ["a nonce of its own making", "bad_challenge", () => ({ nonce: "A".repeat(72) })],
      ["no nonce", "bad_challenge", () => ({ nonce: "" })],
      ["a nonce that is a list", "bad_challenge", ({ answer }) => ({ nonce: [answer.nonce] })],
      [
        "a nonce of another key",
        "bad_challenge",
        ({ auth }) => {
          const { nonce } = auth.createChallenge(keyOf("other").fingerprint);
          return { nonce, signature: sign(keyOf("ed25519"), nonce) };
        },
      ],
      [
        "a nonce of another installation",
        "bad_challenge",
        ({ system, clock }) => {
          const other = createAuthenticator(system, { clock, challengeNamespace: "other" });
          onTestFinished(() => other.close());
          const { nonce } = other.createChallenge(keyOf("ed25519").fingerprint);
          return { nonce, signature: sign(keyOf("ed25519"), nonce) };
        },
      ],
      ["a minute later", "bad_challenge", ({ clock }) => clock.advance(60_000)],
      ["an hour before it was made", "bad_challenge", ({ clock }) => clock.advance(-3_600_000)],
      [
        "the signature of another key",
        "bad_signature",
        ({ answer }) => ({ signature: sign(keyOf("other"), answer.nonce) }),
      ],
      [
        "a signature of something else",
        "bad_signature",
        () => ({ signature: sign(keyOf("ed25519"), "else") }),
      ],
      [
        "a signature for something else",
        "bad_signature",
        ({ answer }) => ({ signature: sign(keyOf("ed25519"), answer.nonce, "git") }),
      ],
      ["no signature", "bad_signature", () => ({ signature: "" })],
      ["a signature that is a number", "bad_signature", () => ({ signature: 5 })],
      ["a revoked key", "revoked", ({ system, id }) => void revokePeerKey(system, id)],
      [
        "a suspended owner",
        "account_suspended",
        ({ system }) => void updateAccount(system, "ada", { changes: { status: "suspended" } }),
      ],
      [
        "an unregistered key",
        "unknown",
        ({ system }) => void system.$client.execute("DELETE FROM peer_credentials"),
      ],
    ])("%s: %s", (_, reason, prepare) => {
      const setup = authSetup();
      const auth = setup.authenticator();
      const key = keyOf("ed25519");
      const { fingerprint } = key;
      const { id } = addPeerKey(setup.system, { ownerId: "ada", publicKey: key.line });
      const { nonce } = auth.createChallenge(fingerprint);
      const answer = { fingerprint, nonce, signature: sign(key, nonce) };
      const changed = prepare({ ...setup, id, auth, answer });
      const shown = { ...answer, ...(typeof changed === "object" ? changed : {}) };
      expect(auth.verifyChallenge(shown as never)).toBe(auth.authenticate("no"));
      auth.flush();
      expect(auditTrail(setup.system, "auth.failed")[0]?.[1]).toMatchObject({ reason });
    });

    it("again after a day, when a clock was set back", () => {
      const { system, clock, authenticator } = authSetup();
      const auth = authenticator();
      const key = keyOf("ed25519");
      const { fingerprint } = key;
      addPeerKey(system, { ownerId: "ada", publicKey: key.line });
      const used = [0, 1].map(() => {
        const { nonce } = auth.createChallenge(fingerprint);
        return { fingerprint, nonce, signature: sign(key, nonce) };
      }) as [never, never];
      expect(auth.verifyChallenge(used[0]).ok).toBe(true);
      clock.advance(3_600_000);
      const { nonce } = auth.createChallenge(fingerprint);
      expect(auth.verifyChallenge({ fingerprint, nonce, signature: sign(key, nonce) }).ok).toBe(
        true,
      );
      clock.advance(-3_600_000);
      expect(auth.verifyChallenge(used[0]).ok).toBe(false);
      expect(auth.verifyChallenge(used[1]).ok).toBe(true);
    });

    it("a connection that it let in, from the commit on that revokes its key", () => {
      const { system, authenticator } = authSetup();
      const auth = authenticator();
      const { fingerprint, line } = keyOf("ed25519");
      const { id } = addPeerKey(system, { ownerId: "ada", publicKey: line });
      for (const _ of [1, 2]) {
        const again = auth.recheckPeer(fingerprint);
        expect(again.ok && again.principal.credentialId).toBe(id);
      }
      revokePeerKey(system, id);
      expect(auth.recheckPeer(fingerprint)).toMatchObject({ ok: false, code: "UNAUTHENTICATED" });
      expect(auth.recheckPeer("nobody")).toMatchObject({ ok: false });
      auth.close();
      expect(() => auth.recheckPeer(fingerprint)).toThrow(/closed/);
    });

    it("and a source that fails too often waits", () => {
      const { authenticator } = authSetup();
      const auth = authenticator({ failureLimit: { limit: 1, perSeconds: 60 } });
      const answer = { fingerprint: keyOf("rsa").fingerprint, nonce: "no", signature: "no" };
      const codes = [1, 2].map(() => auth.verifyChallenge(answer, { source: "a" }));
      expect(codes).toMatchObject([{ code: "UNAUTHENTICATED" }, { code: "RATE_LIMITED" }]);
    });
  });

  it("asking for challenges writes nothing, after the first", () => {
    const { system, authenticator } = authSetup();
    const auth = authenticator();
    const { fingerprint } = keyOf("rsa");
    auth.createChallenge(fingerprint);
    const changes = () => system.$client.rows("SELECT total_changes()");
    const before = changes();
    const nonces = Array.from({ length: 100 }, () => auth.createChallenge(fingerprint).nonce);
    expect(new Set(nonces).size).toBe(100);
    expect(changes()).toEqual(before);
  });
});
